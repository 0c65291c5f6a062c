package op

import (
	"fmt"
	"math"
	"slices"

	"assay/kernels/attention"
	"assay/kernels/elementwise"
	"assay/shared/tensor"
)

// stateOps turn positions and carry states: the parts of language models around their attention. They stay float.
//
//	RotaryEmbedding       pairs (a, b) of a head become (a*cos - b*sin, a*sin + b*cos)
//	LinearAttention       S = decay*S + key (x) value by the rule, output = scale * query . S
//	CausalConvWithState   y[t] = act(bias + sum over j of x[t - k + 1 + j] * w[j]), depthwise; the last k-1 inputs are the state
//	SwiGLU                silu(alpha, a) * b
//
// Half inputs are widened by admitHalves.
var stateOps = []*Op{
	{
		Name: "RotaryEmbedding", Opsets: []int{23}, Types: float32Only, RowWise: never,
		Attrs:  []string{"interleaved", "num_heads", "rotary_embedding_dim"},
		Inputs: Arity{3, 4}, Outputs: Arity{1, 1}, Infer: inferRotary, Lower: lowerRotary,
	},
	{
		Name: "LinearAttention", Opsets: []int{27}, Types: float32Only, RowWise: never,
		Attrs:  []string{"chunk_size", "kv_num_heads", "q_num_heads", "scale", "update_rule"},
		Inputs: Arity{3, 6}, Outputs: Arity{1, 2}, Infer: inferLinear, Lower: lowerLinear,
	},
	{
		Name: "CausalConvWithState", Opsets: []int{27}, Types: float32Only, RowWise: never, Attrs: []string{"activation"},
		Inputs: Arity{2, 4}, Outputs: Arity{1, 2}, Infer: inferCausal, Lower: lowerCausal,
	},
	{
		Name: "SwiGLU", Opsets: []int{28}, Types: float32Only, Memory: MemoryAny, Attrs: []string{"alpha"},
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, RowWise: broadcastKeepsRows,
		Infer: func(x *Infer) error {
			if !slices.Equal(x.In[0].Shape, x.In[1].Shape) {
				return fmt.Errorf("shapes %v and %v differ", x.In[0].Shape, x.In[1].Shape)
			}
			if err := x.alike(1); err != nil {
				return err
			}
			return same(x)
		},
		Lower: func(l *Lower) (Kernel, error) {
			alpha := l.Node.Float("alpha", 1)
			return lowerPairs(l, func(p *pairs, dst, a, b []byte) {
				if len(dst) > 0 {
					elementwise.Gated(view[float32](dst), view[float32](a), view[float32](b), p.shape, p.a, p.b, alpha)
				}
			})
		},
	},
}

// rotation is the geometry of a RotaryEmbedding; rows is the number of positions in the caches, 0 where each sample has
// its own rows. Only the first rotary_embedding_dim elements of a head are turned (0: all); Half is the number of
// pairs. Pairs says that neighbours form one, otherwise elements Half apart do.
func rotation(x *Infer) (r attention.Rotary, rows int, err error) {
	n, shape := x.Node, x.In[0].Shape
	b, h, t, d, err := headed(shape, n.Int("num_heads", 0), "data")
	if err != nil {
		return r, 0, err
	}
	turned := n.Int("rotary_embedding_dim", 0)
	if turned == 0 {
		turned = int64(d)
	}
	if turned < 0 || turned > int64(d) || turned%2 != 0 {
		return r, 0, fmt.Errorf("%d of %d elements of a head cannot be turned in pairs", turned, d)
	}
	r = attention.Rotary{
		Batch: b, Heads: h, Length: t, Depth: d, Half: int(turned) / 2, Pairs: n.Int("interleaved", 0) != 0, Inner: len(shape) == 3,
	}
	cos := x.In[1].Shape
	if !slices.Equal(cos, x.In[2].Shape) {
		return r, 0, fmt.Errorf("caches %v and %v differ", cos, x.In[2].Shape)
	}
	if err := x.alike(1, 2); err != nil {
		return r, 0, err
	}
	if !x.has(3) {
		if !slices.Equal(cos, []int{b, t, r.Half}) {
			return r, 0, fmt.Errorf("caches %v without positions: %v is required", cos, []int{b, t, r.Half})
		}
		return r, 0, nil
	}
	if len(cos) != 2 || cos[1] != r.Half || cos[0] == 0 || x.In[3].DType != tensor.Int64 || !slices.Equal(x.In[3].Shape, []int{b, t}) {
		return r, 0, fmt.Errorf("caches %v and positions %s%v do not fit data %v", cos, x.In[3].DType, x.In[3].Shape, shape)
	}
	return r, cos[0], nil
}

