package quant

import (
	"encoding/binary"
	"fmt"
	"math"

	"assay/shared/op"
	"assay/shared/tensor"
)

// Recorder fills the records of some samples: for each of them the results of all taps, little-endian float64s in the
// order of the taps. Values come one at a time, in any order, and are not kept. A record depends on the values of its
// sample alone (design.md 1). Not safe for concurrent use.
type Recorder struct {
	taps    []Tap
	at      []int            // by tap: where its results begin in a record
	of      map[string][]int // taps of a value
	size    int              // of a record
	records []byte
	missing []int // by tap: samples that are still to come
}

// NewRecorder makes a Recorder for n samples.
func NewRecorder(taps []Tap, n int) *Recorder {
	r := &Recorder{taps: taps, of: map[string][]int{}}
	for i, t := range taps {
		r.at, r.missing = append(r.at, r.size), append(r.missing, n)
		r.of[t.Value] = append(r.of[t.Value], i)
		r.size += 8 * int(t.Width)
	}
	r.records = make([]byte, n*r.size)
	return r
}

// Add takes the tensor of a value for sample i, 0 to n-1, which lies as y says; each value comes once for a sample. A value that no
// tap asks for is passed over. Errors are Collect's.
func (r *Recorder) Add(value string, i int, v *tensor.Tensor, y op.Layout) error {
	for _, k := range r.of[value] {
		x, err := Collect(r.taps[k], v, y)
		if err != nil {
			return err
		}
		to := r.records[i*r.size+r.at[k]:]
		for j, f := range x {
			binary.LittleEndian.PutUint64(to[8*j:], math.Float64bits(f))
		}
		r.missing[k]--
	}
	return nil
}

// Records are the records of all samples, one after the other, RecordSize bytes each; no Add follows. A statistic whose value did
// not come for each of them is an error.
func (r *Recorder) Records() ([]byte, error) {
	for k, n := range r.missing {
		if n > 0 {
			return nil, fmt.Errorf("statistic %s of %q: the value was not computed", r.taps[k].Func, r.taps[k].Value)
		}
	}
	return r.records, nil
}

// Record is the record of one sample, whose values lie in logical order.
func Record(taps []Tap, values map[string]*tensor.Tensor) ([]byte, error) {
	r := NewRecorder(taps, 1)
	for name, v := range values {
		if err := r.Add(name, 0, v, op.Logical); err != nil {
			return nil, err
		}
	}
	return r.Records()
}
