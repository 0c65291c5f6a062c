package conv

import (
	"math"

	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
)

// A padded picture is read where it lies, without a copy, if what a kernel sees beyond its sides takes no part: outputs are divided
// into parts that see the same lines and columns of the kernel, and each part is a product of rows that leave the others out.
//
//	+---+-------------------+---+
//	| a |         b         | c |      a 3x3 kernel padded by 1: e sees all of it, b all but its first line, d all but its first
//	+---+-------------------+---+      column, a neither of both
//	|   |                   |   |
//	| d |         e         | f |      rows of b, e and h go along the lines, those of a column go down
//	|   |                   |   |
//	+---+-------------------+---+
//	| g |         h         | i |
//	+---+-------------------+---+

// axis is one direction of a convolution: n outputs see k taps of size elements.
type axis struct{ n, size, k, stride, dilation, pad int }

// part is n outputs from from on that see taps first to last-1.
type part struct{ from, n, first, last int }

// sees is which taps of output i lie in the picture: none where first >= last.
func (a axis) sees(i int) (first, last int) {
	at := i*a.stride - a.pad
	if at < 0 {
		first = (-at + a.dilation - 1) / a.dilation
	}
	if room := a.size - at; room > 0 {
		last = min(a.k, (room+a.dilation-1)/a.dilation)
	}
	return first, last
}

// part is the part that begins at output i, of at most most outputs.
func (a axis) part(i, most int) part {
	p := part{from: i, n: 1}
	p.first, p.last = a.sees(i)
	for ; p.n < most && i+p.n < a.n; p.n++ {
		if first, last := a.sees(i + p.n); first != p.first || last != p.last {
			break
		}
	}
	return p
}

// whole says that the kernel fits into the picture, so that no output sees beyond opposite sides, and that every output sees a tap:
// those at the ends see the fewest. Of a kernel that does not fit, outputs between the ends may see nothing, all taps in the picture
// being skipped by dilation.
func (a axis) whole() bool {
	if a.n == 0 || a.size <= (a.k-1)*a.dilation {
		return false
	}
	first, last := a.sees(0)
	from, to := a.sees(a.n - 1)
	return first < last && from < to
}

// cell is where two parts meet.
type cell struct{ y, x part }

// sided says that the convolution can be divided into cells.
func (p *plan) sided() bool {
	return p.shape != flat && p.merged && p.g.padded() && p.ow >= narrow && p.lineAxis().whole() && p.columnAxis().whole()
}

func (p *plan) lineAxis() axis {
	g := &p.g
	return axis{p.oh, g.H, g.KH, g.StrideH, g.DilationH, g.PadTop}
}

func (p *plan) columnAxis() axis {
	g := &p.g
	return axis{p.ow, g.W, g.KW, g.StrideW, g.DilationW, g.PadLeft}
}

// mostLines is how many lines a part has at most: what they see should be in the second-level cache still when the columns at
// the sides come.
const mostLines = 28

// cells calls f for each cell of a picture.
func (p *plan) cells(f func(c cell)) {
	lines, columns := p.lineAxis(), p.columnAxis()
	for y := 0; y < p.oh; {
		c := cell{y: lines.part(y, mostLines)}
		for x := 0; x < p.ow; {
			c.x = columns.part(x, p.ow)
			f(c)
			x += c.x.n
		}
		y += c.y.n
	}
}

// walk is the Walk of a cell's first run, and how that repeats. segs are where lines of the kernel begin in the picture.
func (p *plan) walk(c cell, segs []int) (tile.Walk, tile.Lines) {
	g := &p.g
	line := g.W * g.C
	at := (c.y.from*g.StrideH-g.PadTop+c.y.first*g.DilationH)*line + (c.x.from*g.StrideW-g.PadLeft+c.x.first*g.DilationW)*g.C
	n, apart, pixels, step := p.runs(c)
	row := g.StrideW * g.C
	if step > 1 {
		row = g.StrideH * line
	}
	w := tile.Line(at, row, pixels, segs[:c.y.last-c.y.first], (c.x.last-c.x.first)*g.C)
	if w.First = c.y.first; !p.complete(c) {
		w.Front, w.Whole = c.x.first*g.C, g.KW*g.C
	}
	return w, tile.Lines{N: n, Src: g.StrideH * line, Dst: apart * g.apart()}
}

// linesOf fills in where the lines of a kernel begin in the picture.
func (p *plan) linesOf(segs []int) []int {
	for i := range segs[:p.g.KH] {
		segs[i] = i * p.g.DilationH * p.g.W * p.g.C
	}
	return segs[:p.g.KH]
}

// complete says that outputs of the cell see the whole kernel.
func (p *plan) complete(c cell) bool {
	return c.y.first == 0 && c.y.last == p.g.KH && c.x.first == 0 && c.x.last == p.g.KW
}

