package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const i8Signature = `func(dst *byte, dstRow, dstTile, dstPanel int, a *byte, aRow, aHalf, aTile int,
	segs *int, nseg, groups int, tail *int32, b *int8, bPanel int, bias, sum *int32, mult *float32, multMask int,
	rows, tiles, panels, wide, mask, float int, rq, add *int32, addStep, bSkip int)`

// Places in the argument rq of the integer tiles, in bytes.
const (
	rqHigh  = 4 * iota // 255 less the zero point, float32
	rqZero             // zero point of the result, twice an int16
	rqXZero            // zero point of the activations, int32
	rqTable            // of VFIXUPIMMPS
	rqNaN
	rqPerm // 16 int32: order of the columns of packed bytes
)

// i8AVX512 writes the integer tiles of up to 14 rows and one or two panels, or 6 rows and four.
func i8AVX512(ctx *build.Context) {
	a := function(ctx, "i8Tile512", i8Signature,
		"i8Tile512 computes tiles x panels tiles of rows x 16*wide integer sums. Distances are in bytes.",
		"With tail, the last group of four of each segment of row r is tail[r]. Results are bytes, or floats if float is 1.",
		"mult and the scale of floats are read at the column and'ed with multMask. mask has a bit for each column.",
		"If addStep is not 0, add[r] is added to the sums of row r; tiles have theirs addStep bytes apart. bSkip is the distance",
		"from the weights of a segment to those of the next.")
	v := newLocals(a)
	dispatch(a, func(shape tile, name string) {
		t := tile512{shape}
		t.prologue()
		t.masks()
		t.fourth()
		t.loops(name, v, func() {
			t.i8Begin(name, v)
			t.segments(name, v, 1, func() { t.i8Segment(name, v) })
			t.load("rq", rSegs)
			t.load("mult", rK)
			t.load("multMask", rNseg)
			t.ANDQ(v.col, rNseg)
			t.ADDQ(rNseg, rK)
			t.CMPQ(t.arg("float"), U8(0))
			t.JNE(LabelRef(name + "_float"))
			t.i8Bytes()
			t.JMP(LabelRef(name + "_stored"))
			t.Label(name + "_float")
			t.i8Floats()
			t.Label(name + "_stored")
		}, t.nextAdd)
	}, 14, 14, 0, 6)
}

// nextAdd moves on to the summands of the next tile of rows.
func (t tile) nextAdd() {
	t.load("addStep", rK)
	t.ADDQ(rK, t.arg("add"))
}

// i8Begin sets the sums to the bias less the activations' zero point times the sum of the weights, plus what is added to
// the row. So the inner loop multiplies activations as they are, and padding may hold any bytes where weights are 0.
func (t tile512) i8Begin(name string, v locals) {
	zero, s := reg.Z31, reg.Z30
	t.load("rq", rK)
	t.VPBROADCASTD(Mem{Base: rK, Disp: rqXZero}, zero)
	t.load("bias", rK)
	t.load("sum", rSegs)
	t.ADDQ(v.col, rK)
	t.ADDQ(v.col, rSegs)
	for p := range t.wide {
		t.VPMULLD(Mem{Base: rSegs, Disp: 64 * p}, zero, s)
		t.VMOVDQU32(Mem{Base: rK, Disp: 64 * p}, t.acc(0, p))
		t.VPSUBD(s, t.acc(0, p), t.acc(0, p))
		for r := 1; r < t.rows; r++ {
			t.VMOVDQA32(t.acc(0, p), t.acc(r, p))
		}
	}
	t.CMPQ(t.arg("addStep"), U8(0))
	t.JEQ(LabelRef(name + "_begun"))
	t.load("add", rK)
	for r := range t.rows {
		t.VPBROADCASTD(Mem{Base: rK, Disp: 4 * r}, s)
		for p := range t.wide {
			t.VPADDD(s, t.acc(r, p), t.acc(r, p))
		}
	}
	t.Label(name + "_begun")
}

// i8Segment adds the groups of four of one segment. A sum of four products of a byte and a signed byte is below 2^18,
// and VPDPBUSD does not saturate: int32 sums are exact up to 2^31 / 2^15 products.
func (t tile512) i8Segment(name string, v locals) {
	t.load("groups", rK)
	t.steps(name, v, func(w []reg.VecPhysical, u int) {
		for r := range t.rows {
			t.dot(w, row(r).Offset(4*u), r)
		}
	})
	t.load("tail", rK)
	t.TESTQ(rK, rK)
	t.JEQ(LabelRef(name + "_next"))
	w := t.weights(0, true)
	for r := range t.rows {
		t.dot(w, Mem{Base: rK, Disp: 4 * r}, r)
	}
	t.ADDQ(U8(64), rB)
	t.Label(name + "_next")
}

func (t tile512) dot(w []reg.VecPhysical, from Mem, r int) {
	x := zmm[30+r%2]
	t.VPBROADCASTD(from, x)
	for p := range t.wide {
		t.VPDPBUSD(w[p], x, t.acc(r, p))
	}
}

