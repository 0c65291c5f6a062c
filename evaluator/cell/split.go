package cell

import (
	"context"

	"assay/evaluator/engine"
	"assay/shared/op"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// values lists the tapped values, each once, in the order of the taps.
func values(taps []quant.Tap) []string {
	var out []string
	seen := map[string]bool{}
	for _, t := range taps {
		if !seen[t.Value] {
			seen[t.Value] = true
			out = append(out, t.Value)
		}
	}
	return out
}

// watch runs a batch and takes the statistics of each value as it is computed. bytes is what all of them take.
func (q question) watch(ctx context.Context, program *engine.Program, in map[string]*tensor.Tensor, b batch) (records []byte, bytes int, err error) {
	r := quant.NewRecorder(q.taps, len(b.asked))
	err = program.Watch(ctx, in, func(name string, v *tensor.Tensor, y op.Layout) error {
		bytes += len(v.Data)
		for k := range b.asked {
			if err := r.Add(name, k, row(v, b.place(k), len(b.fed)), y); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		records, err = r.Records()
	}
	return records, bytes, err
}

// row is sample i of a batch of n, as if it had been run alone. It aliases t. A value whose first axis is no multiple of
// the batch has no rows: it is the same for every sample of a model that fixes its batch.
func row(t *tensor.Tensor, i, n int) *tensor.Tensor {
	if n == 1 || len(t.Shape) == 0 || t.Shape[0]%n != 0 {
		return t
	}
	shape := append([]int{t.Shape[0] / n}, t.Shape[1:]...)
	size := len(t.Data) / n
	return &tensor.Tensor{DType: t.DType, Shape: shape, Data: t.Data[i*size : (i+1)*size]}
}
