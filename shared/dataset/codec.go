package dataset

import "assay/shared/plan"

// kind separates manifests from the other types that plan encodes; the number changes with the meaning of a field.
const kind = "dataset.Inputs.1"

// Encode gives the canonical bytes; their SHA-256 is Digest.
func (in Inputs) Encode() []byte { return plan.Encode(kind, in) }

// Digest names the manifest and the stored object that holds Encode.
func (in Inputs) Digest() plan.Digest { return plan.DigestOf(kind, in) }

// Decode is the inverse of Encode. It refuses bytes that are not canonical and manifests that Feed could not obey, and
// allocates in proportion to len(b).
func Decode(b []byte) (Inputs, error) {
	var in Inputs
	if err := plan.Decode(kind, b, &in); err != nil {
		return Inputs{}, err
	}
	if err := in.Check(); err != nil {
		return Inputs{}, err
	}
	return in, nil
}
