package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile512 is an AVX-512 tile: sums are in Z0 up, row by row; the last four registers are free for the vectors of weights
// (two), broadcast activations (two) and the constants of the store.
type tile512 struct{ tile }

func (t tile512) acc(r, p int) reg.VecPhysical { return zmm[r*t.wide+p] }

// free are the registers that hold no sum.
func (t tile512) free() []reg.VecPhysical { return zmm[t.rows*t.wide:] }

// weights loads the vectors of this step and returns the registers. Twelve steps ahead they are fetched from the second
// level, where a panel usually lies; the gain is small (see NOTES.md of package tile).
func (t tile512) weights() []reg.VecPhysical {
	w := zmm[28 : 28+t.wide]
	t.PREFETCHT0(Mem{Base: rB, Disp: 768})
	t.VMOVUPS(Mem{Base: rB}, w[0])
	if t.wide == 2 {
		t.PREFETCHT0(Mem{Base: rB, Index: rB2, Scale: 1, Disp: 768})
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
