package pass

import (
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// maxGrowth is how many bytes a folded constant may have beyond what it is made of: a mask that a graph expands from a few
// numbers stays a computation.
const maxGrowth = 1 << 16

// foldConstants replaces nodes whose inputs are all constant, and values that follow from the shapes of fixed inputs.
// It leaves DequantizeLinear alone: a weight that the file stores as integers stays so.
func foldConstants(e *editor) (bool, error) {
	changed := foldKnown(e)
	err := e.nodes(func(n *graph.Node) error {
		if is(n, "DequantizeLinear") {
			return nil
		}
		did, err := e.fold(n)
		changed = changed || did
		return err
	})
	return changed, err
}

// fold evaluates n if it can be. A node that reads nothing, has nested graphs or makes a graph's output stays. A fault
// is no error here but a node left in place. Size is bounded twice, before Eval could allocate: 2 GiB an output, and 8
// times the inputs plus maxGrowth in all.
func (e *editor) fold(n *graph.Node) (bool, error) {
	o := op.Lookup(n.Domain, n.Op)
	if o == nil || len(n.Inputs) == 0 || len(graph.Nested(n)) > 0 {
		return false, nil
	}
	in, size := make([]*tensor.Tensor, len(n.Inputs)), 0
	infos := make([]op.Info, len(n.Inputs))
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		t := e.constant(name)
		if t == nil {
			return false, nil
		}
		in[i], infos[i] = t, op.Info{DType: t.DType, Shape: t.Shape, Value: t}
		size += len(t.Data)
	}
	for _, out := range n.Outputs {
		if e.index.Output[out] {
			return false, nil
		}
	}
	x := &op.Infer{Node: n, In: infos, Out: make([]op.Info, len(n.Outputs))}
	if err := op.Apply(x); err != nil {
		return false, nil // a fault of the node: whoever runs it says so, with the values around it
	}
	made := 0
	for _, out := range x.Out {
		if bytes := float64(out.DType.Size()) * elements(out.Shape); bytes > math.MaxInt32 {
			return false, nil
		}
		made += out.DType.Size() * tensor.Count(out.Shape)
	}
	if made > 8*size+maxGrowth {
		return false, nil
	}
	out, err := op.Eval(n, in)
	if err != nil {
		return false, nil
	}
	e.replace(n, out)
	return true, nil
}

// elements is the size of a shape without overflow. float64 holds any product that matters here: it is compared with
// 2^31.
func elements(shape []int) float64 {
	n := 1.0
	for _, d := range shape {
		n *= float64(d)
	}
	return n
}

// replace puts constants in place of a node's outputs. len(out) is that of the node's outputs, nil for omitted ones.
func (e *editor) replace(n *graph.Node, out []*tensor.Tensor) {
	e.remove(n)
	for i, name := range n.Outputs {
		if name != "" {
			e.g.Consts[name] = out[i]
		}
	}
}

// foldKnown makes constants of integers that follow from the shapes of the graph's inputs, when all of those are fixed. A
// graph whose shapes do not work out is left to whoever runs it. Integers and bools only: floats that follow from
// shapes stay computations, as their rounding is a kernel's business.
func foldKnown(e *editor) bool {
	for _, p := range e.g.Inputs {
		if _, ok := p.Type.Fixed(); !ok {
			return false
		}
	}
	shapes := []string{"Shape", "Size"}
	if !slices.ContainsFunc(e.g.Nodes, func(n *graph.Node) bool { return is(n, shapes...) }) {
		return false
	}
	info, err := op.InferShapes(e.g, nil)
	if err != nil {
		return false
	}
	changed := false
	_ = e.nodes(func(n *graph.Node) error {
		out := make([]*tensor.Tensor, len(n.Outputs))
		for i, name := range n.Outputs {
			v := info[name].Value
			if name != "" && (v == nil || e.index.Output[name] || !slices.Contains([]tensor.DType{tensor.Int64, tensor.Int32, tensor.Bool}, v.DType)) {
				return nil
			}
			out[i] = v
		}
		e.replace(n, out)
		changed = true
		return nil
	})
	return changed
}
