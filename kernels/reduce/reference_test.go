package reduce

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
)

// canonicalSum is the sum of v by the letter of package numeric.
func canonicalSum(v []float32, lanes bool) float32 {
	if lanes {
		return numeric.Sum(v)
	}
	var c numeric.Chain
	for _, x := range v {
		c.Add(x)
	}
	return c.Sum()
}

// folded is a fold of elements in their logical order, one at a time.
func folded(op Op, v []float32, lanes bool) float32 {
	each := func(f func(float32) float32) []float32 {
		out := make([]float32, len(v))
		for i, x := range v {
			out[i] = f(x)
		}
		return out
	}
	square := func(x float32) float32 { return float32(x * x) }
	top := float32(math.Inf(-1))
	for _, x := range v {
		top = numeric.Max(top, x)
	}
	switch op {
	case Sum:
		return canonicalSum(v, lanes)
	case Mean:
		return canonicalSum(v, lanes) / float32(len(v))
	case SumSquare:
		return canonicalSum(each(square), lanes)
	case L1:
		return canonicalSum(each(func(x float32) float32 { return max(x, -x) }), lanes)
	case L2:
		return float32(math.Sqrt(float64(canonicalSum(each(square), lanes))))
	case LogSum:
		return numeric.Log(canonicalSum(v, lanes))
	case LogSumExp:
		if math.IsInf(float64(top), 0) {
			return top
		}
		return top + numeric.Log(canonicalSum(each(func(x float32) float32 { return numeric.Exp(x - top) }), lanes))
	case Max:
		return top
	case Min:
		low := float32(math.Inf(1))
		for _, x := range v {
			low = numeric.Min(low, x)
		}
		return low
	}
	p := float32(1)
	for _, x := range v {
		p = float32(p * x)
	}
	return p
}

// TestReduceIsItsDefinition draws shapes, orders of axes in memory and folded axes, and compares bits: the order of a sum follows the
// logical axes and lanes, not how the elements lie.
func TestReduceIsItsDefinition(t *testing.T) { eachTier(t, reduceIsItsDefinition) }

func reduceIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 1500 {
		rank := 1 + rng.IntN(3)
		shape, total := make([]int, rank), 1
		for i := range shape {
			shape[i] = []int{1, 2, 3, 7, 8, 9, 17, 33, 140}[rng.IntN(9)]
			if total *= shape[i]; total > 20000 {
				shape[i], total = 1, total/shape[i]
			}
		}
		step, k := make([]int, rank), 1
		for _, i := range rng.Perm(rank) {
			step[i] = k
			k *= shape[i]
		}
		var kept, fold Axes
		for i, n := range shape {
			to := &kept
			if rng.IntN(2) == 0 {
				to = &fold
			}
			to.N, to.Step = append(to.N, n), append(to.Step, step[i])
		}
		op, lanes, src := Op(rng.IntN(int(LogSumExp)+1)), rng.IntN(2) == 0, noise(rng, total)
		got := make([]float32, kept.count())
		Reduce(op, got, src, kept, fold, lanes)
		for i, v := range got {
			elements := make([]float32, fold.count())
			for j := range elements {
				elements[j] = src[kept.offset(i)+fold.offset(j)]
			}
			want := numeric.Canon(folded(op, elements, lanes))
			require.Equal(t, math.Float32bits(want), math.Float32bits(v), "op %d lanes %v kept %v folded %v, element %d", op, lanes, kept, fold, i)
		}
	}
}

// TestSoftmaxIsItsDefinition of all forms, also of columns whose axis is the last logical one, with the bits of what is no number.
func TestSoftmaxIsItsDefinition(t *testing.T) { eachTier(t, softmaxIsItsDefinition) }

func softmaxIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 8))
	for range 400 {
		outer, n, inner := 1+rng.IntN(3), 1+rng.IntN(40), []int{1, 1, 3, 8, 40}[rng.IntN(5)]
		lanes, src := rng.IntN(2) == 0, noise(rng, outer*n*inner)
		if rng.IntN(3) == 0 {
			src[rng.IntN(len(src))] = math.Float32frombits(0xffc00001)
		}
		got, logs := make([]float32, len(src)), make([]float32, len(src))
		Softmax(got, src, outer, n, inner, lanes)
		LogSoftmax(logs, src, outer, n, inner, lanes)
		for o := range outer * inner {
			first := o/inner*n*inner + o%inner
			top, terms := float32(math.Inf(-1)), make([]float32, n)
			for i := range n {
				top = numeric.Max(top, src[first+i*inner])
			}
			for i := range n {
				terms[i] = numeric.Exp(src[first+i*inner] - top)
			}
			sum := canonicalSum(terms, lanes)
			for i := range n {
				at := first + i*inner
				want := []float32{numeric.Canon(terms[i] / sum), numeric.Canon((src[at] - top) - numeric.Log(sum))}
				require.Equal(t, patterns(want), patterns([]float32{got[at], logs[at]}), "%d x %d x %d, lanes %v", outer, n, inner, lanes)
			}
		}
	}
}

// TestNormsAreTheirDefinition, each step rounded to float32, the addition of eps too.
func TestNormsAreTheirDefinition(t *testing.T) { eachTier(t, normsAreTheirDefinition) }

func normsAreTheirDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 8))
	for _, n := range []int{1, 3, 8, 9, 16, 47, 130, 2100} {
		src, scale, bias := noise(rng, 3*n), noise(rng, n), noise(rng, n)
		for i := range src {
			src[i] *= 1e-2 // so that eps counts
		}
		layer, plain, rms := make([]float32, 3*n), make([]float32, 3*n), make([]float32, 3*n)
		LayerNorm(layer, src, 3, n, scale, bias, 1e-5)
		LayerNorm(plain, src, 3, n, scale, nil, 1e-5)
		RMSNorm(rms, src, 3, n, scale, 1e-5)
		for r := range 3 {
			x := src[r*n:][:n]
			inverse := func(mean float32) float32 {
				squares := make([]float32, n)
				for i, v := range x {
					d := v - mean
					squares[i] = float32(d * d)
				}
				return 1 / float32(math.Sqrt(float64(numeric.Sum(squares)/float32(n)+1e-5)))
			}
			mean := numeric.Sum(x) / float32(n)
			for i, v := range x {
				z := float32(float32((v-mean)*inverse(mean)) * scale[i])
				want := []float32{numeric.Canon(z + bias[i]), numeric.Canon(z), numeric.Canon(float32(float32(v*inverse(0)) * scale[i]))}
				at := r*n + i
				require.Equal(t, patterns(want), patterns([]float32{layer[at], plain[at], rms[at]}), "n %d", n)
			}
		}
	}
}

// TestArgOfTiesAndNaN: the first or last of equals, zeros of either sign being equal; the first NaN whatever last says.
func TestArgOfTiesAndNaN(t *testing.T) {
	minus, nan := float32(math.Copysign(0, -1)), float32(math.NaN())
	for _, c := range []struct {
		x                          []float32
		max, maxLast, min, minLast int64
	}{
		{[]float32{3}, 0, 0, 0, 0},
		{[]float32{0, minus, 0, minus}, 0, 3, 0, 3},
		{[]float32{1, 2, 2, 1}, 1, 2, 0, 3},
		{[]float32{5, nan, 7, nan, 1}, 1, 1, 1, 1},
		{[]float32{nan, 7, 1}, 0, 0, 0, 0},
		{[]float32{7, 1, nan}, 2, 2, 2, 2},
	} {
		src := make([]float32, 2*len(c.x)) // inner 2: the other column holds something else
		for i, v := range c.x {
			src[2*i], src[2*i+1] = v, float32(i)
		}
		for _, last := range []bool{false, true} {
			high, low := make([]int64, 2), make([]int64, 2)
			ArgMax(high, src, 1, len(c.x), 2, last)
			ArgMin(low, src, 1, len(c.x), 2, last)
			want := [2]int64{c.max, c.min}
			if last {
				want = [2]int64{c.maxLast, c.minLast}
			}
			require.Equal(t, want, [2]int64{high[0], low[0]}, "%v, last %v", c.x, last)
			require.Equal(t, [2]int64{int64(len(c.x)) - 1, 0}, [2]int64{high[1], low[1]})
		}
	}
}
