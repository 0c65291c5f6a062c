package volume

import (
	"sync"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
)

// number is every element type that a maximum is taken over.
type number interface {
	~float32 | ~float64 | ~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64
}

// Max writes the maximum of each window to dst and, unless it is nil, the place of the first such element to at: the flat
// logical index in [Batch][C][spatial...], whose spatial part has the strides order. dst and at are channels-last. A NaN wins, with
// its own pattern; zeros of either sign are equal, so that the first one stays (pool.MaxF32 gives +0). Every window
// holds an element of the data.
func Max[T number](dst []T, at []int64, src []T, w *Window, order []int) {
	for i := range w.Batch * w.outs {
		n, o := i/w.outs, i%w.outs
		top, first := dst[i*w.C:(i+1)*w.C], true
		w.each(o, func(_, p int, _ bool) {
			if p < 0 {
				return
			}
			row := src[(n*w.pixels+p)*w.C:][:len(top)]
			var places []int64
			if at != nil {
				places = at[i*w.C:][:len(top)]
			}
			raise(top, row, places, int64(p), first)
			first = false
		})
		if at == nil {
			continue
		}
		for c := range w.C {
			p := &at[i*w.C+c]
			*p = int64((n*w.C+c)*w.pixels + strided(int(*p), w.In, order))
		}
	}
}

// raise takes the elements of row into top that are larger, or all of the first row, and notes where they are from in places
// unless it is nil. Of equals, zeros of either sign among them, the first stays.
func raise[T number](top, row []T, places []int64, p int64, first bool) {
	for c, v := range row {
		if t := top[c]; first || v > t || v != v && t == t {
			top[c] = v
			if places != nil {
				places[c] = p
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

// Average writes the mean of each window, the sum one canonical chain (numeric.Chain); with padding its elements count, those
// that only ceil_mode reaches do not. NaN is stored as 0x7fc00000.
func Average(dst, src []float32, w *Window, padding bool) {
	w.fold(dst, src, nil, func(sums []float32, inside, padded int) {
		if padding {
			inside = padded
		}
		elementwise.Number(elementwise.Div, sums, sums, float32(inside))
	})
}

// Norm writes the p-norm of each window, (sum |x|^p)^(1/p), the sum one canonical chain (numeric.Chain). p is at least 1. NaN is
// stored as 0x7fc00000.
func Norm(dst, src []float32, w *Window, p int) {
	power := float32(p)
	switch p {
	case 1:
		w.fold(dst, src, func(t, x []float32) { elementwise.Unary(elementwise.Abs, t, x, 0, 0) }, func([]float32, int, int) {})
	case 2:
		w.fold(dst, src, func(t, x []float32) { elementwise.Row(elementwise.Mul, t, x, x) },
			func(sums []float32, _, _ int) { elementwise.Unary(elementwise.Sqrt, sums, sums, 0, 0) })
	default:
		w.fold(dst, src, func(t, x []float32) {
			elementwise.Unary(elementwise.Abs, t, x, 0, 0)
			elementwise.Number(elementwise.Pow, t, t, power)
		}, func(sums []float32, _, _ int) { elementwise.Number(elementwise.Pow, sums, sums, 1/power) })
	}
}

// wide is how many channels are folded beside each other.
const wide = 256

// rooms are lent to fold: the sums since the last flush, and the terms of a tap.
var rooms = sync.Pool{New: func() any { return new([2 * wide]float32) }}

// fold sums a term of every element of each window, the element itself where term is nil, and lets end change the sums: it is told
// the number of taps in the data and of those in it or its padding. Channels are summed beside each other, each as numeric.Chain
// sums.
func (w *Window) fold(dst, src []float32, term func(t, x []float32), end func(sums []float32, inside, padded int)) {
	room := rooms.Get().(*[2 * wide]float32)
	defer rooms.Put(room)
	for i := range w.Batch * w.outs {
		n, o := i/w.outs, i%w.outs
		for c := 0; c < w.C; c += wide {
			k := min(wide, w.C-c)
			total, part, t := dst[i*w.C+c:][:k], room[:k], room[wide:][:k]
			clear(total)
			clear(part)
			data, padded := 0, 0
			w.each(o, func(_, p int, inside bool) {
				if inside {
					padded++
				}
				if p < 0 {
					return
				}
				x := src[(n*w.pixels+p)*w.C+c:][:k]
				if term != nil {
					term(t, x)
					x = t
				}
				if k == 1 && term == nil { // end makes NaN canonical
					part[0] += x[0]
				} else {
					elementwise.Row(elementwise.Add, part, part, x)
				}
				if data++; data%numeric.Run == 0 {
					elementwise.Row(elementwise.Add, total, total, part)
					clear(part)
				}
			})
			elementwise.Row(elementwise.Add, total, total, part)
			end(total, data, padded)
		}
	}
}
