package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Places in numeric.Table, and the numbers of coefficients of its polynomials.
const (
	tLog2e = iota
	tMagic
	tLn2Hi
	tLn2Lo
	tBias
	tOne
	tTwo
	tFour
	tQuarter
	tLimit
	tLower
	tSign
	tMagnitude
	tExp
	nTanh, nErf, nErfc = 7, 11, 11
	tTanh              = tExp + 11
	tErf               = tTanh + nTanh
	tErfc              = tErf + nErf
)

// curve computes functions of several vectors of float64 at once, each 8 elements with AVX-512 and 4 without, by the
// operations of package numeric: one multiplication or addition after the other, none fused. A function is one long chain
// of operations, each waiting for the one before; turns of independent vectors fill the wait.
type curve struct {
	*asm
	wide  bool
	table reg.GPVirtual
}

// vecs are vectors that take turns.
type vecs []reg.VecVirtual

func (c curve) vec() reg.VecVirtual {
	if c.wide {
		return c.ZMM()
	}
	return c.YMM()
}

// lanes is the number of elements of a vector.
func (c curve) lanes() int {
	if c.wide {
		return 8
	}
	return 4
}

func (c curve) place(i int) Mem { return Mem{Base: c.table, Disp: 8 * i} }

// constant is entry i of the table in all lanes.
func (c curve) constant(i int) reg.VecVirtual {
	v := c.vec()
	c.VBROADCASTSD(c.place(i), v)
	return v
}

// each writes f of every vector of x into a new one.
func (c curve) each(x vecs, f func(i int, x, out reg.VecVirtual)) vecs {
	out := make(vecs, len(x))
	for i := range x {
		out[i] = c.vec()
		f(i, x[i], out[i])
	}
	return out
}

// entry combines x with entry i: from memory where the instruction set broadcasts, else from a register.
func (c curve) entry(x vecs, i int, memory, register func(...Op)) vecs {
	if c.wide {
		return c.each(x, func(_ int, x, out reg.VecVirtual) { memory(c.place(i), x, out) })
	}
	k := c.constant(i)
	return c.each(x, func(_ int, x, out reg.VecVirtual) { register(k, x, out) })
}

// mul and add are x times and plus entry i; sub is x less it.
func (c curve) mul(x vecs, i int) vecs {
	return c.entry(x, i, func(o ...Op) { c.VMULPD_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VMULPD(o...) })
}

func (c curve) add(x vecs, i int) vecs {
	return c.entry(x, i, func(o ...Op) { c.VADDPD_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VADDPD(o...) })
}

func (c curve) sub(x vecs, i int) vecs {
	return c.entry(x, i, func(o ...Op) { c.VSUBPD_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VSUBPD(o...) })
}

func (c curve) and(x vecs, i int) vecs {
	k := c.constant(i)
	return c.each(x, func(_ int, x, out reg.VecVirtual) { c.VANDPD(k, x, out) })
}

// xor is x with the bits of entry i turned.
func (c curve) xor(x vecs, i int) vecs {
	k := c.constant(i)
	return c.each(x, func(_ int, x, out reg.VecVirtual) { c.VXORPD(k, x, out) })
}

// horner evaluates n coefficients from entry first on, every step-th from the last one down.
func (c curve) horner(z vecs, first, n, step int) vecs {
	k := c.constant(first + n - 1)
	s := c.each(z, func(_ int, z, out reg.VecVirtual) { c.VMULPD(z, k, out) })
	for i := n - 1 - step; i >= 0; i -= step {
		if s = c.add(s, first+i); i >= step {
			s = c.product(s, z)
		}
	}
	return s
}

func (c curve) product(x, y vecs) vecs {
	return c.each(x, func(i int, x, out reg.VecVirtual) { c.VMULPD(y[i], x, out) })
}

// plus is x + y, less is x - y.
func (c curve) plus(x, y vecs) vecs {
	return c.each(x, func(i int, x, out reg.VecVirtual) { c.VADDPD(y[i], x, out) })
}

func (c curve) less(x, y vecs) vecs {
	return c.each(x, func(i int, x, out reg.VecVirtual) { c.VSUBPD(y[i], x, out) })
}

