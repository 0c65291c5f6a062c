//go:build amd64 && !noasm

package reduce

import (
	"math"

	"assay/kernels/tier"
)

// chunk is how many elements one call of assembly takes, since it cannot be preempted.
const chunk = 1 << 16

// fastExtremes folds the first elements of x into lo and hi and returns those that are left. ok is false if it saw a
// NaN.
func fastExtremes(x []float32, lo, hi float32) (l, h float32, rest []float32, ok bool) {
	const block, lanes = 32, 8
	n := len(x) - len(x)%block
	if tier.Current() < tier.AVX2 || n == 0 {
		return lo, hi, x, true
	}
	var los, his, nan [lanes]uint32
	for i := range los {
		los[i], his[i] = math.Float32bits(lo), math.Float32bits(hi)
	}
	for at := 0; at < n; at += chunk {
		extremesAVX2(&los, &his, &nan, &x[at], min(chunk, n-at))
	}
	ok = true
	for i := range los {
		lo, hi = min(lo, math.Float32frombits(los[i])), max(hi, math.Float32frombits(his[i]))
		ok = ok && nan[i] == 0
	}
	return lo, hi, x[n:], ok
}

// fastColumnSums adds up whole blocks of columns and returns how many columns that are.
func fastColumnSums(sums []float64, x []float32) int {
	const block = 16
	n := len(sums)
	rows := len(x) / max(1, n)
	if tier.Current() < tier.AVX2 || rows == 0 {
		return 0
	}
	first := 0
	for ; first+block <= n; first += block {
		for row := 0; row < rows; row += chunk / block {
			columnSumsAVX2(&sums[first], &x[row*n+first], min(chunk/block, rows-row), 4*n)
		}
	}
	return first
}
