package op

import (
	"fmt"
	"math"
	"slices"

	"assay/kernels/attention"
	"assay/shared/tensor"
)

// attentionOps attend over heads (Attention of opset 23): softmax(cap(scale * Q.K^T) + mask) . V for each head, over
// shapes
//
//	Q [B][Hq][Sq][D]   K [B][Hkv][T][D]   V [B][Hkv][T][Dv]   result [B][Hq][Sq][Dv]
//
// or the same with heads inside positions, [B][S][H*D], when q_num_heads and kv_num_heads say how to cut the last axis.
// Hq is a multiple of Hkv: each key head serves Hq/Hkv query heads (grouped queries). Past keys and values (inputs 4
// and 5) stand in front of the new ones, and outputs 1 and 2 are the joined ones, always with heads outside. Defaults:
// scale 1/sqrt(D), softcap 0 (none), is_causal 0, qk_matmul_output_mode 0.
//
// It is never row-wise to the engine, because masks and lengths have batches of their own, and it stays float: neither
// runtime has an integer form of the fused operator, so a plan quantizes attention only where the model spells it as
// MatMul and Softmax.
var attentionOps = []*Op{
	{
		Name: "Attention", Opsets: []int{23}, Types: float32Only, RowWise: never,
		Attrs:  []string{"is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale", "softcap", "softmax_precision"},
		Inputs: Arity{3, 7}, Outputs: Arity{1, 4}, Infer: inferAttention, Lower: lowerAttention,
		MACs: func(x *Infer) int64 {
			a, err := attentionOf(x)
			if err != nil {
				return 0
			}
			return int64(a.Batch*a.Heads*a.Q) * int64(a.T*(a.Depth+a.Values))
		},
	},
}

// attended is an Attention node's geometry beside what the kernel takes: keys of this call and keys of the past.
// Invariant: a.T = past + now, and a.Offset = past, so that the causal mask of query i ends at key past + i.
type attended struct {
	attention.Attention
	now, past int
}

// headed splits shape [B][S][H*D] into heads, or takes [B][H][S][D] as it is. heads is not asked of four axes, since
// the shape says it. what names the operand in the error.
func headed(shape []int, heads int64, what string) (b, h, s, d int, err error) {
	switch {
	case len(shape) == 4:
		return shape[0], shape[1], shape[2], shape[3], nil
	case len(shape) == 3 && heads > 0 && int64(shape[2])%heads == 0:
		return shape[0], int(heads), shape[1], shape[2] / int(heads), nil
	}
	return 0, 0, 0, 0, fmt.Errorf("%s %v do not form %d heads", what, shape, heads)
}

