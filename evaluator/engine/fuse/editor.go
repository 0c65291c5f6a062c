package fuse

import (
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// editor is a graph under change, with who makes and who reads each value kept up to date. Nodes may stand in any order
// meanwhile; order sorts them. Invariant: prod and uses describe exactly the nodes that are alive. out are the graph's
// outputs, which no rewrite may take away. dtypes is asked before types, since the caller's knowledge is of the graph
// as it was. names grows only.
type editor struct {
	g      *graph.Graph
	nodes  []*graph.Node
	alive  map[*graph.Node]bool
	prod   map[string]*graph.Node
	uses   map[string][]graph.Use
	out    map[string]bool
	types  map[string]graph.Type
	dtypes map[string]tensor.DType // of values that this package made
	names  map[string]bool
	count  int
}

// newEditor takes over g, a clone, and changes its nodes.
func newEditor(g *graph.Graph, types map[string]graph.Type) *editor {
	e := &editor{
		g: g, alive: map[*graph.Node]bool{}, prod: map[string]*graph.Node{}, uses: map[string][]graph.Use{},
		out: map[string]bool{}, types: types, dtypes: map[string]tensor.DType{}, names: map[string]bool{},
	}
	if g.Consts == nil {
		g.Consts = map[string]*tensor.Tensor{}
	}
	for _, p := range g.Inputs {
		e.names[p.Name] = true
	}
	for _, p := range g.Outputs {
		e.out[p.Name] = true
	}
	for name := range g.Consts {
		e.names[name] = true
	}
	for _, n := range g.Nodes {
		e.add(n)
	}
	return e
}

// add makes n part of the graph. A value may be made twice for a moment while a rewrite is under way; the later node
// counts.
func (e *editor) add(n *graph.Node) {
	e.nodes = append(e.nodes, n)
	e.alive[n] = true
	for i, in := range n.Inputs {
		if in != "" {
			e.uses[in] = append(e.uses[in], graph.Use{Node: n, Input: i})
		}
	}
	for _, name := range graph.Captures(n) {
		e.uses[name] = append(e.uses[name], graph.Use{Node: n, Sub: true})
		e.names[name] = true
	}
	for _, o := range n.Outputs {
		if o != "" {
			e.prod[o] = n
			e.names[o] = true
		}
	}
}

// remove takes n out; its outputs have no producer until another node is added that makes them.
func (e *editor) remove(n *graph.Node) {
	if n == nil || !e.alive[n] {
		return
	}
	delete(e.alive, n)
	drop := func(name string) {
		e.uses[name] = slices.DeleteFunc(e.uses[name], func(u graph.Use) bool { return u.Node == n })
	}
	for _, in := range n.Inputs {
		drop(in)
	}
	for _, name := range graph.Captures(n) {
		drop(name)
	}
	for _, o := range n.Outputs {
		if e.prod[o] == n {
			delete(e.prod, o)
		}
	}
}

// setInput makes input i of n read name.
func (e *editor) setInput(n *graph.Node, i int, name string) {
	old := n.Inputs[i]
	e.uses[old] = slices.DeleteFunc(e.uses[old], func(u graph.Use) bool { return u.Node == n && u.Input == i && !u.Sub })
	n.Inputs[i] = name
	if name != "" {
		e.uses[name] = append(e.uses[name], graph.Use{Node: n, Input: i})
	}
}

// setOutput renames output i of n, which must have no reader under the new name's old producer. Readers of the new name
// read n from then on; readers of the old one have no producer until another makes it.
func (e *editor) setOutput(n *graph.Node, i int, name string) {
	if e.prod[n.Outputs[i]] == n {
		delete(e.prod, n.Outputs[i])
	}
	n.Outputs[i] = name
	e.prod[name] = n
	e.names[name] = true
}

// redirect makes every reader of old read name instead; false, and nothing done, when old is a graph output or is
// captured by a nested graph. A captured name is text in another graph, which rewrites leave alone.
func (e *editor) redirect(old, name string) bool {
	if e.out[old] {
		return false
	}
	for _, u := range e.uses[old] {
		if u.Sub {
			return false
		}
	}
	for _, u := range slices.Clone(e.uses[old]) {
		e.setInput(u.Node, u.Input, name)
	}
	return true
}

// only returns the single reader of name, or nil when there are none or several, or when name is a graph output or
// captured by a nested graph.
func (e *editor) only(name string) *graph.Use {
	if u := e.uses[name]; !e.out[name] && len(u) == 1 && !u[0].Sub {
		return &u[0]
	}
	return nil
}

// feeds reports whether name has a single reader, which reads it as its input 0.
func (e *editor) feeds(name string) bool {
	u := e.only(name)
	return u != nil && u.Input == 0
}

// fresh returns a value name that is not in use.
func (e *editor) fresh(hint string) string {
	for {
		e.count++
		name := fmt.Sprintf("%s/%d", hint, e.count)
		if !e.names[name] {
			e.names[name] = true
			return name
		}
	}
}

// constant adds t under a fresh name.
func (e *editor) constant(hint string, t *tensor.Tensor) string {
	name := e.fresh(hint)
	e.g.Consts[name] = t
	return name
}

// order returns the living nodes, each after the nodes that it reads from, otherwise in the order they were added. The
// graph has no cycles (it was valid), so marking on entry suffices.
func (e *editor) order() []*graph.Node {
	out := make([]*graph.Node, 0, len(e.alive))
	state := map[*graph.Node]bool{}
	var visit func(n *graph.Node)
	visit = func(n *graph.Node) {
		if n == nil || state[n] {
			return
		}
		state[n] = true
		for _, in := range n.Inputs {
			visit(e.prod[in])
		}
		for _, name := range graph.Captures(n) {
			visit(e.prod[name])
		}
		out = append(out, n)
	}
	for _, n := range e.nodes {
		if e.alive[n] {
			visit(n)
		}
	}
	e.nodes = slices.Clone(out)
	return out
}

// sweep removes nodes that nothing reads. A node all of whose outputs are unread goes; going backwards, so does what
// only it read.
func (e *editor) sweep() (changed bool) {
	order := e.order()
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		if !slices.ContainsFunc(n.Outputs, func(o string) bool { return e.out[o] || len(e.uses[o]) > 0 }) {
			e.remove(n)
			changed = true
		}
	}
	return changed
}

