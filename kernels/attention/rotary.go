package attention

import "assay/kernels/numeric"

// Rotary turns pairs (x, y) of the first 2*Half elements of every head by the angle of its position:
//
//	x' = cos*x - sin*y    y' = sin*x + cos*y
//
// each product rounded before the sum. Elements from 2*Half on are copied with their bits.
type Rotary struct {
	Batch, Heads, Length, Depth, Half int  // data [Batch][Heads][Length][Depth]; 2*Half is at most Depth
	Pairs                             bool // neighbours are a pair; else element i and i+Half
	Inner                             bool // heads lie inside positions: [Batch][Length][Heads][Depth]
}

// Run writes dst, laid out as src and apart from it. cos and sin are caches [rows][Half]; row gives the row for a sample and a
// position, the same for all heads. NaN of what is turned is stored as 0x7fc00000.
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
