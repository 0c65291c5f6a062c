package fuse

import (
	"slices"

	"assay/shared/graph"
)

// match is an operator with the DQ nodes that feed it, the Q nodes that read it and a Relu or Clip between, which is
// then known to be redundant. in is indexed by input; in[i].node is nil where input i comes from elsewhere. dqs == the
// number of in with a node. q has the Qs behind clip where there is one, else behind n.
type match struct {
	n    *graph.Node
	in   []linear
	dqs  int
	clip *graph.Node
	q    []linear
}

// matchNode looks around n. It gives up when a single Relu or Clip follows n and is not redundant.
func (e *editor) matchNode(n *graph.Node) (m match, ok bool) {
	m = match{n: n, in: make([]linear, len(n.Inputs))}
	for i, name := range n.Inputs {
		if l, isDQ := e.dequantizer(e.prod[name]); isDQ {
			m.in[i] = l
			m.dqs++
		}
	}
	last := n
	if e.edges(n) == 1 {
		u := e.reader(n)
		if !u.Sub && u.Input == 0 && is(u.Node, "Relu", "Clip") && e.edges(u.Node) == 1 && !e.out[u.Node.Outputs[0]] {
			m.clip, last = u.Node, u.Node
		}
	}
	for _, o := range last.Outputs {
		for _, u := range e.uses[o] {
			if l, isQ := e.quantizer(u.Node); isQ && !u.Sub && u.Input == 0 {
				m.q = append(m.q, l)
			}
		}
	}
	if m.clip != nil && (len(m.q) != 1 || !e.redundant(m.clip, m.q[0])) {
		return m, false
	}
	return m, true
}

// edges counts the places that read outputs of n.
func (e *editor) edges(n *graph.Node) (count int) {
	for _, o := range n.Outputs {
		count += len(e.uses[o])
	}
	return count
}

// reader is the first place that reads an output of n.
func (e *editor) reader(n *graph.Node) graph.Use {
	for _, o := range n.Outputs {
		if u := e.uses[o]; len(u) > 0 {
			return u[0]
		}
	}
	return graph.Use{}
}

// complete reports whether m has DQ on exactly dqs inputs (-1: on all that are given) and each output goes to one Q and
// nowhere else. bare allows no Q at all. With exactly as many Qs as outputs and as edges, each output has one reader
// and that is a Q.
func (e *editor) complete(m match, dqs int, bare bool) bool {
	given := func(names []string) (c int) {
		for _, s := range names {
			if s != "" {
				c++
			}
		}
		return c
	}
	if dqs < 0 {
		dqs = given(m.n.Inputs)
	}
	if m.dqs != dqs {
		return false
	}
	if len(m.q) == 0 {
		return bare
	}
	return given(m.n.Outputs) == len(m.q) && len(m.q) == e.edges(m.n) &&
		!slices.ContainsFunc(m.n.Outputs, func(o string) bool { return e.out[o] })
}

// replace puts a node (domain, op) with the given inputs, and n's attributes, in place of m's operator, clip and Q
// nodes. With no Q the outputs are n's own. The new node keeps the operator's name, so errors and times are told by the
// name in the file. dtypes records what its outputs hold now.
func (e *editor) replace(m match, domain, op string, inputs []string) *graph.Node {
	n := &graph.Node{Name: m.n.Name, Domain: domain, Op: op, Inputs: inputs, Attrs: slices.Clone(m.n.Attrs), Doc: m.n.Doc}
	e.remove(m.n)
	e.remove(m.clip)
	if len(m.q) == 0 {
		n.Outputs = slices.Clone(m.n.Outputs)
	}
	for _, q := range m.q {
		e.remove(q.node)
		n.Outputs = append(n.Outputs, q.out())
		e.dtypes[q.out()] = q.dtype
	}
	e.add(n)
	return n
}
