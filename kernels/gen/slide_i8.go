package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Sliding kernels walk along a line and unpack each column of the picture once, for all the outputs that see it. Sums of
// the outputs under way take turns in slots of four registers. The results of one output are made while the next column
// is added, instruction by instruction, because a processor does not look far enough ahead to overlap them itself.

const slideSignature = `func(dst **byte, dstStep int, lines **byte, srcStep, first, width, n int, w *int8, bias *int32,
	mult *float32, blocks, mask, zero int, pad *byte)`

// slide writes the kernel of k x k taps that moves by stride, for vectors that hold 64 channels of one line, some of them, 32 of
// each of two lines or 16 of each of four. Loads and stores of whole vectors have no mask, which costs a turn of its own.
type slide struct {
	stack512
	k, stride, parts int
	whole            bool // vectors of 64 channels of one line
	shuffle          Mem  // see shuffles
}

// slideI8AVX512 writes the kernels of 3x3 and 5x5 taps that move by 1 and by 2.
func slideI8AVX512(ctx *build.Context) {
	table := shuffles(ctx)
	for _, k := range []int{3, 5} {
		for _, stride := range []int{1, 2} {
			for _, parts := range []int{0, 1, 2, 4} { // 0: one, of which all channels are there
				whole := parts == 0
				parts = max(1, parts)
				name, some := fmt.Sprintf("slide%dx%dI8x%d", k, stride, 64/parts), ""
				if !whole && parts == 1 {
					name, some = name+"Some", "up to "
				}
				a := function(ctx, name, slideSignature,
					fmt.Sprintf("%s computes n pixels of blocks times %s%d channels in %d lines by a %dx%d kernel that moves by %d.",
						name, some, 64/parts, parts, k, k, stride),
					"dst points to the first output of each line; lines points to column 0 of each line that they see, four to a",
					"group. first is the first column; columns below 0 and from width on are 64 bytes of padding at pad. mask has a",
					"bit for every four channels of the last block, if not all are there, and zero is the result's zero point, twice an int16; there is",
					"one block if there is more than one line. Multipliers are below 1. Other arguments are those of depthI8x512.")
				slide{stack512{a}, k, stride, parts, whole, table}.write()
			}
		}
	}
}

// shuffles are four vectors that take 16 of 64 bytes each to the first of four bytes, in the order of stack512.
func shuffles(ctx *build.Context) Mem {
	m := ctx.StaticGlobal("shuffles")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for q := range 4 {
		for i := range 16 {
			ctx.AddDatum(64*q+4*i, U32(0x80808000|uint32(4*q+i%4)))
		}
	}
	return m
}

// slots is how many outputs are under way, the one whose results are made included.
func (s slide) slots() int {
	if s.stride == 1 {
		return s.k + 1
	}
	return (s.k + 1) / 2
}

func (s slide) acc(output int) []reg.VecPhysical {
	at := 4 * (output % s.slots())
	return zmm[at : at+4]
}

// Registers above the slots: five for unpacking, then the zero point, then, for kernels of more than four lines, the
// shuffles, then weights. What does not fit is read from memory.
func (s slide) temp() []reg.VecPhysical { return zmm[4*s.slots():][:5] }

func (s slide) zero() reg.VecPhysical { return zmm[4*s.slots()+5] }

// above is where shuffles and weights begin.
func (s slide) above() int { return 4*s.slots() + 6 }

// shuffled is vector q of shuffles.
func (s slide) shuffled(q int) Op {
	if at := s.above(); at+4 <= 32 {
		return zmm[at+q]
	}
	return s.shuffle.Offset(64 * q)
}

// weight is vector i of a block's weights, [group][kx][q].
func (s slide) weight(i int) Op {
	at := s.above() + i
	if s.k > 4 {
		at += 4
	}
	if at < 32 {
		return zmm[at]
	}
	return Mem{Base: rB, Disp: 64 * i}
}

func (s slide) groups() int { return (s.k + 3) / 4 }

