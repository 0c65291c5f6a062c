package cell

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"assay/evaluator/engine"
	"assay/shared/dataset"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// batch is what goes through the model at once. Only the samples asked are measured; fed may hold more.
type batch struct {
	asked []uint32
	fed   []uint32 // asked itself unless the model fixes its batch
}

// batchKey names the samples of a batch for the activation store.
type batchKey struct {
	Inputs  plan.Digest
	Samples []uint32
}

// batchBytes bounds the values that a batch gives: the taps of a deep network are all of its activations, and they are there
// at the same time.
const batchBytes = 8 << 20

// largestBatch is enough for weights to be read from cache and small enough for activations to stay there.
const largestBatch = 8

// next is the first batch of samples: as many as share a shape if every row is computed by itself, else one. A model with a
// fixed batch of b samples gets aligned groups: samples g*b to g*b+b-1 of the data, whatever is asked of them, the last one
// of the data repeated behind its end. most bounds the samples that no model binds. So what a sample is fed with depends on the
// data alone.
func next(in dataset.Inputs, program *engine.Program, samples []uint32, most int) batch {
	if b := in.Group(program.Batch()); b > 1 {
		n, first := 1, samples[0]-samples[0]%b
		for n < len(samples) && samples[n] >= first && samples[n] < first+b {
			n++
		}
		out := batch{asked: samples[:n]}
		for s := first; s < first+b; s++ {
			out.fed = append(out.fed, min(s, in.Count-1))
		}
		return out
	}
	n := 1
	if program.RowWise() {
		n = min(in.Together(samples), most)
	}
	return batch{samples[:n], samples[:n]}
}

// rows keeps the rows of the samples asked in every value of a batch, which has r rows a sample on its first axis. A value whose
// first axis is no multiple of the batch has no rows and stays whole. What is asked lies within what was fed, in any order and
// as often as it likes: a view may name samples in the order of their margins.
func (b batch) rows(values map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	if slices.Equal(b.asked, b.fed) {
		return values
	}
	out := make(map[string]*tensor.Tensor, len(values))
	for name, t := range values {
		out[name] = t
		if len(t.Shape) == 0 || t.Shape[0]%len(b.fed) != 0 {
			continue // no rows: the same for every sample
		}
		size := len(t.Data) / len(b.fed)
		picked := tensor.New(t.DType, append([]int{t.Shape[0] / len(b.fed) * len(b.asked)}, t.Shape[1:]...)...)
		for k := range b.asked {
			i := b.place(k)
			copy(picked.Data[k*size:(k+1)*size], t.Data[i*size:(i+1)*size])
		}
		out[name] = picked
	}
	return out
}

// place is where sample k of those asked lies among those fed.
func (b batch) place(k int) int {
	if slices.Equal(b.asked, b.fed) {
		return k
	}
	return int(b.asked[k] - b.asked[0] + b.asked[0]%uint32(len(b.fed)))
}

// run feeds the samples batch by batch and appends what is made of inputs and outputs. Records do not depend on the batches.
// A model without a plan (float, statistics, the written file) is run once over its samples and shares no prefix with the
// plans of a search: keeping its activations would touch gigabytes of fresh memory for nothing. A plan with groups in float that comes
// alone is a step of a search: the next one goes through the same batches. With everything INT8, most jobs are done.
func (e *Evaluator) run(ctx context.Context, pr *problem, program *engine.Program, p plan.Plan, samples []uint32, q question, progress func()) ([]byte, error) {
	var records []byte
	most := largestBatch
	if len(program.Wants()) > fewValues {
		most = 1 // until it is known how much one sample gives
	}
	for len(samples) > 0 {
		b := next(pr.inputs, program, samples, most)
		samples = samples[len(b.asked):]
		in, done, err := e.feeds.get(ctx, pr.Problem.Inputs, pr.inputs, e.objects.Get, b.fed, q.several)
		if err != nil {
			return nil, err
		}
		var key plan.Digest // zero: nothing is taken from the activation store or given to it
		if !p.Params.IsZero() {
			key = plan.DigestOf("Batch", batchKey{pr.Problem.Inputs, b.fed})
		}
		q.laps = 0
		if p.Count() > 0 && !q.several {
			q.laps = (q.view + len(b.fed) - 1) / len(b.fed)
		}
		rs, bytes, err := q.answer(ctx, program, in, b, key)
		if err != nil {
			return nil, err
		}
		most = fitting(bytes, len(b.fed))
		records = append(records, rs...)
		done()
		progress()
	}
	return records, nil
}

// fewValues is how many wanted values a batch may give without a trial: those of a task that measures, not of one that taps.
const fewValues = 4

// answer runs a batch and gives the records of what was asked of it, and the bytes of all values that the question wants.
func (q question) answer(ctx context.Context, program *engine.Program, in map[string]*tensor.Tensor, b batch, key plan.Digest) (records []byte, bytes int, err error) {
	if q.taps != nil {
		records, bytes, err = q.watch(ctx, program, in, b)
	} else {
		var out map[string]*tensor.Tensor
		switch {
		case q.several:
			out, err = program.RunFirst(ctx, in, key)
		case q.laps > 0:
			out, err = program.RunLap(ctx, in, key, q.laps)
		default:
			out, err = program.Run(ctx, in, key)
		}
		for _, t := range out {
			bytes += len(t.Data)
		}
		maps.Copy(in, out)
		defer program.Reuse(out) // the records are bytes of their own
	}
	if err != nil {
		return nil, 0, fmt.Errorf("samples %d..%d: %w", b.asked[0], b.asked[len(b.asked)-1], err)
	}
	if q.measure != nil {
		records, err = q.measure(ctx, b.rows(in), b.asked)
	}
	return records, bytes, err
}

// fitting is how many samples give values of batchBytes together, when n of them give that many bytes: 1 to largestBatch.
func fitting(bytes, n int) int {
	return max(1, min(largestBatch, batchBytes/max(1, bytes/n)))
}
