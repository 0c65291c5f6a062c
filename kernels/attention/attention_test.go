package attention

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func noise(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	v := make([]float32, n)
	for i := range v {
		v[i] = r.Float32()*2 - 1
	}
	return v
}

// TestAttentionIsItsFormula compares with float64 for shared heads, a causal mask behind a past, and a cap.
func TestAttentionIsItsFormula(t *testing.T) {
	a := Attention{Shape: Shape{Batch: 2, Heads: 4, KV: 2, Q: 3, T: 5, Depth: 4, Values: 3}, Scale: 0.5, Cap: 2, Causal: true, Offset: 2}
	q, k, v := noise(1, 2*4*3*4), noise(2, 2*2*5*4), noise(3, 2*2*5*3)
	dst, scores := make([]float32, 2*4*3*3), make([]float32, 2*4*3*5)
	a.Output = Softmaxd
	a.Run(dst, scores, q, k, v, nil, nil, make([]float32, a.Scratch()))
	for i := range 2 * 4 * 3 {
		head, row := i/3, i%3
		kv := head / 2
		var w [5]float64
		total := 0.0
		for j := range 5 {
			s := 0.0
			for d := range 4 {
				s += float64(q[i*4+d]) * float64(k[(kv*5+j)*4+d])
			}
			if j <= row+2 {
				w[j] = math.Exp(2 * math.Tanh(s*0.5/2))
			}
			total += w[j]
		}
		for j := range 5 {
			require.InDelta(t, w[j]/total, scores[i*5+j], 1e-6)
		}
		for m := range 3 {
			want := 0.0
			for j := range 5 {
				want += w[j] / total * float64(v[(kv*5+j)*3+m])
			}
			require.InDelta(t, want, dst[i*3+m], 1e-6)
		}
	}
}

// TestBlindQueriesGiveZeros: a query that sees no key weighs nothing, even where the keys hold infinities.
func TestBlindQueriesGiveZeros(t *testing.T) {
	a := Attention{Shape: Shape{Batch: 1, Heads: 1, KV: 1, Q: 2, T: 2, Depth: 1, Values: 1}, Scale: 1}
	dst := make([]float32, 2)
	hide := func(bias []float32, _, _, q int) {
		for i := range bias {
			if q == 0 {
				bias[i] = float32(math.Inf(-1))
			}
		}
	}
	a.Run(dst, nil, []float32{1, 1}, []float32{float32(math.Inf(1)), 1}, []float32{3, 5}, hide, nil, make([]float32, a.Scratch()))
	require.Zero(t, dst[0])
	a.Run(dst, nil, []float32{1, 1}, []float32{0, 0}, []float32{3, 5}, nil, []int64{1}, make([]float32, a.Scratch()))
	require.Equal(t, []float32{3, 3}, dst)
}

// TestRotaryKeepsLengths: pairs are turned, what is not turned stays.
func TestRotaryKeepsLengths(t *testing.T) {
	for _, pairs := range []bool{false, true} {
		r := Rotary{Batch: 1, Heads: 2, Length: 2, Depth: 5, Half: 2, Pairs: pairs}
		src, dst := noise(4, 20), make([]float32, 20)
		cos, sin := []float32{1, 0.6, 0, 0.8}, []float32{0, 0.8, 1, -0.6}
		r.Run(dst, src, cos, sin, func(_, t int) int { return t })
		for i := range 4 {
			var a, b float64
			for j := range 4 {
				a += float64(src[i*5+j]) * float64(src[i*5+j])
				b += float64(dst[i*5+j]) * float64(dst[i*5+j])
			}
			require.InDelta(t, a, b, 1e-6)
			require.Equal(t, src[i*5+4], dst[i*5+4])
		}
		require.Equal(t, src[0], dst[0], "an angle of 0")
	}
}

// TestLinearRemembers: without decay the state is the sum of outer products, and delta writes what it holds only once.
func TestLinearRemembers(t *testing.T) {
	l := Linear{Batch: 1, T: 2, Heads: 1, KV: 1, Depth: 2, Values: 2, Scale: 1}
	k, v := []float32{1, 0, 1, 0}, []float32{3, 4, 3, 4}
	dst, state := make([]float32, 4), make([]float32, 4)
	l.Run(dst, k, k, v, nil, nil, state, make([]float32, 2))
	require.Equal(t, []float32{3, 4, 6, 8}, dst)
	require.Equal(t, []float32{6, 8, 0, 0}, state)
	l.Rates = 1
	clear(state)
	l.Run(dst, k, k, v, nil, []float32{1, 1}, state, make([]float32, 2))
	require.Equal(t, []float32{3, 4, 3, 4}, dst)
	l.Rates, l.Decays = 0, 1
	clear(state)
	l.Run(dst, k, k, v, []float32{0, float32(math.Inf(-1))}, nil, state, make([]float32, 2))
	require.Equal(t, []float32{3, 4, 3, 4}, dst)
}
