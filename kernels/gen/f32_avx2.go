package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Places in the argument act of float kernels, in bytes.
const (
	actLow   = 4 * iota // limits, float32
	actHigh             //
	actTable            // of VFIXUPIMMPS
	actNaN              // what is stored for NaN
	actZero             // +0 or -0, added to clamped results: -0 changes nothing, +0 turns -0 into +0
	actSign             // or'ed into clamped results: the sign bit if the upper limit is -0
)

// tile256 is an AVX2 tile: one panel, rows x 2 vectors of sums in Y0 up, Y12 to Y15 free.
type tile256 struct{ tile }

func (t tile256) acc(r, p int) reg.VecPhysical { return ymm[2*r+p] }

func (t tile256) eachAcc(f func(r, p int)) {
	for r := range t.rows {
		for p := range 2 {
			f(r, p)
		}
	}
}

// laneMasks is a table of 16 lanes of ones and 16 of zeros: 16-n lanes into it begins a mask of n lanes.
func laneMasks(ctx *build.Context) Mem {
	m := ctx.StaticGlobal("lanes")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 32 {
		v := U32(0)
		if i < 16 {
			v = U32(0xffffffff)
		}
		ctx.AddDatum(4*i, v)
	}
	return m
}

// maskAddress sets r to the lane mask of as many lanes as argument mask has bits.
func (a *asm) maskAddress(table Mem, r, tmp reg.GPPhysical) {
	a.load("mask", tmp)
	a.POPCNTQ(tmp, tmp)
	a.NEGQ(tmp)
	a.LEAQ(table.Offset(64), r)
	a.LEAQ(Mem{Base: r, Index: tmp, Scale: 4}, r)
}

// f32AVX2 writes the float tiles of up to 6 rows and one panel. The contract is that of f32Tile512.
func f32AVX2(ctx *build.Context) {
	table := laneMasks(ctx)
	a := function(ctx, "f32Tile256", f32Signature,
		"f32Tile256 is f32Tile512 for tiles of up to 6 rows and wide 1, with AVX2 and FMA.")
	a.residualApart()
	v := newLocals(a)
	dispatch(a, func(shape tile, name string) {
		t := tile256{shape}
		t.prologue()
		t.loops(name, v, func() {
			t.f32Begin(name, v, table)
			t.segments(name, v, 4, func() {
				t.load("segLen", rK)
				t.Label(name + "_k")
				t.f32Step()
				t.ahead(0)
				t.advance(1)
				t.DECQ(rK)
				t.JNZ(LabelRef(name + "_k"))
			})
			t.f32Store(name, table)
		})
	}, 6)
}

func (t tile256) f32Step() {
	t.VMOVUPS(Mem{Base: rB}, reg.Y12)
	t.VMOVUPS(Mem{Base: rB, Disp: 32}, reg.Y13)
	for r := range t.rows {
		x := ymm[14+r%2]
		t.VBROADCASTSS(row(r), x)
		t.VFMADD231PS(reg.Y12, x, t.acc(r, 0))
		t.VFMADD231PS(reg.Y13, x, t.acc(r, 1))
	}
}

// f32Begin sets the sums to the bias, or to what an earlier call stored.
func (t tile256) f32Begin(name string, v locals, table Mem) {
	t.CMPQ(t.arg("begin"), U8(0))
	t.JEQ(LabelRef(name + "_continue"))
	t.load("bias", rK)
	t.ADDQ(v.col, rK)
	for p := range 2 {
		for r := range t.rows {
			t.VMOVUPS(Mem{Base: rK, Disp: 32 * p}, t.acc(r, p))
		}
	}
	t.JMP(LabelRef(name + "_begun"))
	t.Label(name + "_continue")
	t.maskAddress(table, rSegs, rK)
	t.VMOVDQU(Mem{Base: rSegs}, reg.Y12)
	t.VMOVDQU(Mem{Base: rSegs, Disp: 32}, reg.Y13)
	t.MOVQ(rDst, rK)
	for r := range t.rows {
		t.VMASKMOVPS(Mem{Base: rK}, reg.Y12, t.acc(r, 0))
		t.VMASKMOVPS(Mem{Base: rK, Disp: 32}, reg.Y13, t.acc(r, 1))
		t.ADDQ(rDstRow, rK)
	}
	t.Label(name + "_begun")
}

