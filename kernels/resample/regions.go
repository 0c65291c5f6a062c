package resample

import (
	"math"

	"assay/kernels/numeric"
)

// Regions pools regions of interest of images [Batch][C][H][W] into [OutH][OutW] cells each, from Ratio x Ratio points per
// cell (0: as many as the cell has elements, rounded up; more than 1,024 along a side are that many), read by linear
// interpolation: ONNX's RoiAlign. All sizes are at least 1.
type Regions struct {
	Batch, C, H, W, OutH, OutW int
	Ratio                      int
	Scale                      float32 // of the regions' coordinates
	HalfPixel                  bool    // coordinates are half an element too far, and regions may be empty; else they have 1 element at least
	Max                        bool    // the largest of the corners of all points, each times its weight, else the mean of the points
}

// points bounds the points of a cell, whose number follows from the data.
const points = 1 << 10

// Run writes dst [regions][C][OutH][OutW]. A region is (x1, y1, x2, y2) in units of elements over Scale; batch says which image
// it is of, clamped to those that exist. A mean is one chain of float32 sums over the points in row-major order; a cell
// without points is 0.
func (r *Regions) Run(dst, src, regions []float32, batch []int64) {
	shift := float32(0)
	if r.HalfPixel {
		shift = 0.5
	}
	for i, b := range batch {
		box := regions[4*i:][:4]
		x, y := float32(box[0]*r.Scale)-shift, float32(box[1]*r.Scale)-shift
		w, h := float32(box[2]*r.Scale)-shift-x, float32(box[3]*r.Scale)-shift-y
		if !r.HalfPixel {
			w, h = max(w, 1), max(h, 1)
		}
		cw, ch := w/float32(r.OutW), h/float32(r.OutH)
		nx, ny := r.count(cw), r.count(ch)
		image := int(min(max(b, 0), int64(r.Batch)-1))
		for c := range r.C {
			data := src[(image*r.C+c)*r.H*r.W:][:r.H*r.W]
			for cell := range r.OutH * r.OutW {
				cy, cx := y+float32(float32(cell/r.OutW)*ch), x+float32(float32(cell%r.OutW)*cw)
				dst[(i*r.C+c)*r.OutH*r.OutW+cell] = numeric.Canon(r.cell(data, cx, cy, cw, ch, nx, ny))
			}
		}
	}
}

// count is the number of points along one side of a cell.
func (r *Regions) count(side float32) int {
	if r.Ratio > 0 {
		return min(r.Ratio, points)
	}
	n := math.Ceil(float64(side))
	if !(n >= 1) {
		return 0
	}
	return int(min(n, points))
}

// cell pools one cell whose corner is (x, y).
func (r *Regions) cell(data []float32, x, y, w, h float32, nx, ny int) float32 {
	var sum numeric.Chain
	top, some := float32(0), false
	for iy := range ny {
		py := y + float32((float32(iy)+0.5)*h)/float32(ny)
		for ix := range nx {
			px := x + float32((float32(ix)+0.5)*w)/float32(nx)
			terms := r.corners(data, px, py)
			if !r.Max {
				sum.Add(terms[0] + terms[1] + terms[2] + terms[3])
				continue
			}
			v := max(max(terms[0], terms[1]), max(terms[2], terms[3]))
			if !some || v > top {
				top, some = v, true
			}
		}
	}
	if r.Max {
		return top
	}
	return sum.Sum() / float32(max(nx*ny, 1))
}

// corners are the four weighted elements around a point, zeros more than one element outside the image.
func (r *Regions) corners(data []float32, x, y float32) (t [4]float32) {
	if !(y >= -1 && y <= float32(r.H) && x >= -1 && x <= float32(r.W)) {
		return t
	}
	x0, x1, dx := along(x, r.W)
	y0, y1, dy := along(y, r.H)
	t[0] = float32(float32((1-dy)*(1-dx)) * data[y0*r.W+x0])
	t[1] = float32(float32((1-dy)*dx) * data[y0*r.W+x1])
	t[2] = float32(float32(dy*(1-dx)) * data[y1*r.W+x0])
	t[3] = float32(float32(dy*dx) * data[y1*r.W+x1])
	return t
}

// along is the pair of elements around v on an axis of n, and the distance from the first.
func along(v float32, n int) (lo, hi int, d float32) {
	v = max(v, 0)
	if lo = int(v); lo >= n-1 {
		return n - 1, n - 1, 0
	}
	return lo, lo + 1, v - float32(lo)
}
