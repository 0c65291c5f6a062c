package quant

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/plan"
)

// site is a point without a scale. Activation sites come in two kinds that may share a value: one that the layer
// writing the value owns (owner set, read by everything), and one that the integer operations reading it need. They
// have the same parameters and are one pair of nodes in the file; apart, they keep a layer integer when only its
// neighbour goes back to float. uses are what Apply redirects; nodes are what grouping looks at. An activation's value
// is the root of its readers' operands, or its owner's out.
type site struct {
	kind   plan.PointKind
	value  string
	uses   []plan.Use
	nodes  []*graph.Node // the operations that are half quantized without it; sites that share one leave together
	owner  *layer
	limits span
	layers []*layer // of weight sites: all that share the constant along one axis; of bias sites: the one
}

// makeSites lists the sites in node order: for each operation its inputs, weight and bias, then what it owns. The order
// of sites is the order of points in the params, and so part of their digest.
func (s *sketch) makeSites() {
	for _, n := range s.g.Nodes {
		if !s.integer[n] {
			continue
		}
		if l := s.layers[n]; l != nil {
			s.readSite(n, l.data)
			s.weightSite(l)
			if l.intBias && (l.bias != "" || s.correctable(l)) {
				s.sites = append(s.sites, &site{kind: plan.Bias, value: l.bias, uses: []plan.Use{use(l.biasNode, l.biasInput)}, nodes: []*graph.Node{n}, layers: []*layer{l}})
			}
			if l.ownsOut {
				s.sites = append(s.sites, &site{value: l.out, uses: s.allUses(l.out), nodes: []*graph.Node{n}, owner: l, limits: l.limits})
			}
			continue
		}
		for _, i := range s.dataOf(n) {
			s.readSite(n, i)
		}
		s.lastPool(n)
	}
}

// dataOf is dataInputs with both operands of a MatMul, which is asked of products of two computed matrices only.
func (s *sketch) dataOf(n *graph.Node) []int {
	if n.Op == "MatMul" {
		return []int{0, 1}
	}
	return dataInputs(n)
}

// readSite gives input i of the integer operation n a site at its root. Sites of one value without an owner are one
// site: everything that reads it shares a quantizer and so a group, as a tensor has one range.
func (s *sketch) readSite(n *graph.Node, i int) {
	if s.isConst(n.Input(i)) {
		s.sites = append(s.sites, &site{kind: plan.Weight, value: n.Input(i), uses: []plan.Use{use(n, i)}, nodes: s.constNodes(n)})
		return
	}
	v, u := s.root(n, i)
	if s.owned[v] != nil && s.layers[n] == nil {
		return // the layer's own point serves it, and it does not hold that layer's neighbours together
	}
	for _, t := range s.sites {
		if t.kind == plan.Activation && t.owner == nil && t.value == v {
			t.nodes = append(t.nodes, n)
			if !slices.Contains(t.uses, u) {
				t.uses = append(t.uses, u)
			}
			return
		}
	}
	t := &site{value: v, uses: []plan.Use{u}, nodes: []*graph.Node{n}, limits: s.limitsOf(v)}
	if src := s.opOut(v); src != nil && s.layers[src] == nil && !s.x.Output[v] && !s.captured(v) {
		t.uses = s.allUses(v) // an integer operation has one reader, its QuantizeLinear
	}
	s.sites = append(s.sites, t)
}

// constNodes: a constant operand leaves with the layer whose result it meets; with the operation's other input where
// that has a site.
func (s *sketch) constNodes(n *graph.Node) []*graph.Node {
	for _, i := range s.dataOf(n) {
		if !s.isConst(n.Input(i)) {
			if v, _ := s.root(n, i); s.owned[v] != nil {
				return []*graph.Node{s.owned[v].node}
			}
		}
	}
	return []*graph.Node{n}
}

