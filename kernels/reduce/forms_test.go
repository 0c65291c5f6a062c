package reduce

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// noise has zeros of both signs, infinities and, in one of some fillings, a NaN.
func noise(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64() * 4)
		switch rng.IntN(12) {
		case 0:
			v[i] = 0
		case 1:
			v[i] = float32(math.Copysign(0, -1))
		case 2:
			if rng.IntN(20) == 0 {
				v[i] = float32(math.Inf(1 - 2*rng.IntN(2)))
			}
		case 3:
			if rng.IntN(60) == 0 {
				v[i] = math.Float32frombits(0xffc00001)
			}
		}
	}
	return v
}

func patterns(v []float32) []uint32 {
	b := make([]uint32, len(v))
	for i, x := range v {
		b[i] = math.Float32bits(x)
	}
	return b
}

// eachTier runs a test in every tier that this machine has.
func eachTier(t *testing.T, test func(t *testing.T)) {
	for _, k := range tier.Supported() {
		t.Run(k.String(), func(t *testing.T) {
			defer tier.Force(k)()
			test(t)
		})
	}
}

// TestFormsOfSoftmaxAreOne: short rows, columns beside each other and rows of vectors give the bits of the form that goes element
// by element.
func TestFormsOfSoftmaxAreOne(t *testing.T) { eachTier(t, formsOfSoftmaxAreOne) }

func formsOfSoftmaxAreOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 127, 128, 129, 300} {
		for _, inner := range []int{1, 2, 7, 8, 9, 31, broad, broad + 9} {
			outer := 1 + 2100/(n*inner)
			src := noise(rng, outer*n*inner)
			want, got := make([]float32, len(src)), make([]float32, len(src))
			lanes := inner == 1
			softmaxAny(want, src, outer, n, inner, lanes)
			Softmax(got, src, outer, n, inner, lanes)
			require.Equal(t, patterns(want), patterns(got), "n %d inner %d", n, inner)
			Softmax(src, src, outer, n, inner, lanes)
			require.Equal(t, patterns(want), patterns(src), "in place: n %d inner %d", n, inner)
		}
	}
}

// TestFoldedColumnsAreTheFold: what columns folds row by row has the bits of the fold of each column alone.
func TestFoldedColumnsAreTheFold(t *testing.T) { eachTier(t, foldedColumnsAreTheFold) }

func foldedColumnsAreTheFold(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 4))
	for op := Sum; op <= LogSumExp; op++ {
		for _, rows := range []int{0, 1, 5, 127, 128, 129, 400} {
			for _, k := range []int{1, 7, 8, 33, broad + 3} {
				src := noise(rng, 2*rows*k)
				kept, folded := Axes{[]int{2, k}, []int{rows * k, 1}}, Axes{[]int{rows}, []int{k}}
				got := make([]float32, 2*k)
				Reduce(op, got, src, kept, folded, false)
				for i, v := range got {
					want := numeric.Canon(fold(op, src, kept.offset(i), folded, false))
					require.Equal(t, math.Float32bits(want), math.Float32bits(v), "op %d, %d x %d, column %d", op, rows, k, i)
				}
			}
		}
	}
}

// TestLargestOfARow: the sign of a zero and a NaN as numeric.Max has them, wherever they stand.
func TestLargestOfARow(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		src := noise(rng, rng.IntN(40))
		if rng.IntN(2) == 0 {
			for i, v := range src {
				src[i] = min(v, 0) // the largest is a zero
			}
		}
		want := float32(math.Inf(-1))
		for _, v := range src {
			want = numeric.Max(want, v)
		}
		got := make([]float32, 1)
		Reduce(Max, got, src, Axes{}, Axes{[]int{len(src)}, []int{1}}, true)
		require.Equal(t, math.Float32bits(want), math.Float32bits(got[0]), "%v", src)
	}
	for lane := range 16 { // one zero of each sign, which vectors compare with each other
		src := make([]float32, 40)
		for i := range src {
			src[i] = -1
		}
		src[lane], src[lane+8], src[lane+24] = 0, float32(math.Copysign(0, -1)), float32(math.Copysign(0, -1))
		got := []float32{9}
		Reduce(Max, got, src, Axes{}, Axes{[]int{len(src)}, []int{1}}, true)
		require.Zero(t, math.Float32bits(got[0]), "%v", src)
	}
}
