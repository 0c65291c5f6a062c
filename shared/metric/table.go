package metric

import (
	"fmt"
	"strings"
)

// Direction says which way a metric is better.
type Direction int8

// The directions, with POT's names in String.
const (
	HigherBetter Direction = 1
	HigherWorse  Direction = -1
)

// String is POT's name of the direction.
func (d Direction) String() string {
	if d == HigherWorse {
		return "higher-worse"
	}
	return "higher-better"
}

// kind is one entry of the table of metrics. The functions read whole records in data order: value over all of them, each one
// value a sample whose better ones are better, and bounds of the value of a view of which rest is not seen; rest are the
// float model's records of those samples. counts says that value is a count of samples.
type kind struct {
	name      string
	what      string
	direction Direction
	adapters  []string
	counts    bool
	value     func(m Meter, s Spec, records []byte) Value
	each      func(m Meter, s Spec, records []byte) []float64
	bounds    func(m Meter, s Spec, seen, rest []byte) (lo, hi Value)
}

const agreement = "agreement"

// kinds is the table: a new metric is a line here, a case in testdata and its line of documentation.
var kinds = []kind{
	counted("accuracy", "share of samples whose label is among the top_k highest scores", topK),
	counted(agreement, "share of samples on which the float model's class is among the top_k highest scores", topK),
	correlated("pearson", "Pearson correlation of what the model says with the scores in the labels", unchanged),
	correlated("spearman", "Spearman correlation: Pearson's on ranks, equal values sharing the mean of theirs", ranks),
	meanKept("sqnr", Outputs, "signal to quantization noise of all outputs against the float model's, as the share E/(E+N) of their energy that is no noise, mean over samples: 0.99 is 20 dB, 0.999 is 30 dB"),
	meanKept("rows", Rows, "rows of the outputs that the float model gives too, in any order, where their number follows from the data: F1, in which a pair of rows counts by how near they are: boxes that come from NonMaxSuppression by intersection over union, other rows by the share of energy that is no noise; mean over outputs and samples; of an output the first 256 rows of a sample"),
}

// counted is a kind that counts samples out of all samples: a share that is exact, and whose bounds take every sample not
// seen as missed, or hit.
func counted(name, what string, hit func(Spec, Record) bool) kind {
	count := func(s Spec, records []byte) (hits, all int64) {
		for i := range len(records) / recordSize {
			all++
			if hit(s, record(records, i)) {
				hits++
			}
		}
		return hits, all
	}
	return kind{
		name: name, what: what, direction: HigherBetter, adapters: []string{Classification}, counts: true,
		value: func(_ Meter, s Spec, records []byte) Value { return Count(count(s, records)) },
		each: func(_ Meter, s Spec, records []byte) []float64 {
			out := make([]float64, len(records)/recordSize)
			for i := range out {
				if hit(s, record(records, i)) {
					out[i] = 1
				}
			}
			return out
		},
		bounds: func(_ Meter, s Spec, seen, rest []byte) (lo, hi Value) {
			hits, all := count(s, seen)
			left := int64(len(rest) / recordSize)
			return Count(hits, all+left), Count(hits+left, all+left)
		},
	}
}

func topK(s Spec, r Record) bool { return r.Correct(s.TopK) }

// Types are the names of the table with their documentation, in its order.
func Types() (names, what []string) {
	for _, k := range kinds {
		names, what = append(names, k.name), append(what, k.what)
	}
	return names, what
}

// find is the row of a metric type; the error of an unknown one lists those that are known.
func find(name string) (kind, error) {
	for _, k := range kinds {
		if k.name == name {
			return k, nil
		}
	}
	names, _ := Types()
	return kind{}, fmt.Errorf("metric type %q is unknown; known are %s", name, strings.Join(names, ", "))
}

// Direction is the direction of a metric of the meter. It panics on an index outside Metrics or an unchecked type, as
// do the methods below: Check comes first.
func (m Meter) Direction(metric int) Direction { return m.kind(metric).direction }

// kind is the row of one of the checked meter's metrics.
func (m Meter) kind(metric int) kind {
	k, err := find(m.Metrics[metric].Type)
	if err != nil {
		panic("metric: an unchecked meter: " + err.Error())
	}
	return k
}

// Value is the metric over records, which are whole and in data order. No records give NaN, and so does a correlation of equal
// numbers.
func (m Meter) Value(metric int, records []byte) Value {
	return m.kind(metric).value(m, m.Metrics[metric], records)
}

// Each is the metric of every single sample: 1 or 0 for counts. For a correlation it is 1 - (x-y)^2/2 of the sample's two numbers
// standardised over the records: the part of it that the sample has among them, and the mean of all is the correlation.
func (m Meter) Each(metric int, records []byte) []float64 {
	return m.kind(metric).each(m, m.Metrics[metric], records)
}

// Bounds encloses the metric of a whole view of which the records seen are known: exactly for counts, up to the rounding of a sum
// for others, and by -1 and 1 for a correlation. rest are the float model's records of the samples not seen.
func (m Meter) Bounds(metric int, seen, rest []byte) (lo, hi Value) {
	return m.kind(metric).bounds(m, m.Metrics[metric], seen, rest)
}

// Counts says that a metric counts samples, so that single ones are right or wrong under it.
func (m Meter) Counts(metric int) bool { return m.kind(metric).counts }

// Flips compares the records of two models on the same samples in the same order: how many the second gets wrong and the first
// right, and the reverse. Both are 0 for a metric that does not count.
func (m Meter) Flips(metric int, first, second []byte) (wrong, right int) {
	if !m.Counts(metric) {
		return 0, 0
	}
	a, b := m.Each(metric, first), m.Each(metric, second)
	sign := float64(m.Direction(metric))
	for i := range min(len(a), len(b)) {
		switch d := float64(sign * (b[i] - a[i])); {
		case d < 0:
			wrong++
		case d > 0:
			right++
		}
	}
	return wrong, right
}
