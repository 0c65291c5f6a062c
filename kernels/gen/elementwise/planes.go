package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
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
}
