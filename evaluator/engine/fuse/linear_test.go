package fuse

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestLimits: the range of every type that saturates.
func TestLimits(t *testing.T) {
	for d, want := range map[tensor.DType][2]int{
		tensor.Uint8: {0, math.MaxUint8}, tensor.Int8: {math.MinInt8, math.MaxInt8}, tensor.Uint16: {0, math.MaxUint16}, tensor.Int16: {math.MinInt16, math.MaxInt16},
	} {
		lo, hi, ok := linear{dtype: d}.limits()
		require.True(t, ok)
		require.Equal(t, want, [2]int{lo, hi}, d)
	}
	_, _, ok := linear{dtype: tensor.Int32}.limits()
	require.False(t, ok)
}

// scales is a DQ with these scales on one axis.
func scales(v ...float32) linear {
	return linear{s: tensor.Of(tensor.Float32, []int{len(v)}, v)}
}

// TestNearScale: a bias has the accumulator's scale up to 1e-6 and one part in a hundred of the accumulator's. One scale stands
// for all, nothing for none.
func TestNearScale(t *testing.T) {
	x := scales(0.5)
	for _, c := range []struct {
		name string
		b, w linear
		want bool
	}{
		{"equal", scales(0.25, 0.5), scales(0.5, 1), true},
		{"the second is off", scales(0.25, 0.51), scales(0.5, 1), false},
		{"a part in a hundred", scales(0.5049), scales(1), true},
		{"a little more", scales(0.5051), scales(1), false},
		{"a little less", scales(0.4949), scales(1), false},
		{"tiny ones are near by the absolute part", scales(5e-7), scales(2e-9), true},
		{"one for all", scales(0.25), scales(0.5, 0.5), true},
		{"one for all, and not of all", scales(0.25), scales(0.5, 1), false},
		{"all for one", scales(0.25, 0.25), scales(0.5), true},
		{"two and three", scales(0.25, 0.25), scales(0.5, 0.5, 0.5), false},
		{"none", scales(), scales(0.5), false},
		{"none of the weight", scales(0.25), scales(), false},
		{"no number", scales(float32(math.NaN())), scales(0.5), false},
		{"computed", linear{}, scales(0.5), false},
	} {
		require.Equal(t, c.want, nearScale(c.b, x, c.w), c.name)
	}
}
