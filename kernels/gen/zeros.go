package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// zerosAVX2 writes the search for sums that are -0.
func zerosAVX2(ctx *build.Context) {
	a := function(ctx, "minusZeros16", "func(p *float32, rows, step, blocks int) (found int)",
		"minusZeros16 says whether one of rows rows, step bytes apart, of 16*blocks floats has -0: 1 if so, else 0.")
	minus, seen := reg.Y0, reg.Y1
	a.load("p", rA0)
	a.load("rows", rNseg)
	a.load("step", rRow)
	a.VPCMPEQD(minus, minus, minus)
	a.VPSLLD(U8(31), minus, minus)
	a.VPXOR(seen, seen, seen)
	a.Label("row")
	a.MOVQ(rA0, rA1)
	a.load("blocks", rK)
	a.Label("block")
	for i := range 2 {
		a.VPCMPEQD(Mem{Base: rA1, Disp: 32 * i}, minus, ymm[2+i])
		a.VPOR(ymm[2+i], seen, seen)
	}
	a.ADDQ(U8(64), rA1)
	a.DECQ(rK)
	a.JNZ(LabelRef("block"))
	a.ADDQ(rRow, rA0)
	a.DECQ(rNseg)
	a.JNZ(LabelRef("row"))
	a.XORQ(rK, rK)
	a.VPTEST(seen, seen)
	a.SETNE(rK.As8())
	found, err := a.ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	a.MOVQ(rK, found.Addr)
	a.done()
}
