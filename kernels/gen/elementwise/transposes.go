package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transposes writes the transposition of strips of 8 rows of 32-bit words.
func transposes(ctx *build.Context) {
	a := function(ctx, "transposeStripAVX2", "func(d, s *uint32, n, dstStep, srcStep int)",
		"transposeStripAVX2 writes word (i, j) of 8 rows of n words, srcStep bytes apart, as word (j, i) of n rows of 8,",
		"dstStep bytes apart; n is a multiple of 8.")
	d, s, n := a.pointer("d"), a.pointer("s"), a.pointer("n")
	ds, ss := a.pointer("dstStep"), a.pointer("srcStep")
	ds3, ss3 := a.GP64(), a.GP64()
	a.LEAQ(Mem{Base: ds, Index: ds, Scale: 2}, ds3)
	a.LEAQ(Mem{Base: ss, Index: ss, Scale: 2}, ss3)
	// rows are the addresses of 8 rows from base and the fifth of them, which is 4 steps further.
	rows := func(base, fifth, step, step3 reg.GPVirtual) (m [8]Mem) {
		for half, b := range []reg.GPVirtual{base, fifth} {
			m[4*half] = Mem{Base: b}
			m[4*half+1] = Mem{Base: b, Index: step, Scale: 1}
			m[4*half+2] = Mem{Base: b, Index: step, Scale: 2}
			m[4*half+3] = Mem{Base: b, Index: step3, Scale: 1}
		}
		return m
	}
	a.loop(n, 8, func() {
		s5, d5 := a.GP64(), a.GP64()
		a.LEAQ(Mem{Base: s, Index: ss, Scale: 4}, s5)
		a.LEAQ(Mem{Base: d, Index: ds, Scale: 4}, d5)
		from, to := rows(s, s5, ss, ss3), rows(d, d5, ds, ds3)
		// Register k holds columns 0..3 of row k below those of row k+4, register k+4 columns 4..7 of both.
		var r [8]reg.VecVirtual
		for k := range 4 {
			r[k], r[k+4] = a.YMM(), a.YMM()
			right := from[k]
			right.Disp += 16
			a.VMOVUPS(from[k], r[k].AsX())
			a.VMOVUPS(right, r[k+4].AsX())
			below := from[k+4]
			a.VINSERTF128(U8(1), below, r[k], r[k])
			below.Disp += 16
			a.VINSERTF128(U8(1), below, r[k+4], r[k+4])
		}
		for half := range 2 {
			q := r[4*half:]
			t := [4]reg.VecVirtual{a.YMM(), a.YMM(), a.YMM(), a.YMM()}
			a.VUNPCKLPS(q[1], q[0], t[0])
			a.VUNPCKHPS(q[1], q[0], t[1])
			a.VUNPCKLPS(q[3], q[2], t[2])
			a.VUNPCKHPS(q[3], q[2], t[3])
			out := a.YMM()
			for k, of := range [4]struct {
				x, y int
				high bool
			}{{0, 2, false}, {0, 2, true}, {1, 3, false}, {1, 3, true}} {
				if of.high {
					a.VUNPCKHPD(t[of.y], t[of.x], out)
				} else {
					a.VUNPCKLPD(t[of.y], t[of.x], out)
				}
				a.VMOVUPS(out, to[4*half+k])
			}
		}
		a.advance(32, s)
		a.LEAQ(Mem{Base: d, Index: ds, Scale: 8}, d)
	})
	a.done()
}
