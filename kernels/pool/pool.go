// Package pool takes maxima and averages over windows of images whose channels lie last in memory (NHWC). An operator's
// attributes, a thread or an allocation may not enter.
//
// The caller guarantees that slices have the sizes that Window gives, that dst and src do not overlap, and that every
// window holds at least one element of the image: maxima of others are not written. One dimension is H = KH = 1. Functions
// are safe for concurrent use with distinct dst; work is split over Batch by calling with a smaller one.
package pool

// Window is the geometry of one pooling in elements: src is [Batch][H][W][C], dst is [Batch][OutH][OutW][C]. OutH and OutW
// come from the caller because ceil_mode lets the last window start beside the padding; taps outside the image are left
// out. PadTop and PadLeft, PadBottom and PadRight also bound which positions count_include_pad counts.
type Window struct {
	Batch, H, W, C                       int
	KH, KW                               int
	StrideH, StrideW                     int // 1 or more
	DilationH, DilationW                 int // 0 and 1 are both 1
	PadTop, PadLeft, PadBottom, PadRight int
	OutH, OutW                           int
}

// span is the part of one window along one axis that lies inside the image: taps [lo, hi), the first at position at. hi
// > lo where the contract holds (every window has an element of the image).
type span struct{ lo, hi, at int }

// clip returns the taps of output o that fall into [0, size). Tap k reads position o*stride - pad + k*dilation.
func clip(o, stride, pad, dilation, taps, size int) span {
	start := o*stride - pad
	lo, hi := 0, taps
	if start < 0 {
		lo = (-start + dilation - 1) / dilation
	}
	if last := start + (taps-1)*dilation; last >= size {
		hi = (size-1-start)/dilation + 1
	}
	return span{lo, max(lo, hi), start + lo*dilation}
}

// padded counts the taps of output o that fall into the image or its padding. Positions in front of the leading padding
// do not exist, so only the end is looked at.
func padded(o, stride, padLo, padHi, dilation, taps, size int) int {
	start := o*stride - padLo
	n := 0
	for k := range taps {
		if start+k*dilation < size+padHi {
			n++
		}
	}
	return n
}

// normal returns w with dilations of at least 1.
func (w Window) normal() Window {
	w.DilationH, w.DilationW = max(1, w.DilationH), max(1, w.DilationW)
	return w
}

// each calls f for every output pixel: image n, the taps along both axes, and the offset of the pixel in dst.
func (w *Window) each(f func(n int, v, h span, out int)) {
	out := 0
	for n := range w.Batch {
		for oy := range w.OutH {
			v := clip(oy, w.StrideH, w.PadTop, w.DilationH, w.KH, w.H)
			for ox := range w.OutW {
				h := clip(ox, w.StrideW, w.PadLeft, w.DilationW, w.KW, w.W)
				f(n, v, h, out)
				out += w.C
			}
		}
	}
}

// tap is the offset in src of channel 0 of the pixel at row i of v and column j of h, counted from their first taps.
func (w *Window) tap(n int, v, h span, i, j int) int {
	return ((n*w.H+v.at+i*w.DilationH)*w.W + h.at + j*w.DilationW) * w.C
}

// rowStep and colStep are the distances of taps in elements.
func (w *Window) rowStep() int { return w.DilationH * w.W * w.C }
func (w *Window) colStep() int { return w.DilationW * w.C }

// count is the divisor of an average at output (oy, ox).
func (w *Window) count(out int, v, h span, includePad bool) int {
	if !includePad {
		return (v.hi - v.lo) * (h.hi - h.lo)
	}
	pixel := out / w.C
	ox, oy := pixel%w.OutW, pixel/w.OutW%w.OutH
	return padded(oy, w.StrideH, w.PadTop, w.PadBottom, w.DilationH, w.KH, w.H) *
		padded(ox, w.StrideW, w.PadLeft, w.PadRight, w.DilationW, w.KW, w.W)
}

// block is the number of channels whose sums a kernel keeps on its stack.
const block = 64
