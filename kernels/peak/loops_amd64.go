//go:build !noasm

package peak

import "assay/kernels/tier"

var loops = [...]Loop{
	{"f32 FMA, registers of 512 bits", tier.AVX512VNNI, "f32", 12 * 32, fma512},
	{"VPDPBUSD, registers of 512 bits", tier.AVX512VNNI, "u8s8", 12 * 128, dot512},
	{"f32 FMA, registers of 256 bits", tier.AVX2, "f32", 12 * 16, fma256},
	{"VPMADDWD, registers of 256 bits", tier.AVX2, "u8s8", 12 * 32, dot256},
	plainF32, plainI8,
}
