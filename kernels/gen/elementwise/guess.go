package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Functions whose canonical form takes some forty operations of float64 are guessed first, with fused operations and a
// table of powers, to within 2^-41 of the true value. The canonical form is as close, so both round to one float32 unless
// the guess lies that near to the middle between two; then, and for arguments out of range, the canonical form is
// computed after all. So the bits are the canonical ones, whatever the guess consists of; a test compares all arguments.

// powers is 2^(1/16) to the j, less j shifted to where exponents begin: what shifts n = 16k + j to the exponent adds the
// j that this takes away.
const powers = 16

// nearest is half the width of the band around a middle, in units of float64's last place, that the guess is not trusted in.
const nearest = 1 << 14

// Places in the table of guesses.
const (
	gPowers  = iota
	gStep    = gPowers + powers // 16/ln 2, then its negative and its double
	gMinus   = gStep + 1
	gDouble  = gMinus + 1
	gMagic   = gDouble + 1
	gLn2     = gMagic + 1 // ln 2 / 16, and / 32
	gHalfLn2 = gLn2 + 1
	gExp     = gHalfLn2 + 1 // 1/k!
	gExpNeg  = gExp + 6     // the same of -r
	gExpm1   = gExpNeg + 6  // 2^(k+1)/(k+1)!
	gOne     = gExpm1 + 6
	gTwo     = gOne + 1
	gLimit   = gTwo + 1 // 20, and -20
	gLower   = gLimit + 1
	gMiddle  = gLower + 1 // moves the band to 0, and the bits that are 0 in it
	gBand    = gMiddle + 1
	gSize    = gBand + 1
)

// guesses are the entries as bit patterns.
func guesses() []uint64 {
	t := make([]uint64, gSize)
	put := func(at int, v ...float64) {
		for i, x := range v {
			t[at+i] = math.Float64bits(x)
		}
	}
	for j := range uint64(powers) {
		t[gPowers+j] = math.Float64bits(math.Exp2(float64(j)/powers)) - j<<48
	}
	put(gStep, powers*math.Log2E, -powers*math.Log2E, 2*powers*math.Log2E)
	put(gMagic, 3<<51, math.Ln2/powers, math.Ln2/powers/2)
	put(gExp, 1, 1, 1./2, 1./6, 1./24, 1./120)
	put(gExpNeg, 1, -1, 1./2, -1./6, 1./24, -1./120)
	put(gExpm1, 2, 2, 4./3, 2./3, 4./15, 4./45)
	put(gOne, 1, 2, 20, -20)
	t[gMiddle] = 1<<28 + nearest
	t[gBand] = 1<<29 - 2*nearest
	return t
}

// guess computes guesses of several vectors.
type guess struct {
	curve
	powers reg.VecVirtual // the first eight
}

// tables writes the constants of guesses; every file that has guesses has its own.
func tables(ctx *build.Context) {
	ctx.StaticGlobal("guesses")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, bits := range guesses() {
		ctx.AddDatum(8*i, U64(bits))
	}
}

func entryOf(i int) Mem { return NewDataAddr(Symbol{Name: "guesses", Static: true}, 8*i) }

// fixed is entry i in all lanes.
func (g guess) fixed(i int) reg.VecVirtual {
	v := g.ZMM()
	g.VBROADCASTSD(entryOf(i), v)
	return v
}

// horner is the polynomial of n coefficients from entry first on, of r.
func (g guess) horner(r vecs, first, n int) vecs {
	return g.each(r, func(_ int, r, out reg.VecVirtual) {
		g.VBROADCASTSD(entryOf(first+n-1), out)
		for i := n - 2; i >= 0; i-- {
			g.VFMADD213PD_BCST(entryOf(first+i), r, out)
		}
	})
}

// split is n = round(x*step) and turns x into what is left of it: x + n*unit, or x - n*unit; it returns 2^(n/16).
func (g guess) split(x vecs, step, unit int, plus bool) vecs {
	return g.each(x, func(_ int, x, out reg.VecVirtual) {
		t, n := g.ZMM(), g.ZMM()
		g.VBROADCASTSD(entryOf(step), t)
		g.VFMADD213PD_BCST(entryOf(gMagic), x, t)
		g.VSUBPD_BCST(entryOf(gMagic), t, n)
		if plus {
			g.VFMADD231PD_BCST(entryOf(unit), n, x)
		} else {
			g.VFNMADD231PD_BCST(entryOf(unit), n, x)
		}
		g.VPSLLQ(U8(48), t, out)
		g.VPERMI2PD(entryOf(gPowers+8), g.powers, t)
		g.VPADDQ(t, out, out)
	})
}

