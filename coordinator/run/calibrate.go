package run

import (
	"context"
	"errors"
	"fmt"

	"assay/shared/plan"
	"assay/shared/quant"
)

// statistics collects statistics of the float model on samples of the calibration data, as one phase about so many
// subjects. taps are stored under their digest, which is the cells' Ref. Records come back in view order, however the
// cells arrived; names are the data set's and may be shorter than it.
func (a *asker) statistics(ctx context.Context, phase string, subjects int, problem plan.Problem, view plan.View, names []string, taps []quant.Tap) (*quant.Stats, error) {
	ref, err := a.objects.Put(ctx, quant.EncodeTaps(taps))
	if err != nil {
		return nil, err
	}
	if _, err := a.objects.Put(ctx, plan.EncodeView(view)); err != nil {
		return nil, err
	}
	var requests []request
	d, v := problem.Digest(), view.Digest()
	for at := 0; at < len(view.Samples); at += int(problem.Block) {
		c := plan.Cell{Problem: d, View: v, Index: uint32(at / int(problem.Block)), What: plan.Taps, Ref: ref}
		requests = append(requests, request{cell: c, digest: c.Digest(), block: view.Samples[at:min(at+int(problem.Block), len(view.Samples))]})
	}
	a.onRound(phase, subjects, len(view.Samples))
	results, err := a.cells.do(ctx, requests, nil)
	if err != nil {
		return nil, fmt.Errorf("statistics: %w", err)
	}
	size := quant.RecordSize(taps)
	var records [][]byte
	for _, r := range requests {
		res := results[r.digest]
		b := res.Records
		if !res.Object.IsZero() {
			if b, err = a.objects.Get(ctx, res.Object); err != nil {
				return nil, fmt.Errorf("statistics: %w", err)
			}
		}
		if len(b) != size*len(r.block) {
			return nil, fmt.Errorf("statistics: cell %s has %d bytes, %d samples of %d are expected", r.digest.Short(), len(b), len(r.block), size)
		}
		for i := range r.block {
			records = append(records, b[i*size:(i+1)*size])
		}
	}
	ordered := make([]string, len(view.Samples))
	for i, s := range view.Samples {
		if int(s) < len(names) {
			ordered[i] = names[s]
		}
	}
	stats, err := quant.NewStats(taps, records, ordered)
	if errors.Is(err, quant.ErrNotFinite) {
		err = &InputError{err}
	}
	return stats, err
}
