package quant

import (
	"fmt"
	"strconv"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// writer changes one cloned graph. Nodes to insert are collected and put in place by flush; x is the graph as it was
// before the first change, except that flush renews it. node has every node of the outermost graph by name; nodeNames
// and values hold all names, nested graphs' too, and grow with fresh. casts maps a value, or "row " and a constant, to
// what stands for it.
type writer struct {
	g         *graph.Graph
	x         *graph.Index
	node      map[string]*graph.Node
	nodeNames map[string]bool
	values    map[string]bool
	quantized map[*graph.Node]bool // nodes that read a quantized weight
	front     []*graph.Node
	before    map[*graph.Node][]*graph.Node
	after     map[*graph.Node][]*graph.Node
	casts     map[string]string
}

// newWriter takes over g, which must be a clone: nodes are changed in place.
func newWriter(g *graph.Graph) *writer {
	w := &writer{
		g: g, x: graph.NewIndex(g), node: map[string]*graph.Node{}, nodeNames: map[string]bool{}, values: map[string]bool{},
		quantized: map[*graph.Node]bool{}, before: map[*graph.Node][]*graph.Node{}, after: map[*graph.Node][]*graph.Node{}, casts: map[string]string{},
	}
	if g.Consts == nil {
		g.Consts = map[string]*tensor.Tensor{}
	}
	for _, n := range g.Nodes {
		w.node[n.Name] = n
	}
	w.collect(g)
	return w
}

// collect notes every name of g and of the graphs nested in it.
func (w *writer) collect(g *graph.Graph) {
	for _, p := range g.Inputs {
		w.values[p.Name] = true
	}
	for _, p := range g.Outputs {
		w.values[p.Name] = true
	}
	for name := range g.Consts {
		w.values[name] = true
	}
	for _, n := range g.Nodes {
		w.nodeNames[n.Name] = true
		for _, o := range n.Outputs {
			w.values[o] = true
		}
		for _, sub := range graph.Nested(n) {
			w.collect(sub)
		}
	}
}

// fresh takes hint, or hint with the smallest number that is free, from names.
func (w *writer) fresh(hint string, names map[string]bool) string {
	name := hint
	for i := 1; names[name]; i++ {
		name = hint + "_" + strconv.Itoa(i)
	}
	names[name] = true
	return name
}

// constant adds t under a fresh name.
func (w *writer) constant(hint string, t *tensor.Tensor) string {
	name := w.fresh(hint, w.values)
	w.g.Consts[name] = t
	return name
}

// redirect lets a use read to instead of from. A use that reads something else shows that the params are another model's.
func (w *writer) redirect(u plan.Use, from, to string) error {
	n := w.node[u.Node]
	if n == nil || n.Input(int(u.Input)) != from {
		return fmt.Errorf("input %d of node %q does not read it (params of another model?)", u.Input, u.Node)
	}
	n.Inputs[u.Input] = to
	return nil
}

func (w *writer) isInput(v string) bool {
	for _, p := range w.g.Inputs {
		if p.Name == v {
			return true
		}
	}
	return false
}

// becomeOutput lets dq's result carry the name of graph output value, and renames what qn reads. Outputs keep their
// names for the user, so the value in front of the pair is renamed (POT's output renaming, pot-spec 3.4).
func (w *writer) becomeOutput(value string, qn, dq *graph.Node) {
	raw := w.fresh(value+"/float", w.values)
	if p := w.x.Producer[value]; p != nil {
		for i, o := range p.Outputs {
			if o == value {
				p.Outputs[i] = raw
			}
		}
		w.x.Producer[raw] = p
	}
	for _, n := range w.g.Nodes {
		for i, in := range n.Inputs {
			if in == value {
				n.Inputs[i] = raw
			}
		}
	}
	if t, ok := w.g.Types[value]; ok {
		w.g.Types[raw] = t
	}
	old := dq.Outputs[0]
	qn.Inputs[0], dq.Outputs[0] = raw, value
	for _, n := range w.g.Nodes {
		for i, in := range n.Inputs {
			if in == old {
				n.Inputs[i] = value
			}
		}
	}
}

// flush puts collected nodes in place and renews the index. The order stays topological: before and after are
// neighbours of the node they belong to, and front reads constants and inputs only.
func (w *writer) flush() {
	nodes := append([]*graph.Node{}, w.front...)
	for _, n := range w.g.Nodes {
		nodes = append(nodes, w.before[n]...)
		nodes = append(nodes, n)
		nodes = append(nodes, w.after[n]...)
	}
	w.g.Nodes, w.front = nodes, nil
	clear(w.before)
	clear(w.after)
	w.x = graph.NewIndex(w.g)
	for _, n := range nodes {
		w.node[n.Name] = n
	}
}

// sweep drops the constants that nothing reads any more. A constant that only a nested graph reads has a use and stays.
func (w *writer) sweep() {
	w.x = graph.NewIndex(w.g)
	for name := range w.g.Consts {
		if len(w.x.Uses[name]) == 0 && !w.x.Output[name] {
			delete(w.g.Consts, name)
			delete(w.g.Types, name)
		}
	}
}
