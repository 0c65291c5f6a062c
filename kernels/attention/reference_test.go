package attention

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// row is where the elements of position i of a head begin, with heads inside positions or outside.
func row(n, h, i, heads, length, depth int, inside bool) int {
	if inside {
		return ((n*length+i)*heads + h) * depth
	}
	return ((n*heads+h)*length + i) * depth
}

// reference is attention by its definition in float64. stages are the scores as each of Scores has them.
func reference(a *Attention, q, k, v []float32, mask Mask, valid []int64) (out []float64, stages [4][]float64) {
	out = make([]float64, a.Batch*a.Heads*a.Q*a.Values)
	for s := range stages {
		stages[s] = make([]float64, a.Batch*a.Heads*a.Q*a.T)
	}
	for i := range a.Batch * a.Heads * a.Q {
		n, h, r := i/(a.Heads*a.Q), i/a.Q%a.Heads, i%a.Q
		kv := n*a.KV + h/(a.Heads/a.KV)
		bias := make([]float32, a.T)
		if mask != nil {
			mask(bias, n, h, r)
		}
		last, keys := r+a.Offset, a.T
		if valid != nil {
			keys = int(min(max(valid[n], 0), int64(a.T)))
			last = r + int(valid[n]) - a.Q
		}
		at, total := row(n, h, r, a.Heads, a.Q, a.Depth, a.Interleaved), 0.0
		for j := range a.T {
			s := 0.0
			for d := range a.Depth {
				s += float64(q[at+d]) * float64(k[(kv*a.T+j)*a.Depth+d])
			}
			s *= float64(a.Scale)
			stages[Raw][i*a.T+j] = s
			if a.Cap > 0 {
				s = float64(a.Cap) * math.Tanh(s/float64(a.Cap))
			}
			stages[Capped][i*a.T+j] = s
			s += float64(bias[j])
			if j >= keys || a.Causal && j > last {
				s = math.Inf(-1)
			}
			stages[Biased][i*a.T+j] = s
			total += math.Exp(s)
		}
		to := row(n, h, r, a.Heads, a.Q, a.Values, a.Interleaved)
		for j := range a.T {
			w := 0.0
			if total > 0 {
				w = math.Exp(stages[Biased][i*a.T+j]) / total
			}
			stages[Softmaxd][i*a.T+j] = w
			for m := range a.Values {
				out[to+m] += w * float64(v[(kv*a.T+j)*a.Values+m])
			}
		}
	}
	return out, stages
}

// TestAttentionIsItsDefinition draws shapes, layouts, masks, caps and numbers of keys, hidden rows among them.
func TestAttentionIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := func(name string) int { return rapid.IntRange(1, 4).Draw(t, name) }
		a := Attention{Shape: Shape{Batch: size("batch"), KV: size("kv"), Q: size("q"), T: size("t"), Depth: size("depth"), Values: size("values")}}
		a.Heads = a.KV * size("queries of a key")
		a.Scale = rapid.SampledFrom([]float32{0, 0.5, 1, 3}).Draw(t, "scale")
		a.Cap = rapid.SampledFrom([]float32{0, 0.25, 1, 5}).Draw(t, "cap")
		a.Causal, a.Offset = rapid.Bool().Draw(t, "causal"), rapid.IntRange(0, 2).Draw(t, "offset")
		a.Output = Scores(rapid.IntRange(0, 3).Draw(t, "output"))
		a.Interleaved = rapid.Bool().Draw(t, "interleaved")
		var mask Mask
		if rapid.Bool().Draw(t, "mask") {
			mask = func(dst []float32, n, h, q int) {
				for i := range dst {
					if dst[i] != 0 {
						dst[i] = 99 // it is given zeros
					}
					if dst[i] += float32(n-h+q-i) / 4; (n+h+q+i)%5 == 0 {
						dst[i] = float32(math.Inf(-1))
					}
				}
			}
		}
		var valid []int64
		if rapid.Bool().Draw(t, "valid") {
			for range a.Batch {
				valid = append(valid, rapid.Int64Range(-1, 6).Draw(t, "keys"))
			}
		}
		q, k := noise(1, a.Batch*a.Heads*a.Q*a.Depth), noise(2, a.Batch*a.KV*a.T*a.Depth)
		v := noise(3, a.Batch*a.KV*a.T*a.Values)
		dst, scores := make([]float32, a.Batch*a.Heads*a.Q*a.Values), make([]float32, a.Batch*a.Heads*a.Q*a.T)
		dirty := noise(4, a.Scratch())
		a.Run(dst, scores, q, k, v, mask, valid, dirty)
		want, stages := reference(&a, q, k, v, mask, valid)
		for i, x := range want {
			require.InDelta(t, x, dst[i], 1e-5, "output %d", i)
		}
		for i, x := range stages[a.Output] {
			if math.IsInf(x, -1) {
				require.Equal(t, float32(x), scores[i])
			} else {
				require.InDelta(t, x, scores[i], 1e-5, "score %d", i)
			}
		}
		again := make([]float32, len(dst))
		a.Run(again, nil, q, k, v, mask, valid, dirty)
		require.Equal(t, dst, again, "nobody asks for scores")
	})
}

// TestCausalQueriesAreTheLastValid: with a number of keys that count, the queries are the last of those, whatever Offset says.
func TestCausalQueriesAreTheLastValid(t *testing.T) {
	a := Attention{Shape: Shape{Batch: 2, Heads: 1, KV: 1, Q: 2, T: 4, Depth: 1, Values: 1}, Scale: 1, Causal: true, Offset: 9}
	dst := make([]float32, 4)
	a.Run(dst, nil, make([]float32, 4), make([]float32, 8), []float32{1, 2, 4, 8, 1, 2, 4, 8}, nil, []int64{3, 1}, make([]float32, a.Scratch()))
	require.InDeltaSlice(t, []float32{1.5, 7. / 3, 0, 1}, dst, 1e-6)
}

