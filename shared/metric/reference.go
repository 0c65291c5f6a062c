package metric

import (
	"encoding/binary"
	"fmt"

	"assay/shared/plan"
)

// reference separates references from the other types that plan encodes.
const reference = "metric.Reference.1"

// Reference says where the float model's answers are: a cell of What Distance names one by its digest. Sample i of the data
// set stands in at most one piece.
type Reference struct{ Pieces []AnswerPiece }

// AnswerPiece is a stored object: the answers of Samples in this order, as JoinAnswers writes them.
type AnswerPiece struct {
	Object  plan.Digest
	Samples []uint32
}

// Encode gives the canonical bytes; their SHA-256 is Digest.
func (r Reference) Encode() []byte { return plan.Encode(reference, r) }

// Digest names the reference and the stored object that holds Encode.
func (r Reference) Digest() plan.Digest { return plan.DigestOf(reference, r) }

// DecodeReference is the inverse of Encode; it refuses a reference that names a sample twice.
func DecodeReference(b []byte) (Reference, error) {
	var r Reference
	if err := plan.Decode(reference, b, &r); err != nil {
		return Reference{}, err
	}
	seen := map[uint32]bool{}
	for _, p := range r.Pieces {
		for _, s := range p.Samples {
			if seen[s] {
				return Reference{}, fmt.Errorf("reference: sample %d has two answers", s)
			}
			seen[s] = true
		}
	}
	return r, nil
}

// JoinAnswers writes answers one after the other, each behind its length (uint32, little-endian).
func JoinAnswers(answers [][]byte) []byte {
	var b []byte
	for _, a := range answers {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(a)))
		b = append(b, a...)
	}
	return b
}

// SplitAnswers is the inverse of JoinAnswers for n answers, which alias b.
func SplitAnswers(b []byte, n int) ([][]byte, error) {
	var out [][]byte
	for len(b) >= 4 && len(out) < n {
		size := int64(binary.LittleEndian.Uint32(b))
		if b = b[4:]; size > int64(len(b)) {
			return nil, fmt.Errorf("answers: one of %d bytes where %d are left", size, len(b))
		}
		out, b = append(out, b[:size]), b[size:]
	}
	if len(out) != n || len(b) > 0 {
		return nil, fmt.Errorf("answers: %d where %d are needed, and %d bytes behind", len(out), n, len(b))
	}
	return out, nil
}
