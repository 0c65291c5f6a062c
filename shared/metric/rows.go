package metric

import (
	"cmp"
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// RowsAtMost is how many rows of an output of one sample are compared: the first, which detectors give best first. What comes
// behind them counts neither as found nor as lost.
const RowsAtMost = 256

// eachRows calls f with the elements of the first RowsAtMost rows of every output of every sample. A row runs along the last
// axis; an output of one axis has rows of one element.
func (m Meter) eachRows(values map[string]*tensor.Tensor, n int, f func(sample, output int, v []float64, columns int, exact bool) error) error {
	columns := make([]int, len(m.Outputs))
	for k, name := range m.Outputs {
		columns[k] = 1
		if t := values[name]; t != nil && len(t.Shape) > 1 {
			columns[k] = max(1, t.Shape[len(t.Shape)-1])
		}
		if columns[k] > comparedAtMost {
			return fmt.Errorf("meter: output %q has rows of %d elements, at most %d can be compared", name, columns[k], comparedAtMost)
		}
	}
	return m.eachOutput(values, n, func(i, k int, v []float64, exact bool) error {
		rows := min(len(v)/columns[k], RowsAtMost, comparedAtMost/columns[k])
		return f(i, k, v[:rows*columns[k]], columns[k], exact)
	})
}

// rowAnswers encodes the rows of each sample, as Outputs does.
func (m Meter) rowAnswers(values map[string]*tensor.Tensor, n int) ([][]byte, error) {
	out := make([][]byte, n)
	err := m.eachRows(values, n, func(i, _ int, v []float64, _ int, _ bool) error {
		out[i] = appendOutput(out[i], v)
		return nil
	})
	return out, err
}

// rowsAgainst makes the records of Rows: the share of rows of every output that both models give.
func (m Meter) rowsAgainst(out []byte, values map[string]*tensor.Tensor, answers [][]byte) ([]byte, error) {
	return m.recordsAgainst(out, answers, func(found func(sample, output int, share func(float []float64, total int) float64) error) error {
		return m.eachRows(values, len(answers), func(i, k int, v []float64, columns int, exact bool) error {
			return found(i, k, func(float []float64, _ int) float64 { return rowShare(float, v, columns, exact) })
		})
	})
}

// rowPair is a row of either model, and the share of the float one's energy that is no noise in the other.
type rowPair struct {
	float, other int
	kept         float64
}

// rowShare is F1 over the rows of two outputs, in whatever order: twice the sum of the pairs' kept shares over the number of
// rows of both. The likeliest pairs are formed first, ties in row order; two rows make a pair when more than half of the
// energy is kept, integers when they are equal. It is 1 for equal sets and for two empty ones, and a row that one model
// alone gives counts as a whole loss, however small its values.
//
// Forming the likeliest pair first is what judges of detectors do. It is not the pairing of the largest sum: with a pair of
// 0.99 taken, those whom they leave may find nobody, where 0.8 and 0.8 would have been. It never says more than that
// pairing, nor less than half of it, and the same wherever each row is nearest to its own copy, as under the noise of INT8.
//
// Energy counts from zero, in rows as in outputs. A box in pixels is far from zero: one of 10 x 10 at (200, 200) that moves by
// half its side keeps 0.9994, and keeps 0.94 of another that stands at (150, 150). Rows that hold scores, class numbers or
// offsets from an anchor tell more.
func rowShare(float, v []float64, columns int, exact bool) float64 {
	a, b := len(float)/columns, len(v)/columns
	if len(float)%columns != 0 || a > RowsAtMost {
		return 0
	}
	if a+b == 0 {
		return 1
	}
	var pairs []rowPair
	for i := range a {
		for j := range b {
			kept := keptShare(float[i*columns:(i+1)*columns], v[j*columns:(j+1)*columns], columns, exact)
			if kept > 0.5 && (!exact || kept == 1) {
				pairs = append(pairs, rowPair{i, j, kept})
			}
		}
	}
	slices.SortStableFunc(pairs, func(p, q rowPair) int { return cmp.Compare(q.kept, p.kept) })
	takenFloat, takenOther := make([]bool, a), make([]bool, b)
	var sum float64
	for _, p := range pairs {
		if !takenFloat[p.float] && !takenOther[p.other] {
			takenFloat[p.float], takenOther[p.other] = true, true
			sum += p.kept
		}
	}
	return 2 * sum / float64(a+b)
}
