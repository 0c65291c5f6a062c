package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// depthF32AVX2 writes the float kernel: up to 4 pixels go side by side.
func depthF32AVX2(ctx *build.Context) {
	table := laneMasks(ctx)
	a := function(ctx, "depthF32x256", depthF32Signature, "depthF32x256 is depthF32x512 with AVX2 and FMA.")
	d := depthF32{a, a.AllocLocal(8), a.AllocLocal(8)}
	d.load("srcStep", rRow)
	d.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	d.load("dstStep", rDstRow)
	d.maskAddress(table, rRow5, rK)
	d.MOVQ(U32(0), d.off)
	d.Label("pixels")
	for p := 4; p >= 1; p-- {
		d.CMPQ(d.arg("n"), U8(uint64(p)))
		if p == 4 {
			d.JGE(LabelRef("do_4"))
		} else {
			d.JEQ(LabelRef(fmt.Sprintf("do_%d", p)))
		}
	}
	d.done()
	for p := 4; p >= 1; p-- {
		d.pixels256(p)
		d.IMUL3Q(U8(uint64(p)), rRow, rA0)
		d.ADDQ(rA0, d.off)
		d.IMUL3Q(U8(uint64(p)), rDstRow, rA0)
		d.ADDQ(rA0, d.arg("dst"))
		d.SUBQ(U8(uint64(p)), d.arg("n"))
		d.JMP(LabelRef("pixels"))
	}
}

// pixels256 computes and stores all blocks of p pixels. rA1 is the offset of a block, rDst its place, rK its bias.
func (d depthF32) pixels256(p int) {
	d.Label(fmt.Sprintf("do_%d", p))
	d.MOVQ(d.off, rA1)
	d.load("dst", rDst)
	d.load("bias", rK)
	d.load("w", rB)
	d.load("blocks", rA0)
	d.MOVQ(rA0, d.left)
	d.Label(fmt.Sprintf("block_%d", p))
	d.load("taps", rSegs)
	d.load("ntaps", rNseg)
	for i := range p {
		d.VMOVUPS(Mem{Base: rK}, ymm[2*i])
		d.VMOVUPS(Mem{Base: rK, Disp: 32}, ymm[2*i+1])
	}
	d.CMPQ(d.left, U8(1))
	d.JNE(LabelRef(fmt.Sprintf("taps_%d", p)))
	d.CMPQ(d.arg("mask"), U32(0xffff))
	d.JNE(LabelRef(fmt.Sprintf("some_%d", p)))
	d.taps256(p, fmt.Sprintf("taps_%d", p), false)
	d.finish256(p, fmt.Sprintf("fix_%d", p), false)
	d.ADDQ(U8(64), rA1)
	d.ADDQ(U8(64), rDst)
	d.ADDQ(U8(64), rK)
	d.DECQ(d.left)
	d.JNZ(LabelRef(fmt.Sprintf("block_%d", p)))
	d.JMP(LabelRef(fmt.Sprintf("end_%d", p)))
	d.Label(fmt.Sprintf("some_%d", p))
	d.taps256(p, fmt.Sprintf("masked_%d", p), true)
	d.finish256(p, fmt.Sprintf("maskedfix_%d", p), true)
	d.Label(fmt.Sprintf("end_%d", p))
}

// taps256 adds all taps of p pixels, under the lane mask at rRow5 or without.
func (d depthF32) taps256(p int, label string, masked bool) {
	if masked {
		d.VMOVDQU(Mem{Base: rRow5}, reg.Y8)
		d.VMOVDQU(Mem{Base: rRow5, Disp: 32}, reg.Y9)
	}
	d.Label(label)
	d.MOVQ(Mem{Base: rSegs}, rA0)
	d.ADDQ(rA1, rA0)
	d.VMOVUPS(Mem{Base: rB}, reg.Y14)
	d.VMOVUPS(Mem{Base: rB, Disp: 32}, reg.Y15)
	for i := range p {
		m := row(i)
		if masked {
			d.VMASKMOVPS(m, reg.Y8, reg.Y12)
			d.VMASKMOVPS(m.Offset(32), reg.Y9, reg.Y13)
			d.VFMADD231PS(reg.Y12, reg.Y14, ymm[2*i])
			d.VFMADD231PS(reg.Y13, reg.Y15, ymm[2*i+1])
		} else {
			d.VFMADD231PS(m, reg.Y14, ymm[2*i])
			d.VFMADD231PS(m.Offset(32), reg.Y15, ymm[2*i+1])
		}
	}
	d.ADDQ(U8(8), rSegs)
	d.ADDQ(U8(64), rB)
	d.DECQ(rNseg)
	d.JNZ(LabelRef(label))
}

