package engine

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// swishes are the nodes to be bound, in their order, with each product of a value and its Sigmoid as one Swish, if nothing
// else wants the Sigmoid: one pass over memory instead of two. Swish has the bits of the two, so the product keeps its
// name and its digest.
func (b *binder) swishes() []*graph.Node {
	if b.p.engine.apart {
		return b.graph.Nodes
	}
	gates, wants := map[string]*graph.Node{}, map[string]int{}
	for _, name := range b.p.want {
		wants[name]++
	}
	for _, n := range b.graph.Nodes {
		for _, in := range append(slices.Clone(n.Inputs), graph.Captures(n)...) {
			wants[in]++
		}
		if n.Domain == "" && n.Op == "Sigmoid" && b.infos[n.Inputs[0]].DType == tensor.Float32 {
			gates[n.Outputs[0]] = n
		}
	}
	out, gone := slices.Clone(b.graph.Nodes), map[*graph.Node]bool{}
	for i, n := range out {
		for k := range 2 {
			if n.Domain != "" || n.Op != "Mul" {
				break
			}
			gate := gates[n.Inputs[k]]
			if gate == nil || gate.Inputs[0] != n.Inputs[1-k] || wants[n.Inputs[k]] != 1 {
				continue
			}
			gone[gate] = true
			out[i] = &graph.Node{Name: n.Name, Op: "Swish", Inputs: gate.Inputs, Outputs: n.Outputs}
			break
		}
	}
	return slices.DeleteFunc(out, func(n *graph.Node) bool { return gone[n] })
}
