//go:build !amd64 || noasm

package tile

import "assay/kernels/tier"

var table = [...]Kernel{
	{"f32_tile_plain_8x16", tier.Plain, "f32", 8, 1, 1 << 30},
	{"u8s8_tile_plain_8x16", tier.Plain, "u8s8", 8, 1, 1 << 30},
}

func (k *Kernel) f32(c *callF32) { plainF32(c) }
func (k *Kernel) i8(c *callI8)   { plainI8(c) }

func (p *I8) pipedTiles(_ Out, _ []uint8, _ Walk, _ uint8, _, _ int) {}

func packRows(_ []int8, _ []byte, _, _ int, _ uint8, _ *[Panel]int32) int { return 0 }

func sumBlocks(_ []int32, _ []byte, _ Walk, _ int32) int { return 0 }

func copyPanel(_, _ []float32, _, _ int) int { return 0 }

func widenBlocks(_ []int16, _ []uint8, _, _, _, _ int) int { return 0 }
