//go:build !amd64 || noasm

package reduce

// fastExtremes leaves all elements.
func fastExtremes(x []float32, lo, hi float32) (l, h float32, rest []float32, ok bool) {
	return lo, hi, x, true
}

// fastColumnSums leaves all columns.
func fastColumnSums([]float64, []float32) int { return 0 }
