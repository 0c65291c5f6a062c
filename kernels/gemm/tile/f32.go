package tile

import (
	"math"

	"assay/kernels/numeric"
)

// F32 is a packed float matrix of K rows and N columns with a bias for each column.
type F32 struct {
	K, N  int
	panel []float32 // [ceil(N/Panel)][K][Panel], columns beyond N are 0
	bias  []float32 // padded with 0 to whole panels
	plain bool      // see Plain
}

// PackF32 packs the matrix whose element in row k and column n is at(k, n); k counts along the segments of a Walk.
// at is asked once for each element. A nil bias is +0, else it has n elements and is copied.
func PackF32(k, n int, at func(k, n int) float32, bias []float32) *F32 {
	panels := (n + Panel - 1) / Panel
	p := &F32{K: k, N: n, panel: aligned[float32](panels * k * Panel), bias: aligned[float32](panels * Panel), plain: true}
	copy(p.bias, bias)
	for _, b := range bias {
		p.plain = p.plain && math.Float32bits(b) != signBit
	}
	for j := range n {
		col := j/Panel*k*Panel + j%Panel
		for i := range k {
			w := at(i, j)
			p.panel[col+i*Panel] = w
			p.plain = p.plain && w-w == 0
		}
	}
	return p
}

// Bytes is the size of the packed weights, their padding to whole panels included and biases not.
func (p *F32) Bytes() int { return 4 * len(p.panel) }

// Panels is the number of panels of columns, the last of which may not be full.
func (p *F32) Panels() int { return len(p.bias) / Panel }

// resident is how many bytes of packed weights may pass by for each tile of rows: about half of a second-level cache.
const resident = 1 << 20

// Each calls f with ranges of panels that follow each other: all of them if they fit resident, else groups of about half
// of it, by which all rows pass before the next group comes.
func (p *F32) Each(f func(first, last int)) {
	all := p.Panels()
	if p.Bytes() <= resident {
		f(0, all)
		return
	}
	threes := inThrees(all)
	step := max(3, resident/2/(p.Bytes()/all)/3*3)
	for first := 0; first < threes; first += step {
		f(first, min(first+step, threes))
	}
	if threes < all {
		f(threes, all)
	}
}

// OutF32 is where float results go: Dst begins at row 0, column 0, and its rows are Ld elements apart. Act is applied as
// they are stored. Residual, nil or laid out like Dst and apart from it, is added to the finished sum before that. What lies
// between the rows of Dst is not touched. Dst of a matrix deeper than 16,384 holds unfinished sums meanwhile.
type OutF32 struct {
	Dst, Residual []float32
	Ld            int
	Act           numeric.Clamp
}

// From is o from element i of Dst, and of Residual if there is one, on.
func (o OutF32) From(i int) OutF32 {
	o.Dst, o.Residual = from(o.Dst, i), from(o.Residual, i)
	return o
}

// Plain says that leaving out steps of a chain whose element is +0 changes nothing but, behind other steps, the sign of a sum of
// zero: all weights are finite and no bias is -0. (An infinite weight times +0 is NaN.)
func (p *F32) Plain() bool { return p.plain }

// Bias and At are the bias of column n and the weight in row k of it.
func (p *F32) Bias(n int) float32  { return p.bias[n] }
func (p *F32) At(k, n int) float32 { return p.panel[(n/Panel*p.K+k)*Panel+n%Panel] }

// Run computes act(chain(bias[n], row r of w in src) + residual[r][n]) for the columns of panels first to last-1. The
// addition is one of its own, rounded to nearest, ties to even: not a step of the chain. NaN is stored as 0x7fc00000. o begins
// at column 0 whatever first is. Nothing happens without rows or panels; a source or destination that
// is too short is a panic.
func (p *F32) Run(o OutF32, src []float32, w Walk, first, last int) {
	if w.M == 0 || first >= last {
		return
	}
	all := shares(pick("f32"), w.straight() && p.Bytes() <= resident, first, last)
	step := chunkOf(w, all[:], last-first)
	for r := 0; r < w.M; r += step {
		part := w.rows(r, step)
		for _, s := range all {
			if s.first < s.last {
				p.runPieces(s.k, o.From(r*o.Ld), src, part, s.first, s.last)
			}
		}
	}
}

