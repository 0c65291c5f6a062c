package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Predicates of VCMPPS and modes of VROUNDPS (without the inexact exception).
const (
	unordered = 0x03
	below     = 0x11 // less, quiet, false for NaN
	nearest   = 0x08 // half to even
	down      = 0x09
	up        = 0x0a
)

// extreme is v = max or min of v and b; where either is a NaN all bits are set, which is a NaN too.
func (a *asm) extreme(v reg.VecVirtual, b Op, of func(v, w reg.VecVirtual)) {
	w, m := a.YMM(), a.YMM()
	a.VMOVUPS(b, w)
	a.VCMPPS(U8(unordered), v, w, m)
	of(v, w)
	a.VORPS(m, v, v)
}

// prelu is v = v*b where v is below 0, else v.
func (a *asm) prelu(v reg.VecVirtual, b Op) {
	p, m := a.YMM(), a.YMM()
	a.VXORPS(m, m, m)
	a.VCMPPS(U8(below), m, v, m)
	a.VMULPS(b, v, p)
	a.VBLENDVPS(m, p, v, v)
}

// unaries writes the functions of one row that are a few instructions each.
func unaries(ctx *build.Context) {
	sign := func(a *asm) reg.VecVirtual { return a.pattern(1 << 31) }
	one := func(a *asm) reg.VecVirtual { return a.pattern(0x3f800000) }
	none := func(*asm) reg.VecVirtual { return nil }
	for _, f := range []struct {
		name  string
		ready func(*asm) reg.VecVirtual // a constant of the loop
		emit  func(a *asm, v, c reg.VecVirtual)
	}{
		{"abs", sign, func(a *asm, v, c reg.VecVirtual) { a.VANDNPS(v, c, v) }},
		{"neg", sign, func(a *asm, v, c reg.VecVirtual) { a.VXORPS(v, c, v) }},
		{"sqrt", none, func(a *asm, v, _ reg.VecVirtual) { a.VSQRTPS(v, v) }},
		{"reciprocal", one, func(a *asm, v, c reg.VecVirtual) { a.VDIVPS(v, c, v) }},
		{"floor", none, func(a *asm, v, _ reg.VecVirtual) { a.VROUNDPS(U8(down), v, v) }},
		{"ceil", none, func(a *asm, v, _ reg.VecVirtual) { a.VROUNDPS(U8(up), v, v) }},
		{"round", none, func(a *asm, v, _ reg.VecVirtual) { a.VROUNDPS(U8(nearest), v, v) }},
	} {
		a := function(ctx, f.name+"AVX2", "func(d, s *float32, n int)", f.name+"AVX2 is "+f.name+" of n floats, n a multiple of 8.")
		d, s, n := a.pointer("d"), a.pointer("s"), a.pointer("n")
		c, nan := f.ready(a), a.nan()
		a.pass(d, s, n, nan, func(v reg.VecVirtual) { f.emit(a, v, c) })
	}
	for _, swish := range []bool{false, true} {
		name, what := "hardSigmoidAVX2", "max(0, min(1, alpha*x + beta))"
		if swish {
			name, what = "hardSwishAVX2", "x * max(0, min(1, alpha*x + beta))"
		}
		a := function(ctx, name, "func(d, s *float32, n int, alpha, beta float32)", name+" is "+what+" of n floats, each step rounded, n a multiple of 8.")
		d, s, n := a.pointer("d"), a.pointer("s"), a.pointer("n")
		alpha, beta, unit, nan := a.float("alpha"), a.float("beta"), a.pattern(0x3f800000), a.nan()
		zero := a.YMM()
		a.VXORPS(zero, zero, zero)
		a.pass(d, s, n, nan, func(v reg.VecVirtual) {
			h := a.YMM()
			a.VMULPS(v, alpha, h)
			a.VADDPS(beta, h, h)
			m := a.YMM()
			a.VCMPPS(U8(unordered), h, h, m)
			a.VMINPS(unit, h, h)
			a.maximum(h, zero)
			a.VORPS(m, h, h)
			if swish {
				a.VMULPS(h, v, v)
			} else {
				a.VMOVAPS(h, v)
			}
		})
	}
}

// pass loads 8 floats of s at a time, lets body change them, and stores them to d.
func (a *asm) pass(d, s, n reg.GPVirtual, nan reg.VecVirtual, body func(v reg.VecVirtual)) {
	for _, block := range []int{32, 8} {
		a.loop(n, block, func() {
			for i := range block / 8 {
				v := a.YMM()
				a.VMOVUPS(Mem{Base: s, Disp: 32 * i}, v)
				body(v)
				a.canon(v, nan)
				a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
			}
			a.advance(4*block, d, s)
		})
	}
	a.done()
}

// mulAdd writes the fused product of a row and a number, added to a row.
func mulAdd(ctx *build.Context) {
	a := function(ctx, "mulAddAVX2", "func(d, a *float32, b float32, n int)", "mulAddAVX2 is d = fma(a, b, d) of n floats, n a multiple of 8.")
	d, x, n := a.pointer("d"), a.pointer("a"), a.pointer("n")
	b, nan := a.float("b"), a.nan()
	for _, block := range []int{32, 8} {
		a.loop(n, block, func() {
			for i := range block / 8 {
				v := a.YMM()
				a.VMOVUPS(Mem{Base: d, Disp: 32 * i}, v)
				a.VFMADD231PS(Mem{Base: x, Disp: 32 * i}, b, v)
				a.canon(v, nan)
				a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
			}
			a.advance(4*block, d, x)
		})
	}
	a.done()
}
