//go:build !noasm

package tile

import "assay/kernels/tier"

//go:generate sh -c "cd ../../gen && go run ."

var table = [...]Kernel{
	{"f32_tile_avx2_6x16", tier.AVX2, "f32", 6, 1, 300_000},
	{"f32_tile_avx512vnni_14x32", tier.AVX512VNNI, "f32", 14, 2, 600_000},
	{"f32_tile_avx512vnni_6x64", tier.AVX512VNNI, "f32", 6, 4, 600_000},
	{"f32_tile_avx512vnni_9x48", tier.AVX512VNNI, "f32", 9, 3, 600_000},
	{"f32_tile_plain_8x16", tier.Plain, "f32", 8, 1, 1 << 30},
	{"u8s8_tile_amx_32x32", tier.AMX, "u8s8", 32, 2, 2_000_000},
	{"u8s8_tile_avx2_6x16", tier.AVX2, "u8s8", 6, 1, 100_000},
	{"u8s8_tile_avx512vnni_14x32", tier.AVX512VNNI, "u8s8", 14, 2, 600_000},
	{"u8s8_tile_avx512vnni_6x64", tier.AVX512VNNI, "u8s8", 6, 4, 600_000},
	{"u8s8_tile_plain_8x16", tier.Plain, "u8s8", 8, 1, 1 << 30},
}

// f32 runs a call. Functions are named and not kept in the table: what is passed through a function value moves to the
// heap.
func (k *Kernel) f32(c *callF32) {
	switch {
	case c.depth == 0 || k.Tier == tier.Plain:
		plainF32(c)
	default:
		c.assembly(k)
	}
}

// i8 runs a call.
func (k *Kernel) i8(c *callI8) {
	switch {
	case c.p.K == 0 || k.Tier == tier.Plain:
		plainI8(c)
	default:
		c.assembly(k)
	}
}
