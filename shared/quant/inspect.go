package quant

import (
	"fmt"
	"maps"
	"slices"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/plan"
)

// GroupOps names, for each group, the operations that become float with it, in node order. A layer's own point on its
// result is read by others too, which do not leave with it. The lists are for people (reports and progress); what
// leaves is decided by groups alone. params are those of m.
func GroupOps(m *graph.Model, params *plan.Params) [][]string {
	x := graph.NewIndex(m.Graph)
	nodes := map[string]*graph.Node{}
	for _, n := range m.Graph.Nodes {
		nodes[n.Name] = n
	}
	out := make([][]string, len(params.Groups))
	for g, members := range params.Groups {
		layers, ops := map[*graph.Node]bool{}, map[*graph.Node]bool{}
		for _, i := range members {
			if p := params.Points[i]; p.Kind == plan.Weight {
				for _, u := range p.Uses {
					layers[nodes[u.Node]], ops[nodes[u.Node]] = true, true
				}
			}
		}
		for _, i := range members {
			p := params.Points[i]
			if p.Kind == plan.Bias || p.Kind == plan.Activation && layers[layerAbove(x, p.Value)] {
				continue
			}
			for _, u := range p.Uses {
				readers(x, nodes[u.Node], ops)
			}
		}
		for n := range ops {
			if n != nil {
				out[g] = append(out[g], n.Name)
			}
		}
		slices.SortFunc(out[g], func(a, b string) int { return x.Position[nodes[a]] - x.Position[nodes[b]] })
	}
	return out
}

// layerAbove is the node that made v, above a bias Add and a Relu or Clip.
func layerAbove(x *graph.Index, v string) *graph.Node {
	n := x.Producer[v]
	if n != nil && classes[n.Op] == classClamp {
		n = x.Producer[n.Inputs[0]]
	}
	if n != nil && n.Op == "Add" {
		for _, in := range n.Inputs {
			if p := x.Producer[in]; p != nil && p.Op == "MatMul" {
				return p
			}
		}
	}
	return n
}

// readers adds to ops what reads through n: n itself, or, when it merely passes integers, the operations behind it.
// Float operators that an integer one's result feeds as well are no part of the group.
func readers(x *graph.Index, n *graph.Node, ops map[*graph.Node]bool) {
	if n == nil {
		return
	}
	switch c := classes[n.Op]; {
	case c == classTransparent:
		for _, u := range x.Uses[n.Outputs[0]] {
			readers(x, u.Node, ops)
		}
	case c == classElementwise, c == classTable, c == classPool, c == classConcat, potTable[n.Op], n.Op == "MatMul":
		ops[n] = true
	}
}

// MACShare counts multiply-accumulate operations for what is fed at once: those that are INT8 under p, and all. A layer is INT8 where
// its weight is; a product of two computed values, which has no weight, where every group that holds it is. shapes gives the shape
// that is fed to an input, batch axis included, where the declared one is open; open axes of others count as 1. Both counts come from
// op.MACs; nodes whose shapes only the run knows count nowhere. params, those of m, may be nil: nothing is INT8 then.
func MACShare(m *graph.Model, params *plan.Params, p plan.Plan, shapes map[string][]int) (num, den int64, err error) {
	in := map[string]op.Info{}
	for _, port := range m.Graph.Inputs {
		s, ok := shapes[port.Name]
		for i := 0; !ok && i < len(port.Type.Shape); i++ {
			s = append(s, max(1, port.Type.Shape[i].N))
		}
		in[port.Name] = op.Info{DType: port.Type.DType, Shape: s}
	}
	macs, err := op.MACs(m.Graph, in)
	if err != nil {
		return 0, 0, fmt.Errorf("multiply-adds: %w", err)
	}
	quantized := products(m, params, p)
	points, _ := plan.Effective(params, p)
	for _, i := range points {
		if x := params.Points[i]; x.Kind == plan.Weight {
			for _, u := range x.Uses {
				quantized[u.Node] = true
			}
		}
	}
	for name, k := range macs {
		den += k
		if quantized[name] {
			num += k
		}
	}
	return num, den, nil
}

