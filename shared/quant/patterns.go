package quant

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// patterns collects nodes of sub-graphs that the pot placement leaves alone.
type patterns struct {
	*sketch
	found map[*graph.Node]string
}

// The first reason stays; nil nodes are ignored, which lets callers pass what up found or did not.
func (p *patterns) mark(why string, nodes ...*graph.Node) {
	for _, n := range nodes {
		if n != nil && p.found[n] == "" {
			p.found[n] = why
		}
	}
}

// up is the node that makes input i of n if its operator is among ops.
func (p *patterns) up(n *graph.Node, i int, ops ...string) *graph.Node {
	if n == nil {
		return nil
	}
	q := p.x.Producer[n.Input(i)]
	if q == nil || q.Domain != "" || !slices.Contains(ops, q.Op) {
		return nil
	}
	return q
}

// down lists the readers of n's first result whose operator is among ops.
func (p *patterns) down(n *graph.Node, ops ...string) []*graph.Node {
	if n == nil {
		return nil
	}
	var out []*graph.Node
	for _, u := range p.x.Uses[n.Outputs[0]] {
		if !u.Sub && u.Node.Domain == "" && slices.Contains(ops, u.Node.Op) {
			out = append(out, u.Node)
		}
	}
	return out
}

// softmax written out: Exp(Sub(x, ReduceMax x)) divided by its ReduceSum.
//
//	x - ReduceMax(x) -> Exp -+-> ReduceSum -+-> Div
//	                         +--------------^
func (p *patterns) softmax(exp *graph.Node) {
	const why = "softmax written out"
	for _, sum := range p.down(exp, "ReduceSum") {
		for _, div := range p.down(sum, "Div") {
			p.mark(why, exp, sum, div, p.up(exp, 0, "Sub"))
		}
	}
}

// layerNorm written out: Sub of the mean, its square's mean, plus epsilon, root, Div, and the scale-shift behind.
//
//	x -+-> Sub -+-> Pow/Mul -> ReduceMean -> Add eps -> Sqrt -> Div -> Mul -> Add
//	   +-> ReduceMean -^  +-------------------------------------^
//
// Reciprocal and Mul in the place of Div are the same: POT's table knows the one MVN that its converter makes of either.
func (p *patterns) layerNorm(sqrt *graph.Node) {
	const why = "layer normalisation written out"
	add := p.up(sqrt, 0, "Add")
	if add == nil {
		return
	}
	mean := p.up(add, 0, "ReduceMean")
	if mean == nil {
		mean = p.up(add, 1, "ReduceMean")
	}
	square := p.up(mean, 0, "Pow", "Mul")
	sub := p.up(square, 0, "Sub")
	if sub == nil {
		return
	}
	p.mark(why, sqrt, add, mean, square, sub, p.up(sub, 1, "ReduceMean"))
	for _, other := range p.down(p.up(sub, 1, "ReduceMean"), "Sub") {
		p.mark(why, other)
	}
	normalised := p.down(sqrt, "Div")
	for _, inverse := range p.down(sqrt, "Reciprocal") {
		p.mark(why, inverse)
		normalised = append(normalised, p.down(inverse, "Mul")...)
	}
	p.mark(why, normalised...)
	for _, n := range normalised {
		for _, mul := range p.down(n, "Mul") {
			p.mark(why, mul)
			p.mark(why, p.down(mul, "Add", "Mul")...)
		}
	}
}

// gelu written out, with Erf or Tanh: the chain of element-wise operations before and behind.
//
//	x -> Div sqrt2 -> Erf -> Add 1 -> Mul x -> Mul 0.5
func (p *patterns) gelu(core *graph.Node) {
	const why = "GELU written out"
	var behind []*graph.Node
	for _, add := range p.down(core, "Add") {
		for _, mul := range p.down(add, "Mul") {
			behind = append(append(behind, add, mul), p.down(mul, "Mul")...)
		}
	}
	if len(behind) == 0 {
		return
	}
	p.mark(why, behind...)
	chain := []*graph.Node{core}
	for range 5 { // x, x^3, their sum and two constants at most
		var above []*graph.Node
		for _, n := range chain {
			for i := range n.Inputs {
				above = append(above, p.up(n, i, "Div", "Mul", "Pow", "Add"))
			}
		}
		chain = slices.DeleteFunc(above, func(n *graph.Node) bool {
			return n == nil || p.biasAdd[n] != nil || !p.constOperand(n) && n.Op != "Add" && n.Op != "Mul"
		})
		if core.Op == "Erf" {
			p.mark(why, chain...)
			return
		}
		p.mark(why, chain...)
	}
}

