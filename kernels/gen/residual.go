package main

import (
	. "github.com/mmcloughlin/avo/operand"
)

// A residual lies like the results of a float tile, so one distance leads from each of these to what is added to it.
// The argument holds the address first, and the distance in bytes from dst once residualApart ran; nil becomes 0, which
// no residual has, since it is apart from dst.

// residualApart turns the argument into the distance. It stands at the beginning, before dst moves.
func (a *asm) residualApart() {
	a.load("residual", rK)
	a.TESTQ(rK, rK)
	a.JEQ(LabelRef("no_residual"))
	a.SUBQ(a.arg("dst"), rK)
	a.MOVQ(rK, a.arg("residual"))
	a.Label("no_residual")
}

// residual emits each for every row of the tile's residual, if there is one. rK is destroyed, and flags.
func (t tile) residual(name string, each func(at Mem, r int)) {
	t.load("residual", rK)
	t.TESTQ(rK, rK)
	t.JEQ(LabelRef(name + "_alone"))
	t.ADDQ(rDst, rK)
	for r := range t.rows {
		each(Mem{Base: rK}, r)
		if r+1 < t.rows {
			t.ADDQ(rDstRow, rK)
		}
	}
	t.Label(name + "_alone")
}
