package op

import (
	"fmt"
	"slices"
	"strings"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// The opsets of ai.onnx that are read. Definitions after Newest only admit more element types or attributes for the
// operators here; a node that uses one of those is refused by its type or its attribute, so nothing is misread.
const (
	oldestOpset = 1
	latestOpset = 28
)

// UpgradeModel rewrites m in place to the spelling of Newest, nested graphs too; its opset is Newest, or a later one where
// an operator came after it. Constant nodes become constants; calls of model-local functions have been inlined before, and the
// nodes are sorted and named. Everything that cannot be read (operators, domains, opsets, attributes and their kinds) is named in
// one error, each once with the first node that has it; m is then in between and of no more use.
func UpgradeModel(m *graph.Model) error {
	if m.FileOpset == 0 {
		m.FileOpset = m.Opset
	}
	r := &upgrader{model: m, used: map[string]bool{}, read: map[string]bool{}, seen: map[string]bool{}}
	r.names(m.Graph)
	s := &scope{graph: m.Graph, env: map[string]Info{}}
	if r.needsRanks(m.Graph.Nodes) {
		s.guess()
	}
	r.graph(s)
	if len(r.refusals) > 0 {
		return r.refusal()
	}
	m.Opset = max(Newest, latest(m.Graph))
	return nil
}

// latest is the newest opset that some node of g needs: that of the first definition of its operator. It is what the
// writer must declare so that every node exists in the file's opset.
func latest(g *graph.Graph) int {
	opset := 0
	for _, n := range g.Nodes {
		if o := Lookup(n.Domain, n.Op); o != nil && n.Domain == "" {
			opset = max(opset, o.Opsets[0])
		}
		for _, sub := range graph.Nested(n) {
			opset = max(opset, latest(sub))
		}
	}
	return opset
}

// upgrader walks a model once.
type upgrader struct {
	model    *graph.Model
	used     map[string]bool // value names of the whole model
	read     map[string]bool // those that some node or output reads
	seen     map[string]bool // refusals by what is refused
	refusals []string
	unknown  bool // an operator is among them
}

// scope is a graph on its way with the graphs around it. env holds what is known of values under guessed input sizes: only
// ranks are read from it.
type scope struct {
	graph *graph.Graph
	outer *scope
	env   map[string]Info
}

// refuse notes a thing that cannot be read, once.
func (r *upgrader) refuse(n *graph.Node, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if !r.seen[what] {
		r.seen[what] = true
		r.refusals = append(r.refusals, fmt.Sprintf("%s (node %q)", what, n.Name))
	}
}

// refusal is the one error about all that was refused.
func (r *upgrader) refusal() error {
	things := "1 thing"
	if n := len(r.refusals); n > 1 {
		things = fmt.Sprintf("%d things", n)
	}
	advice := ""
	if r.unknown {
		advice = "; OPERATORS.md lists the operators that are"
	}
	return fmt.Errorf("model: %s cannot be read: %s%s", things, strings.Join(r.refusals, "; "), advice)
}

// names collects the value names of g and the graphs in it. read has names that nodes use: what Dropout's mask is asked
// about.
func (r *upgrader) names(g *graph.Graph) {
	for _, p := range slices.Concat(g.Inputs, g.Outputs) {
		r.used[p.Name] = true
	}
	for _, p := range g.Outputs {
		r.read[p.Name] = true
	}
	for name := range g.Consts {
		r.used[name] = true
	}
	for _, n := range g.Nodes {
		for _, name := range slices.Concat(n.Inputs, n.Outputs) {
			r.used[name] = true
		}
		for _, name := range n.Inputs {
			r.read[name] = true
		}
		for _, s := range graph.Nested(n) {
			r.names(s)
		}
	}
}

// needsRanks reports whether some node's upgrade asks for ranks; guessing sizes costs a shape inference. The answer may
// be true too often, never too seldom.
func (r *upgrader) needsRanks(nodes []*graph.Node) bool {
	if slices.ContainsFunc(nodes, func(n *graph.Node) bool { return n.Domain == microsoft && ranked[n.Op] }) {
		return true
	}
	older := func(n *graph.Node) bool { return n.Domain == "" && n.Opset != 0 && n.Opset < 13 }
	if r.model.Opset >= 13 && !slices.ContainsFunc(nodes, older) {
		return false
	}
	if r.model.Opset < 7 { // operands of binary operators
		return true
	}
	return slices.ContainsFunc(nodes, func(n *graph.Node) bool { return rankDependent[n.Op] })
}

// guess gives every unknown axis a size. Ranks do not depend on it, and where an operator refuses the guess its
// outputs just stay unknown. 64 is large enough for usual windows and small enough to cost nothing; a batch is 1.
func (s *scope) guess() {
	for _, p := range s.graph.Inputs {
		if !p.Type.Ranked {
			continue
		}
		shape := make([]int, len(p.Type.Shape))
		for i, d := range p.Type.Shape {
			switch {
			case d.N >= 0:
				shape[i] = d.N
			case i == 0:
				shape[i] = 1
			default:
				shape[i] = 64
			}
		}
		s.env[p.Name] = Info{DType: p.Type.DType, Shape: shape}
	}
	for name, t := range s.graph.Consts {
		s.env[name] = Info{DType: t.DType, Shape: t.Shape, Value: t}
	}
}

// graph upgrades all nodes of one graph. Nested graphs go first, with this scope around them, so their constants and
// ranks can be found outside.
func (r *upgrader) graph(s *scope) {
	nodes := s.graph.Nodes
	s.graph.Nodes = make([]*graph.Node, 0, len(nodes))
	if s.graph.Consts == nil {
		s.graph.Consts = map[string]*tensor.Tensor{}
	}
	for _, n := range nodes {
		if n.Domain == "ai.onnx" {
			n.Domain = ""
		}
		if n.Domain == "" && n.Op == "Constant" {
			r.constant(s, n)
			continue
		}
		for _, sub := range graph.Nested(n) {
			r.graph(&scope{graph: sub, outer: s, env: map[string]Info{}})
		}
		for _, k := range r.node(s, n) {
			s.graph.Nodes = append(s.graph.Nodes, k)
			s.learn(k)
		}
	}
}

// learn infers n under the guess.
func (s *scope) learn(n *graph.Node) {
	if len(s.env) > 0 {
		_ = InferNode(s.env, n) // a refused guess leaves the outputs unknown
	}
}

// node returns what stands for n in the new spelling. A node that is refused stays as it is, and the walk goes on: one
// error names all that cannot be read. Attributes are checked after the upgrade, in today's spelling.
func (r *upgrader) node(s *scope, n *graph.Node) []*graph.Node {
	o := Lookup(n.Domain, n.Op)
	if o == nil && n.Domain == microsoft+".nchwc" {
		r.refuse(n, "operator %s (ONNX Runtime wrote the model for one kind of machine; save it at optimisation level extended)", spelled(n.Domain, n.Op))
		return []*graph.Node{n}
	}
	if o == nil {
		r.unknown = true
		r.refuse(n, "operator %s", spelled(n.Domain, n.Op))
		return []*graph.Node{n}
	}
	opset := r.model.Opset
	if n.Domain != "" {
		opset = max(r.model.Opsets[n.Domain], 1)
	}
	if n.Opset != 0 {
		opset, n.Opset = n.Opset, 0
	}
	if n.Domain == "" && (opset < oldestOpset || opset > latestOpset) {
		r.refuse(n, "opset %d of ai.onnx (%d to %d are read; export the model again)", opset, oldestOpset, latestOpset)
		return []*graph.Node{n}
	}
	if opset < o.Opsets[0] {
		r.refuse(n, "operator %s at opset %d, before %d", spelled(n.Domain, n.Op), opset, o.Opsets[0])
		return []*graph.Node{n}
	}
	if !r.attributes(n) {
		return []*graph.Node{n}
	}
	u := r.upgrade(s, n, opset)
	if o.Upgrade != nil {
		if err := o.Upgrade(u); err != nil {
			r.refuse(n, "%s: %v", spelled(n.Domain, n.Op), err)
			return []*graph.Node{n}
		}
	}
	out := slices.Concat(u.Before, []*graph.Node{n}, u.After)
	for _, k := range out {
		for _, a := range k.Attrs {
			if o := Lookup(k.Domain, k.Op); o != nil && !slices.Contains(o.Attrs, a.Name) {
				r.refuse(k, "attribute %s of %s", a.Name, spelled(k.Domain, k.Op))
			}
		}
	}
	return out
}

// attributes refuses those of a kind that no opset gave them, and reports whether there was none: read by its name and kind
// (graph.Node.Float, say) such a one would seem to be absent, and its default would take its place without a word. An attribute
// without a type and a value is of no kind, and absent.
func (r *upgrader) attributes(n *graph.Node) bool {
	fine := true
	for _, a := range n.Attrs {
		if kinds := kindsOf(n, a.Name); len(kinds) > 0 && a.Kind != graph.KindOther && !slices.Contains(kinds, a.Kind) {
			r.refuse(n, "attribute %s of %s as %s (%s is needed)", a.Name, spelled(n.Domain, n.Op), a.Kind, kinds[0])
			fine = false
		}
	}
	return fine
}

// upgrade makes the hands that an operator's Upgrade works with.
func (r *upgrader) upgrade(s *scope, n *graph.Node, opset int) *Upgrade {
	fresh := func(hint string) string {
		base := n.Name + "/" + hint
		name := base
		for i := 1; r.used[name]; i++ {
			name = fmt.Sprintf("%s_%d", base, i)
		}
		r.used[name] = true
		return name
	}
	return &Upgrade{
		Node: n, From: opset, Fresh: fresh, Read: func(name string) bool { return r.read[name] },
		AddConst: func(hint string, t *tensor.Tensor) string {
			name := fresh(hint)
			s.graph.Consts[name] = t
			if len(s.env) > 0 {
				s.env[name] = Info{DType: t.DType, Shape: t.Shape, Value: t}
			}
			return name
		},
		Const: func(name string) *tensor.Tensor {
			for k := s; k != nil; k = k.outer {
				if t := k.graph.Consts[name]; t != nil {
					return t
				}
			}
			return nil
		},
		Rank: func(name string) (int, bool) {
			info, ok := s.env[name]
			return len(info.Shape), ok
		},
	}
}

// constant makes a Constant node a constant of the graph.
func (r *upgrader) constant(s *scope, n *graph.Node) {
	t := constantValue(n)
	if t == nil || len(n.Outputs) != 1 {
		var names []string
		for _, a := range n.Attrs {
			names = append(names, a.Name)
		}
		r.refuse(n, "Constant with attributes %v", names)
		return
	}
	s.graph.Consts[n.Outputs[0]] = t
	if len(s.env) > 0 {
		s.env[n.Outputs[0]] = Info{DType: t.DType, Shape: t.Shape, Value: t}
	}
}

// constantValue is the tensor of a Constant node, nil when it has none of a fixed element size.
func constantValue(n *graph.Node) *tensor.Tensor {
	if len(n.Attrs) != 1 {
		return nil
	}
	switch a := n.Attrs[0]; {
	case a.Ref != "":
		return nil
	case a.Name == "value" && a.Tensor != nil:
		return a.Tensor
	case a.Name == "value_int" && a.Kind == graph.KindInt:
		return tensor.Of(tensor.Int64, nil, []int64{a.Int})
	case a.Name == "value_ints" && a.Kind == graph.KindInts:
		return int64s(a.Ints...)
	case a.Name == "value_float" && a.Kind == graph.KindFloat:
		return scalar(a.Float)
	case a.Name == "value_floats" && a.Kind == graph.KindFloats:
		return tensor.Of(tensor.Float32, []int{len(a.Floats)}, a.Floats)
	}
	return nil
}
