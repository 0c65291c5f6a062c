package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Depthwise kernels walk along a line of output pixels, for one block of channels after the other. What a tap sees comes
// from a table of pointers, so that a tap outside of the picture points to padding and border pixels need no code.

const depthF32Signature = `func(dst *float32, dstStep int, taps **float32, ntaps, srcStep int, w, bias *float32,
	n, blocks, mask, clamp int, act *uint32)`

// depthF32AVX512 writes the float kernel. Up to 8 pixels go side by side, so that a load of weights serves 8; blocks of
// channels are the inner loop, so that memory is read in order. Loops, outermost first: pixels by eights, blocks, taps. Registers:
// Z0 to Z7 sums, Z31 weights and then what is stored, Z27 NaN, Z28 and Z29 limits, Z30 the table of signs, K1 the lanes of the block,
// K2 those of the last; rRow, rRow3, rRow5 and rB2 are 1, 3, 5 and 7 times srcStep, rDstRow is dstStep. The others: see pixels.
func depthF32AVX512(ctx *build.Context) {
	a := function(ctx, "depthF32x512", depthF32Signature,
		"depthF32x512 computes n pixels of blocks times 16 channels. taps points to what each tap of the first pixel sees;",
		"srcStep and dstStep are bytes between pixels. w is [blocks][ntaps][16], bias [blocks][16]. mask has a bit for each",
		"channel of the last block. act is {lo, hi, table, NaN}; lo and hi hold if clamp is 1.")
	d := depthF32{a, a.AllocLocal(8), a.AllocLocal(8)}
	d.load("srcStep", rRow)
	d.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	d.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	d.LEAQ(Mem{Base: rRow3, Index: rRow, Scale: 4}, rB2) // 7 steps
	d.load("dstStep", rDstRow)
	d.load("act", rK)
	d.VBROADCASTSS(Mem{Base: rK}, reg.Z28)
	d.VBROADCASTSS(Mem{Base: rK, Disp: 4}, reg.Z29)
	d.VPBROADCASTD(Mem{Base: rK, Disp: 8}, reg.Z30)
	d.VPBROADCASTD(Mem{Base: rK, Disp: 12}, reg.Z27)
	d.load("mask", rK)
	d.KMOVW(rK.As32(), reg.K2)
	d.MOVQ(U32(0), d.off)
	d.Label("pixels")
	for p := 8; p >= 1; p-- {
		d.CMPQ(d.arg("n"), U8(uint64(p)))
		if p == 8 {
			d.JGE(LabelRef("do_8"))
		} else {
			d.JEQ(LabelRef(fmt.Sprintf("do_%d", p)))
		}
	}
	d.done()
	for p := 8; p >= 1; p-- {
		d.pixels(p)
		d.IMUL3Q(U8(uint64(p)), rRow, rA0)
		d.ADDQ(rA0, d.off)
		d.IMUL3Q(U8(uint64(p)), rDstRow, rA0)
		d.ADDQ(rA0, d.arg("dst"))
		d.SUBQ(U8(uint64(p)), d.arg("n"))
		d.JMP(LabelRef("pixels"))
	}
}

// depthF32 has the offset of the first pixel in bytes and the blocks left.
type depthF32 struct {
	*asm
	off, left Mem
}

// at is the place of pixel i (0 to 7) from pointer rA0 on.
func (d depthF32) at(i int) Mem {
	if i == 7 {
		return Mem{Base: rA0, Index: rB2, Scale: 1}
	}
	return row(i)
}

// tap adds the k-th tap from the current one to p pixels.
func (d depthF32) tap(p, k int) {
	d.MOVQ(Mem{Base: rSegs, Disp: 8 * k}, rA0)
	d.VMOVUPS(Mem{Base: rB, Disp: 64 * k}, reg.Z31)
	if p == 1 {
		d.VFMADD231PS(Mem{Base: rA0, Index: rA1, Scale: 1}, reg.Z31, reg.K1, zmm[0])
		return
	}
	d.ADDQ(rA1, rA0)
	for i := range p {
		d.VFMADD231PS(d.at(i), reg.Z31, reg.K1, zmm[i])
	}
}

// pixels computes and stores all blocks of p pixels. rA1 is the offset of a block, rDst its place, rK its bias.
func (d depthF32) pixels(p int) {
	d.Label(fmt.Sprintf("do_%d", p))
	d.MOVQ(d.off, rA1)
	d.load("dst", rDst)
	d.load("bias", rK)
	d.load("w", rB)
	d.load("blocks", rA0)
	d.MOVQ(rA0, d.left)
	d.KXNORW(reg.K1, reg.K1, reg.K1)
	d.Label(fmt.Sprintf("block_%d", p))
	d.CMPQ(d.left, U8(1))
	d.JNE(LabelRef(fmt.Sprintf("whole_%d", p)))
	d.KMOVW(reg.K2, reg.K1)
	d.Label(fmt.Sprintf("whole_%d", p))
	for i := range p {
		d.VMOVUPS(Mem{Base: rK}, zmm[i])
	}
	d.load("taps", rSegs)
	d.load("ntaps", rNseg)
	for _, n := range []int{9, 25} { // 3x3 and 5x5, without a loop
		other := fmt.Sprintf("not%d_%d", n, p)
		d.CMPQ(rNseg, U8(uint64(n)))
		d.JNE(LabelRef(other))
		for k := range n {
			d.tap(p, k)
		}
		d.ADDQ(U32(uint64(64*n)), rB)
		d.JMP(LabelRef(fmt.Sprintf("sums_%d", p)))
		d.Label(other)
	}
	d.Label(fmt.Sprintf("taps_%d", p))
	d.tap(p, 0)
	d.ADDQ(U8(8), rSegs)
	d.ADDQ(U8(64), rB)
	d.DECQ(rNseg)
	d.JNZ(LabelRef(fmt.Sprintf("taps_%d", p)))
	d.Label(fmt.Sprintf("sums_%d", p))
	d.CMPQ(d.arg("clamp"), U8(0))
	d.JEQ(LabelRef(fmt.Sprintf("fix_%d", p)))
	for i := range p {
		d.VMAXPS(zmm[i], reg.Z28, zmm[i])
		d.VMINPS(zmm[i], reg.Z29, zmm[i])
	}
	d.Label(fmt.Sprintf("fix_%d", p))
	d.MOVQ(rDst, rA0)
	for i := range p {
		d.VMOVAPS(reg.Z27, reg.Z31)
		d.VFIXUPIMMPS(U8(0), reg.Z30, zmm[i], reg.Z31)
		d.VMOVUPS(reg.Z31, reg.K1, Mem{Base: rA0})
		d.ADDQ(rDstRow, rA0)
	}
	d.ADDQ(U8(64), rA1)
	d.ADDQ(U8(64), rDst)
	d.ADDQ(U8(64), rK)
	d.DECQ(d.left)
	d.JNZ(LabelRef(fmt.Sprintf("block_%d", p)))
}
