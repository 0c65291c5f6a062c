package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// firstI8AVX512 writes what brings the three lines of a kernel that a pixel sees behind each other.
func firstI8AVX512(ctx *build.Context) {
	a := function(ctx, "gather3x32", "func(dst, src *byte, at *int, step, pixels int, masks *int32, pad int)",
		"gather3x32 writes rows of 32 bytes for pixels that see bytes step apart: byte i of a row comes from the line whose mask has bit i,",
		"at place at[line] + i of src, or is pad. at and masks are those of three lines. Other bytes of src are not touched.")
	lines := []reg.GPPhysical{rA0, rA1, rRow}
	a.load("at", rK)
	a.load("src", rB)
	for i, r := range lines {
		a.MOVQ(Mem{Base: rK, Disp: 8 * i}, r)
		a.ADDQ(rB, r)
	}
	a.load("masks", rK)
	for i := range lines {
		a.KMOVD(Mem{Base: rK, Disp: 4 * i}, maskRegister(1+i))
	}
	a.load("dst", rDst)
	a.load("step", rB2)
	a.load("pixels", rK)
	a.load("pad", rSegs)
	a.VPBROADCASTB(rSegs.As32(), reg.Y0)
	a.Label("pixel")
	x := reg.Y0
	for i, r := range lines {
		a.VPBLENDMB(Mem{Base: r}, x, maskRegister(1+i), reg.Y1)
		x = reg.Y1
		a.ADDQ(rB2, r)
	}
	a.VMOVDQU(x, Mem{Base: rDst})
	a.ADDQ(U8(32), rDst)
	a.DECQ(rK)
	a.JNZ(LabelRef("pixel"))
	a.done()
}
