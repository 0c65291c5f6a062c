package pass

import (
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// fullPads gives a Pad with constant amounts for some axes the amounts for all of them.
func fullPads(e *editor) (changed bool, err error) {
	var ranks map[string]int
	err = e.nodes(func(n *graph.Node) error {
		amounts, axes := e.constant(n.Input(1)), e.constant(n.Input(3))
		if !is(n, "Pad") || amounts == nil || axes == nil {
			return nil
		}
		if ranks == nil {
			ranks = e.ranks()
		}
		full, ok := spreadPads(amounts, axes, ranks[n.Inputs[0]])
		if !ok {
			return nil
		}
		e.setInput(n, 1, e.addConst(n.Name+"/pads", full))
		e.shorten(n, 3)
		if n.Input(2) == "" {
			e.shorten(n, 2)
		}
		changed = true
		return nil
	})
	return changed, err
}

// spreadPads is amounts for axes as amounts for all of rank axes, ok when they fit.
func spreadPads(amounts, axes *tensor.Tensor, rank int) (*tensor.Tensor, bool) {
	v, err := amounts.Ints()
	if err != nil {
		return nil, false
	}
	list, err := axes.Ints()
	if err != nil || len(v) != 2*len(list) || rank == 0 {
		return nil, false
	}
	out := make([]int64, 2*rank)
	for i, a := range list {
		if a < 0 {
			a += int64(rank)
		}
		if a < 0 || a >= int64(rank) {
			return nil, false
		}
		out[a], out[int(a)+rank] = v[i], v[len(list)+i]
	}
	return tensor.Of(tensor.Int64, []int{len(out)}, out), true
}

// ranks is the number of axes of every value, as far as it follows from the operators; open axes of inputs count as 1.
// A graph that cannot be inferred with axes of 1 gives an empty map, and the pass does nothing.
func (e *editor) ranks() map[string]int {
	in := map[string]op.Info{}
	for _, p := range e.g.Inputs {
		if e.g.Consts[p.Name] != nil || !p.Type.Ranked {
			continue
		}
		shape := make([]int, len(p.Type.Shape))
		for i, d := range p.Type.Shape {
			shape[i] = max(d.N, 1)
		}
		in[p.Name] = op.Info{DType: p.Type.DType, Shape: shape}
	}
	out := map[string]int{}
	info, err := op.InferShapes(e.g, in)
	if err != nil {
		return out
	}
	for name, i := range info {
		out[name] = len(i.Shape)
	}
	return out
}
