package quant

import "assay/shared/graph"

// Borders is what a QDQ graph costs at run time besides its operations: values that change between float and INT8, and
// operations that stand between the two and run in float all the same. The runtimes take the other QuantizeLinear and
// DequantizeLinear into integer operators.
type Borders struct {
	Quantize   int      // QuantizeLinear of float results or graph inputs
	Dequantize int      // DequantizeLinear of computed values that a float operation or a graph output reads
	Unfused    []string // operations that read INT8 and whose result is INT8, and that run in float: in node order
	Integer    int      // operations that run in integers
}

// BordersOf inspects a QDQ graph. It reads the graph that Apply made and changes nothing. The numbers are for reports;
// nothing is decided by them.
func BordersOf(m *graph.Model) Borders {
	b := borders{g: m.Graph, x: graph.NewIndex(m.Graph), integer: map[string]bool{}}
	for _, name := range IntegerOps(m) {
		b.integer[name] = true
	}
	out := Borders{Integer: len(b.integer)}
	for _, n := range m.Graph.Nodes {
		switch {
		case n.Op == "QuantizeLinear":
			if b.fromFloat(n.Inputs[0]) {
				out.Quantize++
			}
		case n.Op == "DequantizeLinear":
			if b.g.Consts[n.Inputs[0]] == nil && b.toFloat(n.Outputs[0]) {
				out.Dequantize++
			}
		case b.unfused(n):
			out.Unfused = append(out.Unfused, n.Name)
		}
	}
	return out
}

// integer has the names that IntegerOps gives.
type borders struct {
	g       *graph.Graph
	x       *graph.Index
	integer map[string]bool
}

// fromFloat: what makes v, above operators that merely pass it, computes in float.
func (b borders) fromFloat(v string) bool {
	n := b.x.Producer[v]
	for n != nil && (classes[n.Op] == classTransparent || classes[n.Op] == classClamp) {
		n = b.x.Producer[n.Inputs[0]]
	}
	if n == nil {
		return true
	}
	return n.Op != "DequantizeLinear" && !b.integer[n.Name] && !b.biasAdd(n)
}

// biasAdd: n is the Add of an integer MatMul's bias.
func (b borders) biasAdd(n *graph.Node) bool {
	if n.Op != "Add" || !dequantizedConst(b.g, b.x, n) {
		return false
	}
	for _, in := range n.Inputs {
		if p := b.x.Producer[in]; p != nil && p.Op == "MatMul" && b.integer[p.Name] {
			return true
		}
	}
	return false
}

// toFloat: a float operation or a graph output reads v, perhaps below operators that merely pass it.
func (b borders) toFloat(v string) bool {
	if b.x.Output[v] {
		return true
	}
	for _, u := range b.x.Uses[v] {
		switch {
		case u.Sub:
			return true
		case u.Node.Op == "QuantizeLinear", u.Node.Op == "Shape", u.Node.Op == "Size", b.integer[u.Node.Name]:
		case classes[u.Node.Op] == classTransparent || classes[u.Node.Op] == classClamp || u.Node.Op == "Pad":
			if b.toFloat(u.Node.Outputs[0]) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// unfused: n reads INT8, its result is quantized, and yet no integer operator takes it.
func (b borders) unfused(n *graph.Node) bool {
	if b.integer[n.Name] || b.biasAdd(n) || len(n.Outputs) == 0 || classes[n.Op] == classTransparent || classes[n.Op] == classClamp || classes[n.Op] == classCarry {
		return false
	}
	reads := false
	for _, in := range n.Inputs {
		p := b.x.Producer[in]
		reads = reads || p != nil && p.Op == "DequantizeLinear" && b.g.Consts[p.Inputs[0]] == nil
	}
	return reads && b.quantizedBelow(n.Outputs[0])
}

// quantizedBelow: a QuantizeLinear reads v, perhaps below a Relu or Clip.
func (b borders) quantizedBelow(v string) bool {
	for _, u := range b.x.Uses[v] {
		if !u.Sub && (u.Node.Op == "QuantizeLinear" || classes[u.Node.Op] == classClamp && b.quantizedBelow(u.Node.Outputs[0])) {
			return true
		}
	}
	return false
}

// moves are operators beside those of the classes that only move values.
var moves = map[string]bool{"Expand": true, "Identity": true, "Tile": true, "Dropout": true, "Cast": true}

// Moves reports whether n only moves or clamps values, so that it runs in whatever its neighbours run in.
func Moves(n *graph.Node) bool {
	switch classes[n.Op] {
	case classTransparent, classCarry, classClamp, classConcat:
		return true
	}
	return moves[n.Op]
}
