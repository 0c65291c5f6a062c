package volume

import (
	"math"

	"assay/kernels/numeric"
)

// Deform convolves images whose taps are moved by offsets [Batch][Groups*taps*2][out...] (row, column) and weighted by mask
// [Batch][Groups*taps][out...], nil for 1: ONNX's DeformConv, of two spatial axes. Each of groups equal parts of the channels has its
// own. Taps are read by linear interpolation, zero outside and at coordinates that are no number; the four products of an
// element are rounded and added from the upper left to the lower right. src is channels-last as everywhere, offset and mask
// are not.
func (p *Conv) Deform(dst, src, offset, mask []float32, groups int, w *Window, scratch []float32) {
	each := w.C / groups
	p.gathered(dst, w, numeric.Clamp{}, scratch, func(row []float32, n, o, first int) {
		place := index(o, w.Out)
		for k := range w.taps {
			tap := index(k, w.Kernel)
			for c := range p.cg {
				g := (first + c) / each
				at := (n*groups+g)*w.taps + k
				weight := float32(1)
				if mask != nil {
					weight = mask[at*w.outs+o]
				}
				y := float32(place[0]*w.Stride[0]-w.Before[0]+tap[0]*w.Dilation[0]) + offset[2*at*w.outs+o]
				x := float32(place[1]*w.Stride[1]-w.Before[1]+tap[1]*w.Dilation[1]) + offset[(2*at+1)*w.outs+o]
				row[k*p.cg+c] = float32(weight * w.between(src[n*w.pixels*w.C+first+c:], y, x))
			}
		}
	})
}

// between reads channel 0 of an image at (y, x).
func (w *Window) between(src []float32, y, x float32) float32 {
	if !(y > -1 && x > -1 && y < float32(w.In[0]) && x < float32(w.In[1])) {
		return 0
	}
	y0, x0 := int(math.Floor(float64(y))), int(math.Floor(float64(x)))
	dy, dx := y-float32(y0), x-float32(x0)
	sum := float32(0)
	for i := range 4 {
		py, px, wy, wx := y0, x0, 1-dy, 1-dx
		if i&2 != 0 {
			py, wy = y0+1, dy
		}
		if i&1 != 0 {
			px, wx = x0+1, dx
		}
		if py >= 0 && py < w.In[0] && px >= 0 && px < w.In[1] {
			sum += float32(float32(wy*wx) * src[(py*w.In[1]+px)*w.C])
		}
	}
	return sum
}
