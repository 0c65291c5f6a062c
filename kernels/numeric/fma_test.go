package numeric

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// exactFMA rounds the exact x*y+z once; the arguments are finite.
func exactFMA(x, y, z float32) float32 {
	f := func(v float32) *big.Float { return new(big.Float).SetPrec(1200).SetFloat64(float64(v)) }
	s := f(0).Add(f(0).Mul(f(x), f(y)), f(z))
	if s.Sign() == 0 { // big.Float knows no sign of an exact cancellation; two rounded operations do here
		return float32(float64(x)*float64(y) + float64(z))
	}
	r, _ := s.Float32()
	return r
}

func requireFMA(t *testing.T, x, y, z float32) {
	t.Helper()
	want, got := exactFMA(x, y, z), FMA32(x, y, z)
	require.Equalf(t, math.Float32bits(want), math.Float32bits(got), "%x*%x%+x: want %x, got %x", x, y, z, want, got)
}

// TestFMARoundsOnceAtHalfway builds sums whose float64 rounding lies exactly between two float32, with the product a
// little above or below: the case that a plain float64 sum gets wrong and random arguments never find.
func TestFMARoundsOnceAtHalfway(t *testing.T) {
	wrong := 0
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		z := math.Float32frombits(uint32(rng.Uint32N(200)+20)<<23 | rng.Uint32()&(1<<23-1))
		ulp := math.Nextafter32(z, float32(math.Inf(1))) - z
		// x*y = half an ulp of z, times 1+2^-46 or 1-2^-46: beyond the last bit of the float64 sum.
		x := ulp / 2 * (1 + 0x1p-23)
		y := float32(1) - 0x1p-23
		if rng.IntN(2) == 0 {
			x, y = ulp/2*(1+0x1p-22), 1-0x1p-22+0x1p-23
		}
		for _, s := range []float32{1, -1} {
			requireFMA(t, s*x, y, z)
			requireFMA(t, x, s*y, -z)
			if twice := float32(float64(s*x)*float64(y) + float64(z)); twice != FMA32(s*x, y, z) {
				wrong++
			}
		}
	}
	require.Greater(t, wrong, 100, "the cases are meant to defeat a float64 sum")
}

// TestFMARoundsOnceToDenormals builds sums that float64 rounds to half of the least float32 between two denormals, with the product
// a little above or below.
func TestFMARoundsOnceToDenormals(t *testing.T) {
	wrong := 0
	rng := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		z := math.Float32frombits(1<<22 + rng.Uint32N(1<<22))
		// x*y is 2^-150 times 1-2^-46 or 1+2^-22+2^-46, of which float64 beside z keeps 2^-150 alone, or the first two terms.
		x, y := float32(0x1p-75*(1+0x1p-23)), float32(0x1p-75*(1-0x1p-23))
		if rng.IntN(4) == 0 {
			y = x
		}
		for _, s := range []float32{1, -1} {
			requireFMA(t, s*x, y, z)
			requireFMA(t, x, s*y, -z)
			if twice := float32(float64(s*x)*float64(y) + float64(z)); twice != FMA32(s*x, y, z) {
				wrong++
			}
		}
	}
	require.Greater(t, wrong, 100, "the cases are meant to defeat a float64 sum")
}

func TestFMAIsExactOnEveryKindOfNumber(t *testing.T) {
	special := []float32{
		0, float32(math.Copysign(0, -1)), 1, -1, 1.5, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32,
		-math.SmallestNonzeroFloat32, 0x1p-126, 0x1.fffffep-127, 0x1p-149 * 3, 0x1p-75, -0x1p-75, 0x1.000002p-75, 0x1p-74 * 1.5,
		0x1.fffffep-1, 0x1.000002p0, 16777216, 16777215, 1e-30, 1e30,
	}
	for _, x := range special {
		for _, y := range special {
			for _, z := range special {
				requireFMA(t, x, y, z)
			}
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60000 {
		x, y := randomFinite(rng), randomFinite(rng)
		z := randomFinite(rng)
		if p := x * y; rng.IntN(2) == 0 && !math.IsInf(float64(p), 0) { // near cancellation
			z = -math.Float32frombits(math.Float32bits(p) ^ rng.Uint32N(4))
			if math.IsInf(float64(z), 0) || z != z {
				continue
			}
		}
		requireFMA(t, x, y, z)
	}
}

func TestFMAOfInfinitiesAndNaN(t *testing.T) {
	inf := float32(math.Inf(1))
	require.Equal(t, inf, FMA32(inf, 1, 1))
	require.Equal(t, inf, FMA32(1, 1, inf))
	require.Equal(t, -inf, FMA32(2, 2, -inf))
	for _, c := range [][3]float32{{inf, 0, 1}, {inf, 1, -inf}, {NaN(), 1, 1}, {1, 1, NaN()}, {1, 1, math.Float32frombits(0x7f800001)}} {
		v := FMA32(c[0], c[1], c[2])
		require.True(t, v != v)
	}
}

func randomFinite(rng *rand.Rand) float32 {
	for {
		if v := math.Float32frombits(rng.Uint32()); v == v && !math.IsInf(float64(v), 0) {
			return v
		}
	}
}

func BenchmarkFMA32(b *testing.B) {
	var x [1024]float32
	for i := range x {
		x[i] = float32(i) * 0.37
	}
	var s float32
	for b.Loop() {
		for _, v := range x {
			s = FMA32(v, 0.99, s)
		}
	}
	_ = s
}
