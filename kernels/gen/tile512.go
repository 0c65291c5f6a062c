package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile512 is one shape of an AVX-512 tile: accumulators are Z0 up, row by row; the last four registers are free for the
// vectors of weights (two), broadcast activations (two) and the constants of the store.
type tile512 struct {
	*asm
	rows, wide int // wide: panels of 16 columns side by side, 1 or 2
}

func (t tile512) acc(r, p int) reg.VecPhysical { return zmm[r*t.wide+p] }

// free are the registers that hold no sum.
func (t tile512) free() []reg.VecPhysical { return zmm[t.rows*t.wide:] }

// dispatch512 jumps to the body of the wanted shape and writes all bodies.
func dispatch512(a *asm, body func(tile512, string)) {
	name := func(t tile512) string { return fmt.Sprintf("tile_%dx%d", t.rows, 16*t.wide) }
	var all []tile512
	for wide := 2; wide >= 1; wide-- {
		for rows := 14; rows >= 1; rows-- {
			all = append(all, tile512{a, rows, wide})
		}
	}
	a.load("rows", rA0)
	a.CMPQ(a.arg("wide"), U8(1))
	a.JEQ(LabelRef("narrow"))
	for _, t := range all {
		if t.rows == 14 && t.wide == 1 {
			a.Label("narrow")
		}
		if t.rows == 1 {
			a.JMP(LabelRef(name(t)))
			continue
		}
		a.CMPQ(rA0, U8(uint64(t.rows)))
		a.JEQ(LabelRef(name(t)))
	}
	for _, t := range all {
		a.Label(name(t))
		body(t, name(t))
	}
}

// locals are the variables of the loops that no register is left for.
type locals struct {
	b, col, left Mem // weights of the group of panels; its first column, times 4; groups left
}

func newLocals(a *asm) locals { return locals{a.AllocLocal(8), a.AllocLocal(8), a.AllocLocal(8)} }

// prologue loads what stays in registers for the whole call.
func (t tile512) prologue() {
	t.load("aRow", rRow)
	t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	t.load("bPanel", rB2)
	t.load("dstRow", rDstRow)
}

// loops runs one for each tile of rows and, in it, each group of wide panels; rDst is the group's first result.
func (t tile512) loops(name string, v locals, one func()) {
	t.Label(name + "_rows")
	t.load("dst", rDst)
	t.load("b", rB)
	t.MOVQ(rB, v.b)
	t.load("panels", rK)
	t.MOVQ(rK, v.left)
	t.MOVQ(U32(0), v.col)
	t.Label(name + "_panels")
	one()
	t.ADDQ(t.arg("dstPanel"), rDst)
	t.MOVQ(v.b, rB)
	t.LEAQ(Mem{Base: rB, Index: rB2, Scale: uint8(t.wide)}, rB)
	t.MOVQ(rB, v.b)
	t.ADDQ(U32(uint64(64*t.wide)), v.col)
	t.DECQ(v.left)
	t.JNZ(LabelRef(name + "_panels"))
	t.load("dstTile", rK)
	t.ADDQ(rK, t.arg("dst"))
	t.load("aTile", rK)
	t.ADDQ(rK, t.arg("a"))
	t.DECQ(t.arg("tiles"))
	t.JNZ(LabelRef(name + "_rows"))
	t.done()
}

// segments runs one for each segment of the rows, with rA0, rA1 at its first element (of size bytes).
func (t tile512) segments(name string, v locals, size uint8, one func()) {
	t.MOVQ(v.b, rB)
	t.load("segs", rSegs)
	t.load("nseg", rNseg)
	t.Label(name + "_seg")
	t.MOVQ(Mem{Base: rSegs}, rK)
	t.ADDQ(U8(8), rSegs)
	t.load("a", rA0)
	t.LEAQ(Mem{Base: rA0, Index: rK, Scale: size}, rA0)
	if t.rows > 7 {
		t.load("aHalf", rA1)
		t.ADDQ(rA0, rA1)
	}
	one()
	t.DECQ(rNseg)
	t.JNZ(LabelRef(name + "_seg"))
}

// advance moves on by one step along k: 4 bytes of activations, a vector of weights.
func (t tile512) advance() {
	t.ADDQ(U8(4), rA0)
	if t.rows > 7 {
		t.ADDQ(U8(4), rA1)
	}
	t.ADDQ(U8(64), rB)
}

// weights loads the vectors of this step and returns the registers.
func (t tile512) weights() []reg.VecPhysical {
	w := zmm[28 : 28+t.wide]
	t.VMOVUPS(Mem{Base: rB}, w[0])
	if t.wide == 2 {
		t.VMOVUPS(Mem{Base: rB, Index: rB2, Scale: 1}, w[1])
	}
	return w
}

// masks splits the argument mask (a bit for each column) into K1 and K2 for 16 columns each and K3 for all.
func (t tile512) masks() {
	t.load("mask", rK)
	t.KMOVD(rK.As32(), reg.K3)
	t.KMOVW(rK.As32(), reg.K1)
	t.SHRQ(U8(16), rK)
	t.KMOVW(rK.As32(), reg.K2)
}
