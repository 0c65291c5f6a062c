package pass

import (
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// editor changes one graph. Its index is kept up to date by its methods; passes change nodes through them. Invariant:
// index describes the nodes that are not dead. used is filled when the first fresh name is asked for.
type editor struct {
	g     *graph.Graph
	index *graph.Index
	dead  map[*graph.Node]bool
	used  map[string]bool // value names, of nested graphs too
	types map[string]tensor.DType
}

// One editor serves one run of one pass; run makes the next one for the graph that done left.
func newEditor(g *graph.Graph) *editor {
	if g.Consts == nil {
		g.Consts = map[string]*tensor.Tensor{}
	}
	return &editor{g: g, index: graph.NewIndex(g), dead: map[*graph.Node]bool{}, types: map[string]tensor.DType{}}
}

// done takes removed nodes out of the graph, and hints about values that are gone.
func (e *editor) done() {
	e.g.Nodes = slices.DeleteFunc(e.g.Nodes, func(n *graph.Node) bool { return e.dead[n] })
	computed := map[string]bool{}
	for _, n := range e.g.Nodes {
		for _, out := range n.Outputs {
			computed[out] = true
		}
	}
	for name := range e.g.Types {
		if !computed[name] {
			delete(e.g.Types, name)
		}
	}
}

// nodes lists the nodes that are alive, in order; passes may remove nodes while they go through it. f sees the nodes
// that stood there at the start: one that a pass adds waits for the next round.
func (e *editor) nodes(f func(n *graph.Node) error) error {
	for _, n := range slices.Clone(e.g.Nodes) {
		if e.dead[n] {
			continue
		}
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// is reports whether n is an operator of ai.onnx of one of these names.
func is(n *graph.Node, ops ...string) bool {
	return n != nil && n.Domain == "" && slices.Contains(ops, n.Op)
}

// producer is the node that computes a value, nil for inputs and constants.
func (e *editor) producer(value string) *graph.Node { return e.index.Producer[value] }

// sole is the only node that reads value, nil when there are several, a nested graph reads it, or it is an output.
func (e *editor) sole(value string) *graph.Node {
	if uses := e.index.Uses[value]; len(uses) == 1 && !uses[0].Sub && !e.index.Output[value] {
		return uses[0].Node
	}
	return nil
}

// constant is the tensor of a constant, nil for anything else.
func (e *editor) constant(value string) *tensor.Tensor { return e.g.Consts[value] }

// remove takes n out: its inputs lose a reader. Its outputs lose their producer but keep their readers, whom the pass
// has to serve.
func (e *editor) remove(n *graph.Node) {
	e.dead[n] = true
	for i, in := range n.Inputs {
		e.unuse(in, n, i)
	}
	for _, name := range graph.Captures(n) {
		e.index.Uses[name] = slices.DeleteFunc(e.index.Uses[name], func(u graph.Use) bool { return u.Node == n })
	}
	for _, out := range n.Outputs {
		if e.index.Producer[out] == n {
			delete(e.index.Producer, out)
		}
	}
}

// unuse drops one use of value; a second input of n that reads it stays.
func (e *editor) unuse(value string, n *graph.Node, i int) {
	e.index.Uses[value] = slices.DeleteFunc(e.index.Uses[value], func(u graph.Use) bool { return u.Node == n && u.Input == i && !u.Sub })
}

// setInput lets input i of n, which may lie behind the end of the list, read value.
func (e *editor) setInput(n *graph.Node, i int, value string) {
	for len(n.Inputs) <= i {
		n.Inputs = append(n.Inputs, "")
	}
	if old := n.Inputs[i]; old != "" {
		e.unuse(old, n, i)
	}
	n.Inputs[i] = value
	if value != "" {
		e.index.Uses[value] = append(e.index.Uses[value], graph.Use{Node: n, Input: i})
	}
}

// takeOver gives output 0 of n the name that output 0 of last has, and removes last: n computes now what last did. n's own
// result has no other reader. n keeps its own name, so reports still find the layer.
func (e *editor) takeOver(n, last *graph.Node) {
	old, out := n.Outputs[0], last.Outputs[0]
	e.remove(last)
	delete(e.index.Producer, old)
	delete(e.index.Uses, old)
	n.Outputs[0] = out
	e.index.Producer[out] = n
}

// bypass removes n, letting the readers of its output 0 read value instead. Where that output is the graph's, value takes
// its name, which needs a producer and no name of its own; bypass then reports false if it cannot be. A name that a
// nested graph captures cannot change, as names inside are not rewritten.
func (e *editor) bypass(n *graph.Node, value string) bool {
	out := n.Outputs[0]
	captured := slices.ContainsFunc(e.index.Uses[out], func(u graph.Use) bool { return u.Sub })
	if !e.index.Output[out] && !captured {
		e.remove(n)
		for _, u := range slices.Clone(e.index.Uses[out]) {
			e.setInput(u.Node, u.Input, value)
		}
		return true
	}
	from := e.producer(value)
	kept := slices.ContainsFunc(e.index.Uses[value], func(u graph.Use) bool { return u.Sub })
	if from == nil || e.index.Output[value] || kept {
		return false
	}
	e.remove(n)
	for _, u := range slices.Clone(e.index.Uses[value]) {
		e.setInput(u.Node, u.Input, out)
	}
	delete(e.index.Producer, value)
	from.Outputs[slices.Index(from.Outputs, value)] = out
	e.index.Producer[out] = from
	return true
}

// addConst adds a constant under a name made of hint and returns the name.
func (e *editor) addConst(hint string, t *tensor.Tensor) string {
	name := e.fresh(hint)
	e.g.Consts[name] = t
	return name
}

// fresh takes hint, or hint with the smallest number that no value is called.
func (e *editor) fresh(hint string) string {
	if e.used == nil {
		e.used = map[string]bool{}
		collect(e.g, e.used)
	}
	name := free(hint, e.used)
	e.used[name] = true
	return name
}

// free is hint, or hint with the smallest number that is not in used.
func free(hint string, used map[string]bool) string {
	name := hint
	for i := 1; used[name]; i++ {
		name = fmt.Sprintf("%s_%d", hint, i)
	}
	return name
}

// collect gathers all value names of g and the graphs in it.
func collect(g *graph.Graph, names map[string]bool) {
	for _, p := range slices.Concat(g.Inputs, g.Outputs) {
		names[p.Name] = true
	}
	for name := range g.Consts {
		names[name] = true
	}
	for _, n := range g.Nodes {
		for _, name := range slices.Concat(n.Inputs, n.Outputs) {
			names[name] = true
		}
		for _, sub := range graph.Nested(n) {
			collect(sub, names)
		}
	}
}

// matrix reports whether a value is known to have two axes: it is an input or a constant of that type, or what makes it
// says so. The file's hints are not trusted. false means unknown as well. Callers may only do less for it.
func (e *editor) matrix(value string) bool {
	if t := e.constant(value); t != nil {
		return len(t.Shape) == 2
	}
	for _, p := range e.g.Inputs {
		if p.Name == value {
			return p.Type.Ranked && len(p.Type.Shape) == 2
		}
	}
	n := e.producer(value)
	switch {
	case is(n, "Gemm", "Flatten"):
		return true
	case is(n, "Reshape"):
		t := e.constant(n.Input(1))
		return t != nil && len(t.Shape) == 1 && t.Shape[0] == 2
	case is(n, "MatMul"):
		return e.matrix(n.Input(0)) && e.matrix(n.Input(1))
	case is(n, "Add", "Sub", "Mul", "Div", "Max", "Min"):
		return e.stretchesTo2(n.Input(0), n.Input(1)) || e.stretchesTo2(n.Input(1), n.Input(0))
	case is(n, "Relu", "Clip", "Sigmoid", "Tanh", "LeakyRelu", "BatchNormalization", "Identity", "Softmax", "Dropout"):
		return e.matrix(n.Input(0))
	}
	return false
}

// stretchesTo2 reports whether a is a matrix and b is one too or a constant that stretches to one.
func (e *editor) stretchesTo2(a, b string) bool {
	if t := e.constant(b); t != nil && len(t.Shape) <= 2 {
		return e.matrix(a)
	}
	return e.matrix(a) && e.matrix(b)
}
