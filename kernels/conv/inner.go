package conv

import (
	"assay/kernels/gemm/tile"
)

// inner is the part of a padded picture whose outputs see no padding: lines top to bottom-1, columns left to right-1. They
// are computed from the picture where it lies; what remains of those lines is gathered, column by column, and the other
// lines are copied with padding. columns is the number of lines that one gathering serves, 0 without all this.
//
//	+-----------------------+   top
//	| l |    in place   | r |          l and r: gathered column by column, 28 lines at a time
//	| l |    in place   | r |
//	+-----------------------+   bottom     above and below: bands copied with padding
type inner struct {
	top, bottom, left, right int
	columns                  int
}

// worthCopy is the number of multiply-adds for each element of the picture from which on a padded copy of it is cheap.
const worthCopy = 160

// leastInner is the width of output from which on the columns at the sides are few enough to be gathered.
const leastInner = 48

// leastLines is the number of lines from which on a picture is read in place, mostLines how many of them are at a time.
const leastLines, mostLines = 14, 28

// findInner decides whether a picture is read in place. The copy costs a pass over the picture; it is avoided where few
// multiply-adds follow for each element.
func (p *plan) findInner() {
	g := &p.g
	if !p.copies || g.Group != 1 || p.ow < leastInner || g.OC*g.KH*g.KW > worthCopy*g.StrideH*g.StrideW {
		return
	}
	var in inner
	in.top, in.bottom = within(g.H, p.oh, g.StrideH, g.PadTop, (g.KH-1)*g.DilationH)
	in.left, in.right = within(g.W, p.ow, g.StrideW, g.PadLeft, (g.KW-1)*g.DilationW)
	if in.bottom-in.top < leastLines || in.right-in.left < leastInner/2 {
		return
	}
	in.columns = min(mostLines, in.bottom-in.top)
	p.inner = in
	p.band = min(p.band, max(1, in.top, p.oh-in.bottom))
}

// within is the range of n outputs that see only elements 0 to size-1, when output i sees i*stride-pad to reach
// further. Outputs first to end-1 read elements i*stride - pad to i*stride - pad + reach, all in [0, size).
func within(size, n, stride, pad, reach int) (first, end int) {
	first = min(n, (pad+stride-1)/stride)
	if room := size - 1 + pad - reach; room >= 0 {
		end = min(n, room/stride+1)
	}
	return first, max(first, end)
}

// lines computes the inner lines of one picture. segs are offsets in the picture as it lies.
func (p *F32) lines(d *plan, o tile.OutF32, src []float32, segs []int, buf []float32) {
	for y := d.inner.top; y < d.inner.bottom; y += d.inner.columns {
		n := min(d.inner.columns, d.inner.bottom-y)
		p.middle(d, o, src, y, n, segs)
		for x := range d.inner.left {
			p.column(d, o, src, y, n, x, buf)
		}
		for x := d.inner.right; x < d.ow; x++ {
			p.column(d, o, src, y, n, x, buf)
		}
	}
}

// middle computes the columns of n lines that see no padding.
func (p *F32) middle(d *plan, o tile.OutF32, src []float32, y, n int, segs []int) {
	g, left := &d.g, d.inner.left
	base := ((y*g.StrideH-g.PadTop)*g.W + left*g.StrideW - g.PadLeft) * g.C
	w := tile.Line(base, g.StrideW*g.C, d.inner.right-left, segs, d.len)
	l := tile.Lines{N: n, Src: g.StrideH * g.W * g.C, Dst: d.ow * o.Ld}
	p.dense[0].Each(func(first, last int) {
		p.dense[0].RunLines(o.From((y*d.ow+left)*o.Ld), src, w, l, first, last)
	})
}

// column computes column x of n lines: its rows are gathered one below the other.
func (p *F32) column(d *plan, o tile.OutF32, src []float32, y, n, x int, buf []float32) {
	rest := buf
	for i := range n {
		rest = gatherPixel(d, rest, src, 0, y+i, x, 0)
	}
	depth := d.segs * d.len
	w := tile.Line(0, depth, n, one[:], depth)
	below := o.From((y*d.ow + x) * o.Ld)
	below.Ld *= d.ow
	p.dense[0].Each(func(first, last int) {
		p.dense[0].Run(below, buf, w, first, last)
	})
}

// one is the segment of rows that were gathered.
var one [1]int
