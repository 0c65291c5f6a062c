package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packAVX2 writes what packs a matrix of bytes that is computed anew in each run: groups of four rows are interleaved. Sums of columns
// are made on the way, of bytes that are in registers already: X8 to X11 hold four columns each.
func packAVX2(ctx *build.Context) {
	a := function(ctx, "pack4x16", "func(dst *int8, src *byte, ld, groups int, flip *byte, sum *int32)",
		"pack4x16 interleaves groups times four rows of 16 bytes, ld bytes apart, each xor'ed with the 16 bytes of flip, to",
		"[groups][16][4]; sum has the sums of the 16 columns, as signed bytes.")
	dst, src, ld, ld3, n, p := rDst, rA0, rRow, rRow3, rK, rB
	a.load("dst", dst)
	a.load("src", src)
	a.load("ld", ld)
	a.load("groups", n)
	a.load("flip", p)
	a.LEAQ(Mem{Base: ld, Index: ld, Scale: 2}, ld3)
	flip, ones, words := reg.X15, reg.X14, reg.X13
	a.VMOVDQU(Mem{Base: p}, flip)
	a.VPCMPEQD(words, words, words)
	a.VPABSB(words, ones)  // 16 bytes of 1
	a.VPABSW(words, words) // 8 words of 1
	x := func(i int) reg.VecPhysical { return ymm[i].AsX().(reg.VecPhysical) }
	for i := 8; i < 12; i++ {
		a.VPXOR(x(i), x(i), x(i))
	}
	a.Label("group")
	a.VPXOR(Mem{Base: src}, flip, x(0))
	a.VPXOR(Mem{Base: src, Index: ld, Scale: 1}, flip, x(1))
	a.VPXOR(Mem{Base: src, Index: ld, Scale: 2}, flip, x(2))
	a.VPXOR(Mem{Base: src, Index: ld3, Scale: 1}, flip, x(3))
	a.LEAQ(Mem{Base: src, Index: ld, Scale: 4}, src)
	a.VPUNPCKLBW(x(1), x(0), x(4))
	a.VPUNPCKHBW(x(1), x(0), x(5))
	a.VPUNPCKLBW(x(3), x(2), x(6))
	a.VPUNPCKHBW(x(3), x(2), x(7))
	a.VPUNPCKLWD(x(6), x(4), x(0))
	a.VPUNPCKHWD(x(6), x(4), x(1))
	a.VPUNPCKLWD(x(7), x(5), x(2))
	a.VPUNPCKHWD(x(7), x(5), x(3))
	for i := range 4 {
		a.VMOVDQU(x(i), Mem{Base: dst, Disp: 16 * i})
		a.VPMADDUBSW(x(i), ones, x(4+i)) // sums of two bytes do not saturate
		a.VPMADDWD(words, x(4+i), x(4+i))
		a.VPADDD(x(4+i), x(8+i), x(8+i))
	}
	a.ADDQ(U8(64), dst)
	a.DECQ(n)
	a.JNZ(LabelRef("group"))
	a.load("sum", p)
	for i := range 4 {
		a.VMOVDQU(x(8+i), Mem{Base: p, Disp: 16 * i})
	}
	a.done()
	sumRows(ctx)
	copyRows(ctx)
}

// copyRows writes what packs a panel of floats.
func copyRows(ctx *build.Context) {
	a := function(ctx, "copyRows16", "func(dst, src *float32, ld, rows int, mask *int32)",
		"copyRows16 copies rows of 16 floats, ld bytes apart in src and one behind the other in dst. Columns whose mask is not",
		"negative are 0 and not read.")
	dst, src, ld, rows := rDst, rA0, rRow, rK
	a.load("dst", dst)
	a.load("src", src)
	a.load("ld", ld)
	a.load("rows", rows)
	a.load("mask", rB)
	a.VMOVDQU(Mem{Base: rB}, reg.Y2)
	a.VMOVDQU(Mem{Base: rB, Disp: 32}, reg.Y3)
	a.Label("row")
	a.VMASKMOVPS(Mem{Base: src}, reg.Y2, reg.Y0)
	a.VMASKMOVPS(Mem{Base: src, Disp: 32}, reg.Y3, reg.Y1)
	a.VMOVUPS(reg.Y0, Mem{Base: dst})
	a.VMOVUPS(reg.Y1, Mem{Base: dst, Disp: 32})
	a.ADDQ(ld, src)
	a.ADDQ(U8(64), dst)
	a.DECQ(rows)
	a.JNZ(LabelRef("row"))
	a.done()
}

// sumRows writes what adds up bytes of rows: the sums that a zero point on the right asks for.
func sumRows(ctx *build.Context) {
	a := function(ctx, "sumRows32", "func(dst *int32, src *byte, ld, blocks, rows int, factor int)",
		"sumRows32 writes factor times the sum of blocks times 32 bytes for each of rows rows, ld bytes apart.")
	dst, src, ld, n, rows, p := rDst, rA0, rRow, rK, rB, rA1
	a.load("dst", dst)
	a.load("src", src)
	a.load("ld", ld)
	a.load("rows", rows)
	a.VPXOR(reg.Y1, reg.Y1, reg.Y1)
	a.Label("row")
	a.VPXOR(reg.Y0, reg.Y0, reg.Y0)
	a.load("blocks", n)
	a.MOVQ(src, p)
	a.Label("block")
	a.VPSADBW(Mem{Base: p}, reg.Y1, reg.Y2)
	a.VPADDQ(reg.Y2, reg.Y0, reg.Y0)
	a.ADDQ(U8(32), p)
	a.DECQ(n)
	a.JNZ(LabelRef("block"))
	a.VEXTRACTI128(U8(1), reg.Y0, reg.X2)
	a.VPADDQ(reg.X2, reg.X0, reg.X0)
	a.VPSHUFD(U8(0x4e), reg.X0, reg.X2)
	a.VPADDQ(reg.X2, reg.X0, reg.X0)
	a.VMOVQ(reg.X0, p)
	a.IMULQ(a.arg("factor"), p)
	a.MOVL(p.As32(), Mem{Base: dst})
	a.ADDQ(U8(4), dst)
	a.ADDQ(ld, src)
	a.DECQ(rows)
	a.JNZ(LabelRef("row"))
	a.done()
}