// write emits the loop over columns, unrolled until slots and strides meet again (period): then the code of a column is that of the
// first one, registers included. The k columns in front fill the slots; the loop is left by finished alone, into the rest of the
// results of the last output.
//
// Registers: rA0 is free, rA1 padding, rRow place of the column in its lines, rRow3 its number, rDst place of the next
// output in its lines, rDstRow their beginnings, rNseg outputs left, rRow5 bias, rB2 multipliers, rB weights, rSegs lines.
func (s slide) write() {
	off := s.AllocLocal(8)
	s.VPBROADCASTD(s.arg("zero"), s.zero())
	for q := range 4 {
		if z, ok := s.shuffled(q).(reg.VecPhysical); ok && s.k > 4 {
			s.VMOVDQU32(s.shuffle.Offset(64*q), z)
		}
	}
	if !s.whole {
		s.masks()
	}
	s.load("pad", rA1)
	s.load("lines", rSegs)
	s.load("bias", rRow5)
	s.load("mult", rB2)
	s.load("w", rB)
	s.load("dst", rDstRow)
	s.MOVQ(U32(0), off)
	s.Label("block")
	if s.parts == 1 && !s.whole {
		s.CMPQ(s.arg("blocks"), U8(1))
		s.JNE(LabelRef("whole"))
		s.KMOVW(reg.K2, reg.K1)
		s.Label("whole")
	}
	for i := range 4 * s.groups() * s.k {
		if z, ok := s.weight(i).(reg.VecPhysical); ok {
			s.VMOVDQU32(Mem{Base: rB, Disp: 64 * i}, z)
		}
	}
	s.load("first", rRow3)
	s.MOVQ(rRow3, rRow)
	s.IMULQ(s.arg("srcStep"), rRow)
	s.ADDQ(off, rRow)
	s.MOVQ(off, rDst)
	s.load("n", rNseg)
	for c := range s.k {
		s.column(c, nil)
	}
	s.finished(0)
	period := s.slots() * s.stride
	s.Label("column")
	for c := s.k; c < s.k+period; c++ {
		// Column k-1 of an output is column 0 of the one that is k-1 on.
		if p := c - s.k; p%s.stride == 0 {
			s.column(c, s.results(p/s.stride))
		} else {
			s.column(c, nil)
		}
		if p := c - s.k + 1; p%s.stride == 0 {
			s.finished(p / s.stride)
		}
	}
	s.JMP(LabelRef("column"))
	for p := range s.slots() {
		s.Label(fmt.Sprintf("last_%d", p))
		for _, f := range s.results(p) {
			f()
		}
		s.JMP(LabelRef("next"))
	}
	s.Label("next")
	if s.parts == 1 {
		s.ADDQ(U8(64), off)
		s.ADDQ(U32(256), rRow5)
		s.ADDQ(U32(256), rB2)
		s.ADDQ(U32(uint64(256*s.groups()*s.k)), rB)
		s.DECQ(s.arg("blocks"))
		s.JNZ(LabelRef("block"))
	}
	s.done()
}

// masks sets K1 to the channels of the first line, whole blocks at first, and K2 up to those of the others, or K2 to the
// channels of the last block.
func (s slide) masks() {
	s.load("mask", rA0)
	if s.parts == 1 {
		s.KMOVW(rA0.As32(), reg.K2)
		s.KXNORW(reg.K1, reg.K1, reg.K1)
		return
	}
	for i := range s.parts {
		s.KMOVW(rA0.As32(), maskRegister(1+i))
		s.SHLQ(U8(uint64(16/s.parts)), rA0)
	}
}

func maskRegister(i int) reg.OpmaskPhysical {
	return []reg.OpmaskPhysical{nil, reg.K1, reg.K2, reg.K3, reg.K4}[i]
}

// finished counts an output whose sums are complete and leaves the loop after the last.
func (s slide) finished(output int) {
	s.DECQ(rNseg)
	s.JEQ(LabelRef(fmt.Sprintf("last_%d", output%s.slots())))
}

// column adds a column, number c from the first, to the outputs that see it. Instructions of others stand between.
func (s slide) column(c int, others []func()) {
	var own []func()
	add := func(f func()) { own = append(own, f) }
	if c%s.stride == 0 {
		add(func() { s.begin(rRow5, s.acc(c/s.stride)) })
	}
	for g := range s.groups() {
		n := min(4, s.k-4*g)
		t := s.temp()
		for i := range n {
			add(func() {
				if i == 0 {
					s.CMPQ(rRow3, s.arg("width"))
				}
				s.row(4*g+i, t[i])
			})
		}
		if n == 1 {
			for q := 3; q >= 0; q-- {
				add(func() { s.VPSHUFB(s.shuffled(q), t[0], t[q]) })
			}
			s.dots(c, g, t, add)
		} else {
			s.dots(c, g, s.unpackings(n, t, add), add)
		}
	}
	add(func() {
		s.INCQ(rRow3)
		s.ADDQ(s.arg("srcStep"), rRow)
	})
	interleave(own, others)
}

// interleave emits instructions, with the others in equal distances between them.
func interleave(own, others []func()) {
	done := 0
	for i, f := range own {
		f()
		for ; done < len(others) && done*len(own) <= i*len(others); done++ {
			others[done]()
		}
	}
	for ; done < len(others); done++ {
		others[done]()
	}
}

