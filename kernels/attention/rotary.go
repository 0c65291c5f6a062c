package attention

import "assay/kernels/numeric"

// Rotary turns pairs of the first 2*Half elements of every head by the angle of its position.
type Rotary struct {
	Batch, Heads, Length, Depth, Half int
	Pairs                             bool // neighbours are a pair; else element i and i+Half
	Inner                             bool // heads lie inside positions: [Batch][Length][Heads][Depth]
}

// Run writes dst, laid out as src. row gives the row of the caches for a sample and a position.
func (r *Rotary) Run(dst, src, cos, sin []float32, row func(n, t int) int) {
	copy(dst, src)
	for i := range r.Batch * r.Heads * r.Length {
		n, t := i/(r.Heads*r.Length), i%r.Length
		if r.Inner {
			t = i / r.Heads % r.Length
		}
		x, y := src[i*r.Depth:][:r.Depth], dst[i*r.Depth:][:r.Depth]
		k := row(n, t) * r.Half
		for j := range r.Half {
			a, b := j, j+r.Half
			if r.Pairs {
				a, b = 2*j, 2*j+1
			}
			c, s := cos[k+j], sin[k+j]
			y[a] = numeric.Canon(float32(c*x[a]) - float32(s*x[b]))
			y[b] = numeric.Canon(float32(s*x[a]) + float32(c*x[b]))
		}
	}
}
