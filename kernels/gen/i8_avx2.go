package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// i8AVX2 writes the integer tiles of up to 6 rows and one panel, as two halves of 8 columns. Bytes are widened to 16 bits
// and multiplied by VPMADDWD, whose pairs of products (below 2^17) never saturate; VPMADDUBSW would. A sum of a column is
// two int32 side by side until the end.
func i8AVX2(ctx *build.Context) {
	table := laneMasks(ctx)
	write := func(a *asm, words bool) {
		v := newLocals(a)
		h := halves{a.AllocLocal(8), words}
		dispatch(a, func(shape tile, name string) {
			t := tile256{shape}
			t.prologue()
			t.loops(name, v, func() {
				for i := range 2 {
					n := fmt.Sprintf("%s_half%d", name, i)
					t.i8Half(n, v, h, i, table)
				}
			}, t.nextAdd)
		}, 6)
	}
	write(function(ctx, "i8Tile256", i8Signature,
		"i8Tile256 is i8Tile512 for tiles of up to 6 rows and wide 1, with AVX2. mult can be read to the end of a panel."), false)
	write(function(ctx, "i8Words256", i8Signature,
		"i8Words256 is i8Tile256 for activations that are words: offsets of segments are in words. There is no tail."), true)
	widenRows(ctx)
}

// widenRows writes what makes words of bytes.
func widenRows(ctx *build.Context) {
	a := function(ctx, "widen16", "func(dst *int16, src *byte, dstRow, srcRow, blocks, rows int)",
		"widen16 makes words of blocks times 16 bytes of each of rows rows. Distances are in bytes.")
	dst, src, n, rows := rDst, rA0, rK, rB
	a.load("rows", rows)
	a.Label("row")
	a.load("dst", dst)
	a.load("src", src)
	a.load("blocks", n)
	a.Label("block")
	a.VPMOVZXBW(Mem{Base: src}, reg.Y0)
	a.VMOVDQU(reg.Y0, Mem{Base: dst})
	a.ADDQ(U8(16), src)
	a.ADDQ(U8(32), dst)
	a.DECQ(n)
	a.JNZ(LabelRef("block"))
	a.load("dstRow", n)
	a.ADDQ(n, a.arg("dst"))
	a.load("srcRow", n)
	a.ADDQ(n, a.arg("src"))
	a.DECQ(rows)
	a.JNZ(LabelRef("row"))
	a.done()
}

// halves has the columns of the half that count, and whether activations are words.
type halves struct {
	cols  Mem
	words bool
}

func (t tile256) i8Half(name string, v locals, h halves, half int, table Mem) {
	t.load("mask", rK)
	t.SHRQ(U8(uint64(8*half)), rK)
	t.ANDQ(U32(0xff), rK)
	t.POPCNTQ(rK, rK)
	t.MOVQ(rK, h.cols)
	t.JEQ(LabelRef(name + "_end"))
	for i := range 2 * t.rows {
		t.VPXOR(ymm[i], ymm[i], ymm[i])
	}
	if h.words {
		t.segments(name, v, 2, func() {
			t.load("groups", rK)
			t.Label(name + "_k")
			t.i8Group(half, h.words, row)
			t.ADDQ(U8(8), rA0)
			t.ADDQ(U8(64), rB)
			t.DECQ(rK)
			t.JNZ(LabelRef(name + "_k"))
		})
		t.i8Results(name, v, h, half, table)
		return
	}
	t.segments(name, v, 1, func() {
		t.load("groups", rK)
		t.TESTQ(rK, rK)
		t.JEQ(LabelRef(name + "_tail"))
		t.Label(name + "_k")
		t.i8Group(half, false, row)
		t.ahead(0)
		t.advance(1)
		t.DECQ(rK)
		t.JNZ(LabelRef(name + "_k"))
		t.Label(name + "_tail")
		t.load("tail", rK)
		t.TESTQ(rK, rK)
		t.JEQ(LabelRef(name + "_next"))
		t.i8Group(half, false, func(r int) Mem { return Mem{Base: rK, Disp: 4 * r} })
		t.ADDQ(U8(64), rB)
		t.Label(name + "_next")
	})
	t.i8Results(name, v, h, half, table)
}

// i8Results makes bytes or floats of the sums of a half and stores them.
func (t tile256) i8Results(name string, v locals, h halves, half int, table Mem) {
	t.i8Sums(name, v, half)
	t.i8Scaled(v, half)
	t.MOVQ(rDst, rA0)
	t.CMPQ(t.arg("float"), U8(0))
	t.JNE(LabelRef(name + "_float"))
	t.ADDQ(U8(uint64(8*half)), rA0)
	t.i8Bytes(name, h)
	t.JMP(LabelRef(name + "_end"))
	t.Label(name + "_float")
	t.ADDQ(U8(uint64(32*half)), rA0)
	t.i8Floats(name, h, table)
	t.Label(name + "_end")
}

