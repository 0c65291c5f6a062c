package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// columnSums writes sums in float64 down 16 columns of rows of floats. A column is one chain from its first row to its last, so
// that its bits are those of a loop.
func columnSums(ctx *build.Context) {
	a := function(ctx, "columnSumsAVX2", "func(sums *float64, s *float32, rows, step int)",
		"columnSumsAVX2 adds 16 columns of rows, which lie step bytes apart, to sums.")
	sums, s, rows, step := a.pointer("sums"), a.pointer("s"), a.pointer("rows"), a.pointer("step")
	var acc [4]reg.VecVirtual
	for i := range acc {
		acc[i] = a.YMM()
		a.VMOVUPD(Mem{Base: sums, Disp: 32 * i}, acc[i])
	}
	a.loop(rows, 1, func() {
		for i, v := range acc {
			x := a.YMM()
			a.VCVTPS2PD(Mem{Base: s, Disp: 16 * i}, x)
			a.VADDPD(x, v, acc[i])
		}
		a.ADDQ(step, s)
	})
	for i, v := range acc {
		a.VMOVUPD(v, Mem{Base: sums, Disp: 32 * i})
	}
	a.done()
}
