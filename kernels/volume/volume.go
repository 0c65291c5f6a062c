// Package volume slides windows over any number of spatial axes of channels-last data: the plain forms of convolution and
// pooling beyond images, and of those window operators that are rare on images. An operator's attributes, a thread or an
// allocation outside of Pack may not enter.
//
// Data is [Batch][spatial...][C] without gaps, results are [Batch][out...][C]. The caller guarantees the sizes that Window
// gives, that Count was called, without which nothing is written, and that dst and src do not overlap. Functions are safe for
// concurrent use with distinct dst and scratch. Convolutions gather the elements under
// each window, padding as +0, and multiply by packed weights: one chain of fused multiply-adds, taps and then channels
// ascending, as package conv computes.
package volume

// MaxAxes is the largest number of spatial axes.
const MaxAxes = 8

// Window is the geometry of a sliding window: one entry per spatial axis in each list, at most MaxAxes. A tap of output o
// along axis a is at o*Stride - Before + k*Dilation; taps outside the data are padding.
type Window struct {
	Batch, C           int
	In, Out, Kernel    []int // Out is the caller's: ceil_mode lets the last window start in the padding
	Stride, Dilation   []int // 1 or more
	Before, After      []int // padding in front and behind, of which only Average takes After into account
	pixels, outs, taps int
}

// Count returns w with the sizes that follow from the lists. A w whose lists were changed is counted again.
func (w Window) Count() Window {
	w.pixels, w.outs, w.taps = product(w.In), product(w.Out), product(w.Kernel)
	return w
}

// Taps is the number of elements under a window in one channel, the length that PackConv takes; 0 before Count.
func (w *Window) Taps() int { return w.taps }

func product(v []int) int {
	n := 1
	for _, d := range v {
		n *= d
	}
	return n
}

// index takes a flat position apart.
func index(flat int, shape []int) (at [MaxAxes]int) {
	for a := len(shape) - 1; a >= 0; a-- {
		at[a] = flat % shape[a]
		flat /= shape[a]
	}
	return at
}

// pixel is the flat position in the data of tap k of output o, -1 in the padding. inside also counts the trailing padding
// that attribute pads names, which windows of ceil_mode may leave.
func (w *Window) pixel(o, k *[MaxAxes]int) (at int, inside bool) {
	inside = true
	for a, n := range w.In {
		p := o[a]*w.Stride[a] - w.Before[a] + k[a]*w.Dilation[a]
		if p >= n+w.After[a] {
			inside = false
		}
		if p < 0 || p >= n {
			at = -1
		}
		if at >= 0 {
			at = at*n + p
		}
	}
	return at, inside
}

// each calls f with every tap of output o in ascending order.
func (w *Window) each(o int, f func(tap, at int, inside bool)) {
	place := index(o, w.Out)
	var tap [MaxAxes]int
	for k := range w.taps {
		at, inside := w.pixel(&place, &tap)
		f(k, at, inside)
		for a := len(w.Kernel) - 1; a >= 0; a-- {
			if tap[a]++; tap[a] < w.Kernel[a] {
				break
			}
			tap[a] = 0
		}
	}
}
