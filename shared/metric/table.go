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

// kind is one entry of the table of metrics. count is the contribution of one sample to a count out of all samples.
type kind struct {
	name      string
	what      string
	direction Direction
	count     func(s Spec, r Record) bool
}

const agreement = "agreement"

// kinds is the table: a new count metric is a line here, a case in testdata/metric.txt and its line of documentation.
var kinds = []kind{
	{"accuracy", "share of samples whose label is among the top_k highest scores", HigherBetter, topK},
	{agreement, "share of samples on which the float model's class is among the top_k highest scores", HigherBetter, topK},
}

func topK(s Spec, r Record) bool { return r.Correct(s.TopK) }

// Types are the names of the table with their documentation, in its order.
func Types() (names, what []string) {
	for _, k := range kinds {
		names, what = append(names, k.name), append(what, k.what)
	}
	return names, what
}

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

func (m Meter) kind(metric int) kind {
	k, err := find(m.Metrics[metric].Type)
	if err != nil {
		panic("metric: an unchecked meter: " + err.Error())
	}
	return k
}

// hits counts the samples of records that the metric counts, and all samples.
func (m Meter) hits(metric int, records []byte) (hits, all int64) {
	k, s := m.kind(metric), m.Metrics[metric]
	for i := range len(records) / recordSize {
		all++
		if k.count(s, record(records, i)) {
			hits++
		}
	}
	return hits, all
}

// Value is the metric over records, which are whole and in data order. No records give the value 0 of 0, which no
// comparison orders.
func (m Meter) Value(metric int, records []byte) Value {
	hits, all := m.hits(metric, records)
	return Count(hits, all)
}

// Each is the metric of every single sample: 1 or 0 for counts.
func (m Meter) Each(metric int, records []byte) []float64 {
	k, s := m.kind(metric), m.Metrics[metric]
	out := make([]float64, len(records)/recordSize)
	for i := range out {
		if k.count(s, record(records, i)) {
			out[i] = 1
		}
	}
	return out
}

// Bounds encloses the metric of a whole view of which the records seen are known. rest are the float model's records of
// the samples not seen: a count metric only needs their number, since each of them may be hit or missed.
func (m Meter) Bounds(metric int, seen, rest []byte) (lo, hi Value) {
	hits, all := m.hits(metric, seen)
	left := int64(len(rest) / recordSize)
	return Count(hits, all+left), Count(hits+left, all+left)
}

// Flips compares two models on the same samples: how many the second gets wrong and the first right, and the reverse.
func (m Meter) Flips(metric int, first, second []byte) (wrong, right int) {
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