// done sorts the nodes and drops nodes and constants that nothing reads.
func (e *editor) done() *graph.Graph {
	e.sweep()
	e.g.Nodes = e.order()
	for name := range e.g.Consts {
		if len(e.uses[name]) == 0 && !e.out[name] {
			delete(e.g.Consts, name)
		}
	}
	return e.g
}

// typeOf returns what is known of a value before a run: what the caller knows, else what the graph says.
func (e *editor) typeOf(name string) graph.Type {
	if t := e.g.Consts[name]; t != nil {
		return graph.FixedType(t.DType, t.Shape...)
	}
	if t, ok := e.types[name]; ok {
		return t
	}
	for _, p := range e.g.Inputs {
		if p.Name == name {
			return p.Type
		}
	}
	return e.g.Types[name]
}

// shape returns the axes of a value, -1 for those that are not fixed; ok is false when not even their number is known.
// A Q or DQ has the shape of its data. Values that the rewrites made have no type of their own beyond that.
func (e *editor) shape(name string) (shape []int, ok bool) {
	t := e.typeOf(name)
	for n := e.prod[name]; !t.Ranked && is(n, "QuantizeLinear", "DequantizeLinear"); n = e.prod[n.Inputs[0]] {
		t = e.typeOf(n.Inputs[0])
	}
	shape = make([]int, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = max(d.N, -1)
	}
	return shape, t.Ranked
}

// dtype returns the element type of a quantized value, Invalid when it cannot be told.
func (e *editor) dtype(name string) tensor.DType {
	if d, ok := e.dtypes[name]; ok {
		return d
	}
	if n := e.prod[name]; n != nil {
		if l, ok := e.quantizer(n); ok {
			return l.dtype
		}
	}
	return e.typeOf(name).DType
}