// gate: swish and hard-swish, and squeeze-and-excitation with all that leads to its gate. Twelve nodes bound the walk
// up: a block of two convolutions with activations has fewer.
func (p *patterns) gate(sigmoid *graph.Node) {
	for _, mul := range p.down(sigmoid, "Mul") {
		if slices.Contains(mul.Inputs, sigmoid.Inputs[0]) {
			p.mark("swish", mul)
			continue
		}
		second := p.up(sigmoid, 0, "Conv", "Gemm", "MatMul")
		path := []*graph.Node{sigmoid, mul, second}
		for n := second; n != nil && len(path) < 12; {
			n = p.up(n, 0, "Relu", "Clip", "Mul", "HardSwish", "Conv", "Gemm", "MatMul", "Add", "GlobalAveragePool", "ReduceMean", "Reshape", "Flatten")
			path = append(path, n)
			if n != nil && (n.Op == "GlobalAveragePool" || n.Op == "ReduceMean") {
				p.mark("squeeze-and-excitation", path...)
				break
			}
		}
	}
}

// clamp: hard-swish written out as Add, Clip, Mul, Mul or Div; and Clip times a constant. Add 3, Clip 0..6, times x,
// over 6 is hard-swish.
func (p *patterns) clamp(clip *graph.Node) {
	add := p.up(clip, 0, "Add")
	for _, mul := range p.down(clip, "Mul", "Div") {
		if p.constOperand(mul) {
			p.mark("Clip times a constant", mul)
		}
		if add != nil && p.constOperand(add) && p.biasAdd[add] == nil {
			p.mark("hard-swish", add, mul)
			p.mark("hard-swish", p.down(mul, "Mul", "Div")...)
		}
	}
}

// constants: arithmetic with constants next to the graph's inputs and outputs, and behind a layer when nothing branches
// off on the way. The runtime that the table was made for merges it into its neighbours.
func (p *patterns) constants(n *graph.Node) {
	if !p.constOperand(n) || p.biasAdd[n] != nil {
		return
	}
	if p.isInput(n.Input(0)) || p.isInput(n.Input(1)) || p.found[p.up(n, 0, "Mul", "Add", "Sub", "Div")] == "input preprocessing" {
		p.mark("input preprocessing", n)
	}
	v := n.Outputs[0]
	if next := p.down(n, "Add", "Mul"); len(next) == 1 && p.constOperand(next[0]) && len(p.x.Uses[v]) == 1 {
		v = next[0].Outputs[0]
	}
	if p.x.Output[v] && len(p.x.Uses[v]) == 0 {
		p.mark("scale-shift before an output", n)
		p.mark("scale-shift before an output", p.down(n, "Add", "Mul")...)
	}
	if src := p.x.Producer[n.Input(0)]; src != nil && p.only(n.Input(0)) != nil {
		if classes[src.Op] == classClamp && p.only(src.Inputs[0]) != nil {
			src = p.x.Producer[src.Inputs[0]]
		}
		if src != nil && (p.layers[src] != nil || p.biasAdd[src] != nil) {
			p.mark("constant arithmetic behind a layer", n)
		}
	}
}

// constOperand: one operand of n is constant.
func (p *patterns) constOperand(n *graph.Node) bool {
	return n != nil && (p.isConst(n.Input(0)) || p.isConst(n.Input(1)))
}

// upstream marks everything above n up to the first operation with a constant.
func (p *patterns) upstream(n *graph.Node) {
	seen := map[*graph.Node]bool{}
	var visit func(n *graph.Node)
	visit = func(n *graph.Node) {
		for _, in := range n.Inputs {
			q := p.x.Producer[in]
			if q == nil || seen[q] {
				continue
			}
			seen[q] = true
			if p.layers[q] != nil || p.constOperand(q) {
				continue
			}
			p.mark("selects boxes or indices", q)
			visit(q)
		}
	}
	visit(n)
}

// masks marks what a constant beyond any activation (an attention mask of -3.4e38, a padding value) is computed into,
// down to the Softmax that consumes it: such a value in a range leaves one level for everything else. Clip ends it
// because its result is bounded.
func (p *patterns) masks() {
	tainted := map[string]bool{}
	for _, n := range p.g.Nodes {
		bad := false
		for _, in := range n.Inputs {
			t := p.g.Consts[in]
			bad = bad || tainted[in] || t != nil && t.DType == tensor.Float32 && t.Len() > 0 && !modest(t)
		}
		if !bad || n.Op == "Softmax" || n.Op == "Clip" {
			continue
		}
		p.mark("holds a mask", n)
		for _, o := range n.Outputs {
			tainted[o] = true
		}
	}
}
