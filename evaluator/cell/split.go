package cell

import (
	"fmt"

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

// tapped measures taps sample by sample on the values of a batch of n.
func tapped(taps []quant.Tap, batch map[string]*tensor.Tensor, n int) (records []byte, err error) {
	for i := range n {
		one := make(map[string]*tensor.Tensor, len(batch))
		for name, t := range batch {
			if one[name], err = row(t, i, n); err != nil {
				return nil, fmt.Errorf("value %q: %w", name, err)
			}
		}
		if records, err = quant.Record(records, taps, one); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// row is sample i of a batch of n, as if it had been run alone. It aliases t.
func row(t *tensor.Tensor, i, n int) (*tensor.Tensor, error) {
	if n == 1 {
		return t, nil
	}
	if len(t.Shape) == 0 || t.Shape[0]%n != 0 {
		return nil, fmt.Errorf("shape %v has no axis for a batch of %d", t.Shape, n)
	}
	shape := append([]int{t.Shape[0] / n}, t.Shape[1:]...)
	size := len(t.Data) / n
	return &tensor.Tensor{DType: t.DType, Shape: shape, Data: t.Data[i*size : (i+1)*size]}, nil
}
