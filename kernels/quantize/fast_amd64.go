//go:build amd64 && !noasm

package quantize

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// chunk is how many elements one call of assembly takes, since it cannot be preempted.
const chunk = 1 << 14

// fastQuantize writes the first elements as bit patterns and returns how many.
func fastQuantize(dst []uint8, src []float32, a numeric.Affine, lo, hi float32, signed bool) int {
	if tier.Current() < tier.AVX2 {
		return 0
	}
	f := quantizeU8AVX2
	if signed {
		f = quantizeI8AVX2
	}
	n := len(src) - len(src)%32
	for at := 0; at < n; at += chunk {
		f(&dst[at], &src[at], min(chunk, n-at), a.Scale, lo, hi, a.Zero)
	}
	return n
}

// fastDequantize writes the first elements of bit patterns and returns how many.
func fastDequantize(dst []float32, src []uint8, a numeric.Affine, signed bool) int {
	if tier.Current() < tier.AVX2 {
		return 0
	}
	f := dequantizeU8AVX2
	if signed {
		f = dequantizeI8AVX2
	}
	n := len(src) - len(src)%8
	for at := 0; at < n; at += chunk {
		f(&dst[at], &src[at], min(chunk, n-at), a.Scale, float32(a.Zero))
	}
	return n
}
