package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile512 is an AVX-512 tile: sums are in Z0 up, row by row; four or five are left for the vectors of weights,
// broadcast activations and the constants of the store.
type tile512 struct{ tile }

func (t tile512) acc(r, p int) reg.VecPhysical { return zmm[r*t.wide+p] }

// free are the registers that hold no sum.
func (t tile512) free() []reg.VecPhysical { return zmm[t.rows*t.wide:] }

// weights loads the vectors of step u from rB on and returns the registers. Twelve steps ahead they are fetched from the
// second level, where a panel usually lies; the gain is small (see NOTES.md of package tile).
func (t tile512) weights(u int) []reg.VecPhysical {
	w := t.free()[:t.wide]
	at := []Mem{{Base: rB}, {Base: rB, Index: rB2, Scale: 1}, {Base: rB, Index: rB2, Scale: 2}}
	for p := range t.wide {
		t.PREFETCHT0(at[p].Offset(64*u + 768))
		t.VMOVUPS(at[p].Offset(64*u), w[p])
	}
	return w
}

// masks splits the argument mask (a bit for each column) into K1, K2 and K4 for 16 columns each and K3 for the first 32.
func (t tile512) masks() {
	t.load("mask", rK)
	t.KMOVD(rK.As32(), reg.K3)
	t.KMOVW(rK.As32(), reg.K1)
	t.SHRQ(U8(16), rK)
	t.KMOVW(rK.As32(), reg.K2)
	if t.wide == 3 {
		t.SHRQ(U8(16), rK)
		t.KMOVW(rK.As32(), reg.K4)
	}
}

// prefetchW emits PREFETCHW of the line at R9 and a distance.
func (t tile512) prefetchW(base reg.GPPhysical, disp int) {
	if base != reg.R9 {
		panic("prefetchW: a base that is not R9")
	}
	t.bytes(0x41, 0x0f, 0x0d, 0x89, uint64(disp), 0, 0, 0)
}
