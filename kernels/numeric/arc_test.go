package numeric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestArcFunctionsWithinTwoUnits compares with package math over all magnitudes and at the borders of the domains.
func TestArcFunctionsWithinTwoUnits(t *testing.T) {
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.41421357, 2.4142137, 1e-30, -1e-30, inf, -inf, 88, -89, 100, math.MaxFloat32, float32(math.NaN())}
	for _, f := range []struct {
		name string
		got  func(float32) float32
		want func(float64) float64
	}{
		{"atan", Atan, math.Atan}, {"asin", Asin, math.Asin}, {"acos", Acos, math.Acos}, {"sinh", Sinh, math.Sinh},
		{"cosh", Cosh, math.Cosh}, {"asinh", Asinh, math.Asinh}, {"acosh", Acosh, math.Acosh}, {"atanh", Atanh, math.Atanh},
	} {
		t.Run(f.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			check := func(x float32) {
				want, got := float32(f.want(float64(x))), f.got(x)
				if want != want {
					require.Equal(t, uint32(nanBits), math.Float32bits(got), "%v", x)
					return
				}
				require.LessOrEqual(t, units(want, got), int64(2), "%s(%v) is %v, want %v", f.name, x, got, want)
			}
			for _, x := range special {
				check(x)
			}
			for range 20000 {
				check(rng.Float32()*2 - 1)
				check(float32(math.Ldexp(rng.Float64()*2-1, rng.IntN(60)-30)))
			}
		})
	}
}