// unpackings is unpack in single instructions and in five registers, of n rows in t and any below. It returns where the
// four vectors are.
func (s slide) unpackings(n int, t []reg.VecPhysical, add func(func())) []reg.VecPhysical {
	last := t[n-1]
	add(func() { s.VPUNPCKLBW(t[1], t[0], t[4]) })
	add(func() { s.VPUNPCKHBW(t[1], t[0], t[1]) })
	add(func() { s.VPUNPCKLBW(last, t[2], t[0]) })
	add(func() { s.VPUNPCKHBW(last, t[2], t[3]) })
	add(func() { s.VPUNPCKLWD(t[0], t[4], t[2]) })
	add(func() { s.VPUNPCKHWD(t[0], t[4], t[4]) })
	add(func() { s.VPUNPCKLWD(t[3], t[1], t[0]) })
	add(func() { s.VPUNPCKHWD(t[3], t[1], t[3]) })
	return []reg.VecPhysical{t[2], t[4], t[0], t[3]}
}

// dots adds what x has of column c in group g to the outputs that see it, the oldest first. At the start of a line there
// are none before output 0.
func (s slide) dots(c, g int, x []reg.VecPhysical, add func(func())) {
	for kx := s.k - 1; kx >= 0; kx-- {
		if c < kx || (c-kx)%s.stride != 0 {
			continue
		}
		acc := s.acc((c - kx) / s.stride)
		for q := range 4 {
			add(func() { s.VPDPBUSD(s.weight(4*(g*s.k+kx)+q), x[q], acc[q]) })
		}
	}
}

// row loads what the i-th line has in this column, of each part. The flags are those of comparing the column with the
// width, unsigned: below it or outside.
func (s slide) row(i int, z reg.VecPhysical) {
	for part := range s.parts {
		s.MOVQ(Mem{Base: rSegs, Disp: 8 * (4*s.groups()*part + i)}, rA0)
		s.LEAQ(Mem{Base: rA0, Index: rRow, Scale: 1}, rA0)
		s.CMOVQCC(rA1, rA0)
		m := Mem{Base: rA0}
		switch {
		case s.whole:
			s.VMOVDQU32(m, z)
		case s.parts == 1:
			s.VMOVDQU32_Z(m, reg.K1, z)
		case s.parts == 2 && part == 0:
			s.VMOVDQU32_Z(m, reg.K1, z.AsY())
		case s.parts == 2:
			s.VBROADCASTI32X8(m, reg.K2, z)
		case part == 0:
			s.VMOVDQU32_Z(m, reg.K1, z.AsX())
		default:
			s.VBROADCASTI32X4(m, maskRegister(1+part), z)
		}
	}
}

// results requantizes an output and stores it, as tile512.i8Bytes, in single instructions.
func (s slide) results(output int) (f []func()) {
	acc := s.acc(output)
	for q := range 4 {
		f = append(f, func() { s.VCVTDQ2PS(acc[q], acc[q]) })
	}
	for q := range 4 {
		f = append(f, func() { s.VMULPS(Mem{Base: rB2, Disp: 64 * q}, acc[q], acc[q]) })
	}
	for q := range 4 {
		f = append(f, func() { s.VCVTPS2DQ(acc[q], acc[q]) })
	}
	return append(f,
		func() { s.VPACKSSDW(acc[1], acc[0], acc[0]) },
		func() { s.VPACKSSDW(acc[3], acc[2], acc[2]) },
		func() {
			centred := s.label("centred")
			s.CMPQ(s.arg("zero"), U8(0))
			s.JEQ(LabelRef(centred))
			s.VPADDSW(s.zero(), acc[0], acc[0])
			s.VPADDSW(s.zero(), acc[2], acc[2])
			s.Label(centred)
		},
		func() { s.VPACKUSWB(acc[2], acc[0], acc[0]) },
		func() { s.put(acc[0], acc[1]) },
	)
}

// put stores a result in each of its lines. Extracting to memory would fault in what a mask excludes.
func (s slide) put(z, free reg.VecPhysical) {
	for part := range s.parts {
		s.MOVQ(Mem{Base: rDstRow, Disp: 8 * part}, rA0)
		m := Mem{Base: rA0, Index: rDst, Scale: 1}
		switch {
		case s.whole:
			s.VMOVDQU32(z, m)
		case s.parts == 1:
			s.VMOVDQU32(z, reg.K1, m)
		case s.parts == 2 && part == 0:
			s.VMOVDQU32(z.AsY(), reg.K1, m)
		case s.parts == 2:
			s.VEXTRACTI32X8(U8(1), z, free.AsY())
			s.VMOVDQU32(free.AsY(), reg.K1, m)
		case part == 0:
			s.VMOVDQU32(z.AsX(), reg.K1, m)
		default:
			s.VEXTRACTI32X4(U8(uint64(part)), z, free.AsX())
			s.VMOVDQU32(free.AsX(), reg.K1, m)
		}
	}
	s.ADDQ(s.arg("dstStep"), rDst)
}
