package engine

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// residuals are the nodes to be bound, in their order, with each sum of a convolution that nothing else reads and a value
// of its shape as one FusedConv, and with it a Relu of the sum: the results of the convolution are not written, read and
// written again.
//
//	x -> Conv --+
//	            Add -> Relu -> out           x, z -> FusedConv -> out, in the place of the Add
//	z ----------+
//
// The addition and the clamp are those of the nodes, so nothing of this changes a bit, and the result keeps its name and
// its digest.
func (b *binder) residuals(nodes []*graph.Node) []*graph.Node {
	if b.p.engine.apart {
		return nodes
	}
	r := residuals{binder: b, conv: map[string]*graph.Node{}, readers: map[string][]*graph.Node{}}
	for _, name := range b.p.want {
		r.readers[name] = append(r.readers[name], nil)
	}
	for _, n := range nodes {
		for _, in := range append(slices.Clone(n.Inputs), graph.Captures(n)...) {
			r.readers[in] = append(r.readers[in], n)
		}
	}
	out, gone := slices.Clone(nodes), map[*graph.Node]bool{}
	for i, n := range out {
		if r.takes(n) {
			r.conv[n.Outputs[0]] = n
		}
		if c, f, act := r.fused(n); f != nil {
			out[i], gone[c], gone[act] = f, true, true
		}
	}
	return slices.DeleteFunc(out, func(n *graph.Node) bool { return gone[n] })
}

// residuals finds convolutions that can add a residual. readers has each use of a value, nil for a caller's.
type residuals struct {
	*binder
	conv    map[string]*graph.Node // by output
	readers map[string][]*graph.Node
}

// takes reports whether n is a convolution that can add a residual.
func (r *residuals) takes(n *graph.Node) bool {
	if n.Domain != "" || n.Op != "Conv" || len(r.readers[n.Outputs[0]]) != 1 {
		return false
	}
	w := r.infos[n.Inputs[1]]
	return w.Value != nil && r.infos[n.Outputs[0]].DType == tensor.Float32 && op.TakesResidual(n, w.Shape)
}

// fused is the node for an Add, with the convolution that it makes superfluous, and the Relu behind the Add if that is
// the only one to read it. f is nil for what is no such Add.
func (r *residuals) fused(n *graph.Node) (c, f, relu *graph.Node) {
	if n.Domain != "" || n.Op != "Add" {
		return nil, nil, nil
	}
	shape := r.infos[n.Outputs[0]].Shape
	for k := range 2 {
		z := r.infos[n.Inputs[1-k]]
		if c = r.conv[n.Inputs[k]]; c == nil || z.Value != nil || !slices.Equal(z.Shape, shape) ||
			!slices.Equal(r.infos[n.Inputs[k]].Shape, shape) {
			continue
		}
		delete(r.conv, n.Inputs[k])
		f = &graph.Node{Name: n.Name, Domain: "com.microsoft", Op: "FusedConv", Attrs: slices.Clone(c.Attrs), Outputs: n.Outputs}
		f.Inputs = []string{c.Inputs[0], c.Inputs[1], c.Input(2), n.Inputs[1-k]}
		if all := r.readers[n.Outputs[0]]; len(all) == 1 && all[0] != nil && all[0].Domain == "" && all[0].Op == "Relu" {
			relu = all[0]
			f.Outputs = relu.Outputs
			f.Set(graph.Attr{Name: "activation", Kind: graph.KindString, Str: []byte("Relu")})
		}
		return c, f, relu
	}
	return nil, nil, nil
}
