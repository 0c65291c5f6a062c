package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// quantization writes QuantizeLinear and DequantizeLinear with one scale.
func quantization(ctx *build.Context) {
	perm := order(ctx)
	for _, signed := range []bool{false, true} {
		typ := map[bool]string{false: "U8", true: "I8"}[signed]
		quantizeBytes(ctx, "quantize"+typ+"AVX2", perm, signed)
		dequantizeBytes(ctx, "dequantize"+typ+"AVX2", signed)
	}
}

func quantizeBytes(ctx *build.Context, name string, perm Mem, signed bool) {
	a := function(ctx, name, "func(d *uint8, s *float32, n int, scale, lo, hi float32, zero int32)",
		name+" is QuantizeLinear of n floats, n a multiple of 32; lo and hi are limits before the zero point is added.")
	d, s, n := a.pointer("d"), a.pointer("s"), a.pointer("n")
	scale, lo, hi, zero := a.float("scale"), a.float("lo"), a.float("hi"), a.float("zero") // zero: the bits of an int32
	p := a.YMM()
	a.VMOVDQU(perm, p)
	a.loop(n, 32, func() {
		var v [4]reg.VecVirtual
		for i := range v {
			v[i] = a.YMM()
			a.VMOVUPS(Mem{Base: s, Disp: 32 * i}, v[i])
			a.VDIVPS(scale, v[i], v[i])
			a.VMAXPS(lo, v[i], v[i])
			a.VMINPS(hi, v[i], v[i])
			a.VCVTPS2DQ(v[i], v[i])
			a.VPADDD(zero, v[i], v[i])
		}
		a.pack(v, p, signed, Mem{Base: d})
		a.advance(32, d)
		a.advance(128, s)
	})
	a.done()
}

func dequantizeBytes(ctx *build.Context, name string, signed bool) {
	a := function(ctx, name, "func(d *float32, s *uint8, n int, scale, zero float32)",
		name+" is DequantizeLinear of n bytes, n a multiple of 8; byte minus zero is exact in float32.")
	d, s, n := a.pointer("d"), a.pointer("s"), a.pointer("n")
	scale, zero, nan := a.float("scale"), a.float("zero"), a.nan()
	for _, block := range []int{32, 8} {
		a.loop(n, block, func() {
			for i := 0; i < block/8; i++ {
				v := a.levels(Mem{Base: s, Disp: 8 * i}, signed)
				a.VSUBPS(zero, v, v)
				a.VMULPS(scale, v, v)
				a.canon(v, nan)
				a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
			}
			a.advance(block, s)
			a.advance(4*block, d)
		})
	}
	a.done()
}
