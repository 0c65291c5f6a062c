package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"assay/shared/tensor"
)

// RowsAtMost is how many rows of an output of one sample are compared: the first, which detectors give best first, and of rows of
// more than 256 elements as many as have 65,536 together. What comes behind them counts neither as found nor as lost.
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
			c := closeness{columns: columns, exact: exact, box: m.box(k, columns)}
			return found(i, k, func(float []float64, _ int) float64 { return c.share(float, v) })
		})
	})
}

// box is the box in the rows of output k, of so many columns; nil where there is none.
func (m Meter) box(k, columns int) *Box {
	for _, b := range m.Boxes {
		if int(b.Output) != k {
			continue
		}
		if b.At < 0 {
			b.At += int32(columns)
		}
		if b.At >= 0 && int(b.At)+4 <= columns {
			return &b
		}
	}
	return nil
}

// rowPair is a row of either model, and how much of the float one the other has kept.
type rowPair struct {
	float, other int
	kept         float64
}

// closeness says how near a row is to the float model's: 1 for equal ones, and no pair at 1/2 or below.
//
// Rows of integers are equal or they are not. Where a row holds a box, it is the intersection of both boxes over their union, as
// judges of detectors measure it: how far from zero a box stands has no part in it. That is times the kept share of the other
// columns, of which numbers that are whole in both rows (classes, places in a batch) have to be equal. Of other rows it is the
// kept share, the share of the float row's energy that is no noise in the other. Energy counts from zero, in rows as in outputs:
// coordinates in pixels that the graph does not show to be boxes hide a small shift.
type closeness struct {
	columns int
	exact   bool
	box     *Box // its At is not below 0
}

func (c closeness) of(float, v []float64) float64 {
	if c.box == nil || c.exact {
		return keptShare(float, v, c.columns, c.exact)
	}
	at := int(c.box.At)
	kept := overlap(corners(float[at:at+4], c.box.Center), corners(v[at:at+4], c.box.Center))
	var rest, other []float64
	for i, x := range float {
		if i >= at && i < at+4 {
			continue
		}
		if y := v[i]; x != y && x == math.Trunc(x) && y == math.Trunc(y) {
			return 0
		}
		rest, other = append(rest, x), append(other, v[i])
	}
	return float64(kept * keptShare(rest, other, len(other), false))
}

// corners are the lower and the upper end along both axes of a box.
func corners(v []float64, center bool) (c [4]float64) {
	if center {
		x, y, w, h := v[0], v[1], v[2]/2, v[3]/2
		v = []float64{x - w, y - h, x + w, y + h}
	}
	return [4]float64{min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])}
}

// overlap is the intersection of two boxes over their union: 1 for equal ones, those without an area and of what is no number
// included, else 0 for these.
func overlap(a, b [4]float64) float64 {
	same := true
	for i := range a {
		same = same && (a[i] == b[i] || math.IsNaN(a[i]) && math.IsNaN(b[i]))
	}
	if same {
		return 1
	}
	area := func(c [4]float64) float64 { return float64(max(0, c[2]-c[0]) * max(0, c[3]-c[1])) }
	both := area([4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])})
	if share := both / (area(a) + area(b) - both); share >= 0 && share <= 1 {
		return share
	}
	return 0
}

// share is F1 over the rows of two outputs, in whatever order: twice the sum of the pairs' closeness over the number of rows of
// both. The likeliest pairs are formed first, ties in row order; two rows make a pair when they are nearer than 1/2, integers
// when they are equal. It is 1 for equal sets and for two empty ones, and a row that one model alone gives counts as a whole
// loss, however small its values.
//
// Forming the likeliest pair first is what judges of detectors do. It is not the pairing of the largest sum: with a pair of
// 0.99 taken, those whom they leave may find nobody, where 0.8 and 0.8 would have been. It never says more than that
// pairing, nor less than half of it, and the same wherever each row is nearest to its own copy, as under the noise of INT8.
func (c closeness) share(float, v []float64) float64 {
	a, b := len(float)/c.columns, len(v)/c.columns
	if len(float)%c.columns != 0 || a > RowsAtMost {
		return 0
	}
	if a+b == 0 {
		return 1
	}
	var pairs []rowPair
	for i := range a {
		for j := range b {
			kept := c.of(float[i*c.columns:(i+1)*c.columns], v[j*c.columns:(j+1)*c.columns])
			if kept > 0.5 && (!c.exact || kept == 1) {
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
