package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// sidedGeometries are padded pictures that are computed cell by cell: strides, dilation of lines, several lines and columns at a
// side, none at one side, more lines than a part has, panels that pass in turns, and for bytes each reason to do so.
func sidedGeometries() []Geometry {
	return []Geometry{
		square(2, 49, 3, 16, 3, 1, 1, 1),
		square(1, 97, 3, 17, 3, 2, 1, 1),
		square(1, 50, 4, 5, 5, 1, 2, 1),
		square(1, 150, 1, 3, 7, 3, 3, 1),
		square(2, 7, 20, 33, 3, 1, 1, 1),
		square(1, 16, 64, 40, 3, 1, 1, 1),
		square(1, 20, 8, 40, 5, 2, 2, 1),
		square(1, 8, 512, 70, 3, 1, 1, 1),
		{Batch: 2, H: 20, W: 50, C: 5, OC: 9, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilationH: 2, DilationW: 1,
			PadTop: 0, PadLeft: 1, PadBottom: 3, PadRight: 2, Group: 1},
		{Batch: 1, H: 31, W: 98, C: 4, OC: 8, KH: 3, KW: 3, StrideH: 1, StrideW: 2, DilationH: 1, DilationW: 1,
			PadTop: 2, PadRight: 1, Group: 1},
		{Batch: 1, H: 40, W: 9, C: 16, OC: 32, KH: 5, KW: 1, StrideH: 1, StrideW: 1, DilationH: 3, DilationW: 4,
			PadTop: 6, PadBottom: 5, Group: 1},
	}
}

// TestSidesAreTaken keeps the cases above on the way that they are for, and others off it.
func TestSidesAreTaken(t *testing.T) {
	sided := func(g Geometry) bool {
		p := newPlan(g, 4, 0, false)
		return p.sided()
	}
	for _, g := range sidedGeometries() {
		require.True(t, sided(g), "%+v", g)
	}
	require.False(t, sided(square(1, 60, 4, 8, 3, 1, 0, 1)), "no padding")
	require.False(t, sided(square(1, 60, 4, 8, 3, 1, 1, 2)), "groups")
	require.False(t, sided(square(1, 5, 4, 8, 3, 1, 1, 1)), "narrow")
	require.False(t, sided(square(1, 9, 4, 8, 3, 1, 4, 1)), "outputs that see nothing")
	tall := square(1, 9, 4, 8, 3, 1, 1, 1)
	tall.H = 2
	require.False(t, sided(tall), "a line that sees beyond both sides")
	wide := square(1, 9, 4, 8, 3, 1, 1, 1)
	wide.PadLeft = 3
	require.False(t, sided(wide), "a column that sees nothing")
	apart := square(1, 60, 4, 8, 3, 1, 2, 1)
	apart.DilationW = 2
	require.False(t, sided(apart), "columns of the kernel that are no neighbours")
}

// TestPartsCoverAnAxis walks over all outputs: each lies in one part, which sees the taps that lie in the picture.
func TestPartsCoverAnAxis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		a := axis{size: draw("size", 1, 40), k: draw("k", 1, 7), stride: draw("stride", 1, 4), dilation: draw("dilation", 1, 3), pad: draw("pad", 0, 9)}
		a.n = max(0, a.size+a.pad+draw("after", 0, 9)-(a.k-1)*a.dilation-1)/a.stride + 1
		most, whole := draw("most", 1, 40), a.n > 0 && a.size > (a.k-1)*a.dilation
		for i := 0; i < a.n; {
			p := a.part(i, most)
			require.Equal(t, i, p.from)
			require.True(t, p.n >= 1 && p.n <= most && i+p.n <= a.n, "%+v", p)
			for ; i < p.from+p.n; i++ {
				seen := 0
				for k := range a.k {
					at := i*a.stride - a.pad + k*a.dilation
					inside := at >= 0 && at < a.size
					require.Equal(t, inside, k >= p.first && k < p.last, "output %d, tap %d of %+v", i, k, p)
					if inside {
						seen++
					}
				}
				whole = whole && seen > 0
			}
		}
		require.Equal(t, whole, a.whole(), "%+v", a)
	})
}

// TestKernelBetweenOutputs is an output in the middle that sees nothing, while those at the ends see a tap each.
func TestKernelBetweenOutputs(t *testing.T) {
	a := axis{n: 4, size: 2, k: 4, stride: 1, dilation: 3, pad: 2}
	first, last := a.sees(1)
	require.Equal(t, 1, first)
	require.Equal(t, 1, last)
	require.False(t, a.whole())
}

// TestMeetingsAreSums adds up weights for every pair of parts.
func TestMeetingsAreSums(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	g := square(1, 9, 4, 19, 3, 1, 1, 1)
	g.KW = 5
	w := make([]int8, g.OC*g.C*g.KH*g.KW)
	for i := range w {
		w[i] = int8(r.IntN(256))
	}
	zero := func(n int) int { return n - 7 }
	all, seen := meetings(g, w, zero), map[int]bool{}
	for _, y := range sidesOf(g.KH) {
		for _, x := range sidesOf(g.KW) {
			at := meeting(g, y, x)
			require.False(t, seen[at])
			seen[at] = true
			for n := range g.OC {
				want := int32(0)
				for c := range g.C {
					for ky := y.first; ky < y.last; ky++ {
						for kx := x.first; kx < x.last; kx++ {
							want += int32(w[((n*g.C+c)*g.KH+ky)*g.KW+kx]) - int32(zero(n))
						}
					}
				}
				require.Equal(t, want, all[at*32+n], "%+v %+v channel %d", y, x, n)
			}
		}
	}
	require.Len(t, all, len(seen)*32)
}

// TestSidesAllocateNothing on the way that takes most steps, looking for -0 included.
func TestSidesAllocateNothing(t *testing.T) {
	g := sidedGeometries()[5]
	r := rand.New(rand.NewPCG(8, 8))
	p, err := PackF32(g, floats(r, g.OC*g.C*g.KH*g.KW, false), nil)
	require.NoError(t, err)
	src, dst := floats(r, g.Batch*g.H*g.W*g.C, false), guard.Slice[float32](t, g.Batch*g.OutH()*g.OutW()*g.OC)
	scratch := garbage(t, p.Scratch(g))
	q, err := PackI8(g, make([]int8, g.OC*g.C*g.KH*g.KW), nil, nil)
	require.NoError(t, err)
	bytes, out, small := make([]uint8, len(src)), make([]uint8, len(dst)), garbage(t, q.Scratch(g))
	rq := numeric.NewRequant([]float32{0.5}, 3)
	eachTier(t, func(t *testing.T) {
		require.Zero(t, testing.AllocsPerRun(3, func() {
			p.Run(dst, src, g, numeric.Clamp{}, scratch)
			q.Run(out, bytes, g, 7, rq, small)
		}))
	})
}

// TestMinusZerosAreFound at every place of some rows, whose neighbours do not count.
func TestMinusZerosAreFound(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		const rows, ld, n = 3, 40, 32
		v := guard.Slice[float32](t, (rows-1)*ld+n)
		for i := range v {
			v[i] = []float32{0, 1, -1, -1e-40}[i%4]
		}
		quiet := noMinusZero(v, rows, ld, n)
		for i := range v {
			old := v[i]
			v[i] = minus
			inside := i%ld < n
			require.Equal(t, quiet && !inside, noMinusZero(v, rows, ld, n), "at %d", i)
			v[i] = old
		}
	})
}
