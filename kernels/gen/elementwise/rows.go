package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// rows writes what softmax and normalisation do to a row besides curves.
func rows(ctx *build.Context) {
	a := function(ctx, "maxRowAVX2", "func(top *float32, src *float32, n int) (nan int)",
		"maxRowAVX2 lowers 8 candidates for the largest of n elements, a multiple of 8, into top; nan is not 0 if one is NaN.")
	top, src, n := a.pointer("top"), a.pointer("src"), a.pointer("n")
	best, odd := a.YMM(), a.YMM()
	a.VMOVUPS(Mem{Base: top}, best)
	a.VXORPS(odd, odd, odd)
	a.loop(n, 8, func() {
		x, m := a.YMM(), a.YMM()
		a.VMOVUPS(Mem{Base: src}, x)
		a.VCMPPS(U8(3), x, x, m)
		a.VORPS(m, odd, odd)
		a.VMAXPS(x, best, best)
		a.ADDQ(U8(32), src)
	})
	a.VMOVUPS(best, Mem{Base: top})
	found := a.GP32()
	a.VMOVMSKPS(odd, found)
	a.Store(found.As64(), a.ReturnIndex(0))
	a.done()

	laneSums(ctx, "lanesAVX2", false)
	laneSums(ctx, "squaresAVX2", true)

	a = function(ctx, "divideAVX2", "func(dst, src *float32, n int, by float32)",
		"divideAVX2 writes src / by for n elements, a multiple of 8.")
	dst, src, n := a.pointer("dst"), a.pointer("src"), a.pointer("n")
	by, nan := a.float("by"), a.nan()
	a.loop(n, 8, func() {
		x := a.YMM()
		a.VMOVUPS(Mem{Base: src}, x)
		a.VDIVPS(by, x, x)
		a.canon(x, nan)
		a.VMOVUPS(x, Mem{Base: dst})
		a.ADDQ(U8(32), src)
		a.ADDQ(U8(32), dst)
	})
	a.done()
	normalise(ctx)
}

// laneSums writes a function that continues 16 chains of sums, of elements or of squares of their distance from a mean.
func laneSums(ctx *build.Context, name string, squares bool) {
	signature, doc := "func(part *float32, src *float32, rows int)", name+" adds rows times 16 elements to the 16 sums of part."
	if squares {
		signature = "func(part *float32, src *float32, rows int, mean float32)"
		doc = name + " adds the squares of rows times 16 elements less mean, each rounded, to the 16 sums of part."
	}
	a := function(ctx, name, signature, doc)
	part, src, n := a.pointer("part"), a.pointer("src"), a.pointer("rows")
	lo, hi, x, y := a.YMM(), a.YMM(), a.YMM(), a.YMM()
	mean := a.YMM()
	if squares {
		mean = a.float("mean")
	}
	a.VMOVUPS(Mem{Base: part}, lo)
	a.VMOVUPS(Mem{Base: part, Disp: 32}, hi)
	a.loop(n, 1, func() {
		a.VMOVUPS(Mem{Base: src}, x)
		a.VMOVUPS(Mem{Base: src, Disp: 32}, y)
		if squares {
			a.VSUBPS(mean, x, x)
			a.VSUBPS(mean, y, y)
			a.VMULPS(x, x, x)
			a.VMULPS(y, y, y)
		}
		a.VADDPS(x, lo, lo)
		a.VADDPS(y, hi, hi)
		a.ADDQ(U8(64), src)
	})
	a.VMOVUPS(lo, Mem{Base: part})
	a.VMOVUPS(hi, Mem{Base: part, Disp: 32})
	a.done()
}

// normalise writes the last pass of layer normalisation.
func normalise(ctx *build.Context) {
	a := function(ctx, "normaliseAVX2", "func(dst, src, scale, bias *float32, n int, mean, inverse float32)",
		"normaliseAVX2 writes (src - mean) * inverse * scale + bias for n elements, a multiple of 8, each step rounded. A nil",
		"bias is not added.")
	dst, src, scale, bias, n := a.pointer("dst"), a.pointer("src"), a.pointer("scale"), a.pointer("bias"), a.pointer("n")
	mean, inverse, nan := a.float("mean"), a.float("inverse"), a.nan()
	a.TESTQ(bias, bias)
	a.JEQ(LabelRef("plain"))
	body := func(add bool) func() {
		return func() {
			x := a.YMM()
			a.VMOVUPS(Mem{Base: src}, x)
			a.VSUBPS(mean, x, x)
			a.VMULPS(inverse, x, x)
			a.VMULPS(Mem{Base: scale}, x, x)
			if add {
				a.VADDPS(Mem{Base: bias}, x, x)
				a.ADDQ(U8(32), bias)
			}
			a.canon(x, nan)
			a.VMOVUPS(x, Mem{Base: dst})
			a.ADDQ(U8(32), src)
			a.ADDQ(U8(32), dst)
			a.ADDQ(U8(32), scale)
		}
	}
	a.loop(n, 8, body(true))
	a.done()
	a.Label("plain")
	a.loop(n, 8, body(false))
	a.done()
}
