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

func (a depth512) write() {
	off, left := a.AllocLocal(8), a.AllocLocal(8)
	a.load("rq", rK)
	a.constants(rK, reg.Z24, reg.Z25, reg.Z26)
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
	a.store(zmm[:4], rB2, rDst, reg.Z24, reg.Z25, reg.Z26)
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

// constants loads upper limit, zero point and lower limit of the result from rq at r.
func (a stack512) constants(r reg.GPPhysical, high, zero, low reg.VecPhysical) {
	a.VBROADCASTSS(Mem{Base: r, Disp: rqHigh}, high)
	a.VPBROADCASTD(Mem{Base: r, Disp: rqZero}, zero)
	a.VPBROADCASTD(Mem{Base: r, Disp: rqLow}, low)
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

// store requantizes four sums with the multipliers at mult and stores 64 bytes at dst under K3; see tile512.i8Bytes.
func (a stack512) store(acc []reg.VecPhysical, mult, dst reg.GPPhysical, high, zero, low reg.VecPhysical) {
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
	a.VPMAXUB(low, acc[0], acc[0])
	a.VMOVDQU8(acc[0], reg.K3, Mem{Base: dst})
}

const slideSignature = `func(dst *byte, dstStep int, lines **byte, srcStep, first, width, n int, w *int8, bias *int32,
	mult *float32, blocks, mask int, rq *int32)`

// slide is a kernel for stride 1: each column of the picture is unpacked once and added to all the outputs that see it,
// whose sums take turns in kw sets of registers.
type slide struct {
	stack512
	kh, kw int
}

// slideI8AVX512 writes the kernels of 3x3 and 5x5 taps.
func slideI8AVX512(ctx *build.Context) {
	for _, k := range []int{3, 5} {
		name := fmt.Sprintf("slide%dI8x512", k)
		a := function(ctx, name, slideSignature,
			fmt.Sprintf("%s computes n pixels of blocks times 64 channels by a %dx%d kernel that moves by 1.", name, k, k),
			"lines points to column 0 of each line, four to a group; first is the first column, columns below 0 and from",
			"width on are padding. Other arguments are those of depthI8x512.")
		slide{stack512{a}, k, k}.write()
	}
}

// weights are in registers if they fit: Z12 up.
func (s slide) inRegisters() bool { return s.kh == 3 && s.kw == 3 }

func (s slide) groups() int { return (s.kh + 3) / 4 }

func (s slide) acc(slot int) []reg.VecPhysical { return zmm[4*slot : 4*slot+4] }

func (s slide) write() {
	off, col := s.AllocLocal(8), s.AllocLocal(8)
	skip, left := s.AllocLocal(8), s.AllocLocal(8)
	s.load("mask", rK)
	s.KMOVQ(rK, reg.K2)
	s.KXNORQ(reg.K3, reg.K3, reg.K3)
	s.load("lines", rSegs)
	s.load("bias", rRow5)
	s.load("mult", rB2)
	s.load("w", rB)
	s.load("dstStep", rDstRow)
	s.MOVQ(U32(0), off)
	s.Label("block")
	s.CMPQ(s.arg("blocks"), U8(1))
	s.JNE(LabelRef("whole"))
	s.KMOVQ(reg.K2, reg.K3)
	s.Label("whole")
	if s.inRegisters() {
		for i := range 4 * s.kw {
			s.VMOVDQU32(Mem{Base: rB, Disp: 64 * i}, zmm[12+i])
		}
	}
	s.load("first", rNseg)
	s.MOVQ(rNseg, col)
	s.IMULQ(s.arg("srcStep"), rNseg)
	s.ADDQ(off, rNseg) // place of the column in each line
	s.load("dst", rDst)
	s.ADDQ(off, rDst)
	s.MOVQ(U32(uint64(s.kw-1)), skip)
	s.load("n", rK)
	s.ADDQ(U8(uint64(s.kw-1)), rK)
	s.MOVQ(rK, left)
	s.Label("column")
	for c := range s.kw {
		s.column(c, col, skip, left)
	}
	s.JMP(LabelRef("column"))
	s.Label("next")
	s.ADDQ(U8(64), off)
	s.ADDQ(U32(256), rRow5)
	s.ADDQ(U32(256), rB2)
	s.ADDQ(U32(uint64(256*s.groups()*s.kw)), rB)
	s.DECQ(s.arg("blocks"))
	s.JNZ(LabelRef("block"))
	s.done()
}

// column unpacks one column and adds it to the outputs that see it; slot c begins with it. The oldest is stored unless
// the line's first output is still to come.
func (s slide) column(c int, col, skip, left Mem) {
	s.begin(rRow5, s.acc(c))
	for g := range s.groups() {
		rows := s.rows(c, g, col)
		s.unpack(rows, zmm[24:32])
		for kx := range s.kw {
			acc := s.acc((c - kx + s.kw) % s.kw)
			for q := range 4 {
				if s.inRegisters() {
					s.VPDPBUSD(zmm[12+4*kx+q], zmm[28+q], acc[q])
				} else {
					s.VPDPBUSD(Mem{Base: rB, Disp: 256*(g*s.kw+kx) + 64*q}, zmm[28+q], acc[q])
				}
			}
		}
	}
	stored := fmt.Sprintf("stored_%d", c)
	s.DECQ(skip)
	s.JNS(LabelRef(stored))
	s.load("rq", rK)
	s.constants(rK, reg.Z24, reg.Z25, reg.Z26)
	s.store(s.acc((c+1)%s.kw), rB2, rDst, reg.Z24, reg.Z25, reg.Z26)
	s.ADDQ(rDstRow, rDst)
	s.Label(stored)
	s.INCQ(col)
	s.ADDQ(s.arg("srcStep"), rNseg)
	s.DECQ(left)
	s.JEQ(LabelRef("next"))
}

// rows loads what group g of the kernel's lines has in this column. Lines below the kernel have weights of 0: any will do.
func (s slide) rows(c, g int, col Mem) (rows [4]reg.VecPhysical) {
	n := min(4, s.kh-4*g)
	for i := range 4 {
		rows[i] = zmm[28+min(i, n-1)]
	}
	outside, loaded := fmt.Sprintf("outside_%d_%d", c, g), fmt.Sprintf("loaded_%d_%d", c, g)
	s.MOVQ(col, rK)
	s.CMPQ(rK, s.arg("width"))
	s.JAE(LabelRef(outside)) // unsigned: below 0 as well
	for i := range n {
		s.MOVQ(Mem{Base: rSegs, Disp: 8 * (4*g + i)}, rA0)
		s.VMOVDQU8_Z(Mem{Base: rA0, Index: rNseg, Scale: 1}, reg.K3, rows[i])
	}
	s.JMP(LabelRef(loaded))
	s.Label(outside)
	s.load("rq", rK)
	for i := range n {
		s.VPBROADCASTB(Mem{Base: rK, Disp: rqXZero}, rows[i])
	}
	s.Label(loaded)
	return rows
}