// TestNaNScoresAreCanonical: NaN of a mask is written as 0x7fc00000 whatever its pattern, and makes its query's output NaN.
func TestNaNScoresAreCanonical(t *testing.T) {
	a := Attention{Shape: Shape{Batch: 1, Heads: 1, KV: 1, Q: 1, T: 3, Depth: 1, Values: 1}, Scale: 1, Output: Biased}
	odd := func(dst []float32, _, _, _ int) { dst[1] = math.Float32frombits(0xffc12345) }
	dst, scores := make([]float32, 1), make([]float32, 3)
	a.Run(dst, scores, []float32{1}, []float32{1, 2, 3}, []float32{1, 2, 3}, odd, nil, make([]float32, a.Scratch()))
	require.Equal(t, uint32(0x7fc00000), math.Float32bits(scores[1]))
	require.Equal(t, uint32(0x7fc00000), math.Float32bits(dst[0]))
	require.Equal(t, float32(3), scores[2])
}

// TestLinearIsItsDefinition draws grouped heads, rates and decays of each kind and compares outputs and state with float64.
func TestLinearIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := func(name string) int { return rapid.IntRange(1, 3).Draw(t, name) }
		l := Linear{Batch: size("batch"), T: size("steps"), KV: size("kv"), Depth: size("depth"), Values: size("values"), Scale: 0.75}
		l.Heads = l.KV * size("queries of a state")
		l.Decays = rapid.SampledFrom([]int{0, 1, l.Depth}).Draw(t, "decays")
		l.Rates = rapid.SampledFrom([]int{0, 1, l.KV}).Draw(t, "rates")
		q, k := noise(1, l.Batch*l.T*l.Heads*l.Depth), noise(2, l.Batch*l.T*l.KV*l.Depth)
		v := noise(3, l.Batch*l.T*l.KV*l.Values)
		decay, rate := noise(4, l.Batch*l.T*l.KV*l.Decays), noise(5, l.Batch*l.T*l.Rates)
		state := noise(6, l.Batch*l.KV*l.Depth*l.Values)
		s := make([]float64, len(state))
		for i, x := range state {
			s[i] = float64(x)
		}
		dst := make([]float32, l.Batch*l.T*l.Heads*l.Values)
		l.Run(dst, q, k, v, decay, rate, state, noise(7, l.Values))
		for i := range l.Batch * l.T * l.KV {
			n, at, h := i/(l.T*l.KV), i/l.KV, i%l.KV
			S := func(d, m int) *float64 { return &s[((n*l.KV+h)*l.Depth+d)*l.Values+m] }
			for d := range l.Depth {
				for m := range l.Values {
					if l.Decays > 0 {
						*S(d, m) *= math.Exp(float64(decay[i*l.Decays+d%l.Decays]))
					}
				}
			}
			for m := range l.Values {
				x := float64(v[i*l.Values+m])
				if l.Rates > 0 {
					for d := range l.Depth {
						x -= *S(d, m) * float64(k[i*l.Depth+d])
					}
					x *= float64(rate[at*l.Rates+h%l.Rates])
				}
				for d := range l.Depth {
					*S(d, m) += x * float64(k[i*l.Depth+d])
				}
				for g := range l.Heads / l.KV {
					to, sum := at*l.Heads+h*(l.Heads/l.KV)+g, 0.0
					for d := range l.Depth {
						sum += *S(d, m) * float64(q[to*l.Depth+d])
					}
					require.InDelta(t, 0.75*sum, dst[to*l.Values+m], 1e-4)
				}
			}
		}
		for i, x := range s {
			require.InDelta(t, x, state[i], 1e-4, "state")
		}
	})
}

// TestRotaryIsItsDefinition: each pair of each head is turned by the row of its sample and position, in both layouts.
func TestRotaryIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for range 200 {
		r := Rotary{Batch: 1 + rng.IntN(3), Heads: 1 + rng.IntN(3), Length: 1 + rng.IntN(4), Half: rng.IntN(3), Pairs: rng.IntN(2) == 0, Inner: rng.IntN(2) == 0}
		r.Depth = 2*r.Half + 1 + rng.IntN(2)
		src := noise(rng.Uint64(), r.Batch*r.Heads*r.Length*r.Depth)
		cos, sin := noise(rng.Uint64(), 7*r.Half), noise(rng.Uint64(), 7*r.Half)
		at := func(n, t int) int { return (3*n + 2*t) % 7 }
		dst := make([]float32, len(src))
		r.Run(dst, src, cos, sin, at)
		for i := range r.Batch * r.Heads * r.Length {
			n, h, p := i/(r.Heads*r.Length), i/r.Length%r.Heads, i%r.Length
			from := row(n, h, p, r.Heads, r.Length, r.Depth, r.Inner)
			x, y := src[from:][:r.Depth], dst[from:][:r.Depth]
			for j := range r.Half {
				a, b := j, j+r.Half
				if r.Pairs {
					a, b = 2*j, 2*j+1
				}
				c, s := cos[at(n, p)*r.Half+j], sin[at(n, p)*r.Half+j]
				require.Equal(t, float32(c*x[a])-float32(s*x[b]), y[a])
				require.Equal(t, float32(s*x[a])+float32(c*x[b]), y[b])
			}
			require.Equal(t, x[2*r.Half:], y[2*r.Half:])
		}
	}
}
