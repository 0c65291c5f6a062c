package reduce

import (
	"math"

	"assay/kernels/numeric"
)

// LayerNorm normalises rows of n elements that lie without gaps, by two passes in canonical order:
//
//	mean = sum(x)/n, var = sum((x-mean)^2)/n, y = float32(float32((x-mean) * r) * scale) + bias, r = 1/sqrt(var+eps)
//
// scale has n elements, bias n or none (then nothing is added). dst may be src.
func LayerNorm(dst, src []float32, rows, n int, scale, bias []float32, eps float32) {
	for r := range rows {
		x, y := src[r*n:][:n], dst[r*n:][:n]
		mean := numeric.Sum(x) / float32(n)
		inv := inverseDeviation(x, mean, eps)
		for i, v := range x {
			z := float32(float32((v-mean)*inv) * scale[i])
			if len(bias) > 0 {
				z += bias[i]
			}
			y[i] = numeric.Canon(z)
		}
	}
}

// RMSNorm is y = float32(x * r) * scale with r = 1/sqrt(sum(x^2)/n + eps) on rows of n elements. dst may be src.
func RMSNorm(dst, src []float32, rows, n int, scale []float32, eps float32) {
	for r := range rows {
		x, y := src[r*n:][:n], dst[r*n:][:n]
		inv := inverseDeviation(x, 0, eps)
		for i, v := range x {
			y[i] = numeric.Canon(float32(float32(v*inv) * scale[i]))
		}
	}
}

// inverseDeviation is 1/sqrt(sum((x-mean)^2)/n + eps).
func inverseDeviation(x []float32, mean, eps float32) float32 {
	var s numeric.LaneSum
	for _, v := range x {
		d := v - mean
		s.Add1(float32(d * d))
	}
	return 1 / float32(math.Sqrt(float64(s.Sum()/float32(len(x))+eps)))
}
