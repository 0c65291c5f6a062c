package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// minus is -0.
var minus = float32(math.Copysign(0, -1))

// faint gives numbers whose products vanish beside anything: a sum of them is a zero, and its sign tells the steps that were
// taken. One in five is a zero itself.
func faint(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = []float32{1e-25, -1e-25, -1e-25, minus, 1e-25}[r.IntN(5)]
	}
	return v
}

// chain is the contract of one output: a chain over all taps, where padding is +0, then the residual, then act.
func chain(g Geometry, src, w []float32, n, y, x, o int, start, residual float32, act numeric.Clamp) float32 {
	taps(g, n, y, x, o, func(s, k int) {
		v := float32(0)
		if s >= 0 {
			v = src[s]
		}
		start = numeric.FMA32(v, w[k], start)
	})
	return act.Apply(start + residual)
}

// TestWhatLiesOutsideLeavesNoTrace: leaving out what is beyond the sides of the picture changes no bit, not even the sign of a sum that
// vanishes, under every activation and with a residual. Every other column has negative weights only, whose padding keeps -0;
// biases are nothing, zeros of both signs, or what underflows.
func TestWhatLiesOutsideLeavesNoTrace(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 8))
		all := append([]numeric.Clamp{{On: true, Lo: minus, Hi: 1}, {On: true, Lo: 0, Hi: minus}}, clamps...)
		left := 0
		for i, g := range geometries(r) {
			if g.depthwise() || !g.padded() {
				continue
			}
			src, w := guard.Copy(t, faint(r, g.Batch*g.H*g.W*g.C)), faint(r, g.OC*(g.C/g.Group)*g.KH*g.KW)
			for k := range w {
				if k/(len(w)/g.OC)%2 == 0 {
					w[k] = -float32(math.Abs(float64(w[k])))
				}
			}
			bias := [][]float32{nil, faint(r, g.OC), make([]float32, g.OC)}[i%3]
			if i%6 == 2 {
				bias[0] = minus
			}
			p, err := PackF32(g, w, bias)
			require.NoError(t, err)
			n := g.Batch * g.OutH() * g.OutW() * g.OC
			for j, act := range all {
				residual := guard.Slice[float32](t, n)
				for k := range residual {
					residual[k] = minus
				}
				dst := guard.Slice[float32](t, n)
				if j%2 == i%2 {
					p.RunResidual(dst, src, residual, g, act, garbage(t, p.Scratch(g)))
				} else {
					p.Run(dst, src, g, act, garbage(t, p.Scratch(g)))
				}
				outputs(g, func(at, n, y, x, o int) {
					start := float32(0)
					if bias != nil {
						start = bias[o]
					}
					want := chain(g, src, w, n, y, x, o, start, minus, act)
					if math.Float32bits(want) != math.Float32bits(dst[at]) {
						require.Failf(t, "bits differ", "case %d, %+v, %v: [%d %d %d %d] is %g, want %g", i, g, act, n, y, x, o, dst[at], want)
					}
					if dst[at] == 0 && math.Signbit(float64(dst[at])) {
						left++
					}
				})
			}
		}
		require.NotZero(t, left, "some sums are -0")
	})
}

// TestNegativeZeroBiasMeetsThePadding: a bias of -0 becomes +0 at a step of padding by a weight that is not negative.
func TestNegativeZeroBiasMeetsThePadding(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		g := square(1, 14, 4, 20, 3, 1, 1, 1)
		g.PadLeft, g.PadRight = 0, 0
		w, bias := make([]float32, g.OC*g.C*9), make([]float32, g.OC)
		for i := range w {
			w[i] = -1
			if i/3%3 == 0 {
				w[i] = 1 // the first line of the kernel
			}
		}
		for i := range bias {
			bias[i] = minus
		}
		p, err := PackF32(g, w, bias)
		require.NoError(t, err)
		src, dst := make([]float32, g.H*g.W*g.C), make([]float32, g.OutH()*g.OutW()*g.OC)
		p.Run(dst, src, g, numeric.Clamp{}, garbage(t, p.Scratch(g)))
		for i, v := range dst {
			require.Zero(t, math.Float32bits(v), "element %d is -0", i)
		}
	})
}

// TestInfiniteWeightsMeetThePadding: 0 times infinity is no number, wherever the infinite weight meets padding.
func TestInfiniteWeightsMeetThePadding(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		g := square(1, 14, 4, 20, 3, 1, 1, 1)
		w := make([]float32, g.OC*g.C*9)
		w[0] = float32(math.Inf(1)) // channel 0, first line and column of the kernel of output 0
		p, err := PackF32(g, w, nil)
		require.NoError(t, err)
		src := make([]float32, g.H*g.W*g.C)
		for i := range src {
			src[i] = 1
		}
		dst := make([]float32, g.H*g.W*g.OC)
		p.Run(dst, src, g, numeric.Clamp{}, garbage(t, p.Scratch(g)))
		for at := 0; at < len(dst); at += g.OC {
			y, x := at/g.OC/g.W, at/g.OC%g.W
			require.Equal(t, y == 0 || x == 0, dst[at] != dst[at], "line %d, column %d: %v", y, x, dst[at])
		}
	})
}

// TestInside: which lines of the kernel an output line sees.
func TestInside(t *testing.T) {
	for _, c := range []struct {
		name        string
		h, kh       int
		stride, dil int
		pad         int
		y           int
		top, bottom bool
		first, last int
	}{
		{"first line", 14, 3, 1, 1, 1, 0, true, true, 1, 3},
		{"within", 14, 3, 1, 1, 1, 1, true, true, 0, 3},
		{"last line", 14, 3, 1, 1, 1, 13, true, true, 0, 2},
		{"top not allowed", 14, 3, 1, 1, 1, 0, false, true, 0, 3},
		{"bottom not allowed", 14, 3, 1, 1, 1, 13, true, false, 0, 3},
		{"two lines above", 14, 5, 1, 1, 2, 0, true, true, 2, 5},
		{"dilated", 14, 3, 1, 2, 3, 0, true, true, 2, 3},
		{"both sides: the bottom stays", 2, 5, 1, 1, 2, 0, true, true, 2, 5},
		{"both sides: only the bottom", 2, 5, 1, 1, 2, 0, false, true, 0, 4},
		{"nothing inside", 2, 1, 1, 1, 3, 0, true, true, 0, 1},
		{"stride", 15, 3, 2, 1, 1, 7, true, true, 0, 2},
	} {
		g := square(1, c.h, 4, 4, c.kh, c.stride, c.pad, 1)
		g.DilationH = c.dil
		p := plan{g: g}
		first, last := p.inside(c.y, c.top, c.bottom)
		require.Equal(t, [2]int{c.first, c.last}, [2]int{first, last}, c.name)
	}
}