// finish256 clamps and stores p pixels of a block.
func (d depthF32) finish256(p int, label string, masked bool) {
	d.load("act", rA0)
	d.CMPQ(d.arg("clamp"), U8(0))
	d.JEQ(LabelRef(label))
	d.clamp(rA0, ymm[:2*p])
	d.Label(label)
	d.canon(Mem{Base: rA0, Disp: actNaN}, ymm[:2*p])
	d.MOVQ(rDst, rA0)
	for i := range p {
		for j := range 2 {
			m := Mem{Base: rA0, Disp: 32 * j}
			if masked {
				d.VMASKMOVPS(ymm[2*i+j], ymm[8+j], m)
			} else {
				d.VMOVUPS(ymm[2*i+j], m)
			}
		}
		d.ADDQ(rDstRow, rA0)
	}
}

// depthI8AVX2 writes the integer kernel, 16 channels at a time: one lane of the blocks of depthI8x512. Bytes are widened
// to 16 bits and multiplied by VPMADDWD; see i8AVX2. Registers: rK is the offset of the pixel and lane in what a tap points to,
// rDst the place of the result, rRow5, rB2 and rB bias, multipliers and weights of the lane, rRow the mask of the last block, X15
// that of the current one. Weights of a block lie as four vectors of 64 bytes a group, of which a lane has 16 of each.
func depthI8AVX2(ctx *build.Context) {
	table := laneMasks(ctx)
	a := function(ctx, "depthI8x256", depthI8Signature,
		"depthI8x256 is depthI8x512 with AVX2, except that blocks counts 16 channels, and the channels of the last block",
		"that mask counts are a multiple of 4.")
	off, left := a.AllocLocal(8), a.AllocLocal(8)
	a.load("mask", rK)
	a.POPCNTQ(rK, rK)
	a.SHRQ(U8(2), rK)
	a.NEGQ(rK)
	a.LEAQ(table.Offset(64), rRow)
	a.LEAQ(Mem{Base: rRow, Index: rK, Scale: 4}, rRow) // mask of the last block
	a.MOVQ(U32(0), off)
	a.Label("pixel")
	a.MOVQ(off, rK)
	a.load("dst", rDst)
	a.load("bias", rRow5)
	a.load("mult", rB2)
	a.load("w", rB)
	a.load("blocks", rA0)
	a.MOVQ(rA0, left)
	a.VPCMPEQD(reg.X15, reg.X15, reg.X15)
	a.Label("block")
	a.CMPQ(left, U8(1))
	a.JNE(LabelRef("whole"))
	a.VMOVDQU(Mem{Base: rRow}, reg.X15)
	a.Label("whole")
	a.depthI8Sums256()
	a.depthI8Store256(left)
	a.ADDQ(U8(16), rK)
	a.ADDQ(U8(16), rDst)
	a.lane256(off)
	a.DECQ(left)
	a.JNZ(LabelRef("block"))
	a.load("srcStep", rK)
	a.ADDQ(rK, off)
	a.load("dstStep", rK)
	a.ADDQ(rK, a.arg("dst"))
	a.DECQ(a.arg("n"))
	a.JNZ(LabelRef("pixel"))
	a.done()
}

// lane256 moves weights, bias and multipliers on to the next lane, or to the first of the next block of 64 channels.
// rK - off is how many channels are done.
func (a *asm) lane256(off Mem) {
	a.ADDQ(U8(16), rB)
	a.ADDQ(U8(16), rRow5)
	a.ADDQ(U8(16), rB2)
	a.MOVQ(rK, rA0)
	a.SUBQ(off, rA0)
	a.TESTQ(U32(63), rA0)
	a.JNE(LabelRef("lane"))
	a.load("groups", rA0)
	a.SHLQ(U8(8), rA0)
	a.LEAQ(Mem{Base: rB, Index: rA0, Scale: 1, Disp: -64}, rB)
	a.ADDQ(U32(192), rRow5)
	a.ADDQ(U32(192), rB2)
	a.Label("lane")
}

