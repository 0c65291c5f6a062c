package conv

import (
	"fmt"

	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// I8 is a packed convolution of unsigned activations with signed weights. Signed activations are unsigned ones with the
// sign bit of data and zero point flipped.
type I8 struct {
	g     Geometry
	dense []*tile.I8 // one for each group
	meets []int32    // where pictures may be computed cell by cell: sums of weights, see meeting
	parts int        // how often the segments of a row repeat; see tile.I8.Parts
	depth *depthI8   // instead, if depthwise
	tiled *winograd  // nil, or beside dense: 3x3 kernels in transformed form
	first *tile.I8   // nil, or beside dense: for rows of what a pixel sees, see packFirst
}

// PackI8 packs weights w [OC][C/Group][KH][KW], bias [OC] (nil for 0) and zero points of weights: OC of them, 1 or none
// (0); all are copied. Batch, H and W of g do not matter. It refuses a kernel that Check refuses, and lengths that do not
// fit. Weights are packed less their zero points, which the accumulator then knows nothing of.
func PackI8(g Geometry, w []int8, bias []int32, wZero []int8) (*I8, error) {
	if err := g.checkWeights(len(w), len(bias), bias != nil); err != nil {
		return nil, err
	}
	if n := len(wZero); n > 1 && n != g.OC {
		return nil, fmt.Errorf("convolution weights have %d zero points: want none, 1 or one for each of %d channels", n, g.OC)
	}
	zero := func(n int) int {
		switch len(wZero) {
		case 0:
			return 0
		case 1:
			n = 0
		}
		return int(wZero[n])
	}
	if g.depthwise() {
		return &I8{g: g, depth: packDepthI8(g, w, bias, zero)}, nil
	}
	p := &I8{g: g, parts: 1}
	cg, og := g.C/g.Group, g.OC/g.Group
	segs, length := segments(g)
	for q := range g.Group {
		var b []int32
		if bias != nil {
			b = bias[q*og : (q+1)*og]
		}
		t := tile.PackI8(segs, length, og, func(k, n int) int {
			return int(w[((q*og+n)*cg+k%cg)*g.KH*g.KW+k/cg]) - zero(q*og+n)
		}, b)
		p.dense, p.parts = append(p.dense, t), max(p.parts, t.Parts())
	}
	if mergedLines(g) && g.C%4 == 0 && p.parts == 1 {
		p.meets = meetings(g, w, zero)
	}
	p.first = packFirst(g, w, bias, zero)
	if most := winogradPanels(g.C, g.OC); most > 0 && g.winogradShape() {
		p.tiled = packWinograd(g, w, bias, zero, most)
	}
	return p, nil
}

// Bytes is the size of the packed weights, all forms of them and padding included, biases and sums not.
func (p *I8) Bytes() int {
	if p.depth != nil {
		return p.depth.bytes()
	}
	n := 0
	for _, d := range p.dense {
		n += d.Bytes()
	}
	if p.tiled != nil {
		n += p.tiled.bytes()
	}
	if p.first != nil {
		n += p.first.Bytes()
	}
	return n
}

// TakesApart says that Run heeds Apart of a geometry: all but depthwise ones do. The others take Apart for 0.
func (p *I8) TakesApart() bool { return p.depth == nil }

// Scratch is the number of bytes that Run needs for pictures of g, wherever they begin: what aligning costs is counted.
func (p *I8) Scratch(g Geometry) int {
	if p.depth != nil {
		return p.depth.scratch(g)
	}
	d := p.plan(g)
	n := room(8*d.segs*p.parts) + room(d.buffer())
	if p.tiles(g) {
		n = max(n, p.tiled.scratch(g))
	}
	if p.first != nil {
		n = max(n, firstScratch(&d))
	}
	return n
}

// Kernels of bytes take k in fours and may read up to Slack bytes behind a row: harmless in a picture but at its end
// and between groups, so those cases copy.
func (p *I8) plan(g Geometry) plan {
	overrun := p.dense[0].Slack() > 0 && !(g.KH == 1 && g.KW == 1)
	return newPlan(g, 1, p.dense[0].Bytes(), overrun || g.Group > 1 && p.dense[0].Slack() > 0)
}

// Run convolves g.Batch pictures src [Batch][H][W][C] with zero point xZero into dst [Batch][OutH][OutW][OC], where pixels
// lie g.Apart elements apart; what lies between them is not touched, and dst may end with the channels of the last one. rq.Mult has
// one element, or OC.
func (p *I8) Run(dst, src []uint8, g Geometry, xZero uint8, rq numeric.Requant, scratch []byte) {
	if p.depth != nil {
		p.depth.run(dst, src, g, xZero, rq, scratch)
		return
	}
	if p.tiles(g) && rq.Bounded() {
		p.tiled.run(dst, src, g, xZero, rq, scratch)
		return
	}
	d := p.plan(g)
	if p.takesFirst(rq) {
		p.runFirst(&d, dst, src, xZero, rq, scratch)
		return
	}
	segs, scratch := carve[int](scratch, d.segs*p.parts)
	buf, _ := carve[uint8](scratch, d.buffer())
	d.offsets(segs, d.pw)
	if d.shape == flat {
		w := tile.Line(0, g.C, g.Batch*d.oh*d.ow, segs, d.len)
		p.panels(0, func(first, last int) {
			p.dense[0].Run(tile.Out{U8: dst, Rq: rq, Ld: g.apart()}, src, w, xZero, first, last)
		})
		return
	}
	if p.sided(&d) {
		for n := range g.Batch {
			o := tile.Out{U8: dst[n*d.oh*d.ow*g.apart():], Rq: rq, Ld: g.apart()}
			p.sides(&d, o, src[n*g.H*g.W*g.C:][:g.H*g.W*g.C], xZero, d.linesOf(segs))
		}
		return
	}
	for n := range g.Batch {
		in, out := src[n*g.H*g.W*g.C:][:g.H*g.W*g.C], dst[n*d.oh*d.ow*g.apart():][:(d.oh*d.ow-1)*g.apart()+g.OC]
		for y := 0; y < d.oh; y += d.band {
			p.band(&d, out, in, xZero, rq, y, min(d.band, d.oh-y), segs, buf)
		}
	}
}

// sidedChannels is the number of channels from which on bytes are computed cell by cell although kernels move by one and lines are
// not gathered otherwise: with fewer, more tiles cost more than fewer steps save (NOTES.md of package tile).
const sidedChannels = 64

// sided says that pictures are computed cell by cell. Tile registers of 16 rows lose more by short parts than they gain.
func (p *I8) sided(d *plan) bool {
	return p.meets != nil && d.sided() && tier.Current() < tier.AMX && (d.g.C >= sidedChannels || d.g.StrideW > 1 || d.shape == seen)
}

// panels calls f with ranges of panels of group q whose weights stay in cache together.
func (p *I8) panels(q int, f func(first, last int)) {
	b := p.dense[q]
	step := groupsOfPanels(b.Panels(), b.Bytes())
	for first := 0; first < b.Panels(); first += step {
		f(first, min(first+step, b.Panels()))
	}
}

// band computes output lines y to y+n-1 of one picture.
func (p *I8) band(d *plan, dst, src []uint8, xZero uint8, rq numeric.Requant, y, n int, segs []int, buf []uint8) {
	g := &d.g
	base := y * g.StrideH * g.W * g.C
	if d.copies {
		copyBand(d, buf, src, xZero, y, n)
		src, base = buf, 0
	}
	og := g.OC / g.Group
	for q := range g.Group {
		if d.shape == seen {
			gather(d, buf, src, xZero, y, n, q*d.cg)
		}
		part := rq
		if len(part.Mult) > 1 {
			part.Mult = part.Mult[q*og : (q+1)*og]
		}
		segs := segs[:d.segs*p.dense[q].Parts()]
		in := src
		if d.shape == seen {
			in, base = buf, 0
		}
		o := tile.Out{U8: dst[y*d.ow*g.apart()+q*og:], Rq: part, Ld: g.apart()}
		// Tile registers of 16 rows lose more by short stretches than they gain.
		skip := p.dense[q].Parts() == 1 && tier.Current() < tier.AMX
		for at := 0; at < n; {
			s := d.see(y+at, n-at, skip, skip)
			s.y = at
			p.stretch(d, q, o.From(at*d.ow*o.Ld, 0), in, xZero, base, s, segs)
			at += s.n
		}
	}
}

// stretch computes some lines of group q of a band; o begins at the first of them. Padding counts as the zero point, so that
// lines of the kernel that see nothing else add nothing: they are left out with their weights' sums.
func (p *I8) stretch(d *plan, q int, o tile.Out, in []uint8, xZero uint8, base int, s stretch, segs []int) {
	w, took := d.rows(base, s, q*d.cg, segs)
	l := tile.Lines{N: s.n / took, Src: took * d.g.StrideH * d.pw * d.g.C, Dst: took * d.ow * o.Ld}
	odd := s.n % took
	rest, _ := d.rows(base, stretch{s.y + s.n - 1, odd, s.first, s.last}, q*d.cg, segs)
	p.panels(q, func(first, last int) {
		p.dense[q].RunLines(o, in, w, l, xZero, first, last)
		if odd != 0 {
			p.dense[q].Run(o.From((s.n-1)*d.ow*o.Ld, 0), in, rest, xZero, first, last)
		}
	})
}
