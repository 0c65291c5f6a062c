package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const depthI8Signature = `func(dst *byte, dstStep int, taps **byte, groups, srcStep int, w *int8, bias *int32, mult *float32,
	n, blocks, mask int, rq *int32)`

// stack512 has what the integer depthwise kernels for AVX-512 share. Four taps, one above the other, make a group of four
// bytes for each channel by eight unpackings, which leave 64 channels in four vectors in an order that the final packing
// undoes: vector q has channels 16*lane + 4*q to 16*lane + 4*q + 3 in lane 0 to 3.
type stack512 struct{ *asm }

// depthI8AVX512 writes the integer kernels for any stride and dilation: one whose vectors have 64 channels of a pixel, and
// two for pictures of 32 and 16 channels, whose vectors have two and four pixels.
func depthI8AVX512(ctx *build.Context) {
	for _, channels := range []int{64, 32, 16} {
		name, doc := "depthI8x512", []string{
			"depthI8x512 computes n pixels of blocks times 64 channels. taps has 4 pointers for each group of taps;",
			"srcStep and dstStep are bytes between pixels. w is [blocks][groups][64][4]; bias, which includes the zero point,",
			"and mult are [blocks][64] in the order of unpacked vectors. mask has a bit for each channel of the last block."}
		if channels < 64 {
			name = fmt.Sprintf("depth%dI8x512", channels)
			doc = []string{fmt.Sprintf("%s is depthI8x512 for 1 block of %d channels: n counts vectors of %d pixels, dstStep is",
				name, channels, 64/channels), "bytes between vectors, srcStep between pixels, and mask is ignored."}
		}
		depth512{stack512{function(ctx, name, depthI8Signature, doc...)}, channels}.write()
	}
}

// depth512 is a kernel whose vectors have 64/channels pixels.
type depth512 struct {
	stack512
	channels int
}

// write loops over vectors of pixels, in them over blocks of channels and in these over groups of taps. Registers: rK is the offset
// of the pixel and block in what a tap points to, rDst the place of the result, rRow5, rB2 and rB bias, multipliers and weights of
// the block, rSegs the pointers of the group, rDstRow srcStep. Z0 to Z3 are sums, Z4 to Z15 unpacked rows, Z24 and Z25 constants
// of the result, K3 the channels of the block, K2 those of the last.
func (a depth512) write() {
	off, left := a.AllocLocal(8), a.AllocLocal(8)
	a.load("rq", rK)
	a.constants(rK, reg.Z24, reg.Z25)
	a.load("mask", rK)
	a.KMOVQ(rK, reg.K2)
	a.load("srcStep", rDstRow)
	a.MOVQ(U32(0), off)
	a.Label("pixel")
	a.MOVQ(off, rK)
	a.load("dst", rDst)
	a.load("bias", rRow5)
	a.load("mult", rB2)
	a.load("w", rB)
	a.load("blocks", rA0)
	a.MOVQ(rA0, left)
	a.KXNORQ(reg.K3, reg.K3, reg.K3)
	a.Label("block")
	if a.channels == 64 {
		a.CMPQ(left, U8(1))
		a.JNE(LabelRef("whole"))
		a.KMOVQ(reg.K2, reg.K3)
		a.Label("whole")
	}
	a.load("taps", rSegs)
	a.load("groups", rNseg)
	a.begin(rRow5, zmm[:4])
	a.Label("group")
	for i := range 4 {
		a.MOVQ(Mem{Base: rSegs, Disp: 8 * i}, rA0)
		a.gather(zmm[4+i])
	}
	a.unpack([4]reg.VecPhysical(zmm[4:8]), zmm[8:16])
	for q := range 4 {
		a.VPDPBUSD(Mem{Base: rB, Disp: 64 * q}, zmm[12+q], zmm[q])
	}
	a.ADDQ(U8(32), rSegs)
	a.ADDQ(U32(256), rB)
	a.DECQ(rNseg)
	a.JNZ(LabelRef("group"))
	a.store(zmm[:4], rB2, rDst, reg.Z24, reg.Z25)
	if a.channels == 64 {
		a.ADDQ(U8(64), rK)
		a.ADDQ(U8(64), rDst)
		a.ADDQ(U32(256), rRow5)
		a.ADDQ(U32(256), rB2)
		a.DECQ(left)
		a.JNZ(LabelRef("block"))
	}
	a.IMUL3Q(U8(uint64(64/a.channels)), rDstRow, rK)
	a.ADDQ(rK, off)
	a.load("dstStep", rK)
	a.ADDQ(rK, a.arg("dst"))
	a.DECQ(a.arg("n"))
	a.JNZ(LabelRef("pixel"))
	a.done()
}

