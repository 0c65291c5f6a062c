//go:build !noasm

package tile

import (
	"math"
	"unsafe"

	"assay/kernels/numeric"
)

// strip is a range of panels of equal width whose columns are stored under one mask.
type strip struct {
	panel, groups, wide int // first panel; how many groups of wide panels
	mask                int // a bit for each column of a group
}

// strips cuts columns of panels first to last-1 into pairs of whole panels and what is left, a pair or a single one.
func strips(n, first, last int) (s [2]strip) {
	cols := min(n-first*Panel, (last-first)*Panel)
	s[0] = strip{first, cols / (2 * Panel), 2, 1<<(2*Panel) - 1}
	rest := cols % (2 * Panel)
	if rest > 0 {
		s[1] = strip{first + 2*s[0].groups, 1, 1 + (rest-1)/Panel, 1<<rest - 1}
	}
	return s
}

// check touches the last elements that a call reads and writes, so that a wrong size is a Go panic and no stray access.
func check[T, U any](dst []T, ldd int, src []U, w Walk, rows, cols, over int) {
	_ = dst[(rows-1)*ldd+cols-1]
	for _, s := range w.Segs {
		_ = src[w.at(rows-1)+s+w.Len+over-1]
		_ = src[w.Base+s]
	}
}

// fixup is the table by which VFIXUPIMMPS keeps numbers, gives the canonical NaN for NaN, and zeros the sign that a
// clamp asks for. Fields of four bits by class: two kinds of NaN (0: take the NaN), zero (1: keep, 7: -0, 8: +0), others.
func fixup(act numeric.Clamp) uint32 {
	const keep, none = 0x11111100, 0xf00
	negative := func(v float32) bool { return v == 0 && math.Signbit(float64(v)) }
	switch {
	case !act.On:
		return keep
	case negative(act.Hi):
		return keep&^none | 0x700
	case act.Lo == 0 && !negative(act.Lo):
		return keep&^none | 0x800
	}
	return keep
}

const nanBits = 0x7fc00000

// Act is the argument act of float kernels in assembly: limits, table of VFIXUPIMMPS, NaN.
type Act [4]uint32

// NewAct is act for assembly.
func NewAct(act numeric.Clamp) Act {
	return Act{math.Float32bits(act.Lo), math.Float32bits(act.Hi), fixup(act), nanBits}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// avx512 runs the call by f32Tile512.
func (c *callF32) avx512() {
	rows := c.tiles * c.size
	check(c.dst, c.ldd, c.src, c.w, rows, min(c.p.N, c.last*Panel), 0)
	act := NewAct(c.act)
	end := flag(c.end) + flag(c.end && c.act.On)
	for _, s := range strips(c.p.N, c.first, c.last) {
		if s.groups == 0 {
			continue
		}
		f32Tile512(&c.dst[s.panel*Panel], 4*c.ldd, 4*c.ldd*c.size, 4*Panel*s.wide,
			&c.src[c.w.Base], 4*c.w.Row, 4*c.w.Half, 4*c.w.Row*c.size, &c.w.Segs[0], len(c.w.Segs), c.w.Len,
			&c.p.panel[(s.panel*c.p.K+c.k0)*Panel], 4*Panel*c.p.K, &c.p.bias[s.panel*Panel],
			c.size, c.tiles, s.groups, s.wide, s.mask, flag(c.begin), end, &act[0])
	}
}

// Requant is the argument rq of integer kernels in assembly, in the order of the generator's constants.
type Requant [6 + 16]int32

// byteOrder undoes packing by 128-bit lanes.
var byteOrder = [16]int32{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}

// NewRequant is rq and the zero point of the activations for assembly.
func NewRequant(rq numeric.Requant, zero int32) (q Requant) {
	q[0] = int32(math.Float32bits(float32(rq.Hi - rq.Zero)))
	q[1] = rq.Zero<<16 | rq.Zero
	q[2] = int32(uint32(rq.Lo) * 0x01010101)
	q[3] = zero
	q[4] = int32(fixup(numeric.Clamp{}))
	q[5] = nanBits
	copy(q[6:], byteOrder[:])
	return q
}

// avx512 runs the call by i8Tile512.
func (c *callI8) avx512() {
	rows, cols := c.tiles*c.size, min(c.p.N, c.last*Panel)
	mult, dst, element := c.o.Rq.Mult, (*byte)(nil), 1
	if c.o.U8 != nil {
		check(c.o.U8, c.o.Ld, c.src, c.w, rows, cols, c.over())
	} else {
		check(c.o.F32, c.o.Ld, c.src, c.w, rows, cols, c.over())
		mult, element = c.o.Scale, 4
	}
	var single [2 * Panel]float32
	multMask := -1
	if len(mult) == 1 {
		for i := range single {
			single[i] = mult[0]
		}
		mult, multMask = single[:], 0
	}
	rq := NewRequant(c.o.Rq, c.zero)
	groups, tail := c.p.groups, (*int32)(nil)
	if c.tail {
		groups, tail = c.p.len/quad, &c.rest[0]
	}
	for _, s := range strips(c.p.N, c.first, c.last) {
		if s.groups == 0 {
			continue
		}
		if c.o.U8 != nil {
			dst = &c.o.U8[s.panel*Panel]
		} else {
			dst = floatBytes(&c.o.F32[s.panel*Panel])
		}
		i8Tile512(dst, element*c.o.Ld, element*c.o.Ld*c.size, element*Panel*s.wide,
			&c.src[c.w.Base], c.w.Row, c.w.Half, c.w.Row*c.size, &c.w.Segs[0], len(c.w.Segs), groups, tail,
			&c.p.panel[s.panel*Panel*quad*c.p.depth()], Panel*quad*c.p.depth(), &c.p.bias[s.panel*Panel],
			&c.p.sum[s.panel*Panel], &mult[s.panel*Panel&multMask], multMask,
			c.size, c.tiles, s.groups, s.wide, s.mask, flag(element == 4), &rq[0])
	}
}

// over is how many bytes past the end of a segment the call reads.
func (c *callI8) over() int {
	if c.tail {
		return 0
	}
	return c.p.Slack()
}

// floatBytes is p as the integer kernels take their destination.
func floatBytes(p *float32) *byte { return (*byte)(unsafe.Pointer(p)) }