// bound limits x to [-104, 104]; a NaN in x, the last operand in Intel's order, stays.
func (c curve) bound(x vecs) vecs {
	lower, limit := c.constant(tLower), c.constant(tLimit)
	v := c.each(x, func(_ int, x, out reg.VecVirtual) { c.VMAXPD(x, lower, out) })
	return c.each(v, func(_ int, v, out reg.VecVirtual) { c.VMINPD(v, limit, out) })
}

// exp is numeric's exp32. The integer n lies in the low bits of n plus the magic number.
func (c curve) exp(x vecs) vecs {
	t := c.add(c.mul(x, tLog2e), tMagic)
	n := c.sub(t, tMagic)
	r := c.less(c.less(x, c.mul(n, tLn2Hi)), c.mul(n, tLn2Lo))
	z := c.product(r, r)
	even, odd := c.horner(z, tExp, 11, 2), c.horner(z, tExp+1, 9, 2)
	even = c.plus(even, c.product(odd, r))
	bias := c.constant(tBias)
	power := c.each(t, func(_ int, t, out reg.VecVirtual) {
		c.VPADDQ(bias, t, out)
		c.VPSLLQ(U8(52), out, out)
	})
	return c.product(even, power)
}

// over is entry i divided by x.
func (c curve) over(i int, x vecs) vecs {
	k := c.constant(i)
	return c.each(x, func(_ int, x, out reg.VecVirtual) { c.VDIVPD(x, k, out) })
}

// from is entry i less x.
func (c curve) from(i int, x vecs) vecs {
	k := c.constant(i)
	return c.each(x, func(_ int, x, out reg.VecVirtual) { c.VSUBPD(x, k, out) })
}

// signed is magnitude v with the sign of x.
func (c curve) signed(v, x vecs) vecs {
	sign := c.and(x, tSign)
	v = c.and(v, tMagnitude)
	return c.each(v, func(i int, v, out reg.VecVirtual) { c.VORPD(sign[i], v, out) })
}

// below is yes where a < entry i, and no elsewhere, NaN included.
func (c curve) below(a vecs, i int, yes, no vecs) vecs { return c.where(a, i, 0x11, yes, no) }

// reaches is entry to where a >= entry i, and no elsewhere, NaN included.
func (c curve) reaches(a vecs, i, to int, no vecs) vecs {
	yes := c.constant(to)
	return c.where(a, i, 0x1d, vecs{yes}, no)
}

// where is yes where a stands in relation how to entry i. One vector of yes serves all.
func (c curve) where(a vecs, i int, how uint64, yes, no vecs) vecs {
	k := c.constant(i)
	return c.each(a, func(i int, a, out reg.VecVirtual) {
		y := yes[min(i, len(yes)-1)]
		if c.wide {
			mask := c.K()
			c.VCMPPD(U8(how), k, a, mask)
			c.VBLENDMPD(y, no[i], mask, out)
			return
		}
		m := c.YMM()
		c.VCMPPD(U8(how), k, a, m)
		c.VBLENDVPD(m, y, no[i], out)
	})
}

func (c curve) sigmoid(x vecs) vecs {
	return c.over(tOne, c.add(c.exp(c.xor(c.bound(x), tSign)), tOne))
}

func (c curve) tanh(x vecs) vecs {
	small := c.product(c.horner(c.product(x, x), tTanh, nTanh, 1), x)
	a := c.and(x, tMagnitude)
	big := c.from(tOne, c.over(tTwo, c.add(c.exp(c.bound(c.mul(a, tTwo))), tOne)))
	return c.below(c.and(x, tMagnitude), tQuarter, small, c.signed(big, x))
}

func (c curve) erf(x vecs) vecs {
	small := c.product(c.horner(c.product(x, x), tErf, nErf, 1), x)
	four := c.constant(tFour)
	b := c.each(c.and(x, tMagnitude), func(_ int, a, out reg.VecVirtual) { c.VMINPD(a, four, out) })
	e := c.exp(c.xor(c.product(b, b), tSign))
	q := c.horner(c.over(tOne, c.add(b, tTwo)), tErfc, nErfc, 1)
	mid := c.reaches(c.and(x, tMagnitude), tFour, tOne, c.from(tOne, c.product(q, e)))
	return c.where(c.and(x, tMagnitude), tOne, 0x12, small, c.signed(mid, x))
}

func curves256(ctx *build.Context) { curves(ctx, false, "AVX2") }
func curves512(ctx *build.Context) {
	tables(ctx)
	units(ctx)
	curves(ctx, true, "AVX512")
}

// guessTurns is how many vectors are guessed at a time.
const guessTurns = 4

