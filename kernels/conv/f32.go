package conv

import (
	"math"

	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
)

// F32 is a packed float convolution. Exactly one of dense and depth is set.
type F32 struct {
	g     Geometry
	dense []*tile.F32 // one for each group
	depth *depthF32   // instead, if depthwise
}

// PackF32 packs weights w [OC][C/Group][KH][KW] and bias [OC], nil for +0; both are copied. Batch, H and W of g do not
// matter. It refuses a kernel that Check refuses, and lengths that do not fit. Row k of a packed matrix is tap k/cg, channel
// k%cg of the group: the order of the chain in the contract.
func PackF32(g Geometry, w []float32, bias []float32) (*F32, error) {
	if err := g.checkWeights(len(w), len(bias), bias != nil); err != nil {
		return nil, err
	}
	if g.depthwise() {
		return &F32{g: g, depth: packDepthF32(g, w, bias)}, nil
	}
	p := &F32{g: g}
	cg, og := g.C/g.Group, g.OC/g.Group
	for q := range g.Group {
		var b []float32
		if bias != nil {
			b = bias[q*og : (q+1)*og]
		}
		p.dense = append(p.dense, tile.PackF32(g.KH*g.KW*cg, og, func(k, n int) float32 {
			return w[((q*og+n)*cg+k%cg)*g.KH*g.KW+k/cg]
		}, b))
	}
	return p, nil
}

// Bytes is the size of the packed weights, padding included and biases not.
func (p *F32) Bytes() int {
	if p.depth != nil {
		return p.depth.bytes()
	}
	n := 0
	for _, d := range p.dense {
		n += d.Bytes()
	}
	return n
}

// TakesApart says that Run heeds Apart of a geometry: all but depthwise ones do. The others take Apart for 0.
func (p *F32) TakesApart() bool { return p.depth == nil }

// Scratch is the number of bytes that Run needs for pictures of g, wherever they begin: what aligning costs is counted.
func (p *F32) Scratch(g Geometry) int {
	if p.depth != nil {
		return p.depth.scratch(g)
	}
	d := p.plan(g)
	return room(8*d.segs) + room(4*d.buffer())
}

// plan decides for pictures of g.
func (p *F32) plan(g Geometry) plan { return newPlan(g, 4, p.dense[0].Bytes(), false) }

// Run convolves g.Batch pictures src [Batch][H][W][C] into dst [Batch][OutH][OutW][OC], where pixels lie g.Apart elements
// apart; what lies between them is not touched, and dst may end with the channels of the last one. Results are limited by act and
// NaN is stored as 0x7fc00000.
func (p *F32) Run(dst, src []float32, g Geometry, act numeric.Clamp, scratch []byte) {
	p.RunResidual(dst, src, nil, g, act, scratch)
}

// TakesResidual says that RunResidual adds one. A depthwise convolution does not look at it.
func (p *F32) TakesResidual() bool { return p.depth == nil }

// RunResidual is Run with a residual, nil or laid out like dst and apart from it, that is added to each finished sum
// before act: dst = act(conv(src) + residual).
func (p *F32) RunResidual(dst, src, residual []float32, g Geometry, act numeric.Clamp, scratch []byte) {
	if p.depth != nil {
		p.depth.run(dst, src, g, act, scratch)
		return
	}
	d := p.plan(g)
	segs, scratch := carve[int](scratch, d.segs)
	buf, _ := carve[float32](scratch, d.buffer())
	d.offsets(segs, d.pw)
	o := tile.OutF32{Dst: dst, Residual: residual, Ld: g.apart(), Act: act}
	if d.shape == flat {
		w := tile.Line(0, g.C, g.Batch*d.oh*d.ow, segs, d.len)
		p.dense[0].Each(func(first, last int) { p.dense[0].Run(o, src, w, first, last) })
		return
	}
	sided := d.sided() && p.dense[0].Plain() && signsLast(act)
	for n := range g.Batch {
		in, out := src[n*g.H*g.W*g.C:][:g.H*g.W*g.C], o.From(n*d.oh*d.ow*o.Ld)
		if sided {
			p.sides(&d, out, in, d.linesOf(segs))
			continue
		}
		for y := 0; y < d.oh; y += d.band {
			p.band(&d, out, in, y, min(d.band, d.oh-y), segs, buf)
		}
	}
}

// band computes output lines y to y+n-1 of one picture. Panels are outside and rows inside where the weights are larger
// than what stays in cache (tile.F32.Each).
func (p *F32) band(d *plan, o tile.OutF32, src []float32, y, n int, segs []int, buf []float32) {
	g := &d.g
	base, picture := y*g.StrideH*g.W*g.C, src
	if d.copies {
		copyBand(d, buf, src, 0, y, n)
		src, base = buf, 0
	}
	og, short := g.OC/g.Group, false
	for q := range g.Group {
		if d.shape == seen {
			gather(d, buf, src, 0, y, n, q*d.cg)
		}
		in := src
		if d.shape == seen {
			in, base = buf, 0
		}
		top := p.dense[q].Plain()
		bottom := top && signsLast(o.Act)
		for at := 0; at < n; {
			s := d.see(y+at, n-at, top, bottom)
			s.y = at
			p.stretch(d, q, o.From((y+at)*d.ow*o.Ld+q*og), in, base, s, segs)
			short = short || s.last < g.KH
			at += s.n
		}
	}
	for at := 0; short && !o.Act.On && at < n; {
		s := d.see(y+at, n-at, true, true)
		p.signs(d, o, picture, cell{part{y + at, s.n, s.first, s.last}, part{0, d.ow, 0, g.KW}})
		at += s.n
	}
}

// signsLast says that signs of zeros may wait until all sums are there: without an activation they are set right then, and a clamp
// at +0 makes one zero of both.
func signsLast(act numeric.Clamp) bool { return !act.On || math.Float32bits(act.Lo) == 0 }

// stretch computes some lines of group q of a band; o begins at the first of them.
func (p *F32) stretch(d *plan, q int, o tile.OutF32, in []float32, base int, s stretch, segs []int) {
	w, took := d.rows(base, s, q*d.cg, segs)
	l := tile.Lines{N: s.n / took, Src: took * d.g.StrideH * d.pw * d.g.C, Dst: took * d.ow * o.Ld}
	odd := s.n % took
	rest, _ := d.rows(base, stretch{s.y + s.n - 1, odd, s.first, s.last}, q*d.cg, segs)
	p.dense[q].Each(func(first, last int) {
		p.dense[q].RunLines(o, in, w, l, first, last)
		if odd != 0 {
			p.dense[q].Run(o.From((s.n-1)*d.ow*o.Ld), in, rest, first, last)
		}
	})
}
