package quant

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// sketch is where INT8 goes in one model, before anything has a scale. It follows from model and configuration alone.
// known, ranks and dtypes are guesses good for one sample. Invariants once newSketch returns: every key of layers is in
// integer; owned[l.out] == l exactly for layers with ownsOut; sites are in node order of the operation that first asked
// for them. A sketch is not changed afterwards.
type sketch struct {
	cfg *resolved
	m   *graph.Model
	g   *graph.Graph
	x   *graph.Index

	ranks  map[string]int
	dtypes map[string]tensor.DType
	known  map[string]bool // values that follow from shapes alone

	layers   map[*graph.Node]*layer
	biasAdd  map[*graph.Node]*layer // the Add that is a layer's bias
	owned    map[string]*layer      // layers by the value at which they own a point
	integer  map[*graph.Node]bool   // layers and all other operations that are to run in integers
	reasons  []Reason
	sites    []*site
	products map[string]bool // values whose range is symmetric, see productOperands
	without  without         // what the samples showed to be impossible
}

// without is what a sketch leaves out: nodes that stay float, with the reason, and layers that have no point on their
// result. The zero value leaves nothing out.
type without struct {
	float map[string]string
	point map[string]bool
}

// Reason says why an operation that could be INT8 in principle is float.
type Reason struct {
	Node string
	Op   string
	Why  string
}

// newSketch places points by the configuration's rule.
func newSketch(m *graph.Model, cfg Config) (*sketch, error) { return sketchWithout(m, cfg, without{}) }

// sketchWithout is newSketch without some points. Its sites are among those of newSketch, or on
// values that have one there. That its sites are among the others' is what lets Build use it: Taps was called with the
// full sketch, and no statistic may be missing.
func sketchWithout(m *graph.Model, cfg Config, out without) (*sketch, error) {
	r, err := cfg.For(m.Graph).resolve()
	if err != nil {
		return nil, err
	}
	if err := cfg.Ignored.CheckScope(m.Graph); err != nil {
		return nil, err
	}
	s := &sketch{
		cfg: r, m: m, g: m.Graph, x: graph.NewIndex(m.Graph),
		ranks: map[string]int{}, dtypes: map[string]tensor.DType{}, known: map[string]bool{},
		layers: map[*graph.Node]*layer{}, biasAdd: map[*graph.Node]*layer{}, owned: map[string]*layer{}, integer: map[*graph.Node]bool{},
		products: map[string]bool{}, without: out,
	}
	s.inferTypes()
	for _, n := range s.g.Nodes {
		l, why := s.layerOf(n)
		if why != "" {
			s.reasons = append(s.reasons, Reason{n.Name, n.Op, why})
		}
		if l == nil {
			continue
		}
		s.layers[n], s.integer[n] = l, true
		if l.bias != "" && l.biasNode != n {
			s.biasAdd[l.biasNode] = l
		}
		if l.ownsOut {
			s.owned[l.out] = l
		}
	}
	if r.Placement == POT {
		s.placePOT()
	} else {
		s.placeRegions()
	}
	s.reasons = slices.DeleteFunc(s.reasons, func(r Reason) bool {
		return slices.ContainsFunc(s.g.Nodes, func(n *graph.Node) bool { return n.Name == r.Node && s.integer[n] })
	})
	s.productOperands()
	s.makeSites()
	return s, nil
}

// inferTypes fills in what is known of values without samples; open axes of inputs count as 1. A failure is no error
// here, since an open shape may be one that the guess of 1 breaks.
func (s *sketch) inferTypes() {
	in := map[string]op.Info{}
	for _, p := range s.g.Inputs {
		shape, ok := s.cfg.InputShapes[p.Name]
		if !ok {
			for _, d := range p.Type.Shape {
				shape = append(shape, max(d.N, 1))
			}
		}
		s.dtypes[p.Name] = p.Type.DType
		if p.Type.Ranked || ok {
			in[p.Name] = op.Info{DType: p.Type.DType, Shape: shape}
			s.ranks[p.Name] = len(shape)
		}
	}
	for name, t := range s.g.Types {
		s.dtypes[name] = t.DType
		if t.Ranked {
			s.ranks[name] = len(t.Shape)
		}
	}
	info, err := op.InferShapes(s.g, in)
	if err != nil {
		// Axes of one are a guess that a convolution may refuse; declared types and what follows from operators must do.
		guessRanks(s.g, s.ranks)
		return
	}
	for name, i := range info {
		s.ranks[name], s.dtypes[name] = len(i.Shape), i.DType
		s.known[name] = i.Value != nil
	}
}

