package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// peakLoops writes the loops of package peak: multiply-adds on registers, as many chains as hide their latency.
func peakLoops(ctx *build.Context) {
	loop := func(name, what string, chains int, step func(a *asm, i int)) {
		a := function(ctx, name, "func(n int)", fmt.Sprintf("%s does n rounds of %d %s.", name, chains, what))
		for i := range 16 {
			a.VXORPS(ymm[i], ymm[i], ymm[i])
		}
		a.load("n", rK)
		a.Label("round")
		for i := range chains {
			step(a, i)
		}
		a.DECQ(rK)
		a.JNZ(LabelRef("round"))
		a.done()
	}
	tiles := function(ctx, "dotTiles", "func(n int, config *byte)", "dotTiles does n rounds of 4 TDPBUSD on tiles that config describes.")
	tiles.load("config", rA0)
	tiles.loadConfig(rA0)
	tiles.load("n", rK)
	tiles.Label("round")
	for i := range uint64(4) {
		tiles.dotTiles(i, 4, 5)
	}
	tiles.DECQ(rK)
	tiles.JNZ(LabelRef("round"))
	tiles.releaseTiles()
	tiles.done()
	loop("fma512", "VFMADD231PS on 16 floats", 12, func(a *asm, i int) { a.VFMADD231PS(zmm[15], zmm[14], zmm[i]) })
	loop("dot512", "VPDPBUSD on 64 bytes", 12, func(a *asm, i int) { a.VPDPBUSD(zmm[15], zmm[14], zmm[i]) })
	loop("fma256", "VFMADD231PS on 8 floats", 12, func(a *asm, i int) { a.VFMADD231PS(ymm[15], ymm[14], ymm[i]) })
	loop("dot256", "VPMADDWD and VPADDD on 16 words", 12, func(a *asm, i int) {
		a.VPMADDWD(ymm[15], ymm[14], ymm[13])
		a.VPADDD(ymm[13], ymm[i], ymm[i])
	})
}
