package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byteArithmetic512 writes QLinearAdd and QLinearMul on rows for AVX-512. The caller knows that no result before rounding
// leaves int32: then saturating to 16 and to 8 bits is the clamp.
func byteArithmetic512(ctx *build.Context) {
	perm := order512(ctx)
	for _, signed := range []bool{false, true} {
		typ := map[bool]string{false: "U8", true: "I8"}[signed]
		addBytes512(ctx, "add"+typ+"AVX512", perm, signed)
		mulBytes512(ctx, "mul"+typ+"AVX512", perm, signed)
	}
}

// order512 is order for vectors of 64 bytes, which have four parts of 128 bits.
func order512(ctx *build.Context) Mem {
	m := ctx.StaticGlobal("packed512")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		ctx.AddDatum(4*i, U32(i%4*4+i/4))
	}
	return m
}

// wide broadcasts a float32 argument, or the bits of an int32, to 16 lanes.
func (a *asm) wide(name string) reg.VecVirtual {
	b, err := a.Param(name).Resolve()
	if err != nil {
		panic("argument " + name + ": " + err.Error())
	}
	v := a.ZMM()
	a.VBROADCASTSS(b.Addr, v)
	return v
}

// lanes loads 16 bytes as int32.
func (a *asm) lanes(src Mem, signed bool) reg.VecVirtual {
	v := a.ZMM()
	if signed {
		a.VPMOVSXBD(src, v)
	} else {
		a.VPMOVZXBD(src, v)
	}
	return v
}

// rows512 runs body for each 16 of 64 bytes, rounds what it returns half to even, and packs it.
func (a *asm) rows512(perm Mem, signed bool, body func(x, y Mem) reg.VecVirtual) {
	d, x, y, n := a.pointer("d"), a.pointer("a"), a.pointer("b"), a.pointer("n")
	p := a.ZMM()
	a.VMOVDQU32(perm, p)
	a.loop(n, 64, func() {
		var v [4]reg.VecVirtual
		for i := range v {
			v[i] = body(Mem{Base: x, Disp: 16 * i}, Mem{Base: y, Disp: 16 * i})
			a.VCVTPS2DQ(v[i], v[i])
		}
		a.join(v, p, signed)
		a.VMOVDQU32(v[0], Mem{Base: d})
		a.advance(64, d, x, y)
	})
	a.done()
}

func addBytes512(ctx *build.Context, name string, perm Mem, signed bool) {
	a := function(ctx, name, "func(d, a, b *uint8, n int, ra, rb, c float32)",
		name+" is QLinearAdd of n bytes, n a multiple of 64: fma(a, ra, fma(b, rb, c)), rounded. No sum leaves int32.")
	ra, rb, c := a.wide("ra"), a.wide("rb"), a.wide("c")
	a.rows512(perm, signed, func(x, y Mem) reg.VecVirtual {
		u, v := a.lanes(x, signed), a.lanes(y, signed)
		a.VCVTDQ2PS(u, u)
		a.VCVTDQ2PS(v, v)
		a.VFMADD213PS(c, rb, v)
		a.VFMADD213PS(v, ra, u)
		return u
	})
}

// mulBytes512 multiplies in integers: a level less its zero point is one of 16 bits beside a zero.
func mulBytes512(ctx *build.Context, name string, perm Mem, signed bool) {
	a := function(ctx, name, "func(d, a, b *uint8, n int, za, zb int32, m, zy float32)",
		name+" is QLinearMul of n bytes, n a multiple of 64: (a-za)*(b-zb), exact, times m, plus zy, rounded. No result leaves int32.")
	za, zb, m, zy := a.wide("za"), a.wide("zb"), a.wide("m"), a.wide("zy")
	low := a.ZMM()
	mask := a.GP32()
	a.MOVL(U32(0xffff), mask)
	a.VPBROADCASTD(mask, low)
	a.VPANDD(low, za, za)
	a.VPANDD(low, zb, zb)
	a.rows512(perm, signed, func(x, y Mem) reg.VecVirtual {
		u, v := a.lanes(x, signed), a.lanes(y, signed)
		if signed {
			a.VPANDD(low, u, u)
			a.VPANDD(low, v, v)
		}
		a.VPSUBW(za, u, u)
		a.VPSUBW(zb, v, v)
		a.VPMADDWD(v, u, u)
		a.VCVTDQ2PS(u, u)
		a.VMULPS(m, u, u)
		a.VADDPS(zy, u, u)
		return u
	})
}
