package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// extremes writes the fold of floats to the smallest and the largest, lane by lane. VMINPS and VMAXPS lose NaN in one order of
// operands and pass it on in the other; so NaN is looked for apart.
func extremes(ctx *build.Context) {
	const block = 32
	a := function(ctx, "extremesAVX2", "func(lo, hi, nan *[8]uint32, s *float32, n int)",
		"extremesAVX2 folds n floats, a multiple of 32, into the lanes of lo and hi, and sets lanes of nan in which a NaN was.")
	out := map[string]reg.GPVirtual{"lo": a.pointer("lo"), "hi": a.pointer("hi"), "nan": a.pointer("nan")}
	s, n := a.pointer("s"), a.pointer("n")
	var lo, hi [2]reg.VecVirtual
	for i := range lo {
		lo[i], hi[i] = a.YMM(), a.YMM()
		a.VMOVUPS(Mem{Base: out["lo"]}, lo[i])
		a.VMOVUPS(Mem{Base: out["hi"]}, hi[i])
	}
	nan := a.YMM()
	a.VMOVUPS(Mem{Base: out["nan"]}, nan)
	a.loop(n, block, func() {
		var x [block / 8]reg.VecVirtual
		for i := range x {
			x[i] = a.YMM()
			a.VMOVUPS(Mem{Base: s, Disp: 32 * i}, x[i])
			a.VMINPS(x[i], lo[i%2], lo[i%2])
			a.VMAXPS(x[i], hi[i%2], hi[i%2])
		}
		for i := 0; i < len(x); i += 2 { // two at a time: unordered with each other if either is NaN
			a.VCMPPS(U8(3), x[i], x[i+1], x[i])
			a.VORPS(x[i], nan, nan)
		}
		a.ADDQ(U32(4*block), s)
	})
	a.VMINPS(lo[1], lo[0], lo[0])
	a.VMAXPS(hi[1], hi[0], hi[0])
	a.VMOVUPS(lo[0], Mem{Base: out["lo"]})
	a.VMOVUPS(hi[0], Mem{Base: out["hi"]})
	a.VMOVUPS(nan, Mem{Base: out["nan"]})
	a.done()
}
