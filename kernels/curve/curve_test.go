package curve

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

func eachTier(t *testing.T, f func(t *testing.T)) {
	for _, level := range tier.Supported() {
		t.Run(level.String(), func(t *testing.T) {
			defer tier.Force(level)()
			f(t)
		})
	}
}

// same demands equal bits.
func same(t *testing.T, want, got float32, format string, args ...any) {
	t.Helper()
	if math.Float32bits(want) != math.Float32bits(got) {
		require.Failf(t, "bits differ", "got %x (%g), want %x (%g): "+format,
			append([]any{math.Float32bits(got), got, math.Float32bits(want), want}, args...)...)
	}
}

var named = []struct {
	name string
	row  func(dst, src []float32)
	one  func(float32) float32
}{{"exp", Exp, numeric.Exp}, {"sigmoid", Sigmoid, numeric.Sigmoid}, {"tanh", Tanh, numeric.Tanh}, {"erf", Erf, numeric.Erf},
	{"silu", Silu, numeric.Silu}, {"gelu", Gelu, numeric.Gelu}}

// borders are numbers where branches meet, and special ones.
var borders = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.25, -0.25, 4, -4, 104, -104, 88.72284, -87.33655, -103.97208,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.MaxFloat32, -math.MaxFloat32, 1e-45, -1e-45, 1e-38}

// TestFunctionsHaveNumericsBits walks over all patterns of 32 bits in steps, with the neighbours of borders.
func TestFunctionsHaveNumericsBits(t *testing.T) {
	step := uint32(4999)
	if testing.Short() {
		step = 99_991
	}
	var src []float32
	for _, b := range borders {
		for d := int32(-3); d <= 3; d++ {
			src = append(src, math.Float32frombits(uint32(int32(math.Float32bits(b))+d)))
		}
	}
	for bits := uint64(0); bits < 1<<32; bits += uint64(step) {
		src = append(src, math.Float32frombits(uint32(bits)))
	}
	for v := -20.0; v < 20; v += 0.003 {
		src = append(src, float32(v))
	}
	for _, f := range named {
		t.Run(f.name, func(t *testing.T) {
			want := make([]float32, len(src))
			for i, v := range src {
				want[i] = f.one(v)
			}
			eachTier(t, func(t *testing.T) {
				got := make([]float32, len(src))
				f.row(got, src)
				for i := range want {
					same(t, want[i], got[i], "of %g", src[i])
				}
			})
		})
	}
}

// rows are random rows of every length up to two blocks and of some long ones, at the end of a page.
func rows(t *testing.T, f func(src []float32)) {
	r := rand.New(rand.NewPCG(4, 4))
	lengths := []int{100, 2047, 2048, 2049, 4096, 5000, 8200}
	for n := range 40 {
		lengths = append(lengths, n)
	}
	for i, n := range lengths {
		src := guard.Slice[float32](t, n)
		for j := range src {
			src[j] = float32(r.NormFloat64())
			if i%3 == 0 && r.IntN(50) == 0 {
				src[j] = borders[r.IntN(len(borders))]
			}
		}
		f(src)
	}
}

func TestTails(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rows(t, func(src []float32) {
			dst := guard.Slice[float32](t, len(src))
			for _, f := range named {
				f.row(dst, src)
				for i, v := range src {
					same(t, f.one(v), dst[i], "%s, %d of %d", f.name, i, len(src))
				}
			}
			ExpLess(dst, src, 0.7)
			for i, v := range src {
				same(t, numeric.Exp(v-0.7), dst[i], "%d of %d", i, len(src))
			}
			copy(dst, src)
			Tanh(dst, dst)
			for i, v := range src {
				same(t, numeric.Tanh(v), dst[i], "in place")
			}
		})
	})
}

func TestRowsHaveCanonicalOrder(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rows(t, func(src []float32) {
			n := len(src)
			same(t, numeric.Canon(numeric.Sum(src)), numeric.Canon(Sum(src)), "sum of %d", n)
			var s numeric.LaneSum
			top := lowest
			for _, v := range src {
				d := v - 0.3
				s.Add1(float32(d * d))
				top = max(top, v)
			}
			same(t, numeric.Canon(s.Sum()), numeric.Canon(Squares(src, 0.3)), "squares of %d", n)
			if got := Max(src); top == top || got == got {
				require.Equal(t, top, got, "max of %d", n)
			}
			dst, scale := guard.Slice[float32](t, n), guard.Copy(t, src)
			Divide(dst, src, 3)
			for i, v := range src {
				same(t, numeric.Canon(v/3), dst[i], "%d of %d", i, n)
			}
			for _, bias := range [][]float32{nil, guard.Copy(t, src)} {
				Normalise(dst, src, scale, bias, 0.3, 1.7)
				for i, v := range src {
					z := float32(float32((v-0.3)*1.7) * scale[i])
					if len(bias) > 0 {
						z += bias[i]
					}
					same(t, numeric.Canon(z), dst[i], "%d of %d", i, n)
				}
			}
		})
	})
}

func TestNothingIsAllocated(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		x := make([]float32, 100)
		require.Zero(t, testing.AllocsPerRun(5, func() {
			for _, f := range named {
				f.row(x, x)
			}
			Divide(x, x, Sum(x)+Squares(x, Max(x)))
			Normalise(x, x, x, x, 1, 2)
		}))
	})
}

func BenchmarkRow(b *testing.B) {
	src, dst := make([]float32, 4096), make([]float32, 4096)
	for i := range src {
		src[i] = float32(i-2048) / 300
	}
	for _, f := range named {
		b.Run(f.name, func(b *testing.B) {
			for b.Loop() {
				f.row(dst, src)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(src)), "ns/element")
		})
	}
}