// gather loads what a tap sees at rA0 + rK: 64 channels, or fewer of pixels that are rDstRow apart. rA1 is destroyed.
func (a depth512) gather(z reg.VecPhysical) {
	switch m := (Mem{Base: rA0, Index: rK, Scale: 1}); a.channels {
	case 64:
		a.VMOVDQU8_Z(m, reg.K3, z)
	case 32:
		a.LEAQ(m, rA1)
		a.VMOVDQU(Mem{Base: rA1}, z.AsY())
		a.VINSERTI64X4(U8(1), Mem{Base: rA1, Index: rDstRow, Scale: 1}, z, z)
	case 16:
		a.LEAQ(m, rA1)
		a.VMOVDQU(Mem{Base: rA1}, z.AsX())
		a.VINSERTI32X4(U8(1), Mem{Base: rA1, Index: rDstRow, Scale: 1}, z, z)
		a.VINSERTI32X4(U8(2), Mem{Base: rA1, Index: rDstRow, Scale: 2}, z, z)
		a.ADDQ(rDstRow, rA1)
		a.VINSERTI32X4(U8(3), Mem{Base: rA1, Index: rDstRow, Scale: 2}, z, z)
	}
}

// constants loads upper limit and zero point of the result from rq at r.
func (a stack512) constants(r reg.GPPhysical, high, zero reg.VecPhysical) {
	a.VBROADCASTSS(Mem{Base: r, Disp: rqHigh}, high)
	a.VPBROADCASTD(Mem{Base: r, Disp: rqZero}, zero)
}

// begin sets four sums to the bias at r.
func (a stack512) begin(r reg.GPPhysical, acc []reg.VecPhysical) {
	for q := range 4 {
		a.VMOVDQU32(Mem{Base: r, Disp: 64 * q}, acc[q])
	}
}

// unpack turns four vectors of 64 bytes into four of 16 groups, t[4:8]. t[:4] is destroyed; rows may lie in t[4:8].
func (a stack512) unpack(rows [4]reg.VecPhysical, t []reg.VecPhysical) {
	a.VPUNPCKLBW(rows[1], rows[0], t[0])
	a.VPUNPCKHBW(rows[1], rows[0], t[1])
	a.VPUNPCKLBW(rows[3], rows[2], t[2])
	a.VPUNPCKHBW(rows[3], rows[2], t[3])
	a.VPUNPCKLWD(t[2], t[0], t[4])
	a.VPUNPCKHWD(t[2], t[0], t[5])
	a.VPUNPCKLWD(t[3], t[1], t[6])
	a.VPUNPCKHWD(t[3], t[1], t[7])
}

// store requantizes four sums with the multipliers at mult and stores 64 bytes at dst under K3; see tile256.i8Bytes.
func (a stack512) store(acc []reg.VecPhysical, mult, dst reg.GPPhysical, high, zero reg.VecPhysical) {
	for q := range 4 {
		a.VCVTDQ2PS(acc[q], acc[q])
		a.VMULPS(Mem{Base: mult, Disp: 64 * q}, acc[q], acc[q])
		a.VMINPS(acc[q], high, acc[q])
		a.VCVTPS2DQ(acc[q], acc[q])
	}
	for q := 0; q < 4; q += 2 {
		a.VPACKSSDW(acc[q+1], acc[q], acc[q])
		a.VPADDSW(zero, acc[q], acc[q])
	}
	a.VPACKUSWB(acc[2], acc[0], acc[0])
	a.VMOVDQU8(acc[0], reg.K3, Mem{Base: dst})
}
