//go:build !noasm

package tile

import (
	"math"
	"unsafe"

	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// strip is a range of panels of equal width whose columns are stored under one mask.
type strip struct {
	panel, groups, wide int // first panel; how many groups of wide panels
	mask                int // a bit for each column of a group
}

// strips cuts columns of panels first to last-1 into groups of wide whole panels and what is left.
func strips(n, first, last, wide int) (s [2]strip) {
	cols := min(n-first*Panel, (last-first)*Panel)
	s[0] = strip{first, cols / (wide * Panel), wide, 1<<(wide*Panel) - 1}
	if rest := cols % (wide * Panel); rest > 0 {
		s[1] = strip{first + wide*s[0].groups, 1, 1 + (rest-1)/Panel, 1<<rest - 1}
	}
	return s
}

// check touches the last elements that a call reads and writes, so that a wrong size is a Go panic and no stray access:
// the one at last in dst, and those of the row that begins at row in src, with over more behind it.
func check[T, U any](dst []T, last int, src []U, w Walk, row, over int) {
	_ = dst[last]
	for _, s := range w.Segs {
		_ = src[row+s+w.Len+over-1]
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

// Act is the argument act of float kernels in assembly, in the order of the generator's constants (actLow and on in
// kernels/gen): limits, table of VFIXUPIMMPS, NaN, and for AVX2 what is added to and or'ed into clamped results for the
// sign of zeros. Limits are applied only by a kernel that is told to clamp.
type Act [6]uint32

// NewAct is act for assembly.
func NewAct(act numeric.Clamp) Act {
	a := Act{math.Float32bits(act.Lo), math.Float32bits(act.Hi), fixup(act), nanBits, signBit, 0}
	if a[0] == 0 {
		a[4] = 0
	}
	if a[1] == signBit {
		a[5] = signBit
	}
	return a
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// leastClaim is the depth from which on the lines of results are fetched while the sums are made; below, the sums are done
// before the lines arrive.
const leastClaim = 64

// assembly runs the call by a kernel.
func (c *callF32) assembly(k *Kernel) {
	ldd := c.o.Ld
	last := (c.tiles-1)*c.dstTile + (c.size-1)*ldd + min(c.p.N, c.last*Panel) - 1
	check(c.o.Dst, last, c.src, c.w, c.w.at(c.size-1)+(c.tiles-1)*c.srcTile, 0)
	adds := c.end && c.o.Residual != nil
	if adds {
		_ = c.o.Residual[last]
	}
	act := NewAct(c.o.Act)
	begin, end := flag(c.begin)+flag(c.begin && c.depth >= leastClaim), flag(c.end)+flag(c.end && c.o.Act.On)
	var residual *float32
	skip := 4 * Panel * c.w.skip()
	for _, s := range strips(c.p.N, c.first, c.last, k.Wide) {
		if s.groups == 0 {
			continue
		}
		dst, src, bias := &c.o.Dst[s.panel*Panel], &c.src[c.w.Base], &c.p.bias[s.panel*Panel]
		if adds {
			residual = &c.o.Residual[s.panel*Panel]
		}
		b, dstTile, srcTile, panel := &c.p.panel[(s.panel*c.p.K+c.k0)*Panel], 4*c.dstTile, 4*c.srcTile, 4*Panel*c.p.K
		if k.Tier == tier.AVX512VNNI {
			f32Tile512(dst, 4*ldd, dstTile, 4*Panel*s.wide, src, 4*c.w.Row, 4*c.w.Half, srcTile, &c.w.Segs[0], len(c.w.Segs),
				c.w.Len, b, panel, bias, c.size, c.tiles, s.groups, s.wide, s.mask, begin, end, &act[0], residual, skip)
		} else {
			f32Tile256(dst, 4*ldd, dstTile, 4*Panel*s.wide, src, 4*c.w.Row, 4*c.w.Half, srcTile, &c.w.Segs[0], len(c.w.Segs),
				c.w.Len, b, panel, bias, c.size, c.tiles, s.groups, s.wide, s.mask, begin, end, &act[0], residual, skip)
		}
	}
}

// Requant is the argument rq of integer kernels in assembly, in the order of the generator's constants (rqHigh and on in
// kernels/gen). Multipliers are an argument of their own.
type Requant [5 + 16]int32

// byteOrder undoes packing by 128-bit lanes.
var byteOrder = [16]int32{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}

// NewRequant is rq and the zero point of the activations, 0 to 255, for assembly.
func NewRequant(rq numeric.Requant, zero int32) (q Requant) {
	q[0] = int32(math.Float32bits(float32(255 - rq.Zero)))
	q[1] = rq.Zero<<16 | rq.Zero
	q[2] = zero
	q[3] = int32(fixup(numeric.Clamp{}))
	q[4] = nanBits
	copy(q[5:], byteOrder[:])
	return q
}

// assembly runs the call by a kernel.
func (c *callI8) assembly(k *Kernel) {
	t := k.Tier
	last, row := (c.tiles-1)*c.dstTile+(c.size-1)*c.o.Ld+min(c.p.N, c.last*Panel)-1, c.w.at(c.size-1)+(c.tiles-1)*c.srcTile
	mult, dst, element := c.o.Rq.Mult, (*byte)(nil), 1
	if c.o.U8 != nil {
		check(c.o.U8, last, c.src, c.w, row, c.over())
	} else {
		check(c.o.F32, last, c.src, c.w, row, c.over())
		mult, element = c.o.Scale, 4
	}
	var few [4 * Panel]float32 // a single multiplier for all columns, or those of the last strip, padded
	one := len(mult) == 1
	if !one {
		_ = mult[min(c.p.N, c.last*Panel)-1]
	}
	for i := range few {
		few[i] = mult[0]
	}
	rq := NewRequant(c.o.Rq, c.zero)
	groups, tail := c.p.groups, (*int32)(nil)
	if c.tail {
		groups, tail = c.p.len/quad, &c.rest[0]
	}
	if c.w.Whole > 0 {
		groups = c.w.Len / quad
	}
	if c.words {
		groups = c.p.depth()
	}
	sums, skip := c.sums(), Panel*c.w.skip()
	var block [32*32 + Align/4]int32 // sums of a tile, from a multiple of Align on
	var none int32
	add, addStep := &none, 0
	if c.o.Add != nil {
		_ = c.o.Add[c.tiles*c.size-1]
		add, addStep = &c.o.Add[0], 4*c.size
	}
	for _, s := range strips(c.p.N, c.first, c.last, k.Wide) {
		if s.groups == 0 {
			continue
		}
		if c.o.U8 != nil {
			dst = &c.o.U8[s.panel*Panel]
		} else {
			dst = floatBytes(&c.o.F32[s.panel*Panel])
		}
		m, multMask := &few[0], 0
		if !one {
			m, multMask = &mult[s.panel*Panel], -1
			if s.groups == 1 {
				copy(few[:], mult[s.panel*Panel:])
				m = &few[0]
			}
		}
		at := s.panel * Panel
		src, b, bias, sum := &c.src[c.w.Base], &c.p.panel[at*c.p.depth()*quad+c.p.row(c.w)*Panel], &c.p.bias[at], &sums[at]
		ld, dstTile, panel := element*c.o.Ld, element*c.dstTile, Panel*quad*c.p.depth()
		if t == tier.AMX {
			half := (c.size + 1) / 2
			second := (c.size - half) * c.w.Row
			if !c.w.straight() {
				second = c.w.Half
			}
			config := NewConfig(half, c.p.groups%tileGroups)
			begin := -int(uintptr(unsafe.Pointer(&block))) & (Align - 1) / 4
			i8TileAMX(dst, ld, dstTile, element*Panel*s.wide, src, c.w.Row, second, c.srcTile, &c.w.Segs[0],
				len(c.w.Segs), c.p.groups/tileGroups, c.p.groups%tileGroups, b, panel, bias, sum, m, multMask, c.size, half,
				c.tiles, s.groups, s.wide, s.mask, flag(element == 4), &rq[0], add, addStep, &config[0], &block[begin])
		} else if t == tier.AVX512VNNI {
			i8Tile512(dst, ld, dstTile, element*Panel*s.wide, src, c.w.Row, c.w.Half, c.srcTile, &c.w.Segs[0],
				len(c.w.Segs), groups, tail, b, panel, bias, sum, m, multMask, c.size, c.tiles, s.groups, s.wide, s.mask,
				flag(element == 4), &rq[0], add, addStep, skip)
		} else if c.words {
			i8Words256(dst, ld, dstTile, element*Panel*s.wide, src, c.w.Row, c.w.Half, c.srcTile, &c.w.Segs[0],
				len(c.w.Segs), groups, nil, b, panel, bias, sum, m, multMask, c.size, c.tiles, s.groups, s.wide, s.mask,
				flag(element == 4), &rq[0], add, addStep, skip)
		} else {
			i8Tile256(dst, ld, dstTile, element*Panel*s.wide, src, c.w.Row, c.w.Half, c.srcTile, &c.w.Segs[0],
				len(c.w.Segs), groups, tail, b, panel, bias, sum, m, multMask, c.size, c.tiles, s.groups, s.wide, s.mask,
				flag(element == 4), &rq[0], add, addStep, skip)
		}
	}
}

// over is how many bytes past the end of a segment the call reads.
func (c *callI8) over() int {
	if c.tail || c.words {
		return 0
	}
	return c.p.Slack()
}

// floatBytes is p as the integer kernels take their destination.
func floatBytes(p *float32) *byte { return (*byte)(unsafe.Pointer(p)) }

// packRows packs whole groups of four rows of one panel and returns how many rows that are.
func packRows(out []int8, b []byte, ld, groups int, flip uint8, sum *[Panel]int32) int {
	if tier.Current() < tier.AVX2 {
		return 0
	}
	_, _ = out[groups*Panel*quad-1], b[(groups*quad-1)*ld+Panel-1]
	var f [16]byte
	for i := range f {
		f[i] = flip
	}
	pack4x16(&out[0], &b[0], ld, groups, &f[0], &sum[0])
	return groups * quad
}

// sumBlocks writes factor times the sum of the first bytes of each row and returns how many bytes of a row that are.
func sumBlocks(add []int32, src []byte, w Walk, factor int32) int {
	blocks := w.Len / 32
	if tier.Current() < tier.AVX2 || blocks == 0 || len(add) == 0 {
		return 0
	}
	at := w.Base + w.Segs[0]
	_ = src[at+(len(add)-1)*w.Row+w.Len-1]
	sumRows32(&add[0], &src[at], w.Row, blocks, len(add), int(factor))
	return 32 * blocks
}

// copyPanel copies cols columns of the rows of a panel, ld apart in b, to out, the others as 0, and returns how many rows.
func copyPanel(out, b []float32, ld, cols int) int {
	rows := len(out) / Panel
	if tier.Current() < tier.AVX2 {
		return 0
	}
	_ = b[(rows-1)*ld+cols-1]
	var mask [Panel]int32
	for i := range mask[:cols] {
		mask[i] = -1
	}
	copyRows16(&out[0], &b[0], 4*ld, rows, &mask[0])
	return rows
}

// widenBlocks makes words of the whole blocks of 16 bytes of rows of n bytes and returns how many bytes of a row that are. Rows lie dstRow and
// srcRow elements apart.
func widenBlocks(dst []int16, src []uint8, dstRow, srcRow, n, rows int) int {
	blocks := n / 16
	if blocks == 0 {
		return 0
	}
	_, _ = dst[(rows-1)*dstRow+16*blocks-1], src[(rows-1)*srcRow+16*blocks-1]
	widen16(&dst[0], &src[0], 2*dstRow, srcRow, blocks, rows)
	return 16 * blocks
}