// guessRanks fills in ranks that follow from the operators alone. Only operators whose rank follows from one input are
// listed; others stay 0, which means unknown.
func guessRanks(g *graph.Graph, ranks map[string]int) {
	for _, n := range g.Nodes {
		if len(n.Outputs) == 0 || ranks[n.Outputs[0]] > 0 {
			continue
		}
		switch n.Op {
		case "Flatten", "Gemm":
			ranks[n.Outputs[0]] = 2
		case "Reshape":
			if t := g.Consts[n.Input(1)]; t != nil {
				ranks[n.Outputs[0]] = t.Len()
			}
		case "Conv", "ConvTranspose", "MatMul", "Add", "Mul", "Relu", "Clip", "Transpose", "MaxPool", "AveragePool", "GlobalAveragePool", "Sigmoid", "LeakyRelu", "Slice", "Pad", "Softmax", "Concat":
			ranks[n.Outputs[0]] = ranks[n.Input(0)]
		}
	}
}

// placeRegions adds to the layers every operation that keeps a region integer: all its data comes from integer
// operations and some of its results go to one. It starts from all candidates and removes until nothing changes, so
// that chains and branches hold each other. A pool behind a layer needs no integer reader: as the last operation it
// would otherwise sum in float. It is a greatest fixed point: starting from everything and removing keeps cycles of
// mutual support (two branches that meet), which adding would never find.
func (s *sketch) placeRegions() {
	for _, n := range s.g.Nodes {
		switch s.classOf(n) {
		case classElementwise, classTable, classPool, classConcat, classCarry:
			if s.biasAdd[n] == nil && !s.anyCaptured(n) {
				s.integer[n] = true
			}
		}
	}
	s.prune(nil)
}

// prune removes operations, but layers and those of keep, until every one left is fed and wanted. Each round removes at
// least one of finitely many operations. The result does not depend on the order of removal, as the conditions are
// monotone: removing never makes another operation fed or wanted.
func (s *sketch) prune(keep map[*graph.Node]bool) {
	for changed := true; changed; {
		changed = false
		for _, n := range s.g.Nodes {
			if s.integer[n] && s.layers[n] == nil && !keep[n] && !(s.fed(n) && (s.wanted(n) || s.classOf(n) == classPool)) {
				delete(s.integer, n)
				changed = true
			}
		}
	}
}

// anyCaptured: a nested graph reads a result of n, or what the clamp behind it makes of it; such a value has no single
// reader.
func (s *sketch) anyCaptured(n *graph.Node) bool {
	for _, o := range n.Outputs {
		if _, out, _ := s.clampBehind(o); s.captured(o) || s.captured(out) {
			return true
		}
	}
	return false
}

// sortReasons puts them in node order.
func (s *sketch) sortReasons() {
	at := map[string]int{}
	for i, n := range s.g.Nodes {
		at[n.Name] = i
	}
	slices.SortStableFunc(s.reasons, func(a, b Reason) int { return at[a.Node] - at[b.Node] })
}

// fed: every data input of n is a constant or comes from an integer operation, one at least.
func (s *sketch) fed(n *graph.Node) bool {
	some := false
	for _, i := range dataInputs(n) {
		if t := s.g.Consts[n.Input(i)]; t != nil {
			if t.DType != tensor.Float32 || s.classOf(n) != classElementwise || !modest(t) {
				return false
			}
			continue
		}
		if src := s.source(n.Input(i)); src == nil || !s.integer[src] {
			return false
		}
		some = true
	}
	return some
}

// modest: a constant that a quantizer can hold. Masks of -3.4e38 would make a scale that ruins everything else.
func modest(t *tensor.Tensor) bool {
	for _, v := range t.F32() {
		if !(v > -1e9 && v < 1e9) {
			return false
		}
	}
	return t.Len() > 0
}

// source is the operation whose result reaches v through transparent operators and Relu or Clip; nil for graph inputs.
func (s *sketch) source(v string) *graph.Node {
	for {
		n := s.x.Producer[v]
		if l := s.biasAdd[n]; n != nil && l != nil {
			return l.node
		}
		if c := s.classOf(n); n == nil || c != classTransparent && c != classClamp {
			return n
		}
		v = n.Inputs[0]
	}
}

// wanted: some result of n reaches an integer operation.
func (s *sketch) wanted(n *graph.Node) bool {
	for _, o := range n.Outputs {
		if s.reaches(o) {
			return true
		}
	}
	return false
}

// reaches: v flows to an integer operation's data, through operators that pass integers or clamp.
func (s *sketch) reaches(v string) bool {
	for _, u := range s.x.Uses[v] {
		switch c := s.classOf(u.Node); {
		case u.Sub:
		case s.integer[u.Node] && s.isData(u):
			return true
		case (c == classTransparent || c == classClamp) && u.Input == 0 && s.reaches(u.Node.Outputs[0]):
			return true
		}
	}
	return false
}

// isData reports whether the use is a data input of an integer operation.
func (s *sketch) isData(u graph.Use) bool {
	if s.layers[u.Node] != nil {
		return u.Input == s.layers[u.Node].data
	}
	if u.Node.Op == "MatMul" {
		return true
	}
	for _, i := range dataInputs(u.Node) {
		if i == u.Input {
			return true
		}
	}
	return false
}

// use names input i of n in a plan.
func use(n *graph.Node, i int) plan.Use { return plan.Use{Node: n.Name, Input: uint32(i)} }