// turns is how many vectors of a function take turns: as many as the registers hold.
func turns(wide, long bool) int {
	switch {
	case wide && !long:
		return 4
	case wide:
		return 2
	case long:
		return 1
	}
	return 2
}

func curves(ctx *build.Context, wide bool, suffix string) {
	for _, f := range []struct {
		name, what  string
		minus, gate bool
		long, odd   bool
		of          func(curve, vecs) vecs
		guess       func(guess, vecs) vecs
	}{
		{name: "exp", what: "exp(src - top)", minus: true, of: func(c curve, x vecs) vecs { return c.exp(c.bound(x)) }, guess: guess.exp},
		{name: "sigmoid", what: "sigmoid(src)", of: curve.sigmoid, guess: guess.sigmoid},
		{name: "silu", what: "src * sigmoid(src)", gate: true, of: curve.sigmoid, guess: guess.sigmoid},
		{name: "tanh", what: "tanh(src)", long: true, odd: true, of: curve.tanh, guess: guess.tanh},
		{name: "erf", what: "erf(src)", long: true, odd: true, of: curve.erf, guess: guess.erf},
	} {
		name, signature := f.name+suffix, "func(dst, src *float32, n int, table *float64)"
		if f.minus {
			signature = "func(dst, src *float32, n int, table *float64, top float32)"
		}
		a := function(ctx, name, signature, name+" writes "+f.what+" for n elements, a multiple of 8. table is numeric.Table.")
		c := curve{a, wide, a.pointer("table")}
		p := passage{curve: c, dst: a.pointer("dst"), src: a.pointer("src"), nan: a.nan(), gate: f.gate}
		n := a.pointer("n")
		if f.minus {
			p.topOf(a)
		}
		if wide && f.guess != nil {
			p.guesser(n, guessTurns, f.guess, f.of, !f.odd, f.odd)
		} else if k := turns(wide, f.long); k > 1 {
			a.loop(n, k*c.lanes(), func() { p.body(k, f.of) })
		}
		a.loop(n, c.lanes(), func() { p.body(1, f.of) })
		a.done()
	}
}

// passage is one function's way from src to dst.
type passage struct {
	curve
	dst, src reg.GPVirtual
	nan, top reg.VecVirtual
	wideTop  reg.VecVirtual // top in 16 lanes, where functions are guessed
	gate     bool           // the result is multiplied by the source
}

// half is the register of as many floats as a vector has lanes.
func (p passage) half(v reg.VecVirtual) reg.Register {
	if p.wide {
		return v.AsY()
	}
	return v.AsX()
}

// body computes k vectors.
func (p passage) body(k int, of func(curve, vecs) vecs) {
	x := make(vecs, k)
	size := 4 * p.lanes()
	for i := range x {
		x[i] = p.vec()
		at := Mem{Base: p.src, Disp: i * size}
		if p.top == nil {
			p.VCVTPS2PD(at, x[i])
			continue
		}
		d := p.YMM()
		p.VMOVUPS(at, p.half(d))
		p.VSUBPS(p.half(p.top), p.half(d), p.half(d))
		p.VCVTPS2PD(p.half(d), x[i])
	}
	for i, y := range of(p.curve, x) {
		out := p.YMM()
		if p.wide {
			p.VCVTPD2PS(y, out)
		} else {
			p.VCVTPD2PSY(y, out.AsX())
		}
		if p.gate { // the product of a NaN is one
			p.VMULPS(Mem{Base: p.src, Disp: i * size}, p.half(out), p.half(out))
		}
		m := p.YMM()
		p.VCMPPS(U8(3), p.half(out), p.half(out), p.half(m))
		p.VBLENDVPS(p.half(m), p.half(p.nan), p.half(out), p.half(out))
		p.VMOVUPS(p.half(out), Mem{Base: p.dst, Disp: i * size})
	}
	p.advance(k)
}

// advance goes on by k vectors.
func (p passage) advance(k int) {
	p.ADDQ(U32(uint32(4*k*p.lanes())), p.src)
	p.ADDQ(U32(uint32(4*k*p.lanes())), p.dst)
}

// topOf loads the argument top.
func (p *passage) topOf(a *asm) {
	p.top = a.float("top")
	if p.wide {
		p.wideTop = a.ZMM()
		a.VBROADCASTSS(p.top.AsX(), p.wideTop)
	}
}
