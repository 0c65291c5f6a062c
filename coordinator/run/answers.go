package run

import (
	"context"
	"fmt"

	"assay/shared/metric"
	"assay/shared/plan"
)

// answers asks what the float model's outputs say on the base view, keeps it as the reference that every other model is
// compared with, and turns a to that comparison. Cells of What Outputs on the float plan are the reference's pieces:
// small ones come inside the result and are stored here, large ones are in the object store already. The reference's
// digest is part of every later cell.
func (a *asker) answers(ctx context.Context) error {
	v := a.base.Digest()
	if _, err := a.objects.Put(ctx, plan.EncodeView(a.base)); err != nil {
		return err
	}
	var requests []request
	for at := 0; at < len(a.base.Samples); at += int(a.problem.Block) {
		index := uint32(at / int(a.problem.Block))
		c := plan.Cell{Problem: a.digest, View: v, Index: index, What: plan.Outputs}
		requests = append(requests, request{cell: c, digest: c.Digest(), block: a.block(a.base, index)})
	}
	a.onRound(PhaseBaseline, 1, len(a.base.Samples))
	results, err := a.cells.do(ctx, requests, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", PhaseBaseline, err)
	}
	var ref metric.Reference
	for _, r := range requests {
		res := results[r.digest]
		if res.Object.IsZero() {
			if res.Object, err = a.objects.Put(ctx, res.Records); err != nil {
				return err
			}
		}
		ref.Pieces = append(ref.Pieces, metric.AnswerPiece{Object: res.Object, Samples: r.block})
	}
	digest, err := a.objects.Put(ctx, ref.Encode())
	if err != nil {
		return err
	}
	return a.against(ctx, digest)
}

// against turns a to comparisons with a stored reference. The float model's own records follow from it. Records of the
// float model need no inference: it agrees with itself, and its distance to itself is 0.
func (a *asker) against(ctx context.Context, digest plan.Digest) error {
	b, err := a.objects.Get(ctx, digest)
	if err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	ref, err := metric.DecodeReference(b)
	if err != nil {
		return err
	}
	a.what, a.ref = plan.Distance, digest
	l, size := &ledger{map[uint32][]byte{}}, a.meter.RecordSize()
	a.known[plan.Digest{}] = l
	for _, p := range ref.Pieces {
		answers := make([][]byte, len(p.Samples))
		if a.meter.Adapter == metric.Classification { // else a model's distance to itself needs no look at what it says
			b, err := a.objects.Get(ctx, p.Object)
			if err != nil {
				return fmt.Errorf("reference: %w", err)
			}
			if answers, err = metric.SplitAnswers(b, len(p.Samples)); err != nil {
				return err
			}
		}
		own, err := a.meter.Own(answers)
		if err != nil {
			return err
		}
		for i, s := range p.Samples {
			l.records[s] = own[i*size : (i+1)*size]
		}
	}
	return nil
}
