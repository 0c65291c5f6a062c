package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Line kernels compute lines of depthwise outputs in groups of neighbouring pixels. A column of the picture is loaded
// once for all the outputs of the group that see it, so that taps of one line of the kernel, whose weights stay in
// registers, cost little more than their multiply-adds. A group goes down all lines of output in one block of channels,
// then in the next: what an output sees in common with the one above it is in the first-level cache still. At the sides a bit
// for each column says whether it lies in the picture; columns outside are read from padding.

const lineF32Signature = `func(dst *float32, dstStep, dstLine int, lines **float32, kh, srcStep int, w, bias *float32,
	groups *int, n, rows, pixels, blocks, mask, clamp int, act *uint32, pad *float32)`

// linePixels are the sizes of groups that line kernels have, largest first.
var linePixels = []int{14, 10, 8, 7, 5, 4, 3, 2, 1}

// lineF32 writes the code for one width and stride of the kernel. Loops, outermost first: groups, blocks of channels, lines of
// output, lines of the kernel; columns are unrolled. Registers: Z0 to Z13 sums, Z14 and on the kw weights of a line, then four for
// columns in turn, Z27 NaN, Z28 and Z29 limits, Z30 the table of signs, Z31 what is stored; rRow, rRow3, rRow5 and rB2 are 1, 3, 5 and
// 7 times the distance of columns. In a chain the taps of a line come in order because its columns do.
type lineF32 struct {
	*asm
	kw, stride          int
	left, outside, seen Mem // blocks left; padding of the block; columns in the picture
	at, rows            Mem // group; lines of output left
	place, weights      Mem // of the block: its first output, its weights
}

// lineF32AVX512 writes the kernels of 3 and 5 columns that move by 1 and by 2.
func lineF32AVX512(ctx *build.Context) {
	for _, kw := range []int{3, 5} {
		for _, stride := range []int{1, 2} {
			name := fmt.Sprintf("line%dx%dF32x512", kw, stride)
			a := function(ctx, name, lineF32Signature,
				fmt.Sprintf("%s computes n groups of pixels in rows lines, blocks times 16 channels, by a kernel of %d columns that", name, kw),
				fmt.Sprintf("moves by %d. lines points to column 0 of each of the kernel's kh lines, for each line of output; a group is the", stride),
				"offset of its first column in bytes, that of its first output, and a bit for each column in the picture, or 0 if all",
				"are. Other arguments are those of depthF32x512; pad has at least blocks * 16 zeros.")
			l := lineF32{a, kw, stride, a.AllocLocal(8), a.AllocLocal(8), a.AllocLocal(8), a.AllocLocal(8), a.AllocLocal(8),
				a.AllocLocal(8), a.AllocLocal(8)}
			l.write()
		}
	}
}

// columns is how many columns p outputs see.
func (l lineF32) columns(p int) int { return (p-1)*l.stride + l.kw }

func (l lineF32) write() {
	l.load("srcStep", rRow)
	l.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	l.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	l.LEAQ(Mem{Base: rRow3, Index: rRow, Scale: 4}, rB2) // 7 steps
	l.load("act", rK)
	l.VBROADCASTSS(Mem{Base: rK}, reg.Z28)
	l.VBROADCASTSS(Mem{Base: rK, Disp: 4}, reg.Z29)
	l.VPBROADCASTD(Mem{Base: rK, Disp: 8}, reg.Z30)
	l.VPBROADCASTD(Mem{Base: rK, Disp: 12}, reg.Z27)
	l.load("mask", rK)
	l.KMOVW(rK.As32(), reg.K2)
	l.load("groups", rK)
	l.MOVQ(rK, l.at)
	l.Label("group")
	l.MOVQ(l.at, rK)
	l.ADDQ(U8(24), l.at)
	l.MOVQ(Mem{Base: rK}, rA1)
	l.MOVQ(Mem{Base: rK, Disp: 8}, rDst)
	l.ADDQ(l.arg("dst"), rDst)
	l.MOVQ(Mem{Base: rK, Disp: 16}, rA0)
	l.MOVQ(rA0, l.seen)
	l.load("bias", rK)
	l.load("w", rB)
	l.load("pad", rSegs)
	l.MOVQ(rSegs, l.outside)
	l.load("blocks", rSegs)
	l.MOVQ(rSegs, l.left)
	l.KXNORW(reg.K1, reg.K1, reg.K1)
	l.load("pixels", rNseg)
	l.TESTQ(rA0, rA0)
	l.JNE(LabelRef("sides"))
	l.dispatch("inner")
	l.Label("sides")
	l.dispatch("side")
	for _, p := range linePixels {
		l.group(fmt.Sprintf("inner_%d", p), p, l.inner)
		l.group(fmt.Sprintf("side_%d", p), p, l.side)
	}
	l.Label("next")
	l.DECQ(l.arg("n"))
	l.JNZ(LabelRef("group"))
	l.done()
}

