package quant

import (
	"math"
	"slices"
)

// MagnitudeBins is the width of Magnitudes: a bin of what is smaller than every other bin, zero above all, then four bins
// an octave from 2^-40 to 2^40, the first and last of them open. Counts of different samples may be added.
const MagnitudeBins = 1 + binsPerOctave*(2*octaves)

const (
	binsPerOctave = 4
	octaves       = 40
	lowestBin     = (127 - octaves) * binsPerOctave // of the float's exponent and two top bits of its fraction
)

// MagnitudeBin is the bin of a magnitude. NaN has none: Collect gives NaN for all bins then. Bit patterns of positive
// floats ascend with their values, so the exponent and two bits of fraction are the bin: four bins an octave, of equal
// width within it.
func MagnitudeBin(v float32) int {
	i := int(math.Float32bits(v)&0x7fffffff>>21) - lowestBin
	return min(max(i+1, 0), MagnitudeBins-1)
}

// MagnitudeEdge is the smallest magnitude of bin i, 0 for bin 0; bin i ends where bin i+1 begins. A bin is at most a quarter
// wider than its lower edge, which is the error of whatever is read off a histogram.
func MagnitudeEdge(i int) float64 {
	if i <= 0 {
		return 0
	}
	return float64(math.Float32frombits(uint32(i-1+lowestBin) << 21))
}

// magnitudes counts the elements of x by magnitude. A count is exact in float64 up to 2^53 elements.
func magnitudes(x []float32) []float64 {
	out := make([]float64, MagnitudeBins)
	for _, v := range x {
		if v != v {
			return slices.Repeat([]float64{math.NaN()}, MagnitudeBins)
		}
		out[MagnitudeBin(v)]++
	}
	return out
}

// Rows is one collected statistic of every sample, in sample order: shared memory, only to be read.
func (s *Stats) Rows(t Tap) ([][]float64, error) { return s.each(t) }
