package peak

import (
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

var (
	plainF32 = Loop{"f32 FMA in Go", tier.Plain, "f32", 16, func(n int) {
		var a [8]float32
		for range n {
			for j := range a {
				a[j] = numeric.FMA32(a[j], 0.5, 1)
			}
		}
		keep(a[0])
	}}
	plainI8 = Loop{"multiply-adds of int32 in Go", tier.Plain, "u8s8", 16, func(n int) {
		var a [8]int32
		for i := range n {
			for j := range a {
				a[j] += int32(uint8(i)) * int32(int8(j+i))
			}
		}
		keep(float32(a[0]))
	}}
)

// keep keeps a loop from being removed.
//
//go:noinline
func keep(float32) {}
