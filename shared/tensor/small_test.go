package tensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// small are the types of minifloats with their largest number and what lies beyond it, unsaturated.
var small = []struct {
	d      DType
	top    float32
	beyond float64
}{
	{Float8E4M3FN, 448, math.NaN()},
	{Float8E4M3FNUZ, 240, math.NaN()},
	{Float8E5M2, 57344, math.Inf(1)},
	{Float8E5M2FNUZ, 57344, math.NaN()},
	{Float4E2M1, 6, 6},
}

// TestSmallFloatsRoundTrip: every pattern comes back from its number, and the middle of two neighbours goes to the even one.
func TestSmallFloatsRoundTrip(t *testing.T) {
	for _, c := range small {
		t.Run(c.d.String(), func(t *testing.T) {
			values := SmallToFloat(c.d)
			n := 1 << c.d.Bits()
			for p := range n {
				v := float64(values[p])
				back := SmallFromFloat(c.d, v, false)
				if v != v {
					require.True(t, values[back] != values[back])
					continue
				}
				require.Equal(t, uint8(p), back, "pattern %#02x, %v", p, v)
				if next := float64(values[(p+1)%n]); p+1 < n/2 && next > v && !math.IsInf(next, 0) {
					require.Equal(t, uint8(p+p&1), SmallFromFloat(c.d, (v+next)/2, false), "middle above %#02x", p)
					require.Equal(t, uint8(p), SmallFromFloat(c.d, math.Nextafter((v+next)/2, 0), false))
				}
			}
		})
	}
}

// TestSmallFloatsBeyond: saturated or not, finite or not.
func TestSmallFloatsBeyond(t *testing.T) {
	for _, c := range small {
		values := SmallToFloat(c.d)
		for _, f := range []float64{1e9, math.Inf(1)} {
			require.Equal(t, c.top, values[SmallFromFloat(c.d, f, true)], c.d)
			require.Equal(t, -c.top, values[SmallFromFloat(c.d, -f, true)], c.d)
			got := float64(values[SmallFromFloat(c.d, f, false)])
			require.True(t, got == c.beyond || got != got && c.beyond != c.beyond, "%s: %v", c.d, got)
		}
	}
}

// TestScaleRounding: powers of two in the three modes of ONNX.
func TestScaleRounding(t *testing.T) {
	for _, c := range []struct {
		f                 float64
		up, down, nearest uint8
	}{
		{1, 127, 127, 127}, {1.25, 128, 127, 127}, {1.5, 128, 127, 128}, {-3, 129, 128, 129}, {0, 0, 0, 0},
		{math.NaN(), 255, 255, 255}, {math.Inf(1), 254, 254, 254},
		{math.Ldexp(1, 127), 254, 254, 254}, {math.Ldexp(1.25, 127), 254, 254, 254}, {math.Ldexp(1, -127), 0, 0, 0}, {math.Ldexp(1, -126), 1, 1, 1},
		{math.Ldexp(1.25, -127), 1, 0, 0}, {math.Ldexp(1.5, -127), 1, 0, 1}, {math.Ldexp(1, -200), 0, 0, 0},
	} {
		require.Equal(t, c.up, FloatToScale(c.f, true, RoundUp), c.f)
		require.Equal(t, c.down, FloatToScale(c.f, true, RoundDown), c.f)
		require.Equal(t, c.nearest, FloatToScale(c.f, true, RoundNearest), c.f)
	}
}

// TestScaleBeyond: without saturation what is larger than every power of two is NaN, and the largest power is itself.
func TestScaleBeyond(t *testing.T) {
	top := math.Ldexp(1, 127)
	for _, mode := range []ScaleRounding{RoundUp, RoundDown, RoundNearest} {
		require.Equal(t, uint8(254), FloatToScale(top, false, mode))
		require.Equal(t, uint8(255), FloatToScale(2*top, false, mode))
		require.Equal(t, uint8(255), FloatToScale(math.Inf(-1), false, mode))
		require.Equal(t, uint8(0), FloatToScale(0, false, mode))
	}
	require.Equal(t, uint8(255), FloatToScale(1.5*top, false, RoundUp))
	require.Equal(t, uint8(254), FloatToScale(1.5*top, false, RoundDown))
}

// TestPack: the first element lies in the lowest bits, and signed ones come back extended.
func TestPack(t *testing.T) {
	x := &Tensor{DType: Int4, Shape: []int{3}, Data: []byte{0xff, 7, 0xf8}}
	require.Equal(t, []byte{0x7f, 0x08}, x.Pack())
	require.Equal(t, x.Data, Unpack(Int4, x.Pack(), 3))
	y := &Tensor{DType: Uint2, Shape: []int{5}, Data: []byte{0, 1, 2, 3, 1}}
	require.Equal(t, []byte{0xe4, 0x01}, y.Pack())
	require.Equal(t, y.Data, Unpack(Uint2, y.Pack(), 5))
	require.Equal(t, []byte{1, 2}, (&Tensor{DType: Uint8, Shape: []int{2}, Data: []byte{1, 2}}).Pack())
}