// inverse is 1/d by a division of float32, good to 2^-23; d is below the largest float32.
func (g guess) inverse(d vecs) vecs {
	return g.each(d, func(_ int, d, out reg.VecVirtual) {
		one, f := g.YMM(), g.YMM()
		g.VCVTPD2PS(d, f)
		g.VBROADCASTSS(NewDataAddr(Symbol{Name: "unit", Static: true}, 0), one)
		g.VDIVPS(f, one, f)
		g.VCVTPS2PD(f, out)
	})
}

func (g guess) exp(x vecs) vecs {
	s := g.split(x, gStep, gLn2, false)
	return g.product(g.horner(x, gExp, 6), s)
}

func (g guess) sigmoid(x vecs) vecs {
	s := g.split(x, gMinus, gLn2, true)
	d := g.horner(x, gExpNeg, 6)
	for i := range d {
		g.VFMADD213PD_BCST(entryOf(gOne), s[i], d[i])
	}
	return g.sharp(d)
}

// sharp is 1/d to 2^-46: one step of Newton's after inverse.
func (g guess) sharp(d vecs) vecs {
	y := g.inverse(d)
	for i := range y {
		h := g.ZMM()
		g.VBROADCASTSD(entryOf(gOne), h)
		g.VFNMADD231PD(d[i], y[i], h)
		g.VFMADD231PD(y[i], h, y[i])
	}
	return y
}

// canonical is numeric's polynomial of n coefficients from entry first of its table on, by fused steps.
func (g guess) canonical(z vecs, first, n int) vecs {
	return g.each(z, func(_ int, z, out reg.VecVirtual) {
		g.VBROADCASTSD(g.place(first+n-1), out)
		for i := n - 2; i >= 0; i-- {
			g.VFMADD213PD_BCST(g.place(first+i), z, out)
		}
	})
}

// erf has numeric's two branches, with fused steps. The sign of the second is set by the caller; from 4 on it is 1 less
// what rounds away.
func (g guess) erf(x vecs) vecs {
	small := g.product(g.canonical(g.product(x, x), tErf, nErf), x)
	magnitude, four := g.constant(tMagnitude), g.constant(tFour)
	near := make([]reg.Register, len(x))
	b := g.each(x, func(i int, x, out reg.VecVirtual) {
		k := g.K()
		g.VANDPD(magnitude, x, out)
		g.VCMPPD_BCST(U8(0x12), g.place(tOne), out, k)
		g.VMINPD(four, out, out)
		near[i] = k
	})
	z := g.product(b, b)
	s := g.split(z, gMinus, gLn2, true)
	e := g.product(g.horner(z, gExpNeg, 6), s)
	q := g.canonical(g.sharp(g.add(b, tTwo)), tErfc, nErfc)
	for i := range q {
		g.VFNMADD213PD_BCST(entryOf(gOne), e[i], q[i])
		g.VBLENDMPD(small[i], q[i], near[i], q[i])
	}
	return q
}

// tanh is m/(m+2) with m = exp(2x)-1, computed without cancellation.
func (g guess) tanh(x vecs) vecs {
	limit, lower := g.fixed(gLimit), g.fixed(gLower)
	for i := range x {
		g.VMINPD(x[i], limit, x[i])
		g.VMAXPD(x[i], lower, x[i])
	}
	s := g.split(x, gDouble, gHalfLn2, false)
	m := g.product(g.horner(x, gExpm1, 6), x)
	for i := range m {
		less := g.ZMM()
		g.VSUBPD_BCST(entryOf(gOne), s[i], less)
		g.VFMADD213PD(less, s[i], m[i])
	}
	d := g.each(m, func(_ int, m, out reg.VecVirtual) { g.VADDPD_BCST(entryOf(gTwo), m, out) })
	y := g.inverse(d)
	q := g.product(m, y)
	for i := range q {
		g.VFNMADD231PD(d[i], q[i], m[i])
		g.VFMADD231PD(m[i], y[i], q[i])
	}
	return q
}

// within is the largest magnitude that exp and sigmoid are guessed for: below it their values are normal float32.
const within = 87

