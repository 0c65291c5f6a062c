package volume

import (
	"math"

	"assay/kernels/numeric"
)

// number is every element type that a maximum is taken over.
type number interface {
	~float32 | ~float64 | ~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64
}

// Max writes the maximum of each window to dst and, unless it is nil, the place of the first such element to at: the flat
// logical index in [Batch][C][spatial...], whose spatial part has the strides order. A NaN wins. Every window holds an
// element of the data.
func Max[T number](dst []T, at []int64, src []T, w *Window, order []int) {
	for i := range w.Batch * w.outs {
		n, o := i/w.outs, i%w.outs
		for c := range w.C {
			best, found := 0, false
			w.each(o, func(_, p int, _ bool) {
				if p < 0 {
					return
				}
				v, top := src[(n*w.pixels+p)*w.C+c], src[(n*w.pixels+best)*w.C+c]
				if !found || v > top || v != v && top == top {
					best, found = p, true
				}
			})
			dst[i*w.C+c] = src[(n*w.pixels+best)*w.C+c]
			if at != nil {
				at[i*w.C+c] = int64((n*w.C+c)*w.pixels + strided(best, w.In, order))
			}
		}
	}
}

// strided is the offset of a flat position of shape under other strides.
func strided(flat int, shape, strides []int) int {
	place, off := index(flat, shape), 0
	for a := range shape {
		off += place[a] * strides[a]
	}
	return off
}

// Average writes the mean of each window, the sum one canonical chain; with padding its elements count, those that only
// ceil_mode reaches do not.
func Average(dst, src []float32, w *Window, padding bool) {
	w.fold(dst, src, func(v float32) float32 { return v }, func(sum float32, inside, padded int) float32 {
		if padding {
			return sum / float32(padded)
		}
		return sum / float32(inside)
	})
}

// Norm writes the p-norm of each window, (sum |x|^p)^(1/p), the sum one canonical chain.
func Norm(dst, src []float32, w *Window, p int) {
	power := float32(p)
	w.fold(dst, src, func(v float32) float32 {
		switch v = float32(math.Abs(float64(v))); p {
		case 1:
			return v
		case 2:
			return float32(v * v)
		}
		return numeric.Pow(v, power)
	}, func(sum float32, _, _ int) float32 {
		switch p {
		case 1:
			return sum
		case 2:
			return float32(math.Sqrt(float64(sum)))
		}
		return numeric.Pow(sum, 1/power)
	})
}

// fold sums a term of every element of each window and writes what end makes of the sum, the number of taps in the data
// and the number of those in it or its padding.
func (w *Window) fold(dst, src []float32, term func(float32) float32, end func(sum float32, inside, padded int) float32) {
	for i := range w.Batch * w.outs {
		n, o := i/w.outs, i%w.outs
		for c := range w.C {
			var sum numeric.Chain
			data, padded := 0, 0
			w.each(o, func(_, p int, inside bool) {
				if inside {
					padded++
				}
				if p >= 0 {
					data++
					sum.Add(term(src[(n*w.pixels+p)*w.C+c]))
				}
			})
			dst[i*w.C+c] = numeric.Canon(end(sum.Sum(), data, padded))
		}
	}
}
