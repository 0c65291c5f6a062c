package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const f32Signature = `func(dst *float32, dstRow, dstTile, dstPanel int, a *float32, aRow, aHalf, aTile int,
	segs *int, nseg, segLen int, b *float32, bPanel int, bias *float32,
	rows, tiles, panels, wide, mask, begin, end int, act *uint32)`

// f32AVX512 writes the float tiles of up to 14 rows and one or two panels.
func f32AVX512(ctx *build.Context) {
	a := function(ctx, "f32Tile512", f32Signature,
		"f32Tile512 computes tiles x panels tiles of rows x 16*wide sums. Distances are in bytes, segs in elements.",
		"Sums begin at the bias if begin, else at dst; act {lo, hi, table, NaN} holds if end, and lo, hi only if end is 2.",
		"mask has a bit for each column that is stored.")
	v := newLocals(a)
	dispatch(a, 14, 2, func(shape tile, name string) {
		t := tile512{shape}
		t.prologue()
		t.masks()
		t.loops(name, v, func() {
			t.f32Begin(name, v)
			t.segments(name, v, 4, func() {
				t.load("segLen", rK)
				t.Label(name + "_k")
				t.f32Step()
				t.advance()
				t.DECQ(rK)
				t.JNZ(LabelRef(name + "_k"))
			})
			t.f32Store(name)
		})
	})
}

// f32Step is one step of every chain.
func (t tile512) f32Step() {
	w := t.weights()
	for r := range t.rows {
		x := zmm[30+r%2]
		t.VBROADCASTSS(row(r), x)
		for p := range t.wide {
			t.VFMADD231PS(w[p], x, t.acc(r, p))
		}
	}
}

// f32Begin sets the sums to the bias, or to what an earlier call stored.
func (t tile512) f32Begin(name string, v locals) {
	t.CMPQ(t.arg("begin"), U8(0))
	t.JEQ(LabelRef(name + "_continue"))
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
	lo, hi, table, out := reg.Z28, reg.Z29, reg.Z30, reg.Z31
	t.CMPQ(t.arg("end"), U8(1))
	t.JLT(LabelRef(name + "_plain"))
	t.load("act", rK)
	t.VBROADCASTSS(Mem{Base: rK}, lo)
	t.VBROADCASTSS(Mem{Base: rK, Disp: 4}, hi)
	t.VPBROADCASTD(Mem{Base: rK, Disp: 8}, table)
	t.JEQ(LabelRef(name + "_fix"))
	t.eachAcc(func(r, p int) {
		t.VMAXPS(t.acc(r, p), lo, t.acc(r, p))
		t.VMINPS(t.acc(r, p), hi, t.acc(r, p))
	})
	t.Label(name + "_fix")
	t.eachAcc(func(r, p int) {
		t.VBROADCASTSS(Mem{Base: rK, Disp: 12}, out)
		t.VFIXUPIMMPS(U8(0), table, t.acc(r, p), out)
		t.VMOVAPS(out, t.acc(r, p))
	})
	t.Label(name + "_plain")
	t.MOVQ(rDst, rK)
	for r := range t.rows {
		for p := range t.wide {
			t.VMOVUPS(t.acc(r, p), mask(p), Mem{Base: rK, Disp: 64 * p})
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
func mask(p int) reg.OpmaskPhysical {
	if p == 0 {
		return reg.K1
	}
	return reg.K2
}
