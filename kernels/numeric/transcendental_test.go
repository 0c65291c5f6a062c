package numeric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// units is the distance of two float32 in units in the last place.
func units(a, b float32) int64 {
	order := func(v float32) int64 {
		b := int64(math.Float32bits(v))
		if b >= 1<<31 {
			return 1<<31 - b
		}
		return b
	}
	return max(order(a)-order(b), order(b)-order(a))
}

// TestNearlyAlwaysRounded compares what is computed in float64 with package math's functions over all magnitudes and around
// the borders of the pieces. The bound of the contract is 2 units; these functions keep 1.
func TestNearlyAlwaysRounded(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     func(float32) float32
		exact func(float64) float64
	}{
		{"log", Log, math.Log},
		{"sin", Sin, math.Sin},
		{"cos", Cos, math.Cos},
		{"expm1", Expm1, math.Expm1},
		{"softplus", Softplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			worst, off, n := int64(0), 0, 0
			try := func(x float32) {
				got, want := c.f(x), float32(c.exact(float64(x)))
				if want != want {
					require.Equal(t, uint32(nanBits), math.Float32bits(got), "%s(%v)", c.name, x)
					return
				}
				require.Equal(t, math.Signbit(float64(want)), math.Signbit(float64(got)), "%s(%v)", c.name, x)
				u := units(got, want)
				require.LessOrEqualf(t, u, int64(1), "%s(%x): got %x want %x", c.name, x, got, want)
				worst, n = max(worst, u), n+1
				off += int(u)
			}
			for b := uint64(0); b < 1<<32; b += 99991 {
				try(math.Float32frombits(uint32(b)))
			}
			for _, edge := range []float32{1, 88.72284, -87.33655, -103.97208, 89, 104, math.Pi / 4, math.Pi, 1 << 22, 0x1p-10, 0.70710677, math.MaxFloat32} {
				for d := range 400 {
					v := math.Float32frombits(math.Float32bits(edge) + uint32(d) - 200)
					try(v)
					try(-v)
				}
			}
			rng := rand.New(rand.NewPCG(5, 6))
			for range 50000 {
				try(float32(rng.NormFloat64() * 5))
			}
			t.Logf("%d of %d differ from the rounded float64, worst by %d", off, n, worst)
			require.Less(t, off*2000, n, "results should nearly always be correctly rounded")
		})
	}
}

func TestPow(t *testing.T) {
	inf, nan := float32(math.Inf(1)), NaN()
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 2, -2, 0.5, -0.5, 3, -3, 1.5, inf, -inf, nan, math.MaxFloat32, math.SmallestNonzeroFloat32, 1 << 24, 1<<24 + 2}
	try := func(x, y float32) {
		got, want := Pow(x, y), float32(math.Pow(float64(x), float64(y)))
		if want != want {
			require.Equal(t, uint32(nanBits), math.Float32bits(got), "pow(%v,%v)", x, y)
			return
		}
		require.LessOrEqualf(t, units(got, want), int64(1), "pow(%v,%v): got %v want %v", x, y, got, want)
		require.Equal(t, math.Signbit(float64(want)), math.Signbit(float64(got)), "pow(%v,%v)", x, y)
	}
	for _, x := range special {
		for _, y := range special {
			try(x, y)
		}
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 20000 {
		try(float32(math.Exp(rng.NormFloat64()*6)), float32(rng.NormFloat64()*8))
		try(-float32(math.Exp(rng.NormFloat64())), float32(rng.IntN(41)-20))
	}
}

// TestLossFunctions keeps Exp64 and Log64 within a few units of package math, which cells may not depend on.
func TestLossFunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 20000 {
		x := rng.NormFloat64() * 100
		require.InEpsilon(t, math.Exp(x), Exp64(x), 1e-14)
		y := math.Exp(x)
		require.InDelta(t, math.Log(y), Log64(y), 1e-15*math.Abs(x)+1e-15)
	}
	require.Equal(t, math.Inf(1), Exp64(710))
	require.Equal(t, 0.0, Exp64(-1000))
	require.True(t, math.IsInf(Log64(0), -1))
	require.InDelta(t, -744.4400719213812, Log64(5e-324), 1e-12)
	require.True(t, math.IsNaN(Log64(-1)) && math.IsNaN(Exp64(math.NaN())) && math.IsNaN(Log64(math.NaN())))
}

func BenchmarkTranscendental(b *testing.B) {
	for name, f := range map[string]func(float32) float32{"exp": Exp, "sigmoid": Sigmoid, "erf": Erf, "tanh": Tanh, "log": Log} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for i := range 1000 {
					f(float32(i) * 0.01)
				}
			}
		})
	}
}
