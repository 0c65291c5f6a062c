package conv

import "assay/kernels/numeric"

// depthF32 is a depthwise float convolution: channel c of the output is made of channel c of the input.
type depthF32 struct {
	tap  []float32 // [KH*KW][C]
	bias []float32 // [C]
}

func packDepthF32(g Geometry, w, bias []float32) *depthF32 {
	p := &depthF32{tap: make([]float32, g.KH*g.KW*g.C), bias: make([]float32, g.C)}
	copy(p.bias, bias)
	for c := range g.C {
		for k := range g.KH * g.KW {
			p.tap[k*g.C+c] = w[c*g.KH*g.KW+k]
		}
	}
	return p
}

func (p *depthF32) bytes() int             { return 4 * len(p.tap) }
func (p *depthF32) scratch(g Geometry) int { return 0 }

// run is the reference: for each output a chain over the taps in order, where a tap outside of the picture sees +0.
func (p *depthF32) run(dst, src []float32, g Geometry, act numeric.Clamp, scratch []byte) {
	each(g, func(n, y, x int) {
		out := dst[((n*g.OutH()+y)*g.OutW()+x)*g.C:][:g.C]
		copy(out, p.bias)
		for k := range g.KH * g.KW {
			w := p.tap[k*g.C:][:g.C]
			in := pixel(g, src[n*g.H*g.W*g.C:], y, x, k)
			for c := range out {
				v := float32(0)
				if in != nil {
					v = in[c]
				}
				out[c] = numeric.FMA32(v, w[c], out[c])
			}
		}
		for c := range out {
			out[c] = act.Apply(out[c])
		}
	})
}

// each calls f for each output pixel.
func each(g Geometry, f func(n, y, x int)) {
	oh, ow := g.OutH(), g.OutW()
	for n := range g.Batch {
		for y := range oh {
			for x := range ow {
				f(n, y, x)
			}
		}
	}
}

// pixel is what tap k of output pixel (y, x) sees: the channels of a pixel of the picture, nil outside of it.
func pixel[T uint8 | float32](g Geometry, src []T, y, x, k int) []T {
	iy := y*g.StrideH + k/g.KW*g.DilationH - g.PadTop
	ix := x*g.StrideW + k%g.KW*g.DilationW - g.PadLeft
	if iy < 0 || iy >= g.H || ix < 0 || ix >= g.W {
		return nil
	}
	return src[(iy*g.W+ix)*g.C:][:g.C]
}