// root climbs from input i of n over transparent operators to the value that gets the site, with the use there. It
// stops below an operator whose input float operations read as well, since a pair above would quantize for those, too;
// unless that input is an integer operation's result, which has a pair anyway.
func (s *sketch) root(n *graph.Node, i int) (string, plan.Use) {
	v, u := n.Input(i), use(n, i)
	for {
		p := s.x.Producer[v]
		if p == nil || s.classOf(p) != classTransparent || s.isConst(p.Input(0)) {
			return v, u
		}
		above := p.Inputs[0]
		if src := s.opOut(above); (src == nil || s.x.Output[above] && s.layers[src] == nil) && !s.allQuantized(above) {
			return v, u
		}
		v, u = above, use(p, 0)
	}
}

// opOut is the integer operation whose result, behind the Relu or Clip it absorbs, v is and must be quantized; nil when
// there is none.
func (s *sketch) opOut(v string) *graph.Node {
	if l := s.owned[v]; l != nil {
		return l.node
	}
	n := s.x.Producer[v]
	if s.classOf(n) == classClamp && s.only(n.Inputs[0]) != nil {
		n = s.x.Producer[n.Inputs[0]]
	}
	if n == nil || !s.integer[n] || s.layers[n] != nil {
		return nil
	}
	return n
}

// allQuantized: whatever reads v, directly or through transparent operators, is an integer operation, or asks for its
// shape only. An output of the graph is a float reader.
func (s *sketch) allQuantized(v string) bool {
	if s.x.Output[v] {
		return false
	}
	for _, u := range s.x.Uses[v] {
		switch {
		case u.Sub:
			return false
		case u.Node.Op == "Shape" || u.Node.Op == "Size":
		case s.integer[u.Node] && s.isData(u):
		case s.classOf(u.Node) == classTransparent && u.Input == 0 && s.allQuantized(u.Node.Outputs[0]):
		default:
			return false
		}
	}
	return true
}

// limitsOf is the range that a Relu or Clip whose result is v leaves, when it is to be absorbed.
func (s *sketch) limitsOf(v string) span {
	if n := s.x.Producer[v]; s.classOf(n) == classClamp && s.only(n.Inputs[0]) != nil {
		limits, _ := s.clampLimits(n)
		return limits
	}
	return everything
}

// allUses lists every reader of v in the graph, its outputs last (Node "" and the number of the output).
func (s *sketch) allUses(v string) []plan.Use {
	var out []plan.Use
	for _, u := range s.x.Uses[v] {
		if !u.Sub {
			out = append(out, use(u.Node, u.Input))
		}
	}
	for i, p := range s.g.Outputs {
		if p.Name == v {
			out = append(out, plan.Use{Input: uint32(i)})
		}
	}
	return out
}

// weightSite shares the site of a constant that several layers read along one axis.
func (s *sketch) weightSite(l *layer) {
	for _, t := range s.sites {
		if t.kind == plan.Weight && len(t.layers) > 0 && t.value == l.weight && t.layers[0].axis == l.axis {
			t.uses = append(t.uses, use(l.node, l.at))
			t.nodes = append(t.nodes, l.node)
			t.layers = append(t.layers, l)
			return
		}
	}
	s.sites = append(s.sites, &site{kind: plan.Weight, value: l.weight, uses: []plan.Use{use(l.node, l.at)}, nodes: []*graph.Node{l.node}, layers: []*layer{l}})
}

// lastPool gives a pool without integer readers a site on its result, owned by what feeds it: its sum is then the runtimes' own
// integer sum and not a float one in an order of their choice.
func (s *sketch) lastPool(n *graph.Node) {
	if s.classOf(n) != classPool || s.wanted(n) {
		return
	}
	_, out, limits := s.clampBehind(n.Outputs[0])
	nodes := []*graph.Node{n}
	if v, _ := s.root(n, 0); s.owned[v] != nil {
		nodes = []*graph.Node{s.owned[v].node}
	}
	s.sites = append(s.sites, &site{value: out, uses: s.allUses(out), nodes: nodes, limits: limits})
}
