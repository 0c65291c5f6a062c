package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
)

// tile is one shape of a tile: sums of rows x 16*wide elements. Rows beyond the seventh have a base of their own.
type tile struct {
	*asm
	rows, wide int // wide: panels of 16 columns side by side, 1 to 4
}

func (t tile) name() string { return fmt.Sprintf("tile_%dx%d", t.rows, 16*t.wide) }

// dispatch jumps to the body of the wanted shape and writes all bodies: of w panels side by side, 1 to tallest[w-1] rows, none for 0.
func dispatch(a *asm, body func(tile, string), tallest ...int) {
	var all []tile
	for w := len(tallest); w >= 1; w-- {
		for r := tallest[w-1]; r >= 1; r-- {
			all = append(all, tile{a, r, w})
		}
	}
	a.load("rows", rA0)
	for w := range tallest[1:] {
		if tallest[w] > 0 {
			a.CMPQ(a.arg("wide"), U8(uint64(w+1)))
			a.JEQ(LabelRef(fmt.Sprintf("wide%d", w+1)))
		}
	}
	for _, t := range all {
		if t.wide < len(tallest) && t.rows == tallest[t.wide-1] {
			a.Label(fmt.Sprintf("wide%d", t.wide))
		}
		if t.rows == 1 {
			a.JMP(LabelRef(t.name()))
			continue
		}
		a.CMPQ(rA0, U8(uint64(t.rows)))
		a.JEQ(LabelRef(t.name()))
	}
	for _, t := range all {
		a.Label(t.name())
		body(t, t.name())
	}
}

// locals are the variables of the loops that no register is left for.
type locals struct {
	b, col, left, nseg Mem // weights of the group of panels; its first column, times 4; groups left; segments left
}

func newLocals(a *asm) locals {
	return locals{a.AllocLocal(8), a.AllocLocal(8), a.AllocLocal(8), a.AllocLocal(8)}
}

// prologue loads what stays in registers for the whole call.
func (t tile) prologue() {
	t.load("aRow", rRow)
	t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	t.load("bPanel", rB2)
	t.load("dstRow", rDstRow)
}

// loops runs one for each tile of rows and, in it, each group of wide panels; rDst is the group's first result. After each
// tile of rows it runs after. Tiles are outside, so that the few rows of a tile stay in the first-level cache while all weights
// of the call pass by; the caller sees to it that these stay in the second (tile.F32.Each).
//
// Arguments dst, a, add and tiles are counted on in their places on the stack. In registers for the whole call: rRow, rRow3 and
// rRow5 (1, 3 and 5 times the distance of rows, for row), rB2 (of panels), rDstRow (of results). In a group of panels: rDst.
// Along k: rA0, rA1 (rows 0 and 7 at the current step; with four panels rA1 is thrice rB2), rB (weights), rNext (what is fetched
// ahead), rSegs, rK (steps left). Behind k all but rDst and the call's are free.
func (t tile) loops(name string, v locals, one func(), after ...func()) {
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
	t.LEAQ(Mem{Base: rB, Index: rB2, Scale: []uint8{1, 2, 2, 4}[t.wide-1]}, rB)
	if t.wide == 3 {
		t.ADDQ(rB2, rB)
	}
	t.MOVQ(rB, v.b)
	t.ADDQ(U32(uint64(64*t.wide)), v.col)
	t.DECQ(v.left)
	t.JNZ(LabelRef(name + "_panels"))
	t.load("dstTile", rK)
	t.ADDQ(rK, t.arg("dst"))
	t.load("aTile", rK)
	t.ADDQ(rK, t.arg("a"))
	for _, f := range after {
		f()
	}
	t.DECQ(t.arg("tiles"))
	t.JNZ(LabelRef(name + "_rows"))
	t.done()
}

// segments runs one for each segment of the rows, with rA0, rA1 at its first element (of size bytes). Behind each, bSkip bytes
// of weights are left out.
func (t tile) segments(name string, v locals, size uint8, one func()) {
	t.MOVQ(v.b, rB)
	t.load("segs", rSegs)
	t.load("nseg", rNext)
	t.MOVQ(rNext, v.nseg)
	t.load("a", rNext)
	t.ADDQ(t.arg("aTile"), rNext)
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
	t.ADDQ(t.arg("bSkip"), rB)
	t.DECQ(v.nseg)
	t.JNZ(LabelRef(name + "_seg"))
}

// advance moves on by n steps along k: 4 bytes of activations and a vector of weights each.
func (t tile) advance(n int) {
	t.ADDQ(U32(uint64(4*t.rows*n)), rNext)
	t.forward(n)
}

// forward is advance where the next tile's rows are not fetched.
func (t tile) forward(n int) {
	t.ADDQ(U8(uint64(4*n)), rA0)
	if t.rows > 7 {
		t.ADDQ(U8(uint64(4*n)), rA1)
	}
	t.ADDQ(U32(uint64(64*n)), rB)
}

// ahead fetches as many bytes of the next tile as step u after rNext reads: rows are short, and there are too many of
// them for the hardware to foresee.
func (t tile) ahead(u int) { t.PREFETCHT0(Mem{Base: rNext, Disp: 4 * t.rows * u}) }