// guessed tries k vectors, an even number, of a function and jumps to label when one of their lanes has to be computed.
// Otherwise it stores them.
func (p passage) guessed(k int, of func(guess, vecs) vecs, g guess, bounded, odd bool, label string) {
	size := 4 * p.lanes()
	x, trust := make(vecs, k), p.K()
	var sign, most reg.VecVirtual
	if bounded {
		sign, most = p.ZMM(), p.ZMM()
		p.VBROADCASTSS(NewDataAddr(Symbol{Name: "unit", Static: true}, 4), sign)
		p.VBROADCASTSS(NewDataAddr(Symbol{Name: "unit", Static: true}, 8), most)
	}
	for i := 0; i < k; i += 2 {
		v, a := p.ZMM(), p.ZMM()
		p.VMOVUPS(Mem{Base: p.src, Disp: i * size}, v)
		if p.wideTop != nil {
			p.VSUBPS(p.wideTop, v, v)
		}
		how, left := U8(7), v // ordered with itself
		right := v
		if bounded {
			p.VANDPS(sign, v, a)
			how, left, right = U8(0x11), most, a
		}
		if i == 0 {
			p.VCMPPS(how, left, right, trust)
		} else {
			p.VCMPPS(how, left, right, trust, trust)
		}
		x[i], x[i+1] = p.ZMM(), p.ZMM()
		if p.wideTop == nil {
			p.VCVTPS2PD(Mem{Base: p.src, Disp: i * size}, x[i])
			p.VCVTPS2PD(Mem{Base: p.src, Disp: (i + 1) * size}, x[i+1])
			continue
		}
		p.VCVTPS2PD(v.AsY(), x[i])
		high := p.YMM()
		p.VEXTRACTF64X4(U8(1), v, high)
		p.VCVTPS2PD(high, x[i+1])
	}
	p.KORTESTW(trust, trust)
	p.JCC(LabelRef(label))
	y, sure := of(g, x), p.K()
	for i := range y {
		u := p.ZMM()
		p.VPADDQ_BCST(entryOf(gMiddle), y[i], u)
		if i == 0 {
			p.VPTESTMQ_BCST(entryOf(gBand), u, sure)
		} else {
			p.VPTESTMQ_BCST(entryOf(gBand), u, sure, sure)
		}
	}
	p.KORTESTB(sure, sure)
	p.JCC(LabelRef(label))
	for i := range y {
		out, at := p.YMM(), i*size
		p.VCVTPD2PS(y[i], out)
		if p.gate {
			p.VMULPS(Mem{Base: p.src, Disp: at}, out, out)
		}
		if odd { // the sign of the argument, which a zero has too
			a := p.YMM()
			p.VMOVUPS(Mem{Base: p.src, Disp: at}, a)
			p.VPTERNLOGD_BCST(U8(0xe4), NewDataAddr(Symbol{Name: "unit", Static: true}, 4), a, out)
		}
		p.VMOVUPS(out, Mem{Base: p.dst, Disp: at})
	}
	p.advance(k)
}

// units are float32: 1, the bits of a magnitude, and within.
func units(ctx *build.Context) {
	ctx.StaticGlobal("unit")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, bits := range []uint32{math.Float32bits(1), 1<<31 - 1, math.Float32bits(within)} {
		ctx.AddDatum(4*i, U32(bits))
	}
}

// guesser writes the loop of k vectors at a time: the guess, and behind it the canonical form of those that need it.
func (p passage) guesser(n reg.GPVirtual, k int, of func(guess, vecs) vecs, canonical func(curve, vecs) vecs, bounded, odd bool) {
	g := guess{curve: p.curve, powers: p.ZMM()}
	p.VMOVUPD(entryOf(gPowers), g.powers)
	p.labels++
	again, compute, end := fmt.Sprintf("guess_%d", p.labels), fmt.Sprintf("compute_%d", p.labels), fmt.Sprintf("guessed_%d", p.labels)
	step := U32(uint32(k * p.lanes()))
	p.Label(again)
	p.CMPQ(n, step)
	p.JLT(LabelRef(end))
	p.SUBQ(step, n)
	p.guessed(k, of, g, bounded, odd, compute)
	p.JMP(LabelRef(again))
	p.Label(compute)
	for range k {
		p.body(1, canonical)
	}
	p.JMP(LabelRef(again))
	p.Label(end)
}