// attentionOf reads the geometry from shapes and attributes. Shape rule, Lower and MACs all call it, so that none of
// them accepts a node that another refuses. T = 0 is refused: a softmax over no keys has no value. A negative or NaN
// scale is refused because the kernel takes its root: queries and keys are each multiplied by sqrt(scale) in front of
// the product.
func attentionOf(x *Infer) (a attended, err error) {
	n := x.Node
	qh, kh := n.Int("q_num_heads", 0), n.Int("kv_num_heads", 0)
	b, h, q, d, err := headed(x.In[0].Shape, qh, "queries")
	if err != nil {
		return a, err
	}
	kb, kv, t, kd, err := headed(x.In[1].Shape, kh, "keys")
	if err != nil {
		return a, err
	}
	vb, vh, vt, values, err := headed(x.In[2].Shape, kh, "values")
	if err != nil {
		return a, err
	}
	if kb != b || vb != b || kd != d || vh != kv || vt != t || kv == 0 || h%kv != 0 || h*d*values == 0 {
		return a, fmt.Errorf("queries %v, keys %v and values %v do not fit", x.In[0].Shape, x.In[1].Shape, x.In[2].Shape)
	}
	a.now = t
	if x.has(4) != x.has(5) {
		return a, fmt.Errorf("past_key and past_value are given only together")
	}
	if x.has(4) {
		pk, pv := x.In[4].Shape, x.In[5].Shape
		if len(pk) != 4 || !slices.Equal(pk, []int{b, kv, pk[2], d}) || !slices.Equal(pv, []int{b, kv, pk[2], values}) {
			return a, fmt.Errorf("past keys %v and values %v do not fit keys %v and values %v", pk, pv, x.In[1].Shape, x.In[2].Shape)
		}
		a.past = pk[2]
	}
	a.Shape = attention.Shape{Batch: b, Heads: h, KV: kv, Q: q, T: t + a.past, Depth: d, Values: values}
	if a.T == 0 {
		return a, fmt.Errorf("keys %v are empty", x.In[1].Shape)
	}
	a.Interleaved, a.Causal, a.Offset = len(x.In[0].Shape) == 3, n.Int("is_causal", 0) != 0, a.past
	a.Scale, a.Cap = n.Float("scale", float32(1/math.Sqrt(float64(d)))), n.Float("softcap", 0)
	if !(a.Scale >= 0) {
		return a, fmt.Errorf("attribute scale is %v, a number from 0 is required", a.Scale)
	}
	mode := n.Int("qk_matmul_output_mode", 0)
	if mode < 0 || mode > 3 {
		return a, fmt.Errorf("attribute qk_matmul_output_mode is %d, 0 to 3 are known", mode)
	}
	a.Output = attention.Scores(mode)
	return a, attentionExtras(x, a)
}

// attentionExtras checks the mask and the number of valid keys. A mask stretches to [B][Hq][Sq][T] as numpy does; one
// whose last axis ends early hides the keys past its end, as ONNX says of attn_mask. nonpad_kv_seqlen counts keys from
// the first, so it excludes a past, whose keys would stand in front.
func attentionExtras(x *Infer, a attended) error {
	if x.has(3) {
		m := x.In[3]
		want := []int{a.Batch, a.Heads, a.Q, a.T}
		if m.DType != tensor.Bool && m.DType != x.In[0].DType {
			return fmt.Errorf("input 3 (attn_mask) is %s, bool or %s is required", m.DType, x.In[0].DType)
		}
		if len(m.Shape) > 0 && m.Shape[len(m.Shape)-1] < a.T { // what is missing at the end is hidden
			want[3] = m.Shape[len(m.Shape)-1]
		}
		if s, err := broadcast(m.Shape, want); err != nil || !slices.Equal(s, want) || len(m.Shape) == 0 {
			return fmt.Errorf("mask %v does not fit scores %v", m.Shape, []int{a.Batch, a.Heads, a.Q, a.T})
		}
	}
	if x.has(6) && (x.In[6].DType != tensor.Int64 || !slices.Equal(x.In[6].Shape, []int{a.Batch}) || x.has(4)) {
		return fmt.Errorf("input 6 (nonpad_kv_seqlen) is %s%v: int64[%d], and no past, is required", x.In[6].DType, x.In[6].Shape, a.Batch)
	}
	return x.alike(1, 2, 4, 5)
}

func inferAttention(x *Infer) error {
	a, err := attentionOf(x)
	if err != nil {
		return err
	}
	d := x.In[0].DType
	if a.Interleaved {
		x.put(0, d, a.Batch, a.Q, a.Heads*a.Values)
	} else {
		x.put(0, d, a.Batch, a.Heads, a.Q, a.Values)
	}
	x.put(1, d, a.Batch, a.KV, a.T, a.Depth)
	x.put(2, d, a.Batch, a.KV, a.T, a.Values)
	x.put(3, d, a.Batch, a.Heads, a.Q, a.T)
	return nil
}

// cache is where keys or values of all positions are put together: output i where it is read, else scratch. One per
// call direction: keys and values are gathered separately since their depths (D and Dv) may differ.
type cache struct {
	now, past operand
	had       bool
	out, at   int // output that holds it, -1 for scratch; place in scratch
	heads     int
	depth     int
	inner     bool // the new ones lie with heads inside positions
}

