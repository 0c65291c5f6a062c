package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile512 is an AVX-512 tile: sums are in Z0 up, row by row; what is left is for the vectors of weights, one for each panel, two
// broadcast activations and the constants of the store: 4 registers with 14 x 2 sums, 5 with 9 x 3, 8 with 6 x 4. A step has
// rows + panels loads for rows * panels multiply-adds.
type tile512 struct{ tile }

func (t tile512) acc(r, p int) reg.VecPhysical { return zmm[r*t.wide+p] }

// free are the registers that hold no sum.
func (t tile512) free() []reg.VecPhysical { return zmm[t.rows*t.wide:] }

// weights loads the vectors of step u from rB on and returns the registers. With fetch, they are fetched twelve steps ahead
// from the second level, where a panel usually lies; the gain is small (see NOTES.md of package tile).
func (t tile512) weights(u int, fetch bool) []reg.VecPhysical {
	w := t.free()[:t.wide]
	at := t.panels()
	for p := range t.wide {
		if fetch && t.rows > lowRows {
			t.PREFETCHT0(at[p].Offset(64*u + 768))
		}
		t.VMOVUPS(at[p].Offset(64*u), w[p])
	}
	return w
}

// panels are the places of the weights of up to four panels at rB.
func (t tile512) panels() []Mem {
	return []Mem{{Base: rB}, {Base: rB, Index: rB2, Scale: 1}, {Base: rB, Index: rB2, Scale: 2}, {Base: rB, Index: rA1, Scale: 1}}
}

// lowRows is the number of rows up to which weights are not fetched ahead: a tile does so little with them that fetching the same
// lines takes turns from loading them.
const lowRows = 2

// fourth sets rA1, which tiles of four panels are too low to need for rows, to the distance of the fourth.
func (t tile512) fourth() {
	if t.wide == 4 {
		t.LEAQ(Mem{Base: rB2, Index: rB2, Scale: 2}, rA1)
	}
}

// shallow is the number of steps up to which four panels stay in the first-level cache: fetching them ahead would only take
// turns from what uses them.
const shallow = 192

// many is the number of steps in one round of the loops.
const many = 4

// steps takes rK steps along k, four at a time and then one by one. Only the first group of panels fetches the rows of the
// next tile.
func (t tile512) steps(name string, v locals, one func(w []reg.VecPhysical, u int)) {
	t.SUBQ(U8(many), rK)
	t.JLT(LabelRef(name + "_few"))
	if t.wide == 4 {
		t.CMPQ(rB2, U32(64*shallow))
		t.JLE(LabelRef(name + "_shallow"))
	}
	t.CMPQ(v.col, U8(0))
	t.JNE(LabelRef(name + "_near"))
	t.rounds(name+"_many", one, true, true)
	t.JMP(LabelRef(name + "_few"))
	t.rounds(name+"_near", one, true, false)
	if t.wide == 4 {
		t.JMP(LabelRef(name + "_few"))
		t.rounds(name+"_shallow", one, false, true)
	}
	t.Label(name + "_few")
	t.ADDQ(U8(many), rK)
	t.JEQ(LabelRef(name + "_end"))
	t.Label(name + "_one")
	one(t.weights(0, true), 0)
	t.advance(1)
	t.DECQ(rK)
	t.JNZ(LabelRef(name + "_one"))
	t.Label(name + "_end")
}

// rounds takes many steps a round as long as so many are left. They may fetch the weights, and the next tile's rows.
func (t tile512) rounds(label string, one func(w []reg.VecPhysical, u int), weights, rows bool) {
	t.Label(label)
	for u := range many {
		one(t.weights(u, weights), u)
		if rows {
			t.ahead(u)
		}
	}
	if rows {
		t.ADDQ(U32(uint64(4*t.rows*many)), rNext)
	}
	t.forward(many)
	t.SUBQ(U8(many), rK)
	t.JGE(LabelRef(label))
}

// masks splits the argument mask (a bit for each column) into K1, K2, K4 and K5 for 16 columns each; K3 has the first 32, K6 all.
func (t tile512) masks() {
	t.load("mask", rK)
	t.KMOVD(rK.As32(), reg.K3)
	if t.wide == 4 {
		t.KMOVQ(rK, reg.K6)
	}
	t.KMOVW(rK.As32(), reg.K1)
	t.SHRQ(U8(16), rK)
	t.KMOVW(rK.As32(), reg.K2)
	for _, k := range []reg.OpmaskPhysical{reg.K4, reg.K5}[:max(0, t.wide-2)] {
		t.SHRQ(U8(16), rK)
		t.KMOVW(rK.As32(), k)
	}
}

// prefetchW emits PREFETCHW of the line at R9 and a distance.
func (t tile512) prefetchW(base reg.GPPhysical, disp int) {
	if base != reg.R9 {
		panic("prefetchW: a base that is not R9")
	}
	t.bytes(0x41, 0x0f, 0x0d, 0x89, uint64(disp), 0, 0, 0)
}