// clamp limits the registers by act at r. VMAXPS and VMINPS return their last operand (in Intel's order) if either is NaN
// or both are zero: NaN wins, and the sign of zeros is mended afterwards. Y12 and Y13 are destroyed.
func (a *asm) clamp(r reg.GPPhysical, x []reg.VecPhysical) {
	a.VBROADCASTSS(Mem{Base: r, Disp: actLow}, reg.Y12)
	a.VBROADCASTSS(Mem{Base: r, Disp: actHigh}, reg.Y13)
	for _, v := range x {
		a.VMAXPS(v, reg.Y12, v)
		a.VMINPS(v, reg.Y13, v)
	}
	a.VBROADCASTSS(Mem{Base: r, Disp: actZero}, reg.Y12)
	a.VBROADCASTSS(Mem{Base: r, Disp: actSign}, reg.Y13)
	for _, v := range x {
		a.VADDPS(reg.Y12, v, v)
		a.VORPS(reg.Y13, v, v)
	}
}

// canon replaces NaN by the constant at m. Y12 and Y13 are destroyed.
func (a *asm) canon(m Mem, x []reg.VecPhysical) {
	a.VBROADCASTSS(m, reg.Y12)
	for _, v := range x {
		a.VCMPPS(U8(3), v, v, reg.Y13) // unordered with itself
		a.VBLENDVPS(reg.Y13, reg.Y12, v, v)
	}
}

func (t tile256) f32Store(name string, table Mem) {
	t.CMPQ(t.arg("end"), U8(1))
	t.JLT(LabelRef(name + "_plain"))
	t.addResidual(name, table)
	t.load("act", rK)
	t.CMPQ(t.arg("end"), U8(1))
	t.JEQ(LabelRef(name + "_fix"))
	t.clamp(rK, ymm[:2*t.rows])
	t.Label(name + "_fix")
	t.canon(Mem{Base: rK, Disp: actNaN}, ymm[:2*t.rows])
	t.Label(name + "_plain")
	t.storeFloats(name, table, rDst)
}

// addResidual adds the residual, if there is one, under the mask of what is stored. rSegs and rA0 are destroyed.
func (t tile256) addResidual(name string, table Mem) {
	t.maskAddress(table, rSegs, rA0)
	t.residual(name, func(at Mem, r int) {
		for p := range 2 {
			t.VMOVDQU(Mem{Base: rSegs, Disp: 32 * p}, reg.Y12)
			t.VMASKMOVPS(at.Offset(32*p), reg.Y12, reg.Y13)
			t.VADDPS(reg.Y13, t.acc(r, p), t.acc(r, p))
		}
	})
}

// storeFloats stores all sums, under the mask if it is not for whole panels. rA0, rSegs and rK are destroyed.
func (t tile256) storeFloats(name string, table Mem, dst reg.GPPhysical) {
	t.MOVQ(dst, rA0)
	t.CMPQ(t.arg("mask"), U32(0xffff))
	t.JNE(LabelRef(name + "_masked"))
	for r := range t.rows {
		t.VMOVUPS(t.acc(r, 0), Mem{Base: rA0})
		t.VMOVUPS(t.acc(r, 1), Mem{Base: rA0, Disp: 32})
		t.ADDQ(rDstRow, rA0)
	}
	t.JMP(LabelRef(name + "_done"))
	t.Label(name + "_masked")
	t.maskAddress(table, rSegs, rK)
	t.VMOVDQU(Mem{Base: rSegs}, reg.Y12)
	t.VMOVDQU(Mem{Base: rSegs, Disp: 32}, reg.Y13)
	for r := range t.rows {
		t.VMASKMOVPS(t.acc(r, 0), reg.Y12, Mem{Base: rA0})
		t.VMASKMOVPS(t.acc(r, 1), reg.Y13, Mem{Base: rA0, Disp: 32})
		t.ADDQ(rDstRow, rA0)
	}
	t.Label(name + "_done")
}
