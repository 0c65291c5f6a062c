package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExtremesAreThoseOfTheDefinition compares bits with an element after the other in float64, on values that include both zeros,
// which are one here, infinities and NaNs of both signs.
func TestExtremesAreThoseOfTheDefinition(t *testing.T) {
	naive := func(f Func, x []float32) float64 {
		var best float64
		for i, v := range x {
			w := float64(v)
			if f == AbsMax {
				w = math.Abs(w)
			}
			if math.IsNaN(w) {
				return w
			}
			if i == 0 || f == Min && w < best || f != Min && w > best {
				best = w
			}
		}
		return best + 0
	}
	rng := rand.New(rand.NewPCG(5, 5))
	zero, inf := float32(math.Copysign(0, -1)), float32(math.Inf(1))
	odd := []float32{0, zero, inf, -inf, 1e-45, -1e-45, math.Float32frombits(0x7fc00000), math.Float32frombits(0xffc00123)}
	for range 10000 {
		x, kinds := make([]float32, rng.IntN(80)), 1+rng.IntN(len(odd))
		for i := range x {
			if x[i] = float32(rng.NormFloat64()); rng.IntN(3) == 0 {
				x[i] = odd[rng.IntN(kinds)]
			}
		}
		for _, f := range []Func{Min, Max, AbsMax} {
			want := naive(f, x)
			if want != want {
				want = math.NaN()
			}
			require.Equal(t, math.Float64bits(want), math.Float64bits(extreme(f, x)), "%s of %v", f, x)
		}
	}
}
