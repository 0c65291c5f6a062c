package metric

import (
	"fmt"
	"strings"

	"assay/shared/tensor"
)

// The adapters: what a sample's outputs are.
const (
	// Classification: the output holds one score per class and sample, on any axes after the first.
	Classification = "classification"
	// Similarity: a sample is a pair of rows, and the output holds an embedding of each: [2n, d], or [2n, t, d] whose mean
	// over the positions t that Mask marks is the embedding. Their cosine is compared with the sample's score.
	Similarity = "similarity"
	// Regression: the output holds one number a sample, which is compared with the sample's score.
	Regression = "regression"
)

// adapter is one entry of the table of adapters. record appends the record of each sample to b; n samples fill the first
// axis of every value.
type adapter struct {
	name   string
	size   func(m Meter) int
	record func(m Meter, b []byte, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error)
}

var adapters = []adapter{
	{Classification, func(Meter) int { return recordSize }, Meter.classes},
	{Similarity, func(Meter) int { return pairSize }, Meter.pairs},
	{Regression, func(Meter) int { return pairSize }, Meter.numbers},
}

func (m Meter) adapter() (adapter, error) {
	var names []string
	for _, a := range adapters {
		if a.name == m.Adapter {
			return a, nil
		}
		names = append(names, a.name)
	}
	return adapter{}, fmt.Errorf("meter: adapter %q is unknown; known are %s", m.Adapter, strings.Join(names, ", "))
}
