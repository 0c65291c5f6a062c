package metric

import "assay/shared/plan"

// encoding separates meters from the other types that plan encodes; the number changes with the meaning of a field and
// with the layout of a record.
const encoding = "metric.Meter.2"

// Encode gives the canonical bytes; their SHA-256 is Digest.
func (m Meter) Encode() []byte { return plan.Encode(encoding, m) }

// Digest names the meter and the stored object that holds Encode.
func (m Meter) Digest() plan.Digest { return plan.DigestOf(encoding, m) }

// Decode is the inverse of Encode. It refuses bytes that are not canonical and meters that Check refuses, and allocates
// in proportion to len(b).
func Decode(b []byte) (Meter, error) {
	var m Meter
	if err := plan.Decode(encoding, b, &m); err != nil {
		return Meter{}, err
	}
	if err := m.Check(); err != nil {
		return Meter{}, err
	}
	return m, nil
}
