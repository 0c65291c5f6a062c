package quant

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAscending compares with a sort by comparison on both sides of the length from which digits are counted, with every
// kind of float among the elements.
func TestAscending(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	inf := float32(math.Inf(1))
	odd := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, 1e-45, -1e-45, math.MaxFloat32, -math.MaxFloat32, 1, -1}
	for _, n := range []int{0, 1, 2, 17, fewElements - 1, fewElements, fewElements + 1, 5000} {
		x := make([]float32, n)
		for i := range x {
			if x[i] = float32(r.NormFloat64() * math.Exp(20*r.NormFloat64())); r.IntN(5) == 0 {
				x[i] = odd[r.IntN(len(odd))]
			}
		}
		for _, magnitudes := range []bool{false, true} {
			want := make([]float64, n)
			for i, v := range x {
				if want[i] = float64(v) + 0; magnitudes {
					want[i] = math.Abs(want[i])
				}
			}
			slices.Sort(want)
			got, ok := ascending(x, magnitudes)
			require.True(t, ok)
			require.Equal(t, want, got)
			require.False(t, slices.ContainsFunc(got, func(v float64) bool { return v == 0 && math.Signbit(v) }), "a zero has a sign")
		}
		if n > 0 {
			x[r.IntN(n)] = float32(math.NaN())
			_, ok := ascending(x, false)
			require.False(t, ok)
		}
	}
}