// i8Group adds one group of four for 8 columns: each vector of weights has 4 columns. Registers: Y12 and Y13 weights, Y14 a row's four
// bytes as words, repeated (which they are already, if words), Y15 products; sums of columns 0 to 3 are in acc(r, 0), of 4 to 7 in acc(r, 1), as pairs that
// i8Sums joins.
func (t tile256) i8Group(half int, words bool, from func(int) Mem) {
	t.VPMOVSXBW(Mem{Base: rB, Disp: 32 * half}, reg.Y12)
	t.VPMOVSXBW(Mem{Base: rB, Disp: 32*half + 16}, reg.Y13)
	for r := range t.rows {
		if words {
			t.VPBROADCASTQ(from(r), reg.Y14)
		} else {
			t.VPBROADCASTD(from(r), reg.X14)
			t.VPMOVZXBW(reg.X14, reg.Y14)
		}
		t.VPMADDWD(reg.Y12, reg.Y14, reg.Y15)
		t.VPADDD(reg.Y15, t.acc(r, 0), t.acc(r, 0))
		t.VPMADDWD(reg.Y13, reg.Y14, reg.Y15)
		t.VPADDD(reg.Y15, t.acc(r, 1), t.acc(r, 1))
	}
}

// i8Sums leaves the 8 sums of row r in acc(r, 0), with bias, less zero point times sum of weights, and with what
// is added to the row.
func (t tile256) i8Sums(name string, v locals, half int) {
	t.load("rq", rK)
	t.VPBROADCASTD(Mem{Base: rK, Disp: rqXZero}, reg.Y12)
	t.load("sum", rK)
	t.ADDQ(v.col, rK)
	t.VPMULLD(Mem{Base: rK, Disp: 32 * half}, reg.Y12, reg.Y12)
	t.load("bias", rK)
	t.ADDQ(v.col, rK)
	t.VMOVDQU(Mem{Base: rK, Disp: 32 * half}, reg.Y13)
	t.VPSUBD(reg.Y12, reg.Y13, reg.Y13)
	for r := range t.rows {
		x := t.acc(r, 0)
		t.VPHADDD(t.acc(r, 1), x, x)
		t.VPERMQ(U8(0xd8), x, x)
		t.VPADDD(reg.Y13, x, x)
	}
	t.CMPQ(t.arg("addStep"), U8(0))
	t.JEQ(LabelRef(name + "_sums"))
	t.load("add", rK)
	for r := range t.rows {
		t.VPBROADCASTD(Mem{Base: rK, Disp: 4 * r}, reg.Y14)
		t.VPADDD(reg.Y14, t.acc(r, 0), t.acc(r, 0))
	}
	t.Label(name + "_sums")
}

// i8Scaled turns sums into floats times mult, which is in acc(r, 0) of the rows afterwards.
func (t tile256) i8Scaled(v locals, half int) {
	t.load("mult", rK)
	t.load("multMask", rSegs)
	t.ANDQ(v.col, rSegs)
	t.ADDQ(rSegs, rK)
	t.VMOVUPS(Mem{Base: rK, Disp: 32 * half}, reg.Y12)
	for r := range t.rows {
		t.VCVTDQ2PS(t.acc(r, 0), t.acc(r, 0))
		t.VMULPS(reg.Y12, t.acc(r, 0), t.acc(r, 0))
	}
}

// i8Bytes requantizes and stores 8 bytes a row from rA0 on, or as many as count. Products are limited above before they are
// converted, since multipliers may reach 1 here and the conversion overflows; below, its overflow is the lowest number and
// right, for NaN as well. The sum stands last in VMINPS (in Intel's order), so that NaN stays.
func (t tile256) i8Bytes(name string, h halves) {
	t.load("rq", rK)
	t.VBROADCASTSS(Mem{Base: rK, Disp: rqHigh}, reg.Y12)
	t.VPBROADCASTD(Mem{Base: rK, Disp: rqZero}, reg.Y13)
	for r := range t.rows {
		x := t.acc(r, 0)
		t.VMINPS(x, reg.Y12, x)
		t.VCVTPS2DQ(x, x)
		t.VPACKSSDW(x, x, x)
		t.VPERMQ(U8(0x08), x, x)
		t.VPADDSW(reg.Y13, x, x)
		t.VPACKUSWB(x, x, x)
	}
	t.CMPQ(h.cols, U8(8))
	t.JNE(LabelRef(name + "_some"))
	for r := range t.rows {
		t.VMOVQ(t.acc(r, 0).AsX(), Mem{Base: rA0})
		t.ADDQ(rDstRow, rA0)
	}
	t.JMP(LabelRef(name + "_bytes"))
	t.Label(name + "_some")
	for r := range t.rows {
		t.VMOVQ(t.acc(r, 0).AsX(), rK)
		t.MOVQ(h.cols, rSegs)
		t.MOVQ(rA0, rNseg)
		t.Label(fmt.Sprintf("%s_byte%d", name, r))
		t.MOVB(rK.As8(), Mem{Base: rNseg})
		t.SHRQ(U8(8), rK)
		t.INCQ(rNseg)
		t.DECQ(rSegs)
		t.JNZ(LabelRef(fmt.Sprintf("%s_byte%d", name, r)))
		t.ADDQ(rDstRow, rA0)
	}
	t.Label(name + "_bytes")
}

// i8Floats stores 8 floats a row from rA0 on, or as many as count.
func (t tile256) i8Floats(name string, h halves, table Mem) {
	t.load("rq", rK)
	var sums []reg.VecPhysical
	for r := range t.rows {
		sums = append(sums, t.acc(r, 0))
	}
	t.canon(Mem{Base: rK, Disp: rqNaN}, sums)
	t.MOVQ(h.cols, rK)
	t.NEGQ(rK)
	t.LEAQ(table.Offset(64), rSegs)
	t.VMOVDQU(Mem{Base: rSegs, Index: rK, Scale: 4}, reg.Y12)
	for r := range t.rows {
		t.VMASKMOVPS(t.acc(r, 0), reg.Y12, Mem{Base: rA0})
		t.ADDQ(rDstRow, rA0)
	}
}
