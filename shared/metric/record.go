package metric

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Record is what one sample yields under a classification. Encoded, it is 24 bytes: Class, Rank, Margin, Span, Behind and
// flags, each 4 bytes, little-endian.
type Record struct {
	Class  uint32  // with the highest score; the lowest of equals
	Rank   uint32  // number of classes that rank before the label; NoRank without a label. Top-k holds when Rank < k
	Margin float32 // highest score minus the second highest, NaN where some score is NaN
	Span   float32 // highest score minus the lowest, likewise
	Behind float32 // highest score minus the label's, likewise; 0 without a label
	NaN    bool    // some score is NaN
}

// NoRank is the rank of a sample without a label.
const NoRank = math.MaxUint32

const (
	recordSize = 24
	flagNaN    = 1
)

// Correct says whether the label is among the k first classes, equal scores in order of the classes; never without a label.
func (r Record) Correct(k uint32) bool { return r.Rank < k }

// Lead is how far the label's score is above the best of the others, as a share of the span of all scores: from -1 to 1, and
// below 0 where another class is the answer. It compares models whose scores have different scales. NaN where there is no
// label, no span, or a score that is no number.
func (r Record) Lead() float64 {
	lead := float64(r.Margin)
	if r.Rank > 0 {
		lead = -float64(r.Behind)
	}
	if r.Rank == NoRank || !(r.Span > 0) || math.IsInf(float64(r.Span), 0) {
		return math.NaN()
	}
	return lead / float64(r.Span)
}

// classify makes the record of one sample. label is -1 when there is none.
func classify(scores []float64, label int32) Record {
	r := Record{Rank: NoRank}
	best, second, lowest := 0, math.Inf(-1), scores[0]
	for i, s := range scores {
		r.NaN = r.NaN || math.IsNaN(s)
		lowest = min(lowest, s)
		if i > 0 && before(s, scores[best]) {
			best = i
		}
	}
	for i, s := range scores {
		if i != best && s > second {
			second = s
		}
	}
	r.Class = uint32(best)
	r.Margin, r.Span = canonical(scores[best]-second), canonical(scores[best]-lowest)
	if label >= 0 {
		r.Rank = rank(scores, int(label))
		r.Behind = canonical(scores[best] - scores[label])
	}
	if r.NaN {
		r.Margin, r.Span, r.Behind = canonical(math.NaN()), canonical(math.NaN()), canonical(math.NaN())
	}
	return r
}

// before says that score a ranks strictly before b. NaN ranks below every number; two NaN are equal.
func before(a, b float64) bool { return a > b || !math.IsNaN(a) && math.IsNaN(b) }

// rank counts the classes before class c: higher scores anywhere, equal ones at lower indices.
func rank(scores []float64, c int) uint32 {
	var n uint32
	for i, s := range scores {
		if before(s, scores[c]) || i < c && !before(scores[c], s) {
			n++
		}
	}
	return n
}

// canonical rounds to float32 with one NaN and one zero, so that a record has one encoding.
func canonical(x float64) float32 {
	switch {
	case math.IsNaN(x):
		return math.Float32frombits(0x7fc00000)
	case x == 0:
		return 0
	}
	return float32(x)
}

func (r Record) append(b []byte) []byte {
	var flags uint32
	if r.NaN {
		flags = flagNaN
	}
	for _, v := range [...]uint32{r.Class, r.Rank, math.Float32bits(r.Margin), math.Float32bits(r.Span), math.Float32bits(r.Behind), flags} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// record reads the i-th record. The caller checked the length.
func record(b []byte, i int) Record {
	b = b[i*recordSize:]
	u := func(k int) uint32 { return binary.LittleEndian.Uint32(b[k*4:]) }
	f := func(k int) float32 { return math.Float32frombits(u(k)) }
	return Record{u(0), u(1), f(2), f(3), f(4), u(5)&flagNaN != 0}
}

// Records decodes records. An error means that the bytes are no whole number of them.
func Records(b []byte) ([]Record, error) {
	if len(b)%recordSize != 0 {
		return nil, fmt.Errorf("records: %d bytes are no multiple of %d", len(b), recordSize)
	}
	out := make([]Record, len(b)/recordSize)
	for i := range out {
		out[i] = record(b, i)
	}
	return out, nil
}
