package conv

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// depthF32 is a depthwise float convolution: channel c of the output is made of channel c of the input.
// Weights lie in blocks of lanesF32 channels, [block][KH*KW][lanesF32], and the bias likewise.
type depthF32 struct {
	c, taps   int
	tap, bias []float32
}

// lanesF32 is the number of channels of a block: one vector of the widest tier.
const lanesF32 = 16

// Lanes beyond the last channel are zeros, or repeat the channels when a vector takes several pixels.
func packDepthF32(g Geometry, w, bias []float32) *depthF32 {
	blocks, taps := (g.C+lanesF32-1)/lanesF32, g.KH*g.KW
	p := &depthF32{c: g.C, taps: taps, tap: make([]float32, blocks*taps*lanesF32), bias: make([]float32, blocks*lanesF32)}
	for b := range blocks {
		for i := range lanesF32 {
			c, ok := laneChannel(g.C, lanesF32, b, i)
			if !ok {
				continue
			}
			if bias != nil {
				p.bias[b*lanesF32+i] = bias[c]
			}
			for k := range taps {
				p.tap[(b*taps+k)*lanesF32+i] = w[c*taps+k]
			}
		}
	}
	return p
}

func (p *depthF32) bytes() int { return 4 * len(p.tap) }
func (p *depthF32) scratch(g Geometry) int {
	ow := g.OutW()
	return room(4*padding(g)) + room(8*groupInts*groupsOfLine(ow, pixelsOfGroup(g, 4)))
}

// run picks the kernel of the current tier. Chains are per lane, so all kernels give the reference's bits: bias, then
// taps in row-major order, fused.
func (p *depthF32) run(dst, src []float32, g Geometry, act numeric.Clamp, scratch []byte) {
	k := pick("f32")
	if p.taps > maxTaps || k.Tier == tier.Plain {
		p.plain(dst, src, g, act)
		return
	}
	pad, scratch := carve[float32](scratch, padding(g))
	clear(pad)
	if k.lines(g) {
		p.lines(dst, src, g, act, pad, scratch)
		return
	}
	w := newLineWalk(g, pad, lanesF32, 1)
	var s span[float32]
	for n := range g.Batch {
		in := src[n*g.H*g.W*g.C:][:g.H*g.W*g.C]
		for y := range g.OutH() {
			for w.begin(in, y, (n*g.OutH()+y)*w.ow*g.C); w.next(&s); {
				p.span(k, dst, &s, act)
			}
		}
	}
}

// lines runs a line kernel on some lines at a time. One call stays below maxSpan, if need be by cutting long lines.
func (p *depthF32) lines(dst, src []float32, g Geometry, act numeric.Clamp, pad []float32, scratch []byte) {
	ow := g.OutW()
	pixels := pixelsOfGroup(g, 4)
	n := groupsOfLine(ow, pixels)
	groups, _ := carve[int](scratch, groupInts*n)
	lineGroups(g, pixels, 4, groups)
	c := lineCall{act: act, pixels: pixels}
	switch {
	case g.padded():
		c.pad = &pad[0]
	case g.Batch > 0:
		c.pad = &src[0] // never read
	}
	most := max(1, maxSpan/(len(p.bias)/lanesF32*p.taps*pixels))
	rows, oh := 1, g.OutH()
	if stays(g, pixels, 4) {
		rows = max(1, min(len(c.lines)/g.KH, most/n))
	}
	for b := range g.Batch {
		in := src[b*g.H*g.W*g.C:][:g.H*g.W*g.C]
		for y := 0; y < oh; y += rows {
			c.rows = min(rows, oh-y)
			seenLines(g, in, pad, y, c.lines[:c.rows*g.KH])
			out := dst[(b*oh+y)*ow*g.C:][:c.rows*ow*g.C]
			for i := 0; i < n; i += most {
				c.groups = groups[i*groupInts : min(n, i+most)*groupInts]
				p.line(&c, out, g)
			}
		}
	}
}

// lineCall has what the calls of a line kernel share, and the groups and lines of one.
type lineCall struct {
	act    numeric.Clamp
	pixels int
	pad    *float32
	groups []int
	rows   int
	lines  [maxTaps]*float32
}

// plain is the reference: for each output a chain over the taps in order, where a tap outside of the picture sees +0.
func (p *depthF32) plain(dst, src []float32, g Geometry, act numeric.Clamp) {
	each(g, func(n, y, x int) {
		out := dst[((n*g.OutH()+y)*g.OutW()+x)*g.C:][:g.C]
		copy(out, p.bias)
		for k := range p.taps {
			in := pixel(g, src[n*g.H*g.W*g.C:], y, x, k)
			for c := range out {
				v := float32(0)
				if in != nil {
					v = in[c]
				}
				out[c] = numeric.FMA32(v, p.tap[(c/lanesF32*p.taps+k)*lanesF32+c%lanesF32], out[c])
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
