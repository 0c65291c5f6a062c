package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// odd are numbers that models should not contain where sizes, axes or types are expected.
var odd = []int64{0, 1, -1, 2, 3, -7, 100, 255, math.MaxInt32, math.MinInt64, math.MaxInt64, 1 << 40}

// TestHostileNodesAreRefused changes attributes, shapes, constants and numbers of inputs of every case at random: a rule
// or a kernel may refuse or compute, but never panics.
func TestHostileNodesAreRefused(t *testing.T) {
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.node, "com.microsoft.", ""), func(t *testing.T) {
			for seed := range uint64(300) {
				n, in := parseCase(t, c.inputs, c.node)
				r := rand.New(rand.NewPCG(seed, 9))
				for range 1 + r.IntN(3) {
					in = damage(r, n, in)
				}
				require.NotPanics(t, func() { attempt(n, in) }, "%s", describe(n, in))
			}
		})
	}
}

// TestEmptyAxesCostNoMemory: beside an axis of 0 another may be 2^31 long; no table of that length is made.
func TestEmptyAxesCostNoMemory(t *testing.T) {
	for _, c := range []struct{ inputs, node string }{
		{"x: float32[1,2,0,3]; p: int64[2] = const [2, 2147483647]; v: float32[] = const [0]; a: int64[1] = const [3]", `Pad(x, p, v, a) {mode="edge"}`},
		{"x: int64[2000000000,0]; a: int64[1] = const [1]", "ReduceSum(x, a)"},
		{"x: float32[2000000000,0,2,3]; w: float32[3,4]", "MatMul(x, w)"},
	} {
		n, in := parseCase(t, c.inputs, c.node)
		if c.node == "ReduceSum(x, a)" { // the sums of nothing would be two thousand million zeros: keep none of them
			in[1] = tensor.Of(tensor.Int64, []int{1}, []int64{0})
		}
		out, err := Eval(n, in)
		require.NoError(t, err, c.node)
		require.Empty(t, out[0].Data, c.node)
	}
}

// attempt evaluates a node unless its outputs would be large.
func attempt(n *graph.Node, in []*tensor.Tensor) {
	x := &Infer{Node: n, In: make([]Info, len(in)), Out: make([]Info, len(n.Outputs))}
	for i, v := range in {
		if v != nil {
			x.In[i] = Info{DType: v.DType, Shape: v.Shape, Value: v}
		}
	}
	if Apply(x) != nil {
		return
	}
	for _, o := range x.Out {
		if tensor.Count(o.Shape) > 1<<16 {
			return
		}
	}
	_, _ = Eval(n, in)
}

func describe(n *graph.Node, in []*tensor.Tensor) string {
	s := n.Op
	for _, a := range n.Attrs {
		s += fmt.Sprint(" ", a.Name, "=", a.Int, a.Ints)
	}
	for _, v := range in {
		if v == nil {
			s += " -"
			continue
		}
		s += fmt.Sprint(" ", v.DType, v.Shape)
	}
	return s
}

// damage changes one thing about a node.
func damage(r *rand.Rand, n *graph.Node, in []*tensor.Tensor) []*tensor.Tensor {
	i := r.IntN(len(in))
	switch k := r.IntN(6); {
	case k == 0 && len(n.Attrs) > 0:
		damageAttr(r, &n.Attrs[r.IntN(len(n.Attrs))])
	case k == 1:
		if o := Lookup(n.Domain, n.Op); len(o.Attrs) > 0 {
			name := o.Attrs[r.IntN(len(o.Attrs))]
			n.SetInt(name, odd[r.IntN(len(odd))])
			if r.IntN(2) == 0 {
				n.SetInts(name, []int64{odd[r.IntN(len(odd))], odd[r.IntN(len(odd))]})
			}
		}
	case k == 2:
		in, n.Inputs = slices.Clone(in[:i]), n.Inputs[:i]
		if len(in) == 0 {
			in, n.Inputs = []*tensor.Tensor{nil}, []string{""}
		}
	case in[i] == nil:
	case k == 3 && in[i].DType == tensor.Int64 && in[i].Len() > 0:
		v := slices.Clone(tensor.View[int64](in[i]))
		v[r.IntN(len(v))] = odd[r.IntN(len(odd))]
		in[i] = tensor.Of(tensor.Int64, in[i].Shape, v)
	case k == 4:
		types := []tensor.DType{tensor.Float32, tensor.Int64, tensor.Uint8, tensor.Int8, tensor.Bool, tensor.Float16, tensor.Float64}
		in[i] = noise(r, types[r.IntN(len(types))], in[i].Shape)
	default:
		shape := make([]int, r.IntN(6))
		for a := range shape {
			shape[a] = r.IntN(4)
		}
		in[i] = noise(r, in[i].DType, shape)
	}
	return in
}

func damageAttr(r *rand.Rand, a *graph.Attr) {
	a.Int = odd[r.IntN(len(odd))]
	a.Ints = slices.Clone(a.Ints)
	if len(a.Ints) > 0 {
		a.Ints[r.IntN(len(a.Ints))] = a.Int
		a.Ints = a.Ints[:1+r.IntN(len(a.Ints))]
	}
}