// sides computes a picture cell by cell. A step of padding leaves a sum as it is, but makes +0 of -0 where the weight is not negative.
// A chain becomes -0 by underflow only, so that such sums, which are rare, are computed again. Behind a clamp at +0 both zeros are
// one.
func (p *F32) sides(d *plan, o tile.OutF32, src []float32, segs []int) {
	b := p.dense[0]
	b.Each(func(first, last int) {
		d.cells(func(c cell) {
			w, l := d.walk(c, segs)
			to := o.From((c.y.from*d.ow + c.x.from) * o.Ld)
			_, _, _, step := d.runs(c)
			to.Ld *= step
			if l.N == 1 {
				b.Run(to, src, w, first, last)
			} else {
				b.RunLines(to, src, w, l, first, last)
			}
		})
	})
	if !o.Act.On {
		d.cells(func(c cell) { p.signs(d, o, src, c) })
	}
}

// runs is how the outputs of a cell lie: n runs, apart pixels from each other, of some pixels at a distance. A cell of one column is
// one run that goes down.
func (p *plan) runs(c cell) (n, apart, pixels, step int) {
	if c.x.n == 1 {
		return 1, 0, c.y.n, p.ow
	}
	return c.y.n, p.ow, c.x.n, 1
}

// signs looks for -0 in a cell that does not see the whole kernel and computes such outputs again. Behind a residual a zero is -0 only if both were.
func (p *F32) signs(d *plan, o tile.OutF32, src []float32, c cell) {
	if d.complete(c) {
		return
	}
	n, apart, pixels, step := d.runs(c)
	for i := range n {
		first := c.y.from*d.ow + c.x.from + i*apart
		if d.g.OC%tile.Panel == 0 && noMinusZero(o.Dst[first*o.Ld:], pixels, step*o.Ld, d.g.OC) {
			continue
		}
		for at := first; at < first+pixels*step; at += step {
			for oc, v := range o.Dst[at*o.Ld:][:d.g.OC] {
				if math.Float32bits(v) == 1<<31 && math.Float32bits(p.chain(d, src, at/d.ow, at%d.ow, oc)) == 0 {
					o.Dst[at*o.Ld+oc] = 0
				}
			}
		}
	}
}

// chain is one output as the contract has it, padding included.
func (p *F32) chain(d *plan, src []float32, y, x, oc int) float32 {
	g, og := &d.g, d.g.OC/d.g.Group
	q, n := oc/og, oc%og
	b := p.dense[q]
	acc := b.Bias(n)
	for k := range g.KH * g.KW {
		at := pixel(*g, src, y, x, k)
		for c := range d.cg {
			v := float32(0)
			if at != nil {
				v = at[q*d.cg+c]
			}
			acc = numeric.FMA32(v, b.At(k*d.cg+c, n), acc)
		}
	}
	return acc
}

// sides computes a picture cell by cell.
func (p *I8) sides(d *plan, o tile.Out, src []uint8, xZero uint8, segs []int) {
	b := p.dense[0]
	p.panels(0, func(first, last int) {
		d.cells(func(c cell) {
			w, l := d.walk(c, segs)
			to := o.From((c.y.from*d.ow+c.x.from)*o.Ld, 0)
			_, _, _, step := d.runs(c)
			to.Ld *= step
			if w.Whole > 0 {
				to.Sum = p.meets[meeting(p.g, c.y, c.x)*b.Panels()*tile.Panel:]
			}
			if l.N == 1 {
				b.Run(to, src, w, xZero, first, last)
			} else {
				b.RunLines(to, src, w, l, xZero, first, last)
			}
		})
	})
}

// meeting is the number of the sums of weights in lines and columns of the kernel that a cell of these parts meets. A part begins
// with the first tap or ends with the last.
func meeting(g Geometry, y, x part) int {
	side := func(p part, k int) int {
		if p.first > 0 {
			return k - 1 + p.first
		}
		return p.last - 1
	}
	return side(y, g.KH)*(2*g.KW-1) + side(x, g.KW)
}

// meetings are the sums of the weights w [OC][C][KH][KW] less their zero points, for each meeting and output channel, padded to whole
// panels.
func meetings(g Geometry, w []int8, zero func(n int) int) []int32 {
	taps := make([]int32, g.KH*g.KW*g.OC)
	for i, v := range w {
		n, k := i/(g.C*g.KH*g.KW), i%(g.KH*g.KW)
		taps[k*g.OC+n] += int32(v) - int32(zero(n))
	}
	ld := (g.OC + tile.Panel - 1) / tile.Panel * tile.Panel
	all := make([]int32, (2*g.KH-1)*(2*g.KW-1)*ld)
	for _, y := range sidesOf(g.KH) {
		for _, x := range sidesOf(g.KW) {
			sums := all[meeting(g, y, x)*ld:]
			for ky := y.first; ky < y.last; ky++ {
				for kx := x.first; kx < x.last; kx++ {
					for n, v := range taps[(ky*g.KW+kx)*g.OC:][:g.OC] {
						sums[n] += v
					}
				}
			}
		}
	}
	return all
}

// sidesOf are the parts of k taps that begin with the first or end with the last.
func sidesOf(k int) (all []part) {
	for last := 1; last <= k; last++ {
		all = append(all, part{first: 0, last: last})
	}
	for first := 1; first < k; first++ {
		all = append(all, part{first: first, last: k})
	}
	return all
}
