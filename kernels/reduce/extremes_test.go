package reduce

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/tier"
)

// TestExtremes compares with one element after the other, at every length up to some blocks and with what is extreme at every
// place, at the end of a page without access.
func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, k := range tier.Supported() {
		t.Run(k.String(), func(t *testing.T) {
			defer tier.Force(k)()
			for n := range 140 {
				x := guard.Slice[float32](t, n)
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				demand := func() {
					t.Helper()
					wantLo, wantHi, wantOK := inf, -inf, true
					for _, v := range x {
						wantOK = wantOK && v == v
						wantLo, wantHi = min(wantLo, v), max(wantHi, v)
					}
					lo, hi, ok := Extremes(x)
					require.Equal(t, wantOK, ok, "%v", x)
					if ok {
						require.Equal(t, []float32{wantLo, wantHi}, []float32{lo, hi}, "%v", x)
					}
				}
				demand()
				for i := range x {
					kept := x[i]
					for _, v := range []float32{9, -9, inf, -inf, nan, -nan, 0, float32(math.Copysign(0, -1)), 1e-45} {
						x[i] = v
						demand()
					}
					x[i] = kept
				}
			}
		})
	}
}

// TestExtremesOfMany passes the bound of one call.
func TestExtremesOfMany(t *testing.T) {
	x := make([]float32, 200_005)
	for _, i := range []int{0, 65_535, 65_536, 131_072, 199_999, 200_004} {
		x[i] = 1
		_, hi, ok := Extremes(x)
		require.True(t, ok)
		require.Equal(t, float32(1), hi, i)
		x[i] = float32(math.NaN())
		_, _, ok = Extremes(x)
		require.False(t, ok, i)
		x[i] = 0
	}
}

// TestColumnSums compares with a loop, at widths around whole blocks, at the end of a page without access, and past the
// bound of one call.
func TestColumnSums(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 3))
	for _, k := range tier.Supported() {
		t.Run(k.String(), func(t *testing.T) {
			defer tier.Force(k)()
			for _, c := range [][2]int{{0, 5}, {3, 1}, {5, 15}, {1, 16}, {7, 16}, {4, 17}, {9, 40}, {2, 64}, {4099, 16}, {10, 0}} {
				rows, n := c[0], c[1]
				x := guard.Slice[float32](t, rows*n)
				want, got := make([]float64, n), make([]float64, n)
				for i := range want {
					want[i] = r.NormFloat64()
					got[i] = want[i]
				}
				for i := range x {
					x[i] = float32(r.NormFloat64() * math.Exp(9*r.NormFloat64()))
					want[i%n] += float64(x[i])
				}
				ColumnSums(got, x)
				require.Equal(t, want, got, "%d x %d", rows, n)
			}
		})
	}
}
