//go:build !noasm

package conv

import (
	"unsafe"

	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

var table = [...]Kernel{
	{"f32_depth_avx2_4x16", tier.AVX2, "f32", 16, false, false, false},
	{"f32_depth_avx512vnni_14x16", tier.AVX512VNNI, "f32", 16, false, false, true},
	{"f32_depth_plain", tier.Plain, "f32", 1, false, false, false},
	{"u8s8_depth_avx2_1x16", tier.AVX2, "u8s8", 16, false, false, false},
	{"u8s8_depth_avx512vnni_1x64", tier.AVX512VNNI, "u8s8", 64, true, true, false},
	{"u8s8_depth_plain", tier.Plain, "u8s8", 1, false, false, false},
}

// span runs one call of a float kernel.
func (p *depthF32) span(k *Kernel, dst []float32, s *span[float32], act numeric.Clamp) {
	clamp := 0
	if act.On {
		clamp = 1
	}
	a := tile.NewAct(act)
	blocks := len(p.bias) / lanesF32
	_ = dst[s.out+(s.n-1)*s.dstep+(blocks-1)*lanesF32+s.lanes-1]
	if k.Tier == tier.AVX512VNNI {
		depthF32x512(&dst[s.out], 4*s.dstep, &s.taps[0], p.taps, 4*s.srcStep, &p.tap[0], &p.bias[0],
			s.n, blocks, 1<<s.lanes-1, clamp, &a[0])
	} else {
		depthF32x256(&dst[s.out], 4*s.dstep, &s.taps[0], p.taps, 4*s.srcStep, &p.tap[0], &p.bias[0],
			s.n, blocks, 1<<s.lanes-1, clamp, &a[0])
	}
}

// line runs one call of a line kernel, whose outputs are dst.
func (p *depthF32) line(c *lineCall, dst []float32, g Geometry) {
	clamp, a := 0, tile.NewAct(c.act)
	if c.act.On {
		clamp = 1
	}
	step, n, blocks, mask := 4*g.C, len(c.groups)/groupInts, len(p.bias)/lanesF32, 1<<((g.C-1)%lanesF32+1)-1
	line, first, groups := step*g.OutW(), &c.lines[0], &c.groups[0]
	switch [2]int{g.KW, g.StrideW} {
	case [2]int{3, 1}:
		line3x1F32x512(&dst[0], step, line, first, g.KH, step, &p.tap[0], &p.bias[0], groups, n, c.rows, c.pixels, blocks, mask, clamp, &a[0], c.pad)
	case [2]int{3, 2}:
		line3x2F32x512(&dst[0], step, line, first, g.KH, step, &p.tap[0], &p.bias[0], groups, n, c.rows, c.pixels, blocks, mask, clamp, &a[0], c.pad)
	case [2]int{5, 1}:
		line5x1F32x512(&dst[0], step, line, first, g.KH, step, &p.tap[0], &p.bias[0], groups, n, c.rows, c.pixels, blocks, mask, clamp, &a[0], c.pad)
	case [2]int{5, 2}:
		line5x2F32x512(&dst[0], step, line, first, g.KH, step, &p.tap[0], &p.bias[0], groups, n, c.rows, c.pixels, blocks, mask, clamp, &a[0], c.pad)
	}
}

// span runs one call of an integer kernel.
func (c *callI8) span(dst []uint8, s *span[uint8]) {
	p, q := c.p, tile.NewRequant(c.rq, int32(c.xZero))
	lanes := c.k.Lanes
	blocks := (p.c-1)/lanes + 1
	if s.gather {
		_ = dst[s.out+s.n*lanesI8-1]
		if p.c == 32 {
			depth32I8x512(&dst[s.out], s.dstep, &s.taps[0], p.groups, s.srcStep, &p.packed[0], &c.bias[0], &c.mult[0], s.n, 1, 0, &q[0])
		} else {
			depth16I8x512(&dst[s.out], s.dstep, &s.taps[0], p.groups, s.srcStep, &p.packed[0], &c.bias[0], &c.mult[0], s.n, 1, 0, &q[0])
		}
		return
	}
	if lanes == lanesI8 {
		_ = dst[s.out+(s.n-1)*s.dstep+(blocks-1)*lanes+s.lanes-1]
		depthI8x512(&dst[s.out], s.dstep, &s.taps[0], p.groups, s.srcStep, &p.packed[0], &c.bias[0], &c.mult[0],
			s.n, blocks, int(^uint64(0)>>(64-s.lanes)), &q[0])
		return
	}
	// The last block's channels are masked in fours; what is left over goes one by one.
	vector := (blocks-1)*lanes + s.lanes&^3
	if s.lanes < 4 {
		blocks--
	}
	if blocks > 0 {
		_ = dst[s.out+(s.n-1)*s.dstep+vector-1]
		depthI8x256(&dst[s.out], s.dstep, &s.taps[0], p.groups, s.srcStep, &p.packed[0], &c.bias[0], &c.mult[0],
			s.n, blocks, 1<<(vector-(blocks-1)*lanes)-1, &q[0])
	}
	c.rest(dst, s, vector, vector+s.lanes&3)
}

// prepareBlocks fills in bias and mult of whole blocks of channels and returns how many there are, 0 without a kernel.
func (c *callI8) prepareBlocks() int {
	n := c.p.c / lanesI8
	if n == 0 || c.k.Lanes != lanesI8 {
		return 0
	}
	_, _, _ = c.bias[n*lanesI8-1], c.p.biases[n*lanesI8-1], c.p.sums[n*lanesI8-1]
	biasI8x512(&c.bias[0], &c.p.biases[0], &c.p.sums[0], 4*n, int(c.xZero))
	if m := c.rq.Mult; len(m) > 1 {
		_, _ = c.mult[n*lanesI8-1], m[n*lanesI8-1]
		spreadI8x512(&c.mult[0], &m[0], n)
	}
	return n
}

// rest computes channels from to to-1 of a span.
func (c *callI8) rest(dst []uint8, s *span[uint8], from, to int) {
	for ch := from; ch < to; ch++ {
		at := ch/lanesI8*lanesI8 + order(ch%lanesI8)
		for i := range s.n {
			acc := c.bias[at]
			for k := range c.p.groups * stackI8 {
				w := c.p.packed[((ch/lanesI8*c.p.groups+k/stackI8)*lanesI8+order(ch%lanesI8))*stackI8+k%stackI8]
				acc += int32(element(s.taps[k], i*s.srcStep+ch)) * int32(w)
			}
			one := numeric.NewRequant(c.mult[at:at+1], c.rq.Zero)
			dst[s.out+i*s.dstep+ch] = one.At(acc, 0)
		}
	}
}

// element is the byte i places after p.
func element(p *uint8, i int) uint8 { return *(*uint8)(unsafe.Add(unsafe.Pointer(p), i)) }

// line runs one call of a sliding kernel.
func (s *slideCall) line() {
	g, p := &s.g, s.p
	first, c := s.x0*g.StrideW-g.PadLeft, g.C
	out, lines, zero := &s.out[0], &s.lines[0], int(s.rq.Zero<<16|s.rq.Zero)
	w, bias, mult := &p.packed[s.block*p.groups*stackI8*lanesI8], &s.bias[s.block*lanesI8], &s.mult[s.block*lanesI8]
	parts := s.parts
	if s.mask == 0 {
		parts = 0
	}
	switch [3]int{g.KW, g.StrideW, parts} {
	case [3]int{3, 1, 0}:
		slide3x1I8x64(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{3, 1, 1}:
		slide3x1I8x64Some(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{3, 1, 2}:
		slide3x1I8x32(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{3, 1, 4}:
		slide3x1I8x16(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{3, 2, 0}:
		slide3x2I8x64(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{3, 2, 1}:
		slide3x2I8x64Some(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{3, 2, 2}:
		slide3x2I8x32(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{3, 2, 4}:
		slide3x2I8x16(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 1, 0}:
		slide5x1I8x64(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 1, 1}:
		slide5x1I8x64Some(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 1, 2}:
		slide5x1I8x32(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 1, 4}:
		slide5x1I8x16(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 2, 0}:
		slide5x2I8x64(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 2, 1}:
		slide5x2I8x64Some(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 2, 2}:
		slide5x2I8x32(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	case [3]int{5, 2, 4}:
		slide5x2I8x16(out, c, lines, c, first, g.W, s.len, w, bias, mult, s.blocks, s.mask, zero, s.pad)
	}
}

// noMinusZero says that rows of n floats, ld apart, have no -0; n is a multiple of 16. It may say no without having looked.
func noMinusZero(v []float32, rows, ld, n int) bool {
	if tier.Current() < tier.AVX2 {
		return false
	}
	_ = v[(rows-1)*ld+n-1]
	return minusZeros16(&v[0], rows, 4*ld, n/16) == 0
}

// gather writes the rows of n pixels that see bytes step apart. A picture without bytes has no lines that are met.
func (c *firstCall) gather(rows []uint8, step, n int) {
	in := &c.pad
	if len(c.in) > 0 {
		in = &c.in[0]
	}
	_ = rows[n*firstRow-1]
	gather3x32(&rows[0], in, &c.at[0], step, n, &c.masks[0], int(c.pad))
}