// gather puts the past and the present of [batch*heads][past+now][depth] one behind the other. The result aliases
// output k.out or the scratch of c and is valid until the call ends. It copies even without a past, as the kernel reads
// one layout only.
func (k *cache) gather(c *Call, a *attended) []float32 {
	n := a.Batch * a.KV * a.T * k.depth
	var to []float32
	if k.out >= 0 {
		to = view[float32](c.Out[k.out])
	} else {
		to = view[float32](c.Scratch[k.at : k.at+4*n])
	}
	src := view[float32](k.now.bytes(c))
	for i := range a.Batch * a.KV {
		row := to[i*a.T*k.depth:][:a.T*k.depth]
		if k.had {
			copy(row, view[float32](k.past.bytes(c))[i*a.past*k.depth:][:a.past*k.depth])
		}
		row = row[a.past*k.depth:]
		if !k.inner {
			copy(row, src[i*a.now*k.depth:][:a.now*k.depth])
			continue
		}
		for t := range a.now {
			from := ((i/a.KV*a.now+t)*a.KV + i%a.KV) * k.depth
			copy(row[t*k.depth:(t+1)*k.depth], src[from:])
		}
	}
	return to
}

// lowerAttention lays out scratch as [keys unless output 1 is read][values unless output 2 is read][the kernel's own],
// each part at a multiple of 64 bytes.
func lowerAttention(l *Lower) (Kernel, error) {
	a, err := attentionOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	var in [7]operand
	for i := range l.In {
		if l.present(i) {
			if in[i], err = l.operand(i, Logical); err != nil {
				return Kernel{}, err
			}
		}
	}
	scratch := 0
	var caches [2]cache
	for i, depth := range []int{a.Depth, a.Values} {
		k := cache{now: in[1+i], past: in[4+i], had: l.present(4), out: -1, at: scratch, heads: a.KV, depth: depth, inner: a.Interleaved}
		if l.wants(1 + i) {
			k.out = 1 + i
		} else {
			scratch += spaced(4 * a.Batch * a.KV * a.T * depth)
		}
		caches[i] = k
	}
	mask := l.attentionMask(in[3], a)
	return Kernel{Alias: -1, Scratch: scratch + 4*a.Scratch(), Run: func(c *Call) {
		keys, values := caches[0].gather(c, &a), caches[1].gather(c, &a)
		var scores []float32
		if l.wants(3) {
			scores = view[float32](c.Out[3])
		}
		var valid []int64
		if in[6].shape != nil {
			valid = view[int64](in[6].bytes(c))
		}
		var m attention.Mask
		if mask != nil {
			b := in[3].bytes(c)
			m = func(dst []float32, n, h, q int) { mask(b, dst, n, h, q) }
		}
		a.Run(view[float32](c.Out[0]), scores, view[float32](in[0].bytes(c)), keys, values, m, valid, view[float32](c.Scratch[scratch:]))
	}}, nil
}

// attentionMask reads rows of the mask: bools hide where they are false, numbers are added; keys past its end are
// hidden. The function it returns adds nothing for bools that are true: dst holds the zeros the kernel put there. nil
// means that there is no mask.
func (l *Lower) attentionMask(m operand, a attended) func(b []byte, dst []float32, n, h, q int) {
	if !l.present(3) {
		return nil
	}
	shape := l.In[3].Shape
	width := shape[len(shape)-1]
	keys := a.T
	if width < a.T && width != 1 {
		keys = width
	}
	s := stretch(shape, []int{a.Batch, a.Heads, a.Q, keys}, Logical)
	bools, inf := l.In[3].DType == tensor.Bool, float32(math.Inf(-1))
	return func(b []byte, dst []float32, n, h, q int) {
		at := n*s[0] + h*s[1] + q*s[2]
		for i := range dst {
			switch {
			case i >= keys:
				dst[i] = inf
			case !bools:
				dst[i] = view[float32](b)[at+i*s[3]]
			case b[at+i*s[3]] == 0:
				dst[i] = inf
			}
		}
	}
}
