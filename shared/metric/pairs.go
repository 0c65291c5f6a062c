package metric

import (
	"encoding/binary"
	"fmt"
	"math"

	"assay/shared/tensor"
)

// pairSize is the size of a record of Similarity and Regression: what the model says and what is right, float64 each.
const pairSize = 16

func appendPair(b []byte, said, right float64) []byte {
	for _, v := range [...]float64{said, right} {
		if math.IsNaN(v) {
			v = math.NaN() // one encoding
		}
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// pairsOf are the records as two columns.
func pairsOf(records []byte) (said, right []float64) {
	for ; len(records) >= pairSize; records = records[pairSize:] {
		said = append(said, math.Float64frombits(binary.LittleEndian.Uint64(records)))
		right = append(right, math.Float64frombits(binary.LittleEndian.Uint64(records[8:])))
	}
	return said, right
}

// score is the annotation of a sample.
func (m Meter) score(s uint32) (float64, error) {
	if int64(s) >= int64(len(m.Scores)) {
		return 0, fmt.Errorf("meter: sample %d: there are scores for %d samples", s, len(m.Scores))
	}
	return m.Scores[s], nil
}

// numbers makes the records of Regression.
func (m Meter) numbers(out []byte, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
	t, v, err := m.value(values, m.Output)
	if err != nil {
		return nil, err
	}
	if len(v) != len(samples) {
		return nil, fmt.Errorf("meter: output %q has shape %v: one number for each of %d samples is needed", m.Output, t.Shape, len(samples))
	}
	for i, s := range samples {
		right, err := m.score(s)
		if err != nil {
			return nil, err
		}
		out = appendPair(out, v[i], right)
	}
	return out, nil
}

// pairs makes the records of Similarity.
func (m Meter) pairs(out []byte, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
	embeddings, d, err := m.embeddings(values, 2*len(samples))
	if err != nil {
		return nil, err
	}
	for i, s := range samples {
		right, err := m.score(s)
		if err != nil {
			return nil, err
		}
		a, b := embeddings[2*i*d:(2*i+1)*d], embeddings[(2*i+1)*d:(2*i+2)*d]
		out = appendPair(out, cosine(a, b), right)
	}
	return out, nil
}

// embeddings gives one vector of d numbers for each of n rows, one after the other.
func (m Meter) embeddings(values map[string]*tensor.Tensor, n int) (v []float64, d int, err error) {
	t, v, err := m.value(values, m.Output)
	if err != nil {
		return nil, 0, err
	}
	if err := rows(m.Output, t, n); err != nil {
		return nil, 0, err
	}
	if len(t.Shape) == 2 && m.Mask == "" {
		return v, t.Shape[1], nil
	}
	if len(t.Shape) != 3 {
		return nil, 0, fmt.Errorf("meter: output %q has shape %v: an embedding is [rows, numbers], or [rows, positions, numbers] of which the mean is taken", m.Output, t.Shape)
	}
	positions, d := t.Shape[1], t.Shape[2]
	marks, err := m.marks(values, n*positions)
	if err != nil {
		return nil, 0, err
	}
	out := make([]float64, n*d)
	for i := range n {
		mean(out[i*d:(i+1)*d], v[i*positions*d:(i+1)*positions*d], marks[i*positions:(i+1)*positions])
	}
	return out, d, nil
}

// marks says which of n positions count.
func (m Meter) marks(values map[string]*tensor.Tensor, n int) ([]bool, error) {
	out := make([]bool, n)
	if m.Mask == "" {
		for i := range out {
			out[i] = true
		}
		return out, nil
	}
	t := values[m.Mask]
	if t == nil {
		return nil, fmt.Errorf("meter: mask %q, which says which positions of output %q count, is none of the inputs that the batch was fed", m.Mask, m.Output)
	}
	v, err := scores(t)
	if err != nil {
		return nil, fmt.Errorf("meter: mask %q: %w", m.Mask, err)
	}
	if len(v) != n {
		return nil, fmt.Errorf("meter: mask %q has shape %v, output %q has %d positions", m.Mask, t.Shape, m.Output, n)
	}
	for i, x := range v {
		out[i] = x != 0
	}
	return out, nil
}

// mean adds up the rows of v that marks keeps, in order, and divides by their number; without one it is 0.
func mean(to, v []float64, marks []bool) {
	n := 0
	for i, keep := range marks {
		if !keep {
			continue
		}
		n++
		for k, x := range v[i*len(to) : (i+1)*len(to)] {
			to[k] += x
		}
	}
	for k := range to {
		to[k] /= float64(max(n, 1))
	}
}

// cosine is a.b / (|a| |b|), 0 where one of them is the zero vector.
func cosine(a, b []float64) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i] * b[i])
		aa += float64(a[i] * a[i])
		bb += float64(b[i] * b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa) / math.Sqrt(bb)
}