// scaled turns the sum of (r, p) into a float and multiplies it by mult.
func (t tile512) scaled(r, p int, mult reg.VecPhysical) {
	t.VCVTDQ2PS(t.acc(r, p), t.acc(r, p))
	t.VMULPS(mult, t.acc(r, p), t.acc(r, p))
}

// rounded is scaled and rounded to int32, half to even.
func (t tile512) rounded(r, p int, mult reg.VecPhysical) {
	t.scaled(r, p, mult)
	t.VCVTPS2DQ(t.acc(r, p), t.acc(r, p))
}

// i8Bytes requantizes and stores bytes. Multipliers are below 1, so that no conversion overflows; saturating to int16,
// adding the zero point and saturating to a byte are the clamp then. A zero point of 0, as behind a Relu, is not added: vector
// instructions, of which two start in a cycle, bound the store. Packing goes by 128-bit lanes: one permutation puts the
// columns of a row together. Registers: rK mult, rSegs rq.
func (t tile512) i8Bytes() {
	free, name := t.free(), t.label(t.name()+"_bytes")
	mult, zero, perm := free[:t.multipliers()], free[t.multipliers()], free[t.multipliers()+1]
	for p := range t.wide {
		t.VMOVUPS_Z(Mem{Base: rK, Disp: 64 * p}, mask(p), mult[p])
	}
	t.MOVL(Mem{Base: rSegs, Disp: rqZero}, rK.As32())
	t.VPBROADCASTD(Mem{Base: rSegs, Disp: rqZero}, zero)
	t.VMOVDQU32(Mem{Base: rSegs, Disp: rqPerm}, perm)
	t.MOVQ(rDst, rNseg)
	per := 4 / t.wide // rows in one vector of bytes
	for r := 0; r < t.rows; r += per {
		n := min(per, t.rows-r)
		for i := range n {
			for p := range t.wide {
				t.rounded(r+i, p, mult[p])
			}
		}
		word := func(i int) reg.VecPhysical { // 16-bit values of half a vector of bytes
			x, y := t.acc(r, 0), t.acc(r, 0)
			if t.wide == 4 {
				x, y = t.acc(r, 2*i), t.acc(r, 2*i+1)
			} else if t.wide == 2 {
				i = min(i, n-1)
				x, y = t.acc(r+i, 0), t.acc(r+i, 1)
			} else if 2*i < n {
				x, y = t.acc(r+2*i, 0), t.acc(r+min(2*i+1, n-1), 0)
			} else {
				return x
			}
			t.VPACKSSDW(y, x, x)
			return x
		}
		first := word(0)
		second := first
		if t.wide == 4 || t.wide == 2 && n > 1 || t.wide == 1 && n > 2 {
			second = word(1)
		}
		centred := fmt.Sprintf("%s_%d", name, r)
		t.TESTQ(rK, rK)
		t.JEQ(LabelRef(centred))
		t.VPADDSW(zero, first, first)
		if second != first {
			t.VPADDSW(zero, second, second)
		}
		t.Label(centred)
		t.VPACKUSWB(second, first, first)
		t.VPERMD(first, perm, first)
		t.storeBytes(first, n)
	}
}

// multipliers is how many registers the columns' multipliers have; a single panel leaves the second one free.
func (t tile512) multipliers() int { return max(2, t.wide) }

// storeBytes stores n rows of bytes, 16*wide each, from rNseg on. Register x is destroyed.
func (t tile512) storeBytes(x reg.VecPhysical, n int) {
	for i := range n {
		if t.wide == 4 {
			t.VMOVDQU8(x, reg.K6, Mem{Base: rNseg})
		} else if t.wide == 2 {
			t.VMOVDQU8(x.AsY(), reg.K3, Mem{Base: rNseg})
			if i+1 < n {
				t.VEXTRACTI64X4(U8(1), x, x.AsY())
			}
		} else {
			part := x
			if i > 0 {
				part = t.free()[6]
				t.VEXTRACTI32X4(U8(uint64(i)), x, part.AsX())
			}
			t.VMOVDQU8(part.AsX(), reg.K3, Mem{Base: rNseg})
		}
		t.ADDQ(rDstRow, rNseg)
	}
}

// i8Floats multiplies by the scale and stores floats. Registers: rK scale, rSegs rq.
func (t tile512) i8Floats() {
	scale, table, out := zmm[min(28, 30-t.wide):30], reg.Z30, reg.Z31
	for p := range t.wide {
		t.VMOVUPS_Z(Mem{Base: rK, Disp: 64 * p}, mask(p), scale[p])
	}
	t.VPBROADCASTD(Mem{Base: rSegs, Disp: rqTable}, table)
	t.MOVQ(rDst, rNseg)
	for r := range t.rows {
		for p := range t.wide {
			t.scaled(r, p, scale[p])
			t.VPBROADCASTD(Mem{Base: rSegs, Disp: rqNaN}, out)
			t.VFIXUPIMMPS(U8(0), table, t.acc(r, p), out)
			t.VMOVUPS(out, mask(p), Mem{Base: rNseg, Disp: 64 * p})
		}
		t.ADDQ(rDstRow, rNseg)
	}
}
