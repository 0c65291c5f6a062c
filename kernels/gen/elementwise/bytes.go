package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// advance moves pointers by n bytes.
func (a *asm) advance(n int, p ...reg.GPVirtual) {
	for _, r := range p {
		a.ADDQ(U32(uint32(n)), r)
	}
}

// byteArithmetic writes QLinearAdd and QLinearMul on rows.
func byteArithmetic(ctx *build.Context) {
	perm := order(ctx)
	for _, signed := range []bool{false, true} {
		typ := map[bool]string{false: "U8", true: "I8"}[signed]
		addBytes(ctx, "add"+typ+"AVX2", perm, signed)
		mulBytes(ctx, "mul"+typ+"AVX2", perm, signed)
	}
	equal(ctx, perm)
}

// rows runs body for each 8 of 32 bytes and packs what it returns.
func (a *asm) rows(perm Mem, signed bool, body func(x, y Mem) reg.VecVirtual) {
	d, x, y, n := a.pointer("d"), a.pointer("a"), a.pointer("b"), a.pointer("n")
	lo, hi := a.float("lo"), a.float("hi")
	p := a.YMM()
	a.VMOVDQU(perm, p)
	a.loop(n, 32, func() {
		var v [4]reg.VecVirtual
		for i := range v {
			v[i] = body(Mem{Base: x, Disp: 8 * i}, Mem{Base: y, Disp: 8 * i})
			// The limit is the second source, which VMAXPS returns for NaN.
			a.VMAXPS(lo, v[i], v[i])
			a.VMINPS(hi, v[i], v[i])
			a.VCVTPS2DQ(v[i], v[i])
		}
		a.pack(v, p, signed, Mem{Base: d})
		a.advance(32, d, x, y)
	})
	a.done()
}

func addBytes(ctx *build.Context, name string, perm Mem, signed bool) {
	a := function(ctx, name, "func(d, a, b *uint8, n int, ra, rb, c, lo, hi float32)",
		name+" is QLinearAdd of n bytes, n a multiple of 32: fma(a, ra, fma(b, rb, c)), limited and rounded.")
	ra, rb, c := a.float("ra"), a.float("rb"), a.float("c")
	a.rows(perm, signed, func(x, y Mem) reg.VecVirtual {
		u, v := a.levels(x, signed), a.levels(y, signed)
		a.VFMADD213PS(c, rb, v)
		a.VFMADD213PS(v, ra, u)
		return u
	})
}

func mulBytes(ctx *build.Context, name string, perm Mem, signed bool) {
	a := function(ctx, name, "func(d, a, b *uint8, n int, za, zb, m, zy, lo, hi float32)",
		name+" is QLinearMul of n bytes, n a multiple of 32: (a-za)*(b-zb), exact, times m, plus zy, limited and rounded.")
	za, zb, m, zy := a.float("za"), a.float("zb"), a.float("m"), a.float("zy")
	a.rows(perm, signed, func(x, y Mem) reg.VecVirtual {
		u, v := a.levels(x, signed), a.levels(y, signed)
		a.VSUBPS(za, u, u)
		a.VSUBPS(zb, v, v)
		a.VMULPS(v, u, u)
		a.VMULPS(m, u, u)
		a.VADDPS(zy, u, u)
		return u
	})
}

// equal writes the comparison of a row of int32 with a number.
func equal(ctx *build.Context, perm Mem) {
	a := function(ctx, "equalAVX2", "func(d *uint8, a *int32, b int32, n int)",
		"equalAVX2 writes 1 where a equals b and 0 elsewhere, for n elements, a multiple of 32.")
	d, x, n := a.pointer("d"), a.pointer("a"), a.pointer("n")
	b := a.float("b")
	p, one := a.YMM(), a.pattern(0x01010101)
	a.VMOVDQU(perm, p)
	a.loop(n, 32, func() {
		var v [4]reg.VecVirtual
		for i := range v {
			v[i] = a.YMM()
			a.VPCMPEQD(Mem{Base: x, Disp: 32 * i}, b, v[i])
		}
		a.VPACKSSDW(v[1], v[0], v[0])
		a.VPACKSSDW(v[3], v[2], v[2])
		a.VPACKSSWB(v[2], v[0], v[0])
		a.VPERMD(v[0], p, v[0])
		a.VPAND(one, v[0], v[0])
		a.VMOVDQU(v[0], Mem{Base: d})
		a.advance(128, x)
		a.advance(32, d)
	})
	a.done()
}

// lookup writes the table look-up of 64 bytes at a time: two permutations of half a table each, chosen by the high bit.
func lookup(ctx *build.Context) {
	a := function(ctx, "lookupVBMI", "func(d, s *uint8, n int, t *[256]uint8)", "lookupVBMI writes t[s] for n bytes, n a multiple of 64.")
	d, s, n, t := a.pointer("d"), a.pointer("s"), a.pointer("n"), a.pointer("t")
	var tab [4]reg.VecVirtual
	for i := range tab {
		tab[i] = a.ZMM()
		a.VMOVDQU8(Mem{Base: t, Disp: 64 * i}, tab[i])
	}
	a.loop(n, 64, func() {
		x, y, k := a.ZMM(), a.ZMM(), a.K()
		a.VMOVDQU8(Mem{Base: s}, x)
		a.VMOVDQA64(x, y)
		a.VPMOVB2M(x, k)
		a.VPERMI2B(tab[1], tab[0], x)
		a.VPERMI2B(tab[3], tab[2], y)
		a.VMOVDQU8(y, k, x)
		a.VMOVDQU8(x, Mem{Base: d})
		a.advance(64, d, s)
	})
	a.done()
}
