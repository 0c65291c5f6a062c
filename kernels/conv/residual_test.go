package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// TestResidualIsAddedToFinishedSums demands the bits of a convolution without an activation, an addition and the
// activation after it, as three passes. Residuals hold NaN, infinities, zeros of both signs and what is denormal, and end
// at a page without access. The last geometry is deeper than one call of a kernel, so sums are stored and continued.
func TestResidualIsAddedToFinishedSums(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 8))
		for i, g := range append(geometries(r), square(1, 3, 1900, 35, 3, 1, 1, 1), square(1, 16, 64, 72, 1, 1, 0, 1)) {
			if g.depthwise() || g.Batch == 0 {
				continue
			}
			src := guard.Copy(t, floats(r, g.Batch*g.H*g.W*g.C, i%2 == 0 && g.C < 1000)) // one NaN of so many would be in every sum
			p, err := PackF32(g, floats(r, g.OC*(g.C/g.Group)*g.KH*g.KW, false), floats(r, g.OC, true))
			require.NoError(t, err)
			require.True(t, p.TakesResidual())
			act, pixels := clamps[i%len(clamps)], g.Batch*g.OutH()*g.OutW()
			g.Apart = g.OC + []int{0, 0, 3}[i%3]
			n := (pixels-1)*g.Apart + g.OC
			sums, dst, residual := make([]float32, n), guard.Slice[float32](t, n), guard.Copy(t, floats(r, n, true))
			p.Run(sums, src, g, numeric.Clamp{}, garbage(t, p.Scratch(g)))
			p.RunResidual(dst, src, residual, g, act, garbage(t, p.Scratch(g)))
			for j, v := range dst {
				want := float32(0)
				if j%g.Apart < g.OC {
					want = act.Apply(sums[j] + residual[j])
				}
				if math.Float32bits(v) != math.Float32bits(want) {
					require.Failf(t, "bits differ", "%+v, %v: element %d is %v, not %v = %v + %v", g, act, j, v, want, sums[j], residual[j])
				}
			}
		}
	})
}

func TestDepthwiseTakesNoResidual(t *testing.T) {
	p, err := PackF32(square(1, 4, 8, 8, 3, 1, 0, 8), make([]float32, 72), nil)
	require.NoError(t, err)
	require.False(t, p.TakesResidual())
}
