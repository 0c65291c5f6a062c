//go:build !amd64 || noasm

package conv

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

var table = [...]Kernel{
	{"f32_depth_plain", tier.Plain, "f32"},
	{"u8s8_depth_plain", tier.Plain, "u8s8"},
}

// No span is made where there is no assembly.
func (p *depthF32) span(*Kernel, []float32, *span[float32], numeric.Clamp) {}

func (p *depthI8) span(*Kernel, []uint8, *span[uint8], uint8, numeric.Requant, []float32) {}
