package pass

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// plainGemm moves what an integer product has no place for out of a Gemm with constant weights: alpha into the weights,
// beta into the bias, each number rounded once, and transA into a Transpose in front. A bias that is computed keeps its
// beta. A Gemm without a bias just loses its beta. Products that overflow float32 leave the factor where it is.
func plainGemm(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		w := e.constant(n.Input(1))
		if !is(n, "Gemm") || w == nil || w.DType != tensor.Float32 || e.constant(n.Input(0)) != nil {
			return nil
		}
		for _, f := range []struct {
			attr  string
			input int
			name  string
		}{{"alpha", 1, "/weight"}, {"beta", 2, "/bias"}} {
			t := e.constant(n.Input(f.input))
			factor := n.Float(f.attr, 1)
			if factor == 1 || t == nil && n.Input(f.input) != "" {
				continue
			}
			if t != nil {
				scaled, ok := times(t, float64(factor))
				if !ok {
					continue
				}
				e.setInput(n, f.input, e.addConst(n.Name+f.name, scaled))
			}
			n.Unset(f.attr)
			changed = true
		}
		if n.Int("transA", 0) != 0 {
			e.setInput(n, 0, e.transposed(n))
			n.Unset("transA")
			changed = true
		}
		return nil
	})
	return changed, err
}

// times is t with every element multiplied by factor, ok when t is float32 and all products are finite.
func times(t *tensor.Tensor, factor float64) (*tensor.Tensor, bool) {
	if t.DType != tensor.Float32 {
		return nil, false
	}
	out := tensor.New(tensor.Float32, t.Shape...)
	v := out.F32()
	for i, x := range t.F32() {
		p := float64(x) * factor
		if !finite32(p) {
			return nil, false
		}
		v[i] = float32(p)
	}
	return out, true
}

// transposed puts a Transpose of matrix input 0 in front of n and returns its result. The node is inserted in front of
// n, so the order stays topological.
func (e *editor) transposed(n *graph.Node) string {
	name := e.fresh(n.Name + "/transposed")
	t := &graph.Node{Name: e.freshNode(n.Name + "/Transpose"), Op: "Transpose", Outputs: []string{name}}
	t.SetInts("perm", []int64{1, 0})
	e.setInput(t, 0, n.Inputs[0])
	e.index.Producer[name] = t
	e.g.Nodes = slices.Insert(e.g.Nodes, slices.Index(e.g.Nodes, n), t)
	return name
}

// freshNode is hint, or hint with the smallest number that no node is called.
func (e *editor) freshNode(hint string) string {
	used := map[string]bool{}
	for _, n := range e.g.Nodes {
		used[n.Name] = true
	}
	return free(hint, used)
}
