package op

import (
	"math"

	"assay/kernels/numeric"
	"assay/kernels/reduce"
)

// layerStatistics writes the outputs Mean and InvStdDev of LayerNormalization, with the sums that the kernel uses. Mean
// is sum/n, InvStdDev 1/sqrt(variance + epsilon) with the two-pass variance, lanes as numeric.Sum orders them: the
// numbers are those that the kernel normalises with, though computed again. nil when neither output is read.
func layerStatistics(l *Lower, rows, n int, epsilon float32) func(c *Call, src []float32) {
	if !l.wants(1) && !l.wants(2) {
		return nil
	}
	return func(c *Call, src []float32) {
		means, deviations := []float32(nil), []float32(nil)
		if l.wants(1) {
			means = view[float32](c.Out[1])
		}
		if l.wants(2) {
			deviations = view[float32](c.Out[2])
		}
		for r := range rows {
			x := src[r*n:][:n]
			mean := numeric.Sum(x) / float32(n)
			if means != nil {
				means[r] = numeric.Canon(mean)
			}
			if deviations != nil {
				var s numeric.LaneSum
				for _, v := range x {
					s.Add1(float32((v - mean) * (v - mean)))
				}
				deviations[r] = numeric.Canon(1 / float32(math.Sqrt(float64(s.Sum()/float32(n)+epsilon))))
			}
		}
	}
}

// layerNorm runs the kernel after the statistics, which read what it may overwrite.
func layerNorm(c *Call, src []float32, rows, n int, scale, bias []float32, epsilon float32, statistics func(*Call, []float32)) {
	if statistics != nil {
		statistics(c, src)
	}
	reduce.LayerNorm(view[float32](c.Out[0]), src, rows, n, scale, bias, epsilon)
}