// runPieces runs a kernel on rows that may lie in two pieces.
func (p *F32) runPieces(k *Kernel, o OutF32, src []float32, w Walk, first, last int) {
	n, piece := w.pieces(k.Rows)
	p.run(k, o, src, piece[0], first, last)
	if n > 1 {
		p.run(k, o.From(half*o.Ld), src, piece[1], first, last)
	}
}

// run cuts one piece of rows into calls: along k first, since a chain that goes on needs its sums stored.
func (p *F32) run(k *Kernel, o OutF32, src []float32, w Walk, first, last int) {
	c := callF32{o: o, src: src, w: w, p: p, first: first, last: last, k0: w.row(), depth: w.depth(), begin: true, end: true}
	if c.depth <= maxDepth {
		c.rows(k)
		return
	}
	for s := range w.Segs {
		for off := 0; off < w.Len; off += maxDepth {
			c.w.Segs, c.w.Base, c.w.Len, c.w.Whole = w.Segs[s:s+1], w.Base+off, min(maxDepth, w.Len-off), 0
			c.k0, c.depth = w.row()+s*w.whole()+off, c.w.Len
			c.begin, c.end = s == 0 && off == 0, s == len(w.Segs)-1 && off+c.depth == w.Len
			c.rows(k)
		}
	}
}

// callF32 is the work of one or more kernel calls. Sums start from the bias if begin and from o.Dst otherwise; Residual
// and Act hold if end. The calls cover depth rows of the matrix from k0.
type callF32 struct {
	o           OutF32
	src         []float32
	w           Walk
	p           *F32
	first, last int // panels
	k0, depth   int
	begin, end  bool
	tiles, size int // tiles of size rows

	srcTile, dstTile int // elements from one tile to the next: they lie one below the other, or in neighbouring lines
}

// rows cuts rows into tiles of equal height, as far as that goes, and calls the kernel for each height.
func (c callF32) rows(k *Kernel) {
	tiles, size, big := Balance(c.w.M, k.Rows)
	all, o := c.w, c.o
	atRow := 0
	for _, t := range [2]struct{ n, size int }{{big, size + 1}, {tiles - big, size}} {
		step := max(1, k.Work/(max(1, c.depth)*t.size*(c.last-c.first)))
		for done := 0; done < t.n; done += step {
			c.tiles, c.size = min(step, t.n-done), t.size
			c.w = all
			if c.tiles*c.size != all.M {
				c.w = all.part(atRow, c.tiles*c.size)
			}
			c.o = o.From(atRow * o.Ld)
			c.srcTile, c.dstTile = c.w.Row*c.size, o.Ld*c.size
			k.f32(&c)
			atRow += c.tiles * c.size
		}
	}
}

// plainF32 is the reference kernel.
func plainF32(c *callF32) {
	for r := range c.tiles * c.size {
		row := c.w.at(r)
		for q := c.first; q < c.last; q++ {
			n := min(Panel, c.p.N-q*Panel)
			at := r*c.o.Ld + q*Panel
			out := c.o.Dst[at:][:n]
			acc := [Panel]float32(c.p.bias[q*Panel:])
			if !c.begin {
				copy(acc[:], out)
			}
			b := c.p.panel[(q*c.p.K+c.k0)*Panel:]
			for _, s := range c.w.Segs {
				for _, x := range c.src[row+s:][:c.w.Len] {
					for j, y := range b[:Panel] {
						acc[j] = numeric.FMA32(x, y, acc[j])
					}
					b = b[Panel:]
				}
				b = b[min(len(b), c.w.skip()*Panel):]
			}
			c.store(out, acc[:], from(c.o.Residual, at))
		}
	}
}

// store writes sums as the last step of a chain, or as they are.
func (c *callF32) store(out, acc, residual []float32) {
	for j := range out {
		v := acc[j]
		if c.end && residual != nil {
			v += residual[j]
		}
		if c.end {
			v = c.o.Act.Apply(v)
		}
		out[j] = v
	}
}