// depthI8Sums256 leaves sums of channels 4*q to 4*q+3 in Yq, two int32 side by side each.
func (a *asm) depthI8Sums256() {
	for q := range 4 {
		a.VPXOR(ymm[q], ymm[q], ymm[q])
	}
	a.load("taps", rSegs)
	a.load("groups", rNseg)
	a.MOVQ(rB, rRow3)
	a.Label("group")
	x := func(i int) reg.VecPhysical { return ymm[i].AsX().(reg.VecPhysical) }
	for i := range 4 {
		a.MOVQ(Mem{Base: rSegs, Disp: 8 * i}, rA0)
		a.VPMASKMOVD(Mem{Base: rA0, Index: rK, Scale: 1}, reg.X15, x(4+i))
	}
	a.VPUNPCKLBW(x(5), x(4), x(8))
	a.VPUNPCKHBW(x(5), x(4), x(9))
	a.VPUNPCKLBW(x(7), x(6), x(10))
	a.VPUNPCKHBW(x(7), x(6), x(11))
	a.VPUNPCKLWD(x(10), x(8), x(4))
	a.VPUNPCKHWD(x(10), x(8), x(5))
	a.VPUNPCKLWD(x(11), x(9), x(6))
	a.VPUNPCKHWD(x(11), x(9), x(7))
	for q := range 4 {
		a.VPMOVZXBW(x(4+q), ymm[4+q])
		a.VPMOVSXBW(Mem{Base: rRow3, Disp: 64 * q}, ymm[8+q])
		a.VPMADDWD(ymm[8+q], ymm[4+q], ymm[4+q])
		a.VPADDD(ymm[4+q], ymm[q], ymm[q])
	}
	a.ADDQ(U8(32), rSegs)
	a.ADDQ(U32(256), rRow3)
	a.DECQ(rNseg)
	a.JNZ(LabelRef("group"))
}

// depthI8Store256 requantizes, as tile256.i8Bytes, and stores 16 bytes, or those of the mask X15 in the last block.
func (a *asm) depthI8Store256(left Mem) {
	a.load("rq", rA0)
	a.VBROADCASTSS(Mem{Base: rA0, Disp: rqHigh}, reg.Y12)
	a.VPBROADCASTD(Mem{Base: rA0, Disp: rqZero}, reg.Y13)
	for q := 0; q < 4; q += 2 {
		v, x := ymm[q], reg.X8
		a.VPHADDD(ymm[q+1], v, v)
		a.VPERMQ(U8(0xd8), v, v)
		a.VMOVDQU(Mem{Base: rRow5, Disp: 64 * q}, x)
		a.VINSERTI128(U8(1), Mem{Base: rRow5, Disp: 64*q + 64}, reg.Y8, reg.Y8)
		a.VPADDD(reg.Y8, v, v)
		a.VCVTDQ2PS(v, v)
		a.VMOVDQU(Mem{Base: rB2, Disp: 64 * q}, x)
		a.VINSERTI128(U8(1), Mem{Base: rB2, Disp: 64*q + 64}, reg.Y8, reg.Y8)
		a.VMULPS(reg.Y8, v, v)
		a.VMINPS(v, reg.Y12, v)
		a.VCVTPS2DQ(v, v)
	}
	a.VPACKSSDW(reg.Y2, reg.Y0, reg.Y0)
	a.VPERMQ(U8(0xd8), reg.Y0, reg.Y0)
	a.VPADDSW(reg.Y13, reg.Y0, reg.Y0)
	a.VEXTRACTI128(U8(1), reg.Y0, reg.X1)
	a.VPACKUSWB(reg.X1, reg.X0, reg.X0)
	a.CMPQ(left, U8(1))
	a.JEQ(LabelRef("some"))
	a.VMOVDQU(reg.X0, Mem{Base: rDst})
	a.JMP(LabelRef("stored"))
	a.Label("some")
	a.VPMASKMOVD(reg.X0, reg.X15, Mem{Base: rDst})
	a.Label("stored")
}
