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
	// Outputs: whatever the outputs hold; records compare it with the float model's. Of more than 65,536 elements of an output of
	// one sample that many are compared, one of each of equal runs.
	Outputs = "outputs"
	// Rows: outputs whose number of rows follows from the data, as a detector's behind NonMaxSuppression; records compare
	// them with the float model's as sets of rows.
	Rows = "rows"
)

// adapter is one entry of the table of adapters. The samples fill the first axis of every value.
//
// record appends the record of each sample to b, by its annotation. answers gives what each sample's outputs say, for
// another model to be compared with; against appends the records of such a comparison, where answers[i] is the float
// model's of sample i. They are nil where annotations are needed.
type adapter struct {
	name    string
	size    func(m Meter) int
	record  func(m Meter, b []byte, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error)
	answers func(m Meter, values map[string]*tensor.Tensor, n int) ([][]byte, error)
	against func(m Meter, b []byte, values map[string]*tensor.Tensor, answers [][]byte) ([]byte, error)
}

var adapters = []adapter{
	{Classification, func(Meter) int { return recordSize }, Meter.classes, Meter.classAnswers, Meter.classesAgainst},
	{Similarity, func(Meter) int { return pairSize }, Meter.pairs, nil, nil},
	{Regression, func(Meter) int { return pairSize }, Meter.numbers, nil, nil},
	{Outputs, func(m Meter) int { return keptSize * len(m.Outputs) }, Meter.unlabelled, Meter.outputAnswers, Meter.outputsAgainst},
	{Rows, func(m Meter) int { return keptSize * len(m.Outputs) }, Meter.unlabelled, Meter.rowAnswers, Meter.rowsAgainst},
}

// adapter is the meter's row of the table; the error of an unknown name lists those that are known.
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
