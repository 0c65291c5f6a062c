package tensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHalfRoundTrip takes every 16-bit pattern up and down: values come back as they were, NaNs come back as quiet NaNs.
func TestHalfRoundTrip(t *testing.T) {
	forms := []struct {
		name  string
		up    func(uint16) float32
		down  func(float32) uint16
		quiet uint16
	}{
		{"float16", HalfToFloat, HalfFromFloat, 0x200},
		{"bfloat16", BFloatToFloat, BFloatFromFloat, 0x40},
	}
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			for i := range 1 << 16 {
				h := uint16(i)
				v, want := f.up(h), h
				if v != v {
					want |= f.quiet
				}
				require.Equal(t, want, f.down(v), "pattern %#04x", h)
			}
		})
	}
}

// TestHalfRounding checks the neighbourhood of every pair of adjacent finite values: the middle goes to the even one, a
// float32 step beside the middle to the nearer one.
func TestHalfRounding(t *testing.T) {
	check := func(t *testing.T, up func(uint16) float32, down func(float32) uint16, last uint16) {
		for h := uint16(0); h < last; h++ {
			lo, hi := float64(up(h)), float64(up(h+1))
			mid := float32((lo + hi) / 2)
			if float64(mid) != (lo+hi)/2 {
				continue // bfloat16 subnormals: the middle needs more than a float32 has
			}
			even := h + h&1
			require.Equal(t, even, down(mid), "middle above %#04x", h)
			require.Equal(t, h, down(math.Nextafter32(mid, 0)), "below the middle above %#04x", h)
			require.Equal(t, h+1, down(math.Nextafter32(mid, math.MaxFloat32)), "above the middle above %#04x", h)
			require.Equal(t, even|0x8000, down(-mid), "negative middle above %#04x", h)
		}
	}
	t.Run("float16", func(t *testing.T) { check(t, HalfToFloat, HalfFromFloat, 0x7bff) })
	t.Run("bfloat16", func(t *testing.T) { check(t, BFloatToFloat, BFloatFromFloat, 0x7f7f) })
}

// TestHalfConstants pins values that a wrong bias or shift would move.
func TestHalfConstants(t *testing.T) {
	cases := []struct {
		f        float32
		half, bf uint16
	}{
		{0, 0, 0}, {1, 0x3c00, 0x3f80}, {-2, 0xc000, 0xc000}, {65504, 0x7bff, 0x4780}, {65520, 0x7c00, 0x4780},
		{0x1p-24, 1, 0x3380}, {0x1p-25, 0, 0x3300}, {0x1p-14, 0x400, 0x3880}, {float32(math.Inf(1)), 0x7c00, 0x7f80},
		{math.MaxFloat32, 0x7c00, 0x7f80}, {1e-45, 0, 0}, {0.1, 0x2e66, 0x3dcd},
	}
	for _, c := range cases {
		require.Equal(t, c.half, HalfFromFloat(c.f), "float16 of %g", c.f)
		require.Equal(t, c.bf, BFloatFromFloat(c.f), "bfloat16 of %g", c.f)
	}
}

// TestFloats converts each floating-point type and refuses the others.
func TestFloats(t *testing.T) {
	want := []float32{1, -0.5}
	for _, x := range []*Tensor{
		Of(Float32, []int{2}, want), Of(Float64, []int{2}, []float64{1, -0.5}),
		Of(Float16, []int{2}, []uint16{0x3c00, 0xb800}), Of(BFloat16, []int{2}, []uint16{0x3f80, 0xbf00}),
	} {
		got, err := x.Floats()
		require.NoError(t, err)
		require.Equal(t, want, got, x.DType.String())
	}
	_, err := New(Int8, 2).Floats()
	require.EqualError(t, err, "tensor of int8 holds no floats")
}
