package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// prepareI8AVX512 writes what an integer depthwise convolution does once before its pixels.
func prepareI8AVX512(ctx *build.Context) {
	a := function(ctx, "biasI8x512", "func(bias, biases, sums *int32, vectors, zero int)",
		"biasI8x512 sets bias to biases less zero times sums, each of as many vectors of 16.")
	a.load("bias", rDst)
	a.load("biases", rA0)
	a.load("sums", rA1)
	a.load("vectors", rNseg)
	a.VPBROADCASTD(a.arg("zero"), reg.Z0)
	a.Label("vector")
	a.VPMULLD(Mem{Base: rA1}, reg.Z0, reg.Z1)
	a.VMOVDQU32(Mem{Base: rA0}, reg.Z2)
	a.VPSUBD(reg.Z1, reg.Z2, reg.Z2)
	a.VMOVDQU32(reg.Z2, Mem{Base: rDst})
	a.ADDQ(U8(64), rA0)
	a.ADDQ(U8(64), rA1)
	a.ADDQ(U8(64), rDst)
	a.DECQ(rNseg)
	a.JNZ(LabelRef("vector"))
	a.done()

	a = function(ctx, "spreadI8x512", "func(mult, m *float32, blocks int)",
		"spreadI8x512 brings whole blocks of 64 multipliers into the order of unpacked vectors.")
	a.load("mult", rDst)
	a.load("m", rA0)
	a.load("blocks", rNseg)
	a.Label("block")
	for q := range 4 {
		z := zmm[q]
		a.VMOVUPS(Mem{Base: rA0, Disp: 16 * q}, z.AsX())
		for lane := 1; lane < 4; lane++ {
			a.VINSERTF32X4(U8(uint64(lane)), Mem{Base: rA0, Disp: 64*lane + 16*q}, z, z)
		}
		a.VMOVUPS(z, Mem{Base: rDst, Disp: 64 * q})
	}
	a.ADDQ(U32(256), rA0)
	a.ADDQ(U32(256), rDst)
	a.DECQ(rNseg)
	a.JNZ(LabelRef("block"))
	a.done()
}
