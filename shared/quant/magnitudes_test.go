package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/op"
	"assay/shared/tensor"
)

// TestMagnitudes: bins follow each other, hold what lies between their edges, and count every element once.
func TestMagnitudes(t *testing.T) {
	for i := 1; i < MagnitudeBins-1; i++ {
		lo, hi := MagnitudeEdge(i), MagnitudeEdge(i+1)
		require.Greater(t, hi, lo)
		require.LessOrEqual(t, hi/lo, 1.25)
		require.Equal(t, i, MagnitudeBin(float32(lo)))
		require.Equal(t, i, MagnitudeBin(-math.Nextafter32(float32(hi), 0)))
	}
	require.Equal(t, 1.0, MagnitudeEdge(MagnitudeBin(1)))
	x := []float32{0, float32(math.Copysign(0, -1)), 1e-30, 1, -1.2, 1.5, float32(math.Inf(-1)), 3e38}
	out, err := Collect(Tap{Value: "v", Func: Magnitudes, Axis: -1, Width: MagnitudeBins}, tensor.Of(tensor.Float32, []int{8}, x), op.Logical)
	require.NoError(t, err)
	require.Equal(t, 3.0, out[0])
	require.Equal(t, 2.0, out[MagnitudeBin(1)])
	require.Equal(t, 2.0, out[MagnitudeBins-1])
	sum := 0.0
	for _, n := range out {
		sum += n
	}
	require.Equal(t, float64(len(x)), sum)
	out, err = Collect(Tap{Value: "v", Func: Magnitudes, Axis: -1, Width: MagnitudeBins}, tensor.Of(tensor.Float32, []int{2}, []float32{1, float32(math.NaN())}), op.Logical)
	require.NoError(t, err)
	require.True(t, math.IsNaN(out[3]))
}

// TestBinsCoverAllMagnitudes: any number but NaN lies in its bin, edges ascend and begin their bins, and a bin is at most a quarter
// wider than its edge.
func TestBinsCoverAllMagnitudes(t *testing.T) {
	for i := 1; i < MagnitudeBins; i++ {
		edge := MagnitudeEdge(i)
		require.Equal(t, i, MagnitudeBin(float32(edge)))
		if i > 1 {
			require.Equal(t, i-1, MagnitudeBin(math.Nextafter32(float32(edge), 0)), "just below the edge of %d", i)
			require.LessOrEqual(t, edge, 1.25*MagnitudeEdge(i-1))
			require.Greater(t, edge, MagnitudeEdge(i-1))
		}
	}
	require.Zero(t, MagnitudeEdge(0))
	rapid.Check(t, func(t *rapid.T) {
		v := math.Float32frombits(rapid.Uint32().Draw(t, "bits"))
		if v != v {
			return
		}
		i, size := MagnitudeBin(v), math.Abs(float64(v))
		require.Equal(t, i, MagnitudeBin(-v))
		require.GreaterOrEqual(t, size, MagnitudeEdge(i))
		if i < MagnitudeBins-1 {
			require.Less(t, size, MagnitudeEdge(i+1))
		}
	})
}
