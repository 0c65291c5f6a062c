package conv

import "assay/kernels/numeric"

// depthI8 is a depthwise integer convolution.
type depthI8 struct {
	tap       []int16 // [KH*KW][C]: weights less their zero points
	bias, sum []int32 // [C]; sum of the taps
}

func packDepthI8(g Geometry, w []int8, bias []int32, zero func(int) int) *depthI8 {
	p := &depthI8{tap: make([]int16, g.KH*g.KW*g.C), bias: make([]int32, g.C), sum: make([]int32, g.C)}
	copy(p.bias, bias)
	for c := range g.C {
		for k := range g.KH * g.KW {
			v := int(w[c*g.KH*g.KW+k]) - zero(c)
			p.tap[k*g.C+c] = int16(v)
			p.sum[c] += int32(v)
		}
	}
	return p
}

func (p *depthI8) bytes() int             { return 2 * len(p.tap) }
func (p *depthI8) scratch(g Geometry) int { return room(4 * g.C) }

// run is the reference.
func (p *depthI8) run(dst, src []uint8, g Geometry, xZero uint8, rq numeric.Requant, scratch []byte) {
	acc, _ := carve[int32](scratch, g.C)
	each(g, func(n, y, x int) {
		copy(acc, p.bias)
		for k := range g.KH * g.KW {
			in := pixel(g, src[n*g.H*g.W*g.C:], y, x, k)
			if in == nil {
				continue
			}
			for c, w := range p.tap[k*g.C:][:g.C] {
				acc[c] += (int32(in[c]) - int32(xZero)) * int32(w)
			}
		}
		out := dst[((n*g.OutH()+y)*g.OutW()+x)*g.C:][:g.C]
		for c, v := range acc {
			out[c] = rq.At(v, c)
		}
	})
}
