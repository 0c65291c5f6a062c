package metric

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecodeMeter: what decodes is valid and encodes to the same bytes, and its methods do not panic.
func FuzzDecodeMeter(f *testing.F) {
	m := Meter{Adapter: Classification, Output: "y", Metrics: []Spec{{"top-5", "accuracy", 5}}, Labels: []int32{0, 3, 1}}
	f.Add(m.Encode())
	f.Add(Meter{Adapter: Classification}.Encode())
	f.Add(m.Encode()[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		require.NoError(t, m.Check())
		require.Equal(t, b, m.Encode())
		for i := range m.Metrics {
			m.Value(i, nil)
			m.Direction(i)
		}
	})
}

// TestMeterDigest: the digest is fixed by the fields, and each field changes it.
func TestMeterDigest(t *testing.T) {
	m := Meter{Adapter: Classification, Output: "y", Metrics: []Spec{{"a", "accuracy", 1}}, Labels: []int32{1, 0}}
	back, err := Decode(m.Encode())
	require.NoError(t, err)
	require.Equal(t, m, back)
	seen := map[string]bool{m.Digest().String(): true}
	for _, change := range []func(*Meter){
		func(m *Meter) { m.Output = "z" },
		func(m *Meter) { m.Labels = []int32{1, 1} },
		func(m *Meter) { m.Metrics = []Spec{{"a", "accuracy", 2}} },
		func(m *Meter) { m.Metrics = []Spec{{"b", "accuracy", 1}} },
		func(m *Meter) { m.Metrics = []Spec{{"a", "agreement", 1}} },
	} {
		other := m
		change(&other)
		require.False(t, seen[other.Digest().String()])
		seen[other.Digest().String()] = true
	}
}

// FuzzAnswers: bytes that claim to be answers are split and compared, or refused; nothing panics.
func FuzzAnswers(f *testing.F) {
	m, y := energies()
	answers, err := m.Answers(y, 2)
	require.NoError(f, err)
	f.Add(JoinAnswers(answers))
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		answers, err := SplitAnswers(b, 2)
		if err != nil {
			return
		}
		require.Equal(t, b, JoinAnswers(answers))
		if records, err := m.Against(y, answers); err == nil {
			require.Len(t, records, 2*m.RecordSize())
		}
	})
}

// FuzzReference: what decodes encodes to the same bytes and names every sample once.
func FuzzReference(f *testing.F) {
	f.Add(Reference{[]AnswerPiece{{[32]byte{1}, []uint32{0, 2}}, {[32]byte{2}, []uint32{1}}}}.Encode())
	f.Add(Reference{[]AnswerPiece{{[32]byte{1}, []uint32{0, 0}}}}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := DecodeReference(b); err == nil {
			require.Equal(t, b, r.Encode())
		}
	})
}
