package tile

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// I8 is a packed matrix of 8-bit weights, K rows and N columns, with an int32 bias for each column. Each of the K rows'
// segments is padded to whole groups of four with weights of 0.
type I8 struct {
	K, N      int
	segs, len int     // of the Walk it was packed for
	groups    int     // of one segment
	parts     int     // how many int8 matrices add up to the weights, 1 without zero points
	panel     []int8  // [ceil(N/Panel)][parts*segs*groups][Panel][quad]
	bias, sum []int32 // of each column, padded with 0: bias, and sum of the weights less their zero point
	front     []int32 // sum of the first 1, 2 ... segs-1 segments, all columns each; nil with several parts
	back      []int32 // and of what is behind these
	zero      int32   // of weights that are packed as they are; see RowSums
}

// PackI8 packs the matrix whose element in row k and column n is at(k, n), a weight less its zero point and so between
// -255 and 255; k counts along segs segments of segLen elements. at is asked twice for an element and answers the same.
// Weights outside int8 are the sum of two or three int8 matrices, see Parts; the same source then passes as often. A nil
// bias is 0, else it has n elements and is copied.
func PackI8(segs, segLen, n int, at func(k, n int) int, bias []int32) *I8 {
	p := &I8{K: segs * segLen, N: n, segs: segs, len: segLen, groups: (segLen + quad - 1) / quad, parts: 1}
	for j := range n {
		for i := range p.K {
			for v := at(i, j); v < -128*p.parts || v > 127*p.parts; {
				p.parts++
			}
		}
	}
	p.panel = aligned[int8](p.Panels() * p.depth() * Panel * quad)
	p.bias, p.sum = aligned[int32](p.Panels()*Panel), aligned[int32](p.Panels()*Panel)
	if p.parts == 1 {
		p.front, p.back = make([]int32, (segs-1)*len(p.sum)), make([]int32, (segs-1)*len(p.sum))
	}
	copy(p.bias, bias)
	for j := range n {
		col := j/Panel*p.depth()*Panel + j%Panel
		for i := range p.K {
			v := at(i, j)
			if i > 0 && i%segLen == 0 && p.parts == 1 {
				p.front[(i/segLen-1)*len(p.sum)+j] = p.sum[j]
			}
			p.sum[j] += int32(v)
			for q := range p.parts {
				w := max(-128, min(127, v))
				group := (q*segs+i/segLen)*p.groups + i%segLen/quad
				p.panel[(col+group*Panel)*quad+i%segLen%quad] = int8(w)
				v -= w
			}
		}
	}
	for i, v := range p.front {
		p.back[i] = p.sum[i%len(p.sum)] - v
	}
	return p
}

// sums is the sum of weights of each column in the segments that w meets: all, the first or the last of them.
func (p *I8) sums(w Walk) []int32 {
	switch n, all := len(w.Segs), len(p.sum); {
	case n == p.segs*p.parts:
		return p.sum
	case w.First == 0:
		return p.front[(n-1)*all:][:all]
	default:
		return p.back[(w.First-1)*all:][:all]
	}
}

// sums is the sum of the weights of each column that c meets.
func (c *callI8) sums() []int32 {
	switch {
	case c.words:
		return c.p.sum
	case c.w.Whole > 0:
		return c.o.Sum
	}
	return c.p.sums(c.w)
}

// row is the row of the packed matrix, whose segments are padded to whole groups, that the first element of w meets.
func (p *I8) row(w Walk) int { return w.First*p.groups*quad + w.Front }

// depth is the number of groups of four along k.
func (p *I8) depth() int { return p.parts * p.segs * p.groups }

// Bytes is the size of the packed weights, their padding and all parts included, biases and sums not.
func (p *I8) Bytes() int { return len(p.panel) }

// Panels is the number of panels of columns.
func (p *I8) Panels() int { return (p.N + Panel - 1) / Panel }

// Slack is how many bytes past the end of a segment a kernel reads: 0 to 3. They meet weights of 0, so any bytes do. A Walk
// with one segment needs no slack at the end of its source; one with more does.
func (p *I8) Slack() int { return p.groups*quad - p.len }

// Parts is how often a Walk's list of segments has to be repeated: 1 unless weights have zero points.
func (p *I8) Parts() int { return p.parts }

// Out is where integer sums go: to bytes U8 by a requantization, or, where that is nil, to floats F32 times a scale (one, or
// one for each column). Both begin at row 0, column 0; Rq.Mult, Scale and Sum go by column.
type Out struct {
	U8    []uint8
	Rq    numeric.Requant
	F32   []float32
	Scale []float32
	Ld    int     // elements between rows
	Add   []int32 // nil, or what is added to the sums of each row: as many as the Walk has rows
	Sum   []int32 // with Whole of the Walk: the sum of the weights that it meets in each column, padded to whole panels
}

// From is o from element i of U8 or F32, and row r of Add, on.
func (o Out) From(i, r int) Out {
	o.U8, o.F32, o.Add = from(o.U8, i), from(o.F32, i), from(o.Add, r)
	return o
}

// pick is the kernel that writes o: those above AVX2 requantize by multipliers below 1 only.
func (o *Out) pick() *Kernel {
	if o.U8 != nil && !o.Rq.Bounded() {
		return below("u8s8", min(tier.Current(), tier.AVX2))
	}
	return pick("u8s8")
}

