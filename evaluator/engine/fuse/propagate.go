package fuse

import (
	"slices"

	"assay/shared/graph"
)

// movers are the operators through which a Q or DQ travels: with one scale before and after they give the same
// integers, and the next layer then finds a DQ at its input.
var movers = []string{"MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"}

func moves(n *graph.Node) bool { return is(n, movers...) }

// propagate inserts Q, DQ pairs behind movers that follow a DQ, then in front of movers that precede a Q.
func propagate(e *editor) bool {
	forward := forwardDQ(e)
	return backwardQ(e) || forward
}

// forwardDQ carries each DQ that has one reader over the movers after it.
//
//	q -> DQ -> Reshape -> Conv     becomes     q -> DQ -> Reshape -> Q -> DQ -> Conv
//
// so that passThrough later lets the Reshape move integers.
func forwardDQ(e *editor) (changed bool) {
	for _, n := range e.order() {
		dq, ok := e.dequantizer(n)
		if !ok || !dq.single() {
			continue
		}
		use := e.only(dq.out())
		if use == nil || use.Input != 0 {
			continue
		}
		open := []*graph.Node{use.Node}
		for len(open) > 0 {
			m := open[len(open)-1]
			open = open[:len(open)-1]
			if !moves(m) {
				continue
			}
			next, did := e.pairAfter(m, dq)
			changed = changed || did
			open = append(open, next...)
		}
	}
	return changed
}

// pairAfter puts a Q behind output 0 of m, with dq's parameters, and a DQ for each reader; it returns those readers.
// Where a Q reads the output already, nothing is done for the others either. A graph output keeps its name on the DQ
// behind.
func (e *editor) pairAfter(m *graph.Node, dq linear) (next []*graph.Node, changed bool) {
	out := m.Outputs[0]
	readers := slices.Clone(e.uses[out])
	if slices.ContainsFunc(readers, func(u graph.Use) bool { return u.Sub || u.Node.Op == "QuantizeLinear" }) {
		return nil, false
	}
	if len(readers) == 0 && !e.out[out] {
		return nil, false
	}
	raw := out
	if e.out[out] {
		raw = e.fresh(out)
		e.setOutput(m, 0, raw)
	}
	q := e.qLike(dq, m.Name, raw)
	if e.out[out] {
		e.add(e.dqLike(dq, m.Name, q, out))
	}
	for _, u := range readers {
		d := e.dqLike(dq, m.Name, q, e.fresh(out))
		e.add(d)
		e.setInput(u.Node, u.Input, d.Outputs[0])
		if u.Input == 0 {
			next = append(next, u.Node)
		}
	}
	return next, true
}

// qLike adds a Q of value x with l's parameters and returns the name of its integers.
func (e *editor) qLike(l linear, hint, x string) string {
	n := &graph.Node{
		Name: hint + "/q", Domain: l.node.Domain, Op: "QuantizeLinear",
		Inputs:  append([]string{x}, l.node.Inputs[1:]...),
		Outputs: []string{e.fresh(hint + "/q")},
	}
	if l.z == nil {
		n.SetInt("output_dtype", int64(l.dtype))
	}
	e.add(n)
	return n.Outputs[0]
}

// dqLike makes, without adding it, a DQ of integers q into value to.
func (e *editor) dqLike(l linear, hint, q, to string) *graph.Node {
	return &graph.Node{
		Name: hint + "/dq", Domain: l.node.Domain, Op: "DequantizeLinear",
		Inputs:  append([]string{q}, l.node.Inputs[1:]...),
		Outputs: []string{to},
	}
}

// backwardQ carries each Q over the movers before it, as long as each has no other reader, up to a DQ.
//
//	x -> Reshape -> Q     becomes     x -> Q -> DQ -> Reshape -> Q
func backwardQ(e *editor) (changed bool) {
	for _, n := range e.order() {
		q, ok := e.quantizer(n)
		if !ok || !q.single() || e.only(q.data()) == nil {
			continue
		}
		for m := e.prod[q.data()]; moves(m); {
			in := m.Inputs[0]
			if _, dequantized := e.dequantizer(e.prod[in]); dequantized || e.only(in) == nil || e.g.Consts[in] != nil {
				break
			}
			d := e.dqLike(q, m.Name, e.qLike(q, m.Name, in), e.fresh(in))
			e.add(d)
			e.setInput(m, 0, d.Outputs[0])
			changed = true
			m = e.prod[in]
		}
	}
	return changed
}
