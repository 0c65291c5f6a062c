package metric

import (
	"fmt"

	"assay/shared/plan"
)

// encoding separates meters from the other types that plan encodes; the number changes with the meaning of a field and
// with the layout of a record. boxed is that of meters with boxes: the others keep their digests, and what was measured with
// them.
const (
	encoding = "metric.Meter.2"
	boxed    = "metric.Meter.3"
)

// unboxed has the fields of a meter without boxes.
type unboxed struct {
	Adapter, Output string
	Outputs         []string
	Mask            string
	Metrics         []Spec
	Labels          []int32
	Scores          []float64
}

// form is what is encoded of m, and under which name.
func (m Meter) form() (kind string, v any) {
	if len(m.Boxes) == 0 {
		return encoding, unboxed{m.Adapter, m.Output, m.Outputs, m.Mask, m.Metrics, m.Labels, m.Scores}
	}
	return boxed, m
}

// Encode gives the canonical bytes; their SHA-256 is Digest.
func (m Meter) Encode() []byte { return plan.Encode(m.form()) }

// Digest names the meter and the stored object that holds Encode.
func (m Meter) Digest() plan.Digest { return plan.DigestOf(m.form()) }

// Decode is the inverse of Encode. It refuses bytes that are not canonical and meters that Check refuses, and allocates
// in proportion to len(b).
func Decode(b []byte) (Meter, error) {
	var u unboxed
	err := plan.Decode(encoding, b, &u)
	m := Meter{Adapter: u.Adapter, Output: u.Output, Outputs: u.Outputs, Mask: u.Mask, Metrics: u.Metrics, Labels: u.Labels, Scores: u.Scores}
	if err != nil {
		m = Meter{}
		if other := plan.Decode(boxed, b, &m); other == nil {
			err = nil
			if len(m.Boxes) == 0 {
				err = fmt.Errorf("%s: a meter without boxes is not written so", boxed)
			}
		}
	}
	if err != nil {
		return Meter{}, err
	}
	if err := m.Check(); err != nil {
		return Meter{}, err
	}
	return m, nil
}
