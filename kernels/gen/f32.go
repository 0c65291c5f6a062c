package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const f32Signature = `func(dst *float32, dstRow, dstTile, dstPanel int, a *float32, aRow, aHalf, aTile int,
	segs *int, nseg, segLen int, b *float32, bPanel int, bias *float32,
	rows, tiles, panels, wide, mask, begin, end int, act *uint32, residual *float32, bSkip int)`

// f32AVX512 writes the float tiles of up to 14 rows and one or two panels, 9 rows and three, or 6 rows and four.
func f32AVX512(ctx *build.Context) {
	a := function(ctx, "f32Tile512", f32Signature,
		"f32Tile512 computes tiles x panels tiles of rows x 16*wide sums. Distances are in bytes, segs in elements.",
		"Sums begin at the bias if begin, else at dst; where begin is 2, the lines of dst are fetched for writing meanwhile.",
		"act {lo, hi, table, NaN} holds if end, and lo, hi only if end is 2. mask has a bit for each column that is stored.",
		"residual, or nil, lies like dst and is added to what ends, before act. bSkip is the distance from the weights of a",
		"segment to those of the next.")
	a.residualApart()
	v := newLocals(a)
	dispatch(a, func(shape tile, name string) {
		t := tile512{shape}
		t.prologue()
		t.masks()
		t.fourth()
		t.loops(name, v, func() {
			t.f32Begin(name, v)
			t.segments(name, v, 4, func() { t.f32Segment(name, v) })
			t.f32Store(name)
		})
	}, 14, 14, 9, 6)
}

// f32Segment takes the steps of a segment. Activations are broadcast into two registers in turn, so that a load does not wait for the
// multiply-adds of the row before. All rows of a step come before the next step: each sum is one chain, and rows * panels of them
// hide its latency.
func (t tile512) f32Segment(name string, v locals) {
	t.load("segLen", rK)
	t.steps(name, v, func(w []reg.VecPhysical, u int) {
		free := t.free()[t.wide:]
		for r := range t.rows {
			x := free[r%min(2, len(free))]
			t.VPBROADCASTD(row(r).Offset(4*u), x)
			for p := range t.wide {
				t.VFMADD231PS(w[p], x, t.acc(r, p))
			}
		}
	})
}

// f32Begin sets the sums to the bias, or to what an earlier call stored.
func (t tile512) f32Begin(name string, v locals) {
	t.CMPQ(t.arg("begin"), U8(1))
	t.JLT(LabelRef(name + "_continue"))
	t.JEQ(LabelRef(name + "_bias"))
	t.claim(name)
	t.Label(name + "_bias")
	t.load("bias", rK)
	t.ADDQ(v.col, rK)
	for p := range t.wide {
		t.VMOVUPS(Mem{Base: rK, Disp: 64 * p}, t.acc(0, p))
		for r := 1; r < t.rows; r++ {
			t.VMOVAPS(t.acc(0, p), t.acc(r, p))
		}
	}
	t.JMP(LabelRef(name + "_begun"))
	t.Label(name + "_continue")
	t.MOVQ(rDst, rK)
	for r := range t.rows {
		for p := range t.wide {
			t.VMOVUPS_Z(Mem{Base: rK, Disp: 64 * p}, mask(p), t.acc(r, p))
		}
		t.ADDQ(rDstRow, rK)
	}
	t.Label(name + "_begun")
}

// f32Store applies act and stores. VMAXPS and VMINPS return their last operand (in Intel's order) if either is NaN or
// both are zero, so the sum stands there and a NaN wins. VFIXUPIMMPS then keeps numbers, replaces NaN and, by the table
// that the caller made for lo and hi, gives zeros the sign that +0 > -0 asks for.
func (t tile512) f32Store(name string) {
	lo, hi, table := reg.Z28, reg.Z29, reg.Z30
	t.CMPQ(t.arg("end"), U8(1))
	t.JLT(LabelRef(name + "_plain"))
	t.residual(name, func(at Mem, r int) {
		for p := range t.wide {
			t.VADDPS(at.Offset(64*p), t.acc(r, p), mask(p), t.acc(r, p))
		}
	})
	t.load("act", rK)
	t.VPBROADCASTD(Mem{Base: rK, Disp: actTable}, table)
	t.CMPQ(t.arg("end"), U8(1))
	t.JEQ(LabelRef(name + "_fix"))
	t.VBROADCASTSS(Mem{Base: rK, Disp: actLow}, lo)
	t.VBROADCASTSS(Mem{Base: rK, Disp: actHigh}, hi)
	t.eachAcc(func(r, p int) {
		t.VMAXPS(t.acc(r, p), lo, t.acc(r, p))
		t.VMINPS(t.acc(r, p), hi, t.acc(r, p))
	})
	t.Label(name + "_fix")
	nan, out := reg.Z28, [2]reg.VecPhysical{reg.Z29, reg.Z31}
	t.VBROADCASTSS(Mem{Base: rK, Disp: actNaN}, nan)
	t.f32Rows(func(r, p int) reg.VecPhysical {
		x := out[(r*t.wide+p)%2]
		t.VMOVAPS(nan, x)
		t.VFIXUPIMMPS(U8(0), table, t.acc(r, p), x)
		return x
	})
	t.JMP(LabelRef(name + "_stored"))
	t.Label(name + "_plain")
	t.f32Rows(t.acc)
	t.Label(name + "_stored")
}

// f32Rows stores what result gives for each sum, under the masks.
func (t tile512) f32Rows(result func(r, p int) reg.VecPhysical) {
	t.MOVQ(rDst, rK)
	for r := range t.rows {
		for p := range t.wide {
			t.VMOVUPS(result(r, p), mask(p), Mem{Base: rK, Disp: 64 * p})
		}
		t.ADDQ(rDstRow, rK)
	}
}

func (t tile512) eachAcc(f func(r, p int)) {
	for r := range t.rows {
		for p := range t.wide {
			f(r, p)
		}
	}
}

// mask is the register with the bits of panel p of a group.
func mask(p int) reg.OpmaskPhysical { return []reg.OpmaskPhysical{reg.K1, reg.K2, reg.K4, reg.K5}[p] }

// claim fetches the lines of the tile's results for writing (PREFETCHW, which Go's assembler has no name for), so that the
// stores at the end do not wait for them, and those of a residual. It writes nothing and faults nowhere, masked columns
// included.
func (t tile512) claim(name string) {
	t.residual(name+"_ahead", func(at Mem, _ int) {
		for p := range t.wide {
			t.PREFETCHT0(at.Offset(64 * p))
		}
	})
	t.MOVQ(rDst, rK)
	for r := range t.rows {
		for p := range t.wide {
			t.prefetchW(rK, 64*p)
		}
		if r+1 < t.rows {
			t.ADDQ(rDstRow, rK)
		}
	}
}
