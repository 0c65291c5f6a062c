package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// planes writes the interleaving of three planes of bytes: each third of 48 bytes is put together from bytes of all three,
// which a shuffle by its own pattern puts in place and fills up with zeros.
func planes(ctx *build.Context) {
	m := ctx.StaticGlobal("thirds")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for third := range 3 {
		for plane := range 3 {
			for i := range 16 {
				from := uint8(0x80)
				if at := 16*third + i; at%3 == plane {
					from = uint8(at / 3)
				}
				ctx.AddDatum(16*(3*third+plane)+i, U8(from))
			}
		}
	}
	a := function(ctx, "threePlanesAVX2", "func(d, a, b, c *uint8, n int)",
		"threePlanesAVX2 writes n bytes of each of a, b and c as n rows of three; n is a multiple of 16.")
	d, n := a.pointer("d"), a.pointer("n")
	x, y, z := a.pointer("a"), a.pointer("b"), a.pointer("c")
	a.loop(n, 16, func() {
		u, v, w := a.XMM(), a.XMM(), a.XMM()
		a.VMOVDQU(Mem{Base: x}, u)
		a.VMOVDQU(Mem{Base: y}, v)
		a.VMOVDQU(Mem{Base: z}, w)
		for third := range 3 {
			s, t := a.XMM(), a.XMM()
			a.VPSHUFB(m.Offset(48*third), u, s)
			a.VPSHUFB(m.Offset(48*third+16), v, t)
			a.VPOR(t, s, s)
			a.VPSHUFB(m.Offset(48*third+32), w, t)
			a.VPOR(t, s, s)
			a.VMOVDQU(s, Mem{Base: d, Disp: 16 * third})
		}
		a.advance(16, x, y, z)
		a.advance(48, d)
	})
	a.done()
	wordPlanes(ctx)
}

// wordPlanes writes the interleaving of three planes of 32-bit words: one permutation by the row of each word serves all three planes in a third of
// 24 words, and blends take from each what is its own.
func wordPlanes(ctx *build.Context) {
	m := ctx.StaticGlobal("rowsOfThirds")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	var own [3][3]uint8 // a bit for each word of a third that is a plane's
	for i := range 24 {
		ctx.AddDatum(4*i, U32(uint32(i/3)))
		own[i/8][i%3] |= 1 << (i % 8)
	}
	a := function(ctx, "threeWordPlanesAVX2", "func(d, a, b, c *uint32, n int)",
		"threeWordPlanesAVX2 writes n words of each of a, b and c as n rows of three; n is a multiple of 8.")
	d, n := a.pointer("d"), a.pointer("n")
	x, y, z := a.pointer("a"), a.pointer("b"), a.pointer("c")
	at := [3]reg.VecVirtual{a.YMM(), a.YMM(), a.YMM()}
	for third, to := range at {
		a.VMOVDQU(m.Offset(32*third), to)
	}
	a.loop(n, 8, func() {
		u, v, w := a.YMM(), a.YMM(), a.YMM()
		a.VMOVDQU(Mem{Base: x}, u)
		a.VMOVDQU(Mem{Base: y}, v)
		a.VMOVDQU(Mem{Base: z}, w)
		for third := range 3 {
			s, t := a.YMM(), a.YMM()
			a.VPERMD(u, at[third], s)
			a.VPERMD(v, at[third], t)
			a.VPBLENDD(U8(own[third][1]), t, s, s)
			a.VPERMD(w, at[third], t)
			a.VPBLENDD(U8(own[third][2]), t, s, s)
			a.VMOVDQU(s, Mem{Base: d, Disp: 32 * third})
		}
		a.advance(32, x, y, z)
		a.advance(96, d)
	})
	a.done()
}
