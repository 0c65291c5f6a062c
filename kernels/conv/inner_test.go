package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// innerGeometries are pictures wide enough to be read where they lie: strides, dilations, several columns at a side, one
// or two gatherings, no lines or columns outside at one side.
func innerGeometries() []Geometry {
	return []Geometry{
		square(2, 49, 3, 16, 3, 1, 1, 1),
		square(1, 97, 3, 17, 3, 2, 1, 1),
		square(1, 96, 2, 33, 3, 2, 1, 1),
		square(1, 50, 4, 5, 5, 1, 2, 1),
		square(1, 150, 1, 3, 7, 3, 3, 1),
		{Batch: 2, H: 20, W: 50, C: 5, OC: 9, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilationH: 2, DilationW: 3,
			PadTop: 0, PadLeft: 5, PadBottom: 3, PadRight: 2, Group: 1},
		{Batch: 1, H: 31, W: 98, C: 3, OC: 8, KH: 3, KW: 3, StrideH: 1, StrideW: 2, DilationH: 1, DilationW: 1,
			PadTop: 2, PadRight: 1, Group: 1},
		{Batch: 1, H: 20, W: 50, C: 2, OC: 4, KH: 1, KW: 4, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 2,
			PadLeft: 6, Group: 1},
	}
}

// TestInnerIsFound keeps the cases above on the way that they are for, and others off it.
func TestInnerIsFound(t *testing.T) {
	inside := func(g Geometry) bool {
		p := newPlan(g, 4, 0, false)
		p.findInner()
		return p.inner.columns > 0
	}
	for _, g := range innerGeometries() {
		require.True(t, inside(g), "%+v", g)
	}
	require.False(t, inside(square(1, 64, 16, 64, 3, 1, 1, 1)), "many multiplications for each element: a copy is cheap")
	require.False(t, inside(square(1, 20, 4, 8, 3, 1, 1, 1)), "narrow")
	require.False(t, inside(square(1, 60, 4, 8, 3, 1, 0, 1)), "no padding, no copy")
	require.False(t, inside(square(1, 60, 4, 8, 3, 1, 1, 2)), "groups")
}

// TestWithinIsWhatSeesNoPadding compares with a walk over all outputs.
func TestWithinIsWhatSeesNoPadding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size, stride := rapid.IntRange(1, 40).Draw(t, "size"), rapid.IntRange(1, 4).Draw(t, "stride")
		pad, reach := rapid.IntRange(0, 9).Draw(t, "pad"), rapid.IntRange(0, 12).Draw(t, "reach")
		after := rapid.IntRange(0, 9).Draw(t, "after")
		n := max(0, size+pad+after-reach-1)/stride + 1
		first, end := within(size, n, stride, pad, reach)
		require.LessOrEqual(t, end, n)
		for i := range n {
			at := i*stride - pad
			require.Equal(t, at >= 0 && at+reach < size, i >= first && i < end, "output %d of %d", i, n)
		}
	})
}

// TestInnerAllocatesNothing on the way that takes most steps.
func TestInnerAllocatesNothing(t *testing.T) {
	g := innerGeometries()[0]
	r := rand.New(rand.NewPCG(8, 8))
	p, err := PackF32(g, floats(r, g.OC*g.C*g.KH*g.KW, false), nil)
	require.NoError(t, err)
	src, dst := floats(r, g.Batch*g.H*g.W*g.C, false), guard.Slice[float32](t, g.Batch*g.OutH()*g.OutW()*g.OC)
	scratch := garbage(t, p.Scratch(g))
	eachTier(t, func(t *testing.T) {
		require.Zero(t, testing.AllocsPerRun(3, func() { p.Run(dst, src, g, numeric.Relu(), scratch) }))
	})
}
