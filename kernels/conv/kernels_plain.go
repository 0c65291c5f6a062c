//go:build !amd64 || noasm

package conv

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

var table = [...]Kernel{
	{"f32_depth_plain", tier.Plain, "f32", 1, false, false, false},
	{"u8s8_depth_plain", tier.Plain, "u8s8", 1, false, false, false},
}

// No span is made where there is no assembly.
func (p *depthF32) span(*Kernel, []float32, *span[float32], numeric.Clamp) {}

func (p *depthF32) line(*lineCall, []float32, Geometry) {}

func (c *callI8) prepareBlocks() int { return 0 }

func (c *callI8) span([]uint8, *span[uint8]) {}

func (s *slideCall) line() {}

func noMinusZero([]float32, int, int, int) bool { return false }

func (c *firstCall) gather([]uint8, int, int) {}
