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
// channels are the inner loop, so that memory is read in order.
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
	tap := func(k int) {
		d.MOVQ(Mem{Base: rSegs, Disp: 8 * k}, rA0)
		d.ADDQ(rA1, rA0)
		d.VMOVUPS(Mem{Base: rB, Disp: 64 * k}, reg.Z31)
		for i := range p {
			d.VFMADD231PS(d.at(i), reg.Z31, reg.K1, zmm[i])
		}
	}
	d.CMPQ(rNseg, U8(9))
	d.JNE(LabelRef(fmt.Sprintf("taps_%d", p)))
	for k := range 9 {
		tap(k)
	}
	d.ADDQ(U32(9*64), rB)
	d.JMP(LabelRef(fmt.Sprintf("sums_%d", p)))
	d.Label(fmt.Sprintf("taps_%d", p))
	tap(0)
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

const depthI8Signature = `func(dst *byte, dstStep int, taps **byte, groups, srcStep int, w *int8, bias, sum *int32,
	mult *float32, n, blocks, mask int, rq *int32)`

// depthI8AVX512 writes the integer kernel. Four taps, one above the other, make a group of four bytes for each channel by
// eight unpackings, which leave 64 channels in four vectors in an order that the final packing undoes: vector q has
// channels 16*lane + 4*q to 16*lane + 4*q + 3 in lane 0 to 3.
func depthI8AVX512(ctx *build.Context) {
	a := function(ctx, "depthI8x512", depthI8Signature,
		"depthI8x512 computes n pixels of blocks times 64 channels. taps has 4 pointers for each group of taps;",
		"srcStep and dstStep are bytes between pixels. w is [blocks][groups][64][4], bias, sum, mult [blocks][64] in the",
		"order of unpacked vectors. mask has a bit for each channel of the last block.")
	off, left := a.AllocLocal(8), a.AllocLocal(8)
	a.load("rq", rK)
	a.VBROADCASTSS(Mem{Base: rK, Disp: rqHigh}, reg.Z24)
	a.VPBROADCASTD(Mem{Base: rK, Disp: rqZero}, reg.Z25)
	a.VPBROADCASTD(Mem{Base: rK, Disp: rqLow}, reg.Z26)
	a.VPBROADCASTD(Mem{Base: rK, Disp: rqXZero}, reg.Z27)
	a.load("srcStep", rDstRow)
	a.MOVQ(U32(0), off)
	a.Label("block")
	a.MOVQ(I32(-1), rK)
	a.CMPQ(a.arg("blocks"), U8(1))
	a.JNE(LabelRef("whole"))
	a.load("mask", rK)
	a.Label("whole")
	a.KMOVQ(rK, reg.K3)
	a.depthI8Constants()
	a.MOVQ(off, rK) // of the pixel and block
	a.load("dst", rDst)
	a.ADDQ(rK, rDst)
	a.load("n", rA0)
	a.MOVQ(rA0, left)
	a.Label("pixel")
	a.load("taps", rSegs)
	a.load("groups", rNseg)
	a.load("w", rB)
	for q := range 4 {
		a.VMOVDQA32(zmm[16+q], zmm[q])
	}
	a.Label("group")
	a.depthI8Group()
	a.DECQ(rNseg)
	a.JNZ(LabelRef("group"))
	a.depthI8Store()
	a.ADDQ(rDstRow, rK)
	a.ADDQ(a.arg("dstStep"), rDst)
	a.DECQ(left)
	a.JNZ(LabelRef("pixel"))
	a.ADDQ(U8(64), off)
	a.MOVQ(rB, a.arg("w")) // the weights of the next block follow
	a.DECQ(a.arg("blocks"))
	a.JNZ(LabelRef("block"))
	a.done()
}

// depthI8Constants loads what a block has: Z16 to Z19 bias less zero point times sum, Z20 to Z23 multipliers.
func (a *asm) depthI8Constants() {
	a.load("bias", rA0)
	a.load("sum", rA1)
	a.load("mult", rRow)
	for q := range 4 {
		a.VPMULLD(Mem{Base: rA1, Disp: 64 * q}, reg.Z27, reg.Z28)
		a.VMOVDQU32(Mem{Base: rA0, Disp: 64 * q}, zmm[16+q])
		a.VPSUBD(reg.Z28, zmm[16+q], zmm[16+q])
		a.VMOVUPS(Mem{Base: rRow, Disp: 64 * q}, zmm[20+q])
	}
	a.ADDQ(U32(256), a.arg("bias"))
	a.ADDQ(U32(256), a.arg("sum"))
	a.ADDQ(U32(256), a.arg("mult"))
}

// depthI8Group adds one group of four taps at offset rK.
func (a *asm) depthI8Group() {
	for i, r := range []reg.GPPhysical{rA0, rA1, rRow, rRow3} {
		a.MOVQ(Mem{Base: rSegs, Disp: 8 * i}, r)
		a.VMOVDQU8_Z(Mem{Base: r, Index: rK, Scale: 1}, reg.K3, zmm[4+i])
	}
	a.VPUNPCKLBW(zmm[5], zmm[4], zmm[8])
	a.VPUNPCKHBW(zmm[5], zmm[4], zmm[9])
	a.VPUNPCKLBW(zmm[7], zmm[6], zmm[10])
	a.VPUNPCKHBW(zmm[7], zmm[6], zmm[11])
	a.VPUNPCKLWD(zmm[10], zmm[8], zmm[12])
	a.VPUNPCKHWD(zmm[10], zmm[8], zmm[13])
	a.VPUNPCKLWD(zmm[11], zmm[9], zmm[14])
	a.VPUNPCKHWD(zmm[11], zmm[9], zmm[15])
	for q := range 4 {
		a.VPDPBUSD(Mem{Base: rB, Disp: 64 * q}, zmm[12+q], zmm[q])
	}
	a.ADDQ(U8(32), rSegs)
	a.ADDQ(U32(256), rB)
}

// depthI8Store requantizes Z0 to Z3 and stores 64 bytes; see i8Bytes.
func (a *asm) depthI8Store() {
	for q := range 4 {
		a.VCVTDQ2PS(zmm[q], zmm[q])
		a.VMULPS(zmm[20+q], zmm[q], zmm[q])
		a.VMINPS(zmm[q], reg.Z24, zmm[q])
		a.VCVTPS2DQ(zmm[q], zmm[q])
	}
	for q := range 2 {
		a.VPACKSSDW(zmm[2*q+1], zmm[2*q], zmm[2*q])
		a.VPADDSW(reg.Z25, zmm[2*q], zmm[2*q])
	}
	a.VPACKUSWB(zmm[2], zmm[0], zmm[0])
	a.VPMAXUB(reg.Z26, zmm[0], zmm[0])
	a.VMOVDQU8(zmm[0], reg.K3, Mem{Base: rDst})
}
