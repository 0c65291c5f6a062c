package conv

import (
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// A first layer of 3 channels and 3x3 taps sees lines of nine bytes, which steps of four fill badly: 36 for 27. So what a pixel sees is
// brought together in a row of 32 bytes, three lines behind each other. Bytes beyond them meet weights of 0, and padding is the zero
// point, so that no bit changes.

const (
	// firstRow is the number of bytes of a row.
	firstRow = 32
	// firstLines is the number of lines that kernels have.
	firstLines = 3
	// firstBytes is how large the rows of a band may become: they stay in the second-level cache.
	firstBytes = 128 << 10
)

// packFirst packs weights for rows of 32 bytes; nil where these save no step, or columns are too few for tiles that gain by it.
func packFirst(g Geometry, w []int8, bias []int32, zero func(int) int) *tile.I8 {
	n := g.KW * g.C
	if g.KH != firstLines || !mergedLines(g) || firstLines*n > firstRow || firstLines*((n+3)&^3) <= firstRow || g.OC < 2*tile.Panel {
		return nil
	}
	p := tile.PackI8(1, firstRow, g.OC, func(k, j int) int {
		if k >= firstLines*n {
			return 0
		}
		return int(w[(j*g.C+k%g.C)*firstLines*g.KW+k/g.C]) - zero(j)
	}, bias)
	if p.Parts() > 1 {
		return nil
	}
	return p
}

// takesFirst says that pictures are computed from rows of 32 bytes.
func (p *I8) takesFirst(rq numeric.Requant) bool {
	return p.first != nil && tier.Current() == tier.AVX512VNNI && rq.Bounded()
}

// firstBand is the number of output lines that are computed together.
func firstBand(d *plan) int { return max(1, min(d.oh, firstBytes/(firstRow*max(1, d.ow)))) }

// firstScratch is the number of bytes for the rows of a band.
func firstScratch(d *plan) int { return room(firstBand(d) * d.ow * firstRow) }

// runFirst computes all pictures, a band after the other.
func (p *I8) runFirst(d *plan, dst, src []uint8, xZero uint8, rq numeric.Requant, scratch []byte) {
	g, band := &d.g, firstBand(d)
	rows, _ := carve[uint8](scratch, band*d.ow*firstRow)
	segs := [1]int{}
	for n := range g.Batch {
		c := firstCall{d: d, in: src[n*g.H*g.W*g.C:][:g.H*g.W*g.C], pad: xZero}
		for y := 0; y < d.oh; y += band {
			k := min(band, d.oh-y)
			for i := range k {
				c.line(rows[i*d.ow*firstRow:], y+i)
			}
			o := tile.Out{U8: dst[(n*d.oh+y)*d.ow*g.apart():], Rq: rq, Ld: g.apart()}
			p.first.Run(o, rows, tile.Line(0, firstRow, k*d.ow, segs[:], firstRow), xZero, 0, p.first.Panels())
		}
	}
}

// firstCall has what calls of the gathering kernel share, and the arguments of one.
type firstCall struct {
	d     *plan
	in    []uint8 // the picture
	pad   uint8
	at    [firstLines]int   // where the rows' first bytes would be in the picture, by line of the kernel
	masks [firstLines]int32 // bytes of a row that come from it
}

// line gathers the rows of output line y: pixels at the sides, which see padding, one by one.
func (c *firstCall) line(rows []uint8, y int) {
	g, ow := &c.d.g, c.d.ow
	left := min(ow, (g.PadLeft+g.StrideW-1)/g.StrideW)
	right := left
	if room := g.W + g.PadLeft - g.KW; room >= 0 {
		right = max(left, min(ow, room/g.StrideW+1))
	}
	for x := 0; x < ow; {
		n := 1
		if x == left && right > left {
			n = right - left
		}
		c.pixels(rows[x*firstRow:][:n*firstRow], y, x, n)
		x += n
	}
}

// pixels gathers the rows of n pixels from (y, x) on, which see the same lines and columns of the kernel.
func (c *firstCall) pixels(rows []uint8, y, x, n int) {
	g := &c.d.g
	first, step, place := x*g.StrideW-g.PadLeft, g.StrideW*g.C, g.KW*g.C
	from := min(max(0, -first), g.KW)
	to := max(from, min(g.KW, g.W-first))
	for i := range firstLines {
		c.at[i], c.masks[i] = 0, 0
		iy := y*g.StrideH + i*g.DilationH - g.PadTop
		if iy < 0 || iy >= g.H || from == to {
			continue
		}
		at := (iy*g.W + first) * g.C
		_, _ = c.in[at+from*g.C], c.in[at+(n-1)*step+to*g.C-1]
		c.at[i] = at - i*place
		c.masks[i] = int32((1<<(to*g.C) - 1) &^ (1<<(from*g.C) - 1) << (i * place))
	}
	c.gather(rows, step, n)
}
