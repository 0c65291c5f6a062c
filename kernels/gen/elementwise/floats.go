package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// floats writes the arithmetic of two rows, of a row and a number, the clamp, and functions of one row.
func floats(ctx *build.Context) {
	for _, op := range []struct {
		name string
		emit func(a *asm, v reg.VecVirtual, b Op)
	}{
		{"add", func(a *asm, v reg.VecVirtual, b Op) { a.VADDPS(b, v, v) }},
		{"sub", func(a *asm, v reg.VecVirtual, b Op) { a.VSUBPS(b, v, v) }},
		{"mul", func(a *asm, v reg.VecVirtual, b Op) { a.VMULPS(b, v, v) }},
		{"div", func(a *asm, v reg.VecVirtual, b Op) { a.VDIVPS(b, v, v) }},
		{"max", func(a *asm, v reg.VecVirtual, b Op) { a.extreme(v, b, a.maximum) }},
		{"min", func(a *asm, v reg.VecVirtual, b Op) { a.extreme(v, b, a.minimum) }},
		{"prelu", (*asm).prelu},
	} {
		a := function(ctx, op.name+"RowsAVX2", "func(d, a, b *float32, n int)", op.name+"RowsAVX2 is "+op.name+" of two rows of n floats, n a multiple of 8.")
		d, x, y, n := a.pointer("d"), a.pointer("a"), a.pointer("b"), a.pointer("n")
		nan := a.nan()
		for _, block := range []int{32, 8} {
			a.loop(n, block, func() {
				for i := 0; i < block/8; i++ {
					v := a.YMM()
					a.VMOVUPS(Mem{Base: x, Disp: 32 * i}, v)
					op.emit(a, v, Mem{Base: y, Disp: 32 * i})
					a.canon(v, nan)
					a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
				}
				for _, p := range []reg.GPVirtual{d, x, y} {
					a.ADDQ(U32(4*uint32(block)), p)
				}
			})
		}
		a.done()
		number(ctx, op.name, op.emit)
	}
	clamp(ctx)
	unaries(ctx)
	mulAdd(ctx)
}

// number writes an operation of a row and a number.
func number(ctx *build.Context, name string, emit func(a *asm, v reg.VecVirtual, b Op)) {
	a := function(ctx, name+"NumberAVX2", "func(d, a *float32, b float32, n int)", name+"NumberAVX2 is "+name+" of a row of n floats and b, n a multiple of 8.")
	d, x, n := a.pointer("d"), a.pointer("a"), a.pointer("n")
	y, nan := a.float("b"), a.nan()
	for _, block := range []int{32, 8} {
		a.loop(n, block, func() {
			for i := 0; i < block/8; i++ {
				v := a.YMM()
				a.VMOVUPS(Mem{Base: x, Disp: 32 * i}, v)
				emit(a, v, y)
				a.canon(v, nan)
				a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
			}
			a.ADDQ(U32(4*uint32(block)), d)
			a.ADDQ(U32(4*uint32(block)), x)
		})
	}
	a.done()
}

func clamp(ctx *build.Context) {
	a := function(ctx, "clampAVX2", "func(d, s *float32, n int, lo, hi float32)", "clampAVX2 is numeric.Clamp on n floats, n a multiple of 8.")
	d, s, n := a.pointer("d"), a.pointer("s"), a.pointer("n")
	lo, hi, nan := a.float("lo"), a.float("hi"), a.nan()
	for _, block := range []int{32, 8} {
		a.loop(n, block, func() {
			for i := 0; i < block/8; i++ {
				v, m := a.YMM(), a.YMM()
				a.VMOVUPS(Mem{Base: s, Disp: 32 * i}, v)
				a.VCMPPS(U8(3), v, v, m)
				a.maximum(v, lo)
				a.minimum(v, hi)
				a.VBLENDVPS(m, nan, v, v)
				a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
			}
			a.ADDQ(U32(4*uint32(block)), d)
			a.ADDQ(U32(4*uint32(block)), s)
		})
	}
	a.done()
}