// dispatch jumps to the code for rNseg pixels.
func (l lineF32) dispatch(kind string) {
	for _, p := range linePixels[:len(linePixels)-1] {
		l.CMPQ(rNseg, U8(uint64(p)))
		l.JEQ(LabelRef(fmt.Sprintf("%s_%d", kind, p)))
	}
	l.JMP(LabelRef(kind + "_1"))
}

// group computes all blocks of p pixels: rA1 is the offset of a block in a line, rDst its place, rK its bias. A block's
// chains take the columns of a line in order, and so its taps. rSegs passes by the pointers of all lines of output.
func (l lineF32) group(name string, p int, load func(j int, z reg.VecPhysical)) {
	l.Label(name)
	l.CMPQ(l.left, U8(1))
	l.JNE(LabelRef(name + "_whole"))
	l.KMOVW(reg.K2, reg.K1)
	l.Label(name + "_whole")
	l.load("lines", rSegs)
	l.load("rows", rA0)
	l.MOVQ(rA0, l.rows)
	l.MOVQ(rDst, l.place)
	l.MOVQ(rB, l.weights)
	l.Label(name + "_row")
	for i := range p {
		l.VMOVUPS(Mem{Base: rK}, zmm[i])
	}
	l.load("kh", rNseg)
	l.Label(name + "_line")
	l.MOVQ(Mem{Base: rSegs}, rA0)
	l.ADDQ(rA1, rA0)
	for k := range l.kw {
		l.VMOVUPS(Mem{Base: rB, Disp: 64 * k}, zmm[14+k])
	}
	for j := range l.columns(p) {
		z := zmm[14+l.kw+j%4]
		load(j, z)
		for k := l.kw - 1; k >= 0; k-- {
			if i := (j - k) / l.stride; j >= k && (j-k)%l.stride == 0 && i < p {
				l.VFMADD231PS(z, zmm[14+k], zmm[i])
			}
		}
	}
	l.ADDQ(U8(8), rSegs)
	l.ADDQ(U32(uint64(64*l.kw)), rB)
	l.DECQ(rNseg)
	l.JNZ(LabelRef(name + "_line"))
	l.store(name, p)
	l.DECQ(l.rows)
	l.JEQ(LabelRef(name + "_done"))
	l.ADDQ(l.arg("dstLine"), rDst)
	l.MOVQ(l.weights, rB)
	l.JMP(LabelRef(name + "_row"))
	l.Label(name + "_done")
	l.MOVQ(l.place, rDst)
	l.ADDQ(U8(64), l.outside)
	l.ADDQ(U8(64), rA1)
	l.ADDQ(U8(64), rDst)
	l.ADDQ(U8(64), rK)
	l.DECQ(l.left)
	l.JNZ(LabelRef(name))
	l.JMP(LabelRef("next"))
}

// inner loads column j; rA0 is the place of the last column whose number divides by 7.
func (l lineF32) inner(j int, z reg.VecPhysical) {
	if j > 0 && j%7 == 0 {
		l.ADDQ(rB2, rA0)
	}
	l.VMOVUPS_Z(row(j%7), reg.K1, z)
}

// side loads column j at rA0, or padding.
func (l lineF32) side(j int, z reg.VecPhysical) {
	if j > 0 {
		l.ADDQ(rRow, rA0)
	}
	l.MOVQ(rA0, rDstRow)
	l.BTQ(U8(uint64(j)), l.seen)
	l.CMOVQCC(l.outside, rDstRow)
	l.VMOVUPS_Z(Mem{Base: rDstRow}, reg.K1, z)
}

// store clamps and stores p pixels; see tile512.f32Store.
func (l lineF32) store(name string, p int) {
	l.CMPQ(l.arg("clamp"), U8(0))
	l.JEQ(LabelRef(name + "_fix"))
	for i := range p {
		l.VMAXPS(zmm[i], reg.Z28, zmm[i])
		l.VMINPS(zmm[i], reg.Z29, zmm[i])
	}
	l.Label(name + "_fix")
	l.MOVQ(rDst, rA0)
	for i := range p {
		l.VMOVAPS(reg.Z27, reg.Z31)
		l.VFIXUPIMMPS(U8(0), reg.Z30, zmm[i], reg.Z31)
		l.VMOVUPS(reg.Z31, reg.K1, Mem{Base: rA0})
		l.ADDQ(l.arg("dstStep"), rA0)
	}
}
