package numeric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// generalPow is Pow's last line, which every power but squares and square roots was computed by, for a > 0.
func generalPow(a, y float32) float32 {
	return float32(exp32(bound(float64(float64(y) * log64(float64(a))))))
}

// TestShortFormsOfPowAreTheGeneralOne: cubes and powers of 3/4, all mantissas of some binades in turn and numbers at random.
// Where the short form has not settled the general one decides; both happen.
func TestShortFormsOfPowAreTheGeneralOne(t *testing.T) {
	step := uint32(1)
	if testing.Short() {
		step = 101
	}
	check := func(x float32) {
		for _, y := range []float32{3, 0.75} {
			require.Equal(t, math.Float32bits(generalPow(x, y)), math.Float32bits(Pow(x, y)), "%x to %g", x, y)
		}
		require.Equal(t, math.Float32bits(-generalPow(x, 3)), math.Float32bits(Pow(-x, 3)), "%x", -x)
	}
	for _, exponent := range []uint32{127, 128} {
		for m := uint32(0); m < 1<<23; m += step {
			if x := math.Float32frombits(exponent<<23 | m); x != 1 && generalPow(x, 3) != Pow(x, 3) || generalPow(x, 0.75) != Pow(x, 0.75) {
				check(x)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1_000_000 / step {
		if x := math.Float32frombits(rng.Uint32N(0x7f800000-1) + 1); x != 1 {
			check(x)
		}
	}
	unsettled := 0
	for m := range uint64(1 << 20) {
		if _, ok := settled(math.Float64frombits(1023<<52 | halfway - 1<<19 + m)); !ok {
			unsettled++
		}
	}
	require.Equal(t, 1<<14+1, unsettled, "numbers around the border between two float32")
	for _, r := range []float64{0, math.Inf(1), math.NaN(), 0x1p-126, 0x1p127, -0x1p128, math.SmallestNonzeroFloat64} {
		_, ok := settled(r)
		require.False(t, ok, "%g", r)
	}
	for x, want := range map[float32]float32{0: 0, 1e-20: 0, -1e20: float32(math.Inf(-1)), 2: 8, float32(math.Inf(-1)): float32(math.Inf(-1))} {
		require.Equal(t, want, Pow(x, 3), "%g", x)
	}
}
