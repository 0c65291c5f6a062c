//go:build !noasm

package curve

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// chunk is how many elements one call of assembly takes, since it cannot be preempted: below 100 microseconds.
const chunk = 1 << 12

// whole calls f for chunks of a multiple of 8 elements and returns how many elements they cover.
func whole(n int, f func(at, n int)) int {
	n &^= 7
	for at := 0; at < n; at += chunk {
		f(at, min(chunk, n-at))
	}
	return n
}

// pieces calls f for chunks of n elements.
func pieces(n int, f func(at, n int)) {
	for at := 0; at < n; at += chunk {
		f(at, min(chunk, n-at))
	}
}

// fastExp computes ExpLess, or returns false.
func fastExp(dst, src []float32, top float32) bool {
	f := expAVX512
	switch tier.Current() {
	case tier.Plain:
		return false
	case tier.AVX2:
		f = expAVX2
	}
	pieces(len(src), func(at, n int) { f(&dst[at], &src[at], n, table, top) })
	return true
}

var table = &numeric.Table[0][0]

var functions = [...][2]func(dst, src *float32, n int, table *float32){
	sigmoid: {sigmoidAVX2, sigmoidAVX512}, tanh: {tanhAVX2, tanhAVX512}, erf: {erfAVX2, erfAVX512},
	silu: {siluAVX2, siluAVX512}, gelu: {geluAVX2, geluAVX512},
}

// fast computes a function, or returns false.
func fast(w which, dst, src []float32) bool {
	f := functions[w][1]
	switch tier.Current() {
	case tier.Plain:
		return false
	case tier.AVX2:
		f = functions[w][0]
	}
	pieces(len(src), func(at, n int) { f(&dst[at], &src[at], n, table) })
	return true
}

// fastMax is the largest of the first elements, and how many those are.
func fastMax(src []float32) (float32, int) {
	if tier.Current() < tier.AVX2 || len(src) < 8 {
		return lowest, 0
	}
	var best [8]float32
	for i := range best {
		best[i] = lowest
	}
	nan := 0
	n := whole(len(src), func(at, n int) { nan |= maxRowAVX2(&best[0], &src[at], n) })
	if nan != 0 {
		return numeric.NaN(), n
	}
	top := best[0]
	for _, v := range best[1:] {
		top = max(top, v)
	}
	return top, n
}

// fastLanes does what addLanes does, or returns false.
func fastLanes(part *[numeric.Lanes]float32, src []float32, mean float32, squares bool) bool {
	rows := len(src) / numeric.Lanes
	switch {
	case tier.Current() < tier.AVX2:
		return false
	case rows == 0:
	case squares:
		squaresAVX2(&part[0], &src[0], rows, mean)
	default:
		lanesAVX2(&part[0], &src[0], rows)
	}
	return true
}

func fastDivide(dst, src []float32, by float32) int {
	if tier.Current() < tier.AVX2 {
		return 0
	}
	return whole(len(src), func(at, n int) { divideAVX2(&dst[at], &src[at], n, by) })
}

func fastNormalise(dst, src, scale, bias []float32, mean, inverse float32) int {
	if tier.Current() < tier.AVX2 {
		return 0
	}
	return whole(len(src), func(at, n int) {
		var b *float32
		if len(bias) > 0 {
			_ = bias[at+n-1]
			b = &bias[at]
		}
		normaliseAVX2(&dst[at], &src[at], &scale[at], b, n, mean, inverse)
	})
}
