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

// weights fetches the vectors of step u from rB on, loads them and returns the registers.
func (t tile512) weights(u int) []reg.VecPhysical {
	for p := range t.wide {
		t.fetchWeights(p, u)
		t.loadWeights(p, u)
	}
	return t.free()[:t.wide]
}

// panel is the place of the vector of step u in panel p of a group; the fourth panel needs 3 times rB2 in rA1.
func (t tile512) panel(p, u int) Mem {
	return []Mem{{Base: rB}, {Base: rB, Index: rB2, Scale: 1}, {Base: rB, Index: rB2, Scale: 2}, {Base: rB, Index: rA1, Scale: 1}}[p].Offset(64 * u)
}

// fetchWeights fetches a vector twelve steps ahead from the second level, where a panel usually lies; the gain is small (see
// NOTES.md of package tile).
func (t tile512) fetchWeights(p, u int) { t.PREFETCHT0(t.panel(p, u+12)) }

func (t tile512) loadWeights(p, u int) { t.VMOVUPS(t.panel(p, u), t.free()[p]) }

// masks splits the argument mask (a bit for each column) into K1, K2, K4 and K5 for 16 columns each and K3 for the first 32.
func (t tile512) masks() {
	t.load("mask", rK)
	t.KMOVD(rK.As32(), reg.K3)
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