// inferRotary: the data's shape and type.
func inferRotary(x *Infer) error {
	if _, _, err := rotation(x); err != nil {
		return err
	}
	return same(x)
}

// lowerRotary: a position outside the caches takes the nearest row, as computed indices do everywhere.
func lowerRotary(l *Lower) (Kernel, error) {
	r, rows, err := rotation(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	var in [4]operand
	for i := range l.In {
		if l.present(i) {
			if in[i], err = l.operand(i, Logical); err != nil {
				return Kernel{}, err
			}
		}
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		row := func(n, t int) int { return n*r.Length + t }
		if rows > 0 {
			at := view[int64](in[3].bytes(c))
			row = func(n, t int) int { return int(place(at[n*r.Length+t], rows)) }
		}
		r.Run(view[float32](c.Out[0]), view[float32](in[0].bytes(c)), view[float32](in[1].bytes(c)), view[float32](in[2].bytes(c)), row)
	}}, nil
}

// linearOf is the geometry of a LinearAttention. decay comes per head or per key element, beta per sample or per head;
// a.Decays and a.Rates say which. They have to be there exactly when update_rule uses them.
func linearOf(x *Infer) (a attention.Linear, err error) {
	n := x.Node
	if len(x.In[0].Shape) != 3 || len(x.In[1].Shape) != 3 || len(x.In[2].Shape) != 3 {
		return a, fmt.Errorf("queries %v, keys %v and values %v: three axes each are required", x.In[0].Shape, x.In[1].Shape, x.In[2].Shape)
	}
	b, h, t, d, err := headed(x.In[0].Shape, n.Int("q_num_heads", 0), "queries")
	if err != nil {
		return a, err
	}
	kb, kv, kt, kd, err := headed(x.In[1].Shape, n.Int("kv_num_heads", 0), "keys")
	if err != nil {
		return a, err
	}
	vb, _, vt, values, err := headed(x.In[2].Shape, int64(kv), "values")
	if err != nil {
		return a, err
	}
	if kb != b || vb != b || kt != t || vt != t || kd != d || h%kv != 0 || d*values == 0 {
		return a, fmt.Errorf("queries %v, keys %v and values %v do not fit", x.In[0].Shape, x.In[1].Shape, x.In[2].Shape)
	}
	a = attention.Linear{Batch: b, T: t, Heads: h, KV: kv, Depth: d, Values: values, Scale: n.Float("scale", 0)}
	if a.Scale == 0 {
		a.Scale = float32(1 / math.Sqrt(float64(d)))
	}
	rule := n.Str("update_rule", "gated_delta")
	gated, delta := rule == "gated" || rule == "gated_delta", rule == "delta" || rule == "gated_delta"
	if !gated && !delta && rule != "linear" {
		return a, fmt.Errorf("attribute update_rule is %q, which is unknown", rule)
	}
	if gated != x.has(4) || delta != x.has(5) {
		return a, fmt.Errorf("rule %q wants decay: %v, beta: %v", rule, gated, delta)
	}
	if gated {
		s := x.In[4].Shape
		// With keys of one element a decay of each is one of the head.
		if a.Decays = 1; len(s) == 3 && s[2] == kv*d && s[2] != kv {
			a.Decays = d
		}
		if !slices.Equal(s, []int{b, t, kv * a.Decays}) {
			return a, fmt.Errorf("decay %v does not fit keys %v", s, x.In[1].Shape)
		}
	}
	if delta {
		s := x.In[5].Shape
		if a.Rates = 1; len(s) == 3 && s[2] == kv {
			a.Rates = kv
		}
		if !slices.Equal(s, []int{b, t, a.Rates}) {
			return a, fmt.Errorf("beta %v does not fit keys %v", s, x.In[1].Shape)
		}
	}
	if x.has(3) && !slices.Equal(x.In[3].Shape, []int{b, kv, d, values}) {
		return a, fmt.Errorf("past_state %v is not %v", x.In[3].Shape, []int{b, kv, d, values})
	}
	return a, x.alike(1, 2, 4, 5)
}