// products names the nodes in groups that have no weight of their own and whose groups are all INT8 under p.
func products(m *graph.Model, params *plan.Params, p plan.Plan) map[string]bool {
	out := map[string]bool{}
	if params == nil {
		return out
	}
	float := map[string]bool{}
	for g, ops := range GroupOps(m, params) {
		for _, name := range ops {
			out[name] = true
			float[name] = float[name] || p.Has(g)
		}
	}
	for _, x := range params.Points {
		for _, u := range x.Uses {
			float[u.Node] = float[u.Node] || x.Kind == plan.Weight
		}
	}
	maps.DeleteFunc(out, func(name string, _ bool) bool { return float[name] })
	return out
}

// IntegerOps names the operations of a QDQ graph that the runtimes run in integers, in node order: their data and
// weights are dequantized, and where the integer form needs it nothing but a QuantizeLinear reads their result. It
// predicts from patterns what ort-semantics 6 measured; a test loads files in ONNX Runtime and compares.
func IntegerOps(m *graph.Model) []string {
	x := graph.NewIndex(m.Graph)
	var out []string
	for _, n := range m.Graph.Nodes {
		if n.Domain == "" && integerOp(m.Graph, x, n) {
			out = append(out, n.Name)
		}
	}
	return out
}

// A clamp behind a Gemm or MatMul needs a QuantizeLinear behind it, without a clamp the float output form exists.
func integerOp(g *graph.Graph, x *graph.Index, n *graph.Node) bool {
	switch n.Op {
	case "Conv":
		return dequantized(x, n.Input(0)) && dequantized(x, n.Input(1)) && onlyQuantized(x, n.Outputs[0])
	case "Gemm", "MatMul":
		if p := x.Producer[n.Input(0)]; p != nil && g.Consts[p.Input(0)] != nil {
			return false // a constant first operand
		}
		v := n.Outputs[0]
		if uses := x.Uses[v]; n.Op == "MatMul" && len(uses) == 1 && !uses[0].Sub && uses[0].Node.Op == "Add" && dequantizedConst(g, x, uses[0].Node) {
			v = uses[0].Node.Outputs[0]
		}
		clamped := len(x.Uses[v]) == 1 && !x.Uses[v][0].Sub && classes[x.Uses[v][0].Node.Op] == classClamp && !x.Output[v]
		return dequantized(x, n.Input(0)) && dequantized(x, n.Input(1)) && (!clamped || onlyQuantized(x, v))
	}
	switch classes[n.Op] {
	case classElementwise, classTable, classPool, classConcat:
		for _, i := range dataInputs(n) {
			if !dequantized(x, n.Input(i)) {
				return false
			}
		}
		return onlyQuantized(x, n.Outputs[0])
	}
	return false
}

// dequantizedConst: an Add with a dequantized constant, that is, an int32 bias.
func dequantizedConst(g *graph.Graph, x *graph.Index, add *graph.Node) bool {
	for _, in := range add.Inputs {
		if p := x.Producer[in]; p != nil && p.Op == "DequantizeLinear" && g.Consts[p.Inputs[0]] != nil {
			return true
		}
	}
	return false
}

// dequantized: v comes from a DequantizeLinear, over operators that pass integers and a Pad that a Conv takes in.
func dequantized(x *graph.Index, v string) bool {
	p := x.Producer[v]
	for p != nil && (classes[p.Op] == classTransparent || p.Op == "Pad" && len(x.Uses[v]) == 1 && x.Uses[v][0].Node.Op == "Conv") {
		v = p.Inputs[0]
		p = x.Producer[v]
	}
	return p != nil && p.Op == "DequantizeLinear"
}

// onlyQuantized: one QuantizeLinear reads v, perhaps behind a Relu or Clip.
func onlyQuantized(x *graph.Index, v string) bool {
	for range 2 {
		uses := x.Uses[v]
		if len(uses) != 1 || uses[0].Sub || x.Output[v] {
			return false
		}
		if uses[0].Node.Op == "QuantizeLinear" {
			return true
		}
		if classes[uses[0].Node.Op] != classClamp {
			return false
		}
		v = uses[0].Node.Outputs[0]
	}
	return false
}
