// Package quantize goes between float32 and integers with a scale and a zero point: QuantizeLinear, DequantizeLinear and
// the 256-entry tables that follow from them. Ranges, statistics and which tensor gets which scale may not enter.
//
// Formulas are ONNX Runtime's, in numeric.Affine. The caller guarantees that dst is at least as long as src and that they do
// not overlap; the rest of dst stays as it is. Functions allocate nothing and are safe for concurrent use with distinct dst.
package quantize

import (
	"unsafe"

	"assay/kernels/numeric"
)

// Level is an integer type that QuantizeLinear can write.
type Level interface {
	~uint8 | ~int8 | ~uint16 | ~int16
}

// Quantize writes sat(rne(float32(src/a.Scale)) + a.Zero), rne being half to even: the zero point is added after rounding, and
// infinities saturate. NaN becomes the lowest level, as in ONNX Runtime on x86.
func Quantize[T Level](dst []T, src []float32, a numeric.Affine) {
	l, h := numeric.Range[T]()
	lo, hi := float32(l-a.Zero), float32(h-a.Zero)
	dst = dst[:len(src)]
	if b, signed := patterns(dst); b != nil {
		k := fastQuantize(b, src, a, lo, hi, signed)
		src, dst = src[k:], dst[k:]
	}
	for i, v := range src {
		dst[i] = T(numeric.RoundClamp(v/a.Scale, lo, hi) + a.Zero)
	}
}

// QuantizeAxis is Quantize with its own parameters for each index of an axis: elements are [outer][len(a)][inner]. A src that
// ends within them ends the work after its last whole run of inner elements.
func QuantizeAxis[T Level](dst []T, src []float32, outer, inner int, a []numeric.Affine) {
	rows(len(src), outer, inner, len(a), func(at, c int) {
		Quantize(dst[at:at+inner], src[at:at+inner], a[c])
	})
}

// Dequantize writes float32(float32(src-a.Zero) * a.Scale), NaN (0 times an infinite scale) as 0x7fc00000. int32 values beyond
// 2^24 round half to even on the way; src minus zero wraps as in ONNX Runtime, where int32 has zero point 0.
func Dequantize[T Level | ~int32](dst []float32, src []T, a numeric.Affine) {
	dst = dst[:len(src)]
	if b, signed := patterns(src); b != nil {
		k := fastDequantize(dst, b, a, signed)
		src, dst = src[k:], dst[k:]
	}
	for i, q := range src {
		dst[i] = numeric.Canon(a.Real(int32(q)))
	}
}

// DequantizeAxis is Dequantize with its own parameters for each index of an axis: elements are [outer][len(a)][inner], as
// QuantizeAxis takes them.
func DequantizeAxis[T Level | ~int32](dst []float32, src []T, outer, inner int, a []numeric.Affine) {
	rows(len(src), outer, inner, len(a), func(at, c int) {
		Dequantize(dst[at:at+inner], src[at:at+inner], a[c])
	})
}

// patterns views elements of 8 bits as bit patterns; nil for wider types.
func patterns[T Level | ~int32](v []T) (b []uint8, signed bool) {
	var zero T
	if len(v) == 0 || unsafe.Sizeof(zero) != 1 {
		return nil, false
	}
	return unsafe.Slice((*uint8)(unsafe.Pointer(&v[0])), len(v)), zero-1 < 0
}

// rows calls f for every run of inner elements: its offset and its index on the axis.
func rows(n, outer, inner, channels int, f func(at, c int)) {
	at := 0
	for range outer {
		for c := range channels {
			if at+inner > n {
				return
			}
			f(at, c)
			at += inner
		}
	}
}
