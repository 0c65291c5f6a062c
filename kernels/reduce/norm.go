package reduce

import (
	"math"

	"assay/kernels/curve"
)

// LayerNorm normalises rows of n elements that lie without gaps, by two passes in canonical order:
//
//	mean = sum(x)/n, var = sum((x-mean)^2)/n, y = float32(float32((x-mean) * r) * scale) + bias, r = 1/sqrt(var+eps)
//
// scale has n elements, bias n or none (then nothing is added). r is a division by the rounded root; NaN is stored as
// 0x7fc00000. dst may be src.
func LayerNorm(dst, src []float32, rows, n int, scale, bias []float32, eps float32) {
	for r := range rows {
		x, y := src[r*n:][:n], dst[r*n:][:n]
		mean := curve.Sum(x) / float32(n)
		curve.Normalise(y, x, scale, bias, mean, inverseDeviation(x, mean, eps))
	}
}

// RMSNorm is y = float32(x * r) * scale with r = 1/sqrt(sum(x^2)/n + eps) on rows of n elements, rounded as in LayerNorm. dst
// may be src.
func RMSNorm(dst, src []float32, rows, n int, scale []float32, eps float32) {
	for r := range rows {
		x, y := src[r*n:][:n], dst[r*n:][:n]
		curve.Normalise(y, x, scale, nil, 0, inverseDeviation(x, 0, eps)) // less +0 changes no number
	}
}

// inverseDeviation is 1/sqrt(sum((x-mean)^2)/n + eps).
func inverseDeviation(x []float32, mean, eps float32) float32 {
	return 1 / float32(math.Sqrt(float64(curve.Squares(x, mean)/float32(len(x))+eps)))
}
