package cell

import (
	"context"
	"fmt"

	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
	"assay/shared/wire"
)

// question is what a task asks of each batch: the values it wants, and what is made of them. Exactly one of measure and
// taps is set: statistics are taken of values as they are computed.
type question struct {
	want    []string
	measure measure
	taps    []quant.Tap
	several bool // plans of the task share the samples of a block
	view    int  // samples of the whole view
	laps    int  // batches of the view, if the next plan of a search is to go through them as well, else 0
}

// measure makes the bytes of a cell from the values of one batch: inputs and wanted outputs by name, and its samples.
type measure func(ctx context.Context, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error)

// question says which values a task wants and what is made of them.
func (e *Evaluator) question(ctx context.Context, pr *problem, t wire.Task) (question, error) {
	switch t.What {
	case plan.Records:
		return question{want: pr.meter.Wants(), measure: func(_ context.Context, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
			return pr.meter.PerSample(values, samples)
		}}, nil
	case plan.Outputs:
		return question{want: pr.meter.Wants(), measure: func(_ context.Context, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
			answers, err := pr.meter.Answers(values, len(samples))
			return metric.JoinAnswers(answers), err
		}}, nil
	case plan.Distance:
		ref, err := e.reference(ctx, t.Ref)
		if err != nil {
			return question{}, err
		}
		return question{want: pr.meter.Wants(), measure: func(ctx context.Context, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
			answers, err := ref.of(ctx, e.objects.Get, samples)
			if err != nil {
				return nil, err
			}
			return pr.meter.Against(values, answers)
		}}, nil
	case plan.Taps:
		taps, err := e.tapsOf(ctx, t.Ref)
		if err != nil {
			return question{}, err
		}
		return question{want: values(taps), taps: taps}, nil
	}
	return question{}, fmt.Errorf("cell asks for %d, which this evaluator does not know (update it)", t.What)
}

// answers finds the float model's answers by sample.
type answers struct {
	metric.Reference
	at map[uint32]place
}

type place struct{ piece, index int }

// reference fetches the manifest of the answers that d names, once per process.
func (e *Evaluator) reference(ctx context.Context, d plan.Digest) (*answers, error) {
	return e.references.get(ctx, d, func() (*answers, error) {
		b, err := e.objects.Get(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", d.Short(), err)
		}
		r, err := metric.DecodeReference(b)
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", d.Short(), err)
		}
		out := &answers{r, map[uint32]place{}}
		for k, p := range r.Pieces {
			for i, s := range p.Samples {
				out.at[s] = place{k, i}
			}
		}
		return out, nil
	})
}

// of gives the answers to samples; each of their pieces is fetched once.
func (a *answers) of(ctx context.Context, get func(context.Context, plan.Digest) ([]byte, error), samples []uint32) ([][]byte, error) {
	held := map[int][][]byte{}
	out := make([][]byte, len(samples))
	for i, s := range samples {
		at, ok := a.at[s]
		if !ok {
			return nil, fmt.Errorf("reference: no answer to sample %d", s)
		}
		if held[at.piece] == nil {
			p := a.Pieces[at.piece]
			b, err := get(ctx, p.Object)
			if err != nil {
				return nil, fmt.Errorf("reference: piece %d: %w", at.piece, err)
			}
			if held[at.piece], err = metric.SplitAnswers(b, len(p.Samples)); err != nil {
				return nil, fmt.Errorf("reference: piece %d: %w", at.piece, err)
			}
		}
		out[i] = held[at.piece][at.index]
	}
	return out, nil
}
