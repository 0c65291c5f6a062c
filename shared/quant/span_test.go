package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestAsymmetricReferenceValues holds the worked values of the specification of ranges.
func TestAsymmetricReferenceValues(t *testing.T) {
	for _, c := range []struct{ lo, hi, wantLo, wantHi, zero float64 }{
		{-1, 2, -1, 2, 85},
		{-1, 1, -1.0078740157, 1, 128},
		{-0.5, 3, -0.5, 3.0416666667, 36},
		{-0.28, 8.3, -0.28, 8.645, 8},
		{0, 6, 0, 6, 0},
		{0, 0, -0.0008062992, 0.0008, 128},
		{-3, 0, -3, 0, 255},
		{0.5, 1.5, 0, 1.5, 0},
	} {
		s := asymmetric(c.lo, c.hi)
		require.InDelta(t, c.wantLo, s.lo, 1e-9, "%v", c)
		require.InDelta(t, c.wantHi, s.hi, 1e-9, "%v", c)
		_, z, err := s.u8(everything)
		require.NoError(t, err)
		require.EqualValues(t, c.zero, z, "%v", c)
	}
}

// TestQ18ZeroIsAlwaysALevel: POT keeps [-0.001, 6] and FQ(0) is -0.001 there.
func TestQ18ZeroIsAlwaysALevel(t *testing.T) {
	require.Equal(t, span{0, 6}, asymmetric(-0.001, 6))
	require.Equal(t, span{-6, 0}, asymmetric(-6, 0.001))
	rapid.Check(t, func(t *rapid.T) {
		lo, hi := rapid.Float64Range(-1e3, 1e3).Draw(t, "lo"), rapid.Float64Range(-1e3, 1e3).Draw(t, "hi")
		if lo > hi {
			lo, hi = hi, lo
		}
		s := asymmetric(lo, hi)
		require.LessOrEqual(t, s.lo, 0.0)
		require.GreaterOrEqual(t, s.hi, 0.0)
		z := -s.lo * 255 / (s.hi - s.lo)
		require.InDelta(t, math.RoundToEven(z), z, 1e-6, "zero is off the levels: [%g, %g]", s.lo, s.hi)
		scale, zero, err := s.u8(everything)
		require.NoError(t, err)
		require.True(t, scale > 0 && zero >= 0 && zero <= 255)
		require.GreaterOrEqual(t, s.width()*(1+1e-6)+float64(scale), max(hi, 0)-min(lo, 0))
	})
}

// TestSymmetricReferenceValues: the fake quantizer on [-256/254, 1] and on [-1, 1] with 255 levels.
func TestSymmetricReferenceValues(t *testing.T) {
	scale, zero, err := symmetricActivation(-1, 1, false).u8(everything)
	require.NoError(t, err)
	fq := func(x float64) float64 {
		return (math.RoundToEven(x/float64(scale)) + float64(zero) - float64(zero)) * float64(scale)
	}
	require.EqualValues(t, 128, zero)
	require.InDelta(t, -0.5039370079, fq(-0.5), 1e-7)
	require.InDelta(t, 0.2992125984, fq(0.3), 1e-7)
	require.Zero(t, fq(0))

	// The specification gives -0.4960629921 (-63) for -0.5, which is a tie: its quantizer counts from the low end. QuantizeLinear
	// counts from zero, and the runtimes run QuantizeLinear.
	w := quantizeWeights([]float32{-0.4999, -0.5, 0.003, 0.3, 1}, []int{5}, -1, []float32{1. / 127}, 127)
	require.Equal(t, []int8{-63, -64, 0, 38, 127}, w)

	require.Equal(t, span{0, 2}, symmetricActivation(0, 2, false))
	require.Equal(t, span{-2 * 256. / 254, 2}, symmetricActivation(0, 2, true))
	require.Equal(t, span{0, absFloor}, symmetricActivation(0, 0, false), "a dead tensor has a finite range")
}

func TestWeightFloors(t *testing.T) {
	require.Equal(t, []float64{2, 0.02, 0.02, 1}, weightHalfRange([]float64{2, 0, 1e-9, 1}))
	require.Equal(t, []float64{absFloor, absFloor}, weightHalfRange([]float64{0, 0}))
}

// TestClipIsAbsorbed: ONNX Runtime drops a Clip only if no level lies outside it.
func TestClipIsAbsorbed(t *testing.T) {
	for _, c := range []struct{ s, limits span }{
		{span{0, 6}, span{0, 6}},
		{asymmetric(-1, 1), span{-1, 1}},
		{symmetricActivation(-1, 1, false), span{-1, 1}},
		{span{0, 7}, span{0, 6}},
		{span{0, 0.7}, span{0, 0.7}},
		{asymmetric(-0.3, 2.9), span{-0.3, 3}},
	} {
		scale, zero, err := c.s.u8(c.limits)
		require.NoError(t, err)
		require.LessOrEqual(t, float64(scale)*float64(255-zero), c.limits.hi)
		require.GreaterOrEqual(t, float64(scale)*float64(-zero), c.limits.lo)
		require.InEpsilon(t, min(c.s.width(), c.limits.width()), float64(scale)*255, 0.01)
	}
}

func TestOnTies(t *testing.T) {
	var pixels []float64
	for p := range 256 {
		pixels = append(pixels, float64(p)/127.5-1)
	}
	require.True(t, onTies(pixels, 2./255))
	require.False(t, onTies(pixels, float32(2./255*1.002)))
	require.False(t, onTies([]float64{0, 1, 2, 3}, 1))
}
