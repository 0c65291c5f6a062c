package reduce

import (
	"math"
	"sync"

	"assay/kernels/curve"
	"assay/kernels/elementwise"
	"assay/kernels/numeric"
)

// Softmax writes exp(x-max)/sum along the middle axis of [outer][n][inner]; dst may be src. exp rounds to float32 before the
// sum. A row with a NaN, with +Inf, or of nothing but -Inf is NaN throughout, stored as 0x7fc00000: the differences of some
// elements are, and so is the sum.
func Softmax(dst, src []float32, outer, n, inner int, lanes bool) {
	switch {
	case n == 0:
	case inner == 1 && lanes && n <= few:
		softmaxShort(dst[:outer*n], src[:outer*n], n)
	case inner == 1 && lanes:
		for r := range outer {
			x, y := src[r*n:][:n], dst[r*n:][:n]
			curve.ExpLess(y, x, curve.Max(x))
			curve.Divide(y, y, curve.Sum(y))
		}
	case inner >= few && !lanes:
		for o := range outer {
			for at := 0; at < inner; at += broad {
				softmaxColumns(dst[o*n*inner+at:], src[o*n*inner+at:], n, inner, min(broad, inner-at))
			}
		}
	default:
		softmaxAny(dst, src, outer, n, inner, lanes)
	}
}

// few is the length up to which rows are not worth a call of vector instructions each.
const few = 8

// softmaxShort is Softmax of rows of n elements, up to few: exponentials are taken of several rows at once.
func softmaxShort(dst, src []float32, n int) {
	const piece = 1024
	for len(src) > 0 {
		k := min(len(src), piece/n*n)
		x, y := src[:k], dst[:k]
		for at := 0; at < k; at += n {
			row, to := x[at:][:n], y[at:][:n]
			top := row[0]
			for _, v := range row[1:] {
				top = max(top, v)
			}
			for i, v := range row {
				to[i] = v - top
			}
		}
		curve.Exp(y, y)
		for at := 0; at < k; at += n {
			to := y[at:][:n]
			s := shortSum(to)
			for i, v := range to {
				to[i] = numeric.Canon(v / s)
			}
		}
		dst, src = dst[k:], src[k:]
	}
}

// shortSum is numeric.Sum of up to few elements, none of them -0: each has a lane of its own, and what the other lanes add is
// +0.
func shortSum(x []float32) float32 {
	var l [few]float32
	copy(l[:], x)
	half := few / 2
	for half > 1 && len(x) <= half {
		half /= 2
	}
	for ; half > 0; half /= 2 {
		for j := range half {
			l[j] += l[j+half]
		}
	}
	return l[0]
}

// softmaxColumns is Softmax along n rows of k elements, step apart: k columns beside each other.
func softmaxColumns(dst, src []float32, n, step, k int) {
	room := columnRooms.Get().(*[broad]float32)
	defer columnRooms.Put(room)
	t := room[:k]
	foldRows(Max, t, src, n, step)
	for i := range n {
		y := dst[i*step:][:k]
		elementwise.Row(elementwise.Sub, y, src[i*step:][:k], t)
		curve.Exp(y, y)
	}
	sumRows(t, dst, n, step, false)
	for i := range n {
		y := dst[i*step:][:k]
		elementwise.Row(elementwise.Div, y, y, t)
	}
}

// columnRooms are lent to softmaxColumns, which calls what borrows from rooms.
var columnRooms = sync.Pool{New: func() any { return new([broad]float32) }}

// softmaxAny is Softmax of every form, an element at a time but for the exponentials.
func softmaxAny(dst, src []float32, outer, n, inner int, lanes bool) {
	each(outer, n, inner, func(at int) {
		top := extremum(Max, src, at, Axes{[]int{n}, []int{inner}})
		for i := range n {
			dst[at+i*inner] = src[at+i*inner] - top
		}
	})
	curve.Exp(dst[:outer*n*inner], dst[:outer*n*inner])
	each(outer, n, inner, func(at int) {
		s := sum(nil, dst, at, Axes{[]int{n}, []int{inner}}, lanes)
		for i := range n {
			dst[at+i*inner] = numeric.Canon(dst[at+i*inner] / s)
		}
	})
}

// LogSoftmax writes (x-max) - log(sum(exp(x-max))) along the middle axis of [outer][n][inner], NaN as Softmax does; dst may be
// src.
func LogSoftmax(dst, src []float32, outer, n, inner int, lanes bool) {
	each(outer, n, inner, func(at int) {
		a := Axes{[]int{n}, []int{inner}}
		top := extremum(Max, src, at, a)
		s := numeric.Log(expSum(src, at, a, top, lanes))
		for i := range n {
			dst[at+i*inner] = numeric.Canon((src[at+i*inner] - top) - s)
		}
	})
}

// each calls f with the offset of every row along the middle axis.
func each(outer, n, inner int, f func(at int)) {
	if n == 0 {
		return
	}
	for o := range outer {
		for k := range inner {
			f(o*n*inner + k)
		}
	}
}

// QLinearSoftmax is ONNX Runtime's fused softmax on bytes. Make it with NewQLinearSoftmax; it may be shared.
type QLinearSoftmax struct {
	exp    [256]float32 // by distance of the level from the lowest after the row's maximum was moved to 255
	top    float32
	zero   int32
	signed bool
}

// NewQLinearSoftmax prepares rows of n elements of scale sx, which is above 0 (its zero point cancels), both sides signed or
// both unsigned:
//
//	e_i = float32(exp((i - 255 + B)*sx)), B = max(0, ln(FLT_MAX/n) - 5)/sx
//	y = sat(rint(float32(float32(e*Y)/sum)) + zy), Y = floor(float32(1/sy)), sum one chain from left to right
func NewQLinearSoftmax(sx float32, y numeric.Affine, signed bool, n int) *QLinearSoftmax {
	s := &QLinearSoftmax{top: float32(math.Floor(float64(1 / y.Scale))), zero: y.Zero, signed: signed}
	// With n = 1 the product e*Y would overflow; ONNX Runtime gives Y there, and so does the table of two.
	shift := max(0, numeric.Log64(math.MaxFloat32/float64(max(n, 2)))-5) / float64(sx)
	for i := range s.exp {
		s.exp[i] = float32(numeric.Exp64(float64((float64(i-255) + shift) * float64(sx))))
	}
	return s
}

// Run applies it along the middle axis of [outer][n][inner], with the n it was made for; dst and src are bit patterns of bytes
// and may be one slice.
func (s *QLinearSoftmax) Run(dst, src []uint8, outer, n, inner int) {
	var flip uint8
	lo, hi := int32(0), int32(255)
	if s.signed {
		flip, lo, hi = 0x80, -128, 127
	}
	each(outer, n, inner, func(at int) {
		var top uint8
		for i := range n {
			top = max(top, src[at+i*inner]^flip)
		}
		raise := 255 - top
		sum := float32(0)
		for i := range n {
			sum += s.exp[src[at+i*inner]^flip+raise]
		}
		for i := range n {
			e := s.exp[src[at+i*inner]^flip+raise]
			v := float32(e*s.top) / sum
			dst[at+i*inner] = uint8(numeric.RoundClamp(v, float32(lo-s.zero), float32(hi-s.zero)) + s.zero)
		}
	})
}
