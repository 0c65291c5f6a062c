// Package curve computes transcendental functions of rows of floats, and what softmax and normalisation do to rows
// besides: maxima, canonical sums, division. It is where vector instructions compute the forms of package numeric;
// another form, a tensor's shape and an operator may not enter.
//
// Contract. The caller guarantees that dst is at least as long as src; what is longer stays as it is. They may be the same slice,
// and do not overlap otherwise. Every tier gives the bits of the function of package numeric that each function names, and
// stores NaN as 0x7fc00000. Functions allocate nothing and are safe for concurrent use with distinct dst.
package curve

import (
	"math"

	"assay/kernels/numeric"
)

// Exp writes numeric.Exp of src.
func Exp(dst, src []float32) { ExpLess(dst, src, 0) }

// ExpLess writes numeric.Exp(src - top), the difference rounded: the terms of a softmax.
func ExpLess(dst, src []float32, top float32) {
	dst = dst[:len(src)]
	if fastExp(dst, src, top) {
		return
	}
	for i, v := range src {
		dst[i] = numeric.Exp(v - top)
	}
}

// Sigmoid writes numeric.Sigmoid of src.
func Sigmoid(dst, src []float32) { row(sigmoid, dst, src, numeric.Sigmoid) }

// Tanh writes numeric.Tanh of src.
func Tanh(dst, src []float32) { row(tanh, dst, src, numeric.Tanh) }

// Erf writes numeric.Erf of src.
func Erf(dst, src []float32) { row(erf, dst, src, numeric.Erf) }

// Silu writes numeric.Silu of src.
func Silu(dst, src []float32) { row(silu, dst, src, numeric.Silu) }

// Gelu writes numeric.Gelu of src.
func Gelu(dst, src []float32) { row(gelu, dst, src, numeric.Gelu) }

// row writes a function of src to dst.
func row(w which, dst, src []float32, one func(float32) float32) {
	dst = dst[:len(src)]
	if fast(w, dst, src) {
		return
	}
	for i, v := range src {
		dst[i] = one(v)
	}
}

// which names a function of fast.
type which int

const (
	sigmoid which = iota
	tanh
	erf
	silu
	gelu
)

// Max is the largest element, -Inf of none; a NaN wins. The sign of a largest zero and the pattern of a NaN are not specified.
func Max(src []float32) float32 {
	top, done := fastMax(src)
	for _, v := range src[done:] {
		top = max(top, v)
	}
	return top
}

// Sum is numeric.Sum. The pattern of a NaN is not specified.
func Sum(src []float32) float32 { return sum(src, 0, false) }

// Squares is the canonical sum, in the order of numeric.Sum, of the squares of src - mean, the difference and the square
// rounded. The pattern of a NaN is not specified.
func Squares(src []float32, mean float32) float32 { return sum(src, mean, true) }

// sum adds a row in the order of numeric.LaneSum.
func sum(src []float32, mean float32, squares bool) float32 {
	var total, part [numeric.Lanes]float32
	for len(src) >= numeric.Lanes*numeric.Run {
		addLanes(&part, src[:numeric.Lanes*numeric.Run], mean, squares)
		for j := range part {
			total[j] += part[j]
		}
		part = [numeric.Lanes]float32{}
		src = src[numeric.Lanes*numeric.Run:]
	}
	whole := len(src) / numeric.Lanes * numeric.Lanes
	addLanes(&part, src[:whole], mean, squares)
	for j, v := range src[whole:] {
		part[j] += term(v, mean, squares)
	}
	for j := range total {
		total[j] += part[j]
	}
	return numeric.Fold(&total)
}

// term is what an element adds to a sum.
func term(v, mean float32, squares bool) float32 {
	if !squares {
		return v
	}
	d := v - mean
	return float32(d * d)
}

// addLanes adds rows of 16 elements to part.
func addLanes(part *[numeric.Lanes]float32, src []float32, mean float32, squares bool) {
	if fastLanes(part, src, mean, squares) {
		return
	}
	for ; len(src) > 0; src = src[numeric.Lanes:] {
		for j, v := range src[:numeric.Lanes] {
			part[j] += term(v, mean, squares)
		}
	}
}

// Divide writes src / by, by IEEE 754's rules where by is 0.
func Divide(dst, src []float32, by float32) {
	dst = dst[:len(src)]
	for i, k := fastDivide(dst, src, by), len(src); i < k; i++ {
		dst[i] = numeric.Canon(src[i] / by)
	}
}

// Normalise writes (src - mean) * inverse * scale + bias, from left to right and rounded after each step; without a bias
// nothing is added. scale is as long as src at least, bias too or it is empty.
func Normalise(dst, src, scale, bias []float32, mean, inverse float32) {
	dst, scale = dst[:len(src)], scale[:len(src)]
	for i, k := fastNormalise(dst, src, scale, bias, mean, inverse), len(src); i < k; i++ {
		z := float32(float32((src[i]-mean)*inverse) * scale[i])
		if len(bias) > 0 {
			z += bias[i]
		}
		dst[i] = numeric.Canon(z)
	}
}

// lowest is less than any number but itself.
var lowest = float32(math.Inf(-1))
