package conv

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// depthI8 is a depthwise integer convolution. For assembly, weights lie in blocks of lanesI8 channels and groups of four
// taps one above the other, [block][group][lanesI8][4], channels in the order that order describes. A weight less its
// zero point is within 255 in size, so int16 holds it and int32 holds the sum of 33,000 taps.
type depthI8 struct {
	c, taps   int
	tap       []int16 // [KH*KW][C]: weights less their zero points
	bias, sum []int32 // [C]; sum of the taps

	packed         []int8  // nil if a weight less its zero point does not fit
	biases, sums   []int32 // as packed: [block][lanesI8]
	groups, blocks int
}

const (
	// lanesI8 is the number of channels of a block: one vector of bytes of the widest tier.
	lanesI8 = 64
	// stackI8 is the number of taps that one int8 multiply-add takes.
	stackI8 = 4
)

// order is the place in a packed block of channel i: unpacking bytes by 128-bit lanes puts channel 16*lane + 4*q + j into
// element 4*lane + j of vector q.
func order(i int) int { return i%16/4*16 + i/16*4 + i%4 }

// lane is laneChannel for blocks of lanesI8, except that up to 32 channels of a last block are repeated for sliding
// kernels.
func lane(c, b, i int) (channel int, ok bool) {
	if rest := c - b*lanesI8; c > lanesI8 || lanesI8%c != 0 {
		switch {
		case rest <= lanesI8/4:
			i %= lanesI8 / 4
		case rest <= lanesI8/2:
			i %= lanesI8 / 2
		}
	}
	return laneChannel(c, lanesI8, b, i)
}

// The zero point of the data is folded into the bias at each Run (bias - zx * sum of taps), so padding taps that hold
// zx add nothing.
func packDepthI8(g Geometry, w []int8, bias []int32, zero func(int) int) *depthI8 {
	p := &depthI8{c: g.C, taps: g.KH * g.KW, tap: make([]int16, g.KH*g.KW*g.C), bias: make([]int32, g.C), sum: make([]int32, g.C)}
	copy(p.bias, bias)
	fits := true
	for c := range g.C {
		for k := range p.taps {
			v := int(w[c*p.taps+k]) - zero(c)
			p.tap[k*g.C+c] = int16(v)
			p.sum[c] += int32(v)
			fits = fits && v == int(int8(v))
		}
	}
	if slots(g, stackI8) <= maxTaps && fits {
		p.pack(g)
	}
	return p
}

// pack fills in the form for assembly. Slots without a tap have weight 0.
func (p *depthI8) pack(g Geometry) {
	p.groups, p.blocks = slots(g, stackI8)/stackI8, (g.C+lanesI8-1)/lanesI8
	p.packed = make([]int8, p.blocks*p.groups*lanesI8*stackI8)
	p.biases, p.sums = make([]int32, p.blocks*lanesI8), make([]int32, p.blocks*lanesI8)
	for b := range p.blocks {
		for i := range lanesI8 {
			c, ok := lane(g.C, b, i)
			if !ok {
				continue
			}
			p.biases[b*lanesI8+order(i)], p.sums[b*lanesI8+order(i)] = p.bias[c], p.sum[c]
			for k := range p.taps {
				ky, kx := k/g.KW, k%g.KW
				group := ky/stackI8*g.KW + kx
				p.packed[((b*p.groups+group)*lanesI8+order(i))*stackI8+ky%stackI8] = int8(p.tap[k*g.C+c])
			}
		}
	}
}

func (p *depthI8) bytes() int { return 2*len(p.tap) + len(p.packed) }

// scratch is for plain's sums, the padding, and bias and multipliers of a Run.
func (p *depthI8) scratch(g Geometry) int {
	return room(4*g.C) + room(padding(g)) + 2*room(4*p.blocks*lanesI8)
}

// run picks the kernel of the current tier.
func (p *depthI8) run(dst, src []uint8, g Geometry, xZero uint8, rq numeric.Requant, scratch []byte) {
	k := pick("u8s8")
	if p.packed == nil || k.Tier == tier.Plain {
		p.plain(dst, src, g, xZero, rq, scratch)
		return
	}
	pad, scratch := carve[uint8](scratch, padding(g))
	fill(pad, xZero)
	c := callI8{p: p, k: k, xZero: xZero, rq: rq}
	c.bias, scratch = carve[int32](scratch, len(p.biases))
	c.mult, _ = carve[float32](scratch, len(p.biases))
	c.prepare()
	if c.slides(g) {
		c.slide(dst, src, g, pad)
		return
	}
	w := newLineWalk(g, pad, k.Lanes, stackI8)
	w.gather = k.Gathers
	var s span[uint8]
	for n := range g.Batch {
		in := src[n*g.H*g.W*g.C:][:g.H*g.W*g.C]
		for y := range g.OutH() {
			for w.begin(in, y, (n*g.OutH()+y)*w.ow*g.C); w.next(&s); {
				c.span(dst, &s)
			}
		}
	}
}

// callI8 has what all spans of a Run share: bias less zero point times sum of the taps, and multipliers, both in the
// order of packed blocks.
type callI8 struct {
	p     *depthI8
	k     *Kernel
	xZero uint8
	rq    numeric.Requant
	bias  []int32
	mult  []float32
}

// prepare fills in bias and mult. bias[i] = biases[i] - zx*sums[i].
func (c *callI8) prepare() {
	done := c.prepareBlocks()
	p, at := c.p, done*lanesI8
	for i, v := range p.biases[at:] {
		c.bias[at+i] = v - int32(c.xZero)*p.sums[at+i]
	}
	m := c.rq.Mult
	if len(m) == 1 {
		fill(c.mult, m[0])
		return
	}
	for i := at; i < len(c.mult); i++ {
		at, to := i/lanesI8*lanesI8+order(i%lanesI8), float32(0)
		if ch, ok := lane(p.c, i/lanesI8, i%lanesI8); ok {
			to = m[ch]
		}
		c.mult[at] = to
	}
}

// plain is the reference. Taps outside of the picture are left out, which is the same as padding by the zero point.
func (p *depthI8) plain(dst, src []uint8, g Geometry, xZero uint8, rq numeric.Requant, scratch []byte) {
	acc, _ := carve[int32](scratch, g.C)
	each(g, func(n, y, x int) {
		copy(acc, p.bias)
		for k := range p.taps {
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
