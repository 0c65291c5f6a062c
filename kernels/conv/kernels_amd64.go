//go:build !noasm

package conv

import (
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

var table = [...]Kernel{
	{"f32_depth_avx512vnni_8x16", tier.AVX512VNNI, "f32"},
	{"f32_depth_plain", tier.Plain, "f32"},
	{"u8s8_depth_avx512vnni_1x64", tier.AVX512VNNI, "u8s8"},
	{"u8s8_depth_plain", tier.Plain, "u8s8"},
}

// span runs one call of a float kernel.
func (p *depthF32) span(k *Kernel, dst []float32, s *span[float32], act numeric.Clamp) {
	clamp := 0
	if act.On {
		clamp = 1
	}
	a := tile.NewAct(act)
	blocks := len(p.bias) / lanesF32
	_ = dst[s.out+(s.n-1)*s.dstep+(blocks-1)*lanesF32+s.lanes-1]
	depthF32x512(&dst[s.out], 4*s.dstep, &s.taps[0], p.taps, 4*s.srcStep, &p.tap[0], &p.bias[0],
		s.n, blocks, 1<<s.lanes-1, clamp, &a[0])
}

// span runs one call of an integer kernel.
func (p *depthI8) span(k *Kernel, dst []uint8, s *span[uint8], xZero uint8, rq numeric.Requant, mult []float32) {
	q := tile.NewRequant(rq, int32(xZero))
	_ = dst[s.out+(s.n-1)*s.dstep+(p.blocks-1)*lanesI8+s.lanes-1]
	depthI8x512(&dst[s.out], s.dstep, &s.taps[0], p.groups, s.srcStep, &p.packed[0], &p.biases[0], &p.sums[0], &mult[0],
		s.n, p.blocks, int(^uint64(0)>>(64-s.lanes)), &q[0])
}