// inferLinear: output 1 is the state after the last step, in the past state's own type.
func inferLinear(x *Infer) error {
	a, err := linearOf(x)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, a.Batch, a.T, a.Heads*a.Values)
	state := x.In[0].DType
	if x.has(3) {
		state = x.In[3].DType
	}
	x.put(1, state, a.Batch, a.KV, a.Depth, a.Values)
	return nil
}

// lowerLinear works in the state output itself where it is read, else in scratch. A copy of past_state comes first, so
// the input stays as it was.
func lowerLinear(l *Lower) (Kernel, error) {
	a, err := linearOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	if l.present(3) && l.In[3].DType != tensor.Float32 {
		return Kernel{}, fmt.Errorf("a past_state of %s beside other types is not supported", l.In[3].DType)
	}
	var in [6]operand
	for i := range l.In {
		if l.present(i) {
			if in[i], err = l.operand(i, Logical); err != nil {
				return Kernel{}, err
			}
		}
	}
	size := 4 * a.Batch * a.KV * a.Depth * a.Values
	return Kernel{Alias: -1, Scratch: spaced(size) + 4*a.Values, Run: func(c *Call) {
		state := c.Scratch[:size]
		if l.wants(1) {
			state = c.Out[1]
		}
		clear(state)
		if in[3].shape != nil {
			copy(state, in[3].bytes(c))
		}
		floatsAt := func(i int) []float32 {
			if in[i].shape == nil {
				return nil
			}
			return view[float32](in[i].bytes(c))
		}
		a.Run(view[float32](c.Out[0]), floatsAt(0), floatsAt(1), floatsAt(2), floatsAt(4), floatsAt(5), view[float32](state), view[float32](c.Scratch[spaced(size):]))
	}}, nil
}

// inferCausal: weight [C][1][k], state [N][C][k-1], and the data's own shape.
func inferCausal(x *Infer) error {
	data, weight := x.In[0].Shape, x.In[1].Shape
	if len(data) != 3 || len(weight) != 3 || weight[0] != data[1] || weight[1] != 1 || weight[2] < 1 ||
		x.has(2) && !slices.Equal(x.In[2].Shape, data[1:2]) || x.has(3) && !slices.Equal(x.In[3].Shape, []int{data[0], data[1], weight[2] - 1}) {
		return fmt.Errorf("data %v and weight %v do not fit each other, or bias and state do not fit them", data, weight)
	}
	switch a := x.Node.Str("activation", "none"); a {
	case "none", "silu", "swish":
	default:
		return fmt.Errorf("attribute activation is %q, none, silu and swish are known", a)
	}
	x.put(0, x.In[0].DType, data...)
	x.put(1, x.In[0].DType, data[0], data[1], weight[2]-1)
	return x.alike(1, 2, 3)
}

// lowerCausal convolves each channel with its past: a chain of fused multiply-adds from the bias on, taps ascending. The chains
// of all positions of a channel grow together, a tap at a time.
func lowerCausal(l *Lower) (Kernel, error) {
	var in [4]operand
	for i := range l.In {
		if l.present(i) {
			var err error
			if in[i], err = l.operand(i, Logical); err != nil {
				return Kernel{}, err
			}
		}
	}
	data, k := l.In[0].Shape, l.In[1].Shape[2]
	channels, n := data[1], data[2]
	silu := l.Node.Str("activation", "none") != "none"
	return Kernel{Alias: -1, Scratch: 4 * (k - 1 + n), Run: func(c *Call) {
		x, w, dst, row := view[float32](in[0].bytes(c)), view[float32](in[1].bytes(c)), view[float32](c.Out[0]), view[float32](c.Scratch)
		for i := range data[0] * channels {
			row = row[:k-1+n]
			clear(row[:k-1])
			if in[3].shape != nil {
				copy(row, view[float32](in[3].bytes(c))[i*(k-1):][:k-1])
			}
			copy(row[k-1:], x[i*n:(i+1)*n])
			start := float32(0)
			if in[2].shape != nil {
				start = view[float32](in[2].bytes(c))[i%channels]
			}
			sums := dst[i*n : (i+1)*n]
			for t := range sums {
				sums[t] = start
			}
			for j, f := range w[i%channels*k:][:k] {
				elementwise.MulAdd(sums, row[j:j+n], f)
			}
			if silu {
				elementwise.Unary(elementwise.Silu, sums, sums, 1, 0)
			}
			if l.wants(1) {
				copy(view[float32](c.Out[1])[i*(k-1):], row[n:])
			}
		}
	}}, nil
}
