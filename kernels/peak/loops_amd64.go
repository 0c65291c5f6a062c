//go:build !noasm

package peak

import (
	"assay/kernels/gemm/tile"
	"assay/kernels/tier"
)

var loops = [...]Loop{
	{"TDPBUSD, tiles of 16 x 64 bytes", tier.AMX, "u8s8", 4 * 2 * 16 * 16 * 64 / 8, tiles},
	{"f32 FMA, registers of 512 bits", tier.AVX512VNNI, "f32", 12 * 32, fma512},
	{"VPDPBUSD, registers of 512 bits", tier.AVX512VNNI, "u8s8", 12 * 128, dot512},
	{"f32 FMA, registers of 256 bits", tier.AVX2, "f32", 12 * 16, fma256},
	{"VPMADDWD, registers of 256 bits", tier.AVX2, "u8s8", 12 * 32, dot256},
	plainF32, plainI8,
}

// tiles does an eighth of n rounds, which take as long as n of the others.
func tiles(n int) {
	c := tile.NewConfig(16, 0)
	dotTiles(max(1, n/8), &c[0])
}
