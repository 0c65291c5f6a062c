package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const window = ", rows, cols, rowStep, colStep int"

// pools writes the folds of one window: rows x cols taps whose first channel lies rowStep and colStep bytes apart, for c
// channels, whole blocks of them. Steps count bytes.
func pools(ctx *build.Context) {
	for _, signed := range []bool{false, true} {
		maxBytes(ctx, signed)
	}
	maxFloats(ctx)
	means(ctx)
	for _, signed := range []bool{false, true} {
		sums(ctx, signed)
	}
}

// taps calls body with the place of each tap of a window whose first tap is at s; first is called before.
func (a *asm) taps(s, rows, cols, rowStep, colStep reg.GPVirtual, body func(at Mem)) {
	row, at, i, j := a.GP64(), a.GP64(), a.GP64(), a.GP64()
	a.MOVQ(s, row)
	a.MOVQ(rows, i)
	a.loop(i, 1, func() {
		a.MOVQ(row, at)
		a.MOVQ(cols, j)
		a.loop(j, 1, func() {
			body(Mem{Base: at})
			a.ADDQ(colStep, at)
		})
		a.ADDQ(rowStep, row)
	})
}

// geometry loads the arguments of window.
func (a *asm) geometry() (rows, cols, rowStep, colStep reg.GPVirtual) {
	return a.pointer("rows"), a.pointer("cols"), a.pointer("rowStep"), a.pointer("colStep")
}

func maxBytes(ctx *build.Context, signed bool) {
	name := map[bool]string{false: "maxU8AVX2", true: "maxI8AVX2"}[signed]
	a := function(ctx, name, "func(d, s *uint8, c int"+window+")", name+" is the maximum of each of c channels, c a multiple of 32.")
	d, s, c := a.pointer("d"), a.pointer("s"), a.pointer("c")
	rows, cols, rowStep, colStep := a.geometry()
	for _, block := range []int{64, 32} {
		a.loop(c, block, func() {
			acc := make([]reg.VecVirtual, block/32)
			for i := range acc {
				acc[i] = a.YMM()
				a.VMOVDQU(Mem{Base: s, Disp: 32 * i}, acc[i])
			}
			a.taps(s, rows, cols, rowStep, colStep, func(at Mem) {
				for i, v := range acc {
					if signed {
						a.VPMAXSB(at.Offset(32*i), v, v)
					} else {
						a.VPMAXUB(at.Offset(32*i), v, v)
					}
				}
			})
			for i, v := range acc {
				a.VMOVDQU(v, Mem{Base: d, Disp: 32 * i})
			}
			a.advance(block, d, s)
		})
	}
	a.done()
}

func maxFloats(ctx *build.Context) {
	a := function(ctx, "maxF32AVX2", "func(d, s *float32, c int"+window+")", "maxF32AVX2 is the maximum of each of c channels, c a multiple of 8.")
	d, s, c := a.pointer("d"), a.pointer("s"), a.pointer("c")
	rows, cols, rowStep, colStep := a.geometry()
	nan := a.nan()
	for _, block := range []int{16, 8} {
		a.loop(c, block, func() {
			acc, bad := make([]reg.VecVirtual, block/8), make([]reg.VecVirtual, block/8)
			for i := range acc {
				acc[i], bad[i] = a.YMM(), a.YMM()
				a.VMOVUPS(Mem{Base: s, Disp: 32 * i}, acc[i])
				a.VPXOR(bad[i], bad[i], bad[i])
			}
			a.taps(s, rows, cols, rowStep, colStep, func(at Mem) {
				for i, v := range acc {
					w, m := a.YMM(), a.YMM()
					a.VMOVUPS(at.Offset(32*i), w)
					a.VCMPPS(U8(3), w, w, m)
					a.VORPS(m, bad[i], bad[i])
					a.maximum(v, w)
				}
			})
			for i, v := range acc {
				a.VBLENDVPS(bad[i], nan, v, v)
				a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
			}
			a.advance(4*block, d, s)
		})
	}
	a.done()
}

func means(ctx *build.Context) {
	a := function(ctx, "meanF32AVX2", "func(d, s *float32, c int"+window+", n float32)",
		"meanF32AVX2 is numeric.Chain over the taps divided by n, for each of c channels, c a multiple of 8.")
	d, s, c := a.pointer("d"), a.pointer("s"), a.pointer("c")
	rows, cols, rowStep, colStep := a.geometry()
	n, nan := a.float("n"), a.nan()
	left := a.GP64()
	for _, block := range []int{32, 8} {
		a.loop(c, block, func() {
			part, total := make([]reg.VecVirtual, block/8), make([]reg.VecVirtual, block/8)
			for i := range part {
				part[i], total[i] = a.YMM(), a.YMM()
				a.VXORPS(part[i], part[i], part[i])
				a.VXORPS(total[i], total[i], total[i])
			}
			a.MOVQ(U32(128), left) // numeric.Run
			a.taps(s, rows, cols, rowStep, colStep, func(at Mem) {
				for i, v := range part {
					a.VADDPS(at.Offset(32*i), v, v)
				}
				a.DECQ(left)
				a.labels++
				on := fmt.Sprintf("on_%d", a.labels)
				a.JNE(LabelRef(on))
				for i, v := range part {
					a.VADDPS(v, total[i], total[i])
					a.VXORPS(v, v, v)
				}
				a.MOVQ(U32(128), left)
				a.Label(on)
			})
			for i, v := range part {
				a.VADDPS(v, total[i], v)
				a.VDIVPS(n, v, v)
				a.canon(v, nan)
				a.VMOVUPS(v, Mem{Base: d, Disp: 32 * i})
			}
			a.advance(4*block, d, s)
		})
	}
	a.done()
}

func sums(ctx *build.Context, signed bool) {
	name := map[bool]string{false: "sumU8AVX2", true: "sumI8AVX2"}[signed]
	a := function(ctx, name, "func(d *int32, s *uint8, c, pixels, step int)",
		name+" adds up the bytes of each of c channels over pixels that lie step bytes apart, c a multiple of 8.")
	d, s, c, pixels, step := a.pointer("d"), a.pointer("s"), a.pointer("c"), a.pointer("pixels"), a.pointer("step")
	for _, block := range []int{32, 8} {
		a.loop(c, block, func() {
			acc := make([]reg.VecVirtual, block/8)
			for i := range acc {
				acc[i] = a.YMM()
				a.VPXOR(acc[i], acc[i], acc[i])
			}
			at, p := a.GP64(), a.GP64()
			a.MOVQ(s, at)
			a.MOVQ(pixels, p)
			a.loop(p, 1, func() {
				for i, v := range acc {
					w := a.YMM()
					if signed {
						a.VPMOVSXBD(Mem{Base: at, Disp: 8 * i}, w)
					} else {
						a.VPMOVZXBD(Mem{Base: at, Disp: 8 * i}, w)
					}
					a.VPADDD(w, v, v)
				}
				a.ADDQ(step, at)
			})
			for i, v := range acc {
				a.VMOVDQU(v, Mem{Base: d, Disp: 32 * i})
			}
			a.advance(block, s)
			a.advance(4*block, d)
		})
	}
	a.done()
}