// Run computes acc[r][n] = bias[n] + sum over k of (row r of w in src, less zero) * weight[k][n] for the columns of
// panels first to last-1, which callers cut at even numbers because tiles are two panels wide, and writes it to o. With Parts
// above 1, w.Segs repeats. NaN of a scale that is none is stored as 0x7fc00000. A source, a destination or a list of
// multipliers that is too short is a panic.
func (p *I8) Run(o Out, src []uint8, w Walk, zero uint8, first, last int) {
	if w.M == 0 || first >= last {
		return
	}
	k := o.pick()
	if k.Tier == tier.AMX {
		if p.runTiles(k, o, src, w, zero, first, last) {
			return
		}
		k = fallback("u8s8", k)
	}
	if p.piped(k, &o, w, first, last) {
		p.runPiped(k, o, src, w, zero, first, last)
		return
	}
	if p.widened(k, w, first, last) {
		p.runWords(k, o, src, w, zero, first, last)
		return
	}
	p.runShares(k, o, src, w, zero, first, last)
}

// runShares runs a call on the tiles of k and those that are wider.
func (p *I8) runShares(k *Kernel, o Out, src []uint8, w Walk, zero uint8, first, last int) {
	all := shares(k, w.straight() && p.Bytes() <= resident, first, last)
	step := chunkOf(w, all[:], last-first)
	for r := 0; r < w.M; r += step {
		for _, s := range all {
			if s.first < s.last {
				p.runPieces(s.k, o.From(r*o.Ld, r), src, w.rows(r, step), zero, s.first, s.last)
			}
		}
	}
}

// runPieces runs a kernel on rows that may lie in two pieces.
func (p *I8) runPieces(k *Kernel, o Out, src []uint8, w Walk, zero uint8, first, last int) {
	n, piece := w.pieces(k.Rows)
	c := callI8{o: o, src: src, w: piece[0], p: p, zero: int32(zero), first: first, last: last}
	c.rows(k)
	if n > 1 {
		c.o, c.w = o.From(half*o.Ld, half), piece[1]
		c.rows(k)
	}
}

// callI8 is the work of one or more kernel calls.
type callI8 struct {
	o           Out
	src         []uint8
	w           Walk
	p           *I8
	zero        int32
	first, last int       // panels
	tiles, size int       // tiles of size rows, one below the other
	words       bool      // src has words, see runWords
	tail        bool      // the last group of a segment comes from rest: it would lie past the end of src
	rest        [14]int32 // little-endian, one a row; only with one tile

	srcTile, dstTile int // elements from one tile to the next
}

// rows cuts rows into tiles of equal height, as far as that goes, and calls the kernel for each height.
func (c callI8) rows(k *Kernel) {
	tiles, size, big := Balance(c.w.M, k.Rows)
	all, o := c.w, c.o
	atRow := 0
	safe := c.safe(all)
	for _, t := range [2]struct{ n, size int }{{big, size + 1}, {tiles - big, size}} {
		step := max(1, k.Work/(max(1, c.p.depth())*t.size*(c.last-c.first)))
		for done := 0; done < t.n; {
			c.tiles, c.size = min(step, t.n-done), t.size
			if end := atRow + c.tiles*c.size; end > safe {
				c.tiles = max(1, (safe-atRow)/c.size)
			}
			rows := c.tiles * c.size
			c.w = all
			if rows != all.M {
				c.w = all.part(atRow, rows)
			}
			if c.tail = atRow+rows > safe; c.tail {
				c.fillRest()
			}
			c.o = o.From(atRow*o.Ld, atRow)
			c.srcTile, c.dstTile = c.w.Row*c.size, o.Ld*c.size
			k.i8(&c)
			atRow += rows
			done += c.tiles
		}
	}
}

// safe is the number of rows, from the first, of which all groups of four lie in src.
func (c *callI8) safe(w Walk) int {
	slack := c.p.Slack()
	if slack == 0 || c.words {
		return w.M
	}
	far := 0
	for _, s := range w.Segs {
		far = max(far, s+w.Len+slack)
	}
	n := w.M
	for n > 0 && w.at(n-1)+far > len(c.src) {
		n--
	}
	return n
}

// fillRest gathers the bytes beyond the last whole group of each row.
func (c *callI8) fillRest() {
	whole := c.w.Len &^ (quad - 1)
	for r := range c.size {
		v := uint32(0)
		for i, x := range c.src[c.w.at(r)+c.w.Segs[0]:][whole:c.w.Len] {
			v |= uint32(x) << (8 * i)
		}
		c.rest[r] = int32(v)
	}
}

// plainI8 is the reference kernel.
func plainI8(c *callI8) {
	sums := c.sums()
	for r := range c.tiles * c.size {
		row := c.w.at(r)
		for q := c.first; q < c.last; q++ {
			n := min(Panel, c.p.N-q*Panel)
			var acc [Panel]int32
			b := c.p.panel[q*c.p.depth()*Panel*quad+c.p.row(c.w)*Panel:]
			for _, s := range c.w.Segs {
				for i, x := range c.src[row+s:][:c.w.Len] {
					g := b[(i&^(quad-1))*Panel+i%quad:]
					for j := range acc {
						acc[j] += int32(x) * int32(g[j*quad])
					}
				}
				b = b[min(len(b), c.p.groups*Panel*quad):]
			}
			for j := range n {
				acc[j] += c.p.bias[q*Panel+j] - c.zero*sums[q*Panel+j]
				if c.o.Add != nil {
					acc[j] += c.o.Add[r]
				}
			}
			c.o.store(r, q*Panel, acc[:n])
		}
	}
}

// store writes the sums of row r from column n on.
func (o *Out) store(r, n int, acc []int32) {
	if o.U8 != nil {
		for j, v := range acc {
			o.U8[r*o.Ld+n+j] = o.Rq.At(v, n+j)
		}
		return
	}
	for j, v := range acc {
		s := 0
		if len(o.Scale) > 1 {
			s = n + j
		}
		o.F32[r*o.Ld+n+j] = numeric.Canon(float32(float32(v) * o.Scale[s]))
	}
}
