// Package graph is the intermediate representation: what a model says, independent of the file it came from. Axes are
// always ONNX's logical ones and every operator has one spelling, that of op's newest opset (the reader upgrades).
// A file format, a kernel, a memory layout or a quantization decision may not enter; a front end other than ONNX must be
// able to fill it.
//
// Values are named, as in ONNX: a name is defined once in its graph, by a graph input, a constant or a node output. A
// nested graph (an attribute of If, Loop, Scan) may read the names of the graphs around it; it never hides one of them, though two
// that stand side by side may define one name.
// Nodes stand in an order in which every input is defined before it is used. "" marks an omitted input or output.
// Graphs are plain data without locks: a pass changes its own Clone, any number of readers may share one that nobody changes.
//
// Models have a text form (Print, Parse) for tests and for eyes, and Validate checks the rules above between passes.
package graph

import (
	"fmt"
	"maps"
	"slices"

	"assay/shared/tensor"
)

// Dim is one axis of a shape: N elements when N >= 0, else unknown, with Sym as its name if it has one. The zero Dim is an axis of
// no elements. Equal names usually mean equal sizes, but exporters get this wrong, so nothing relies on it. Front ends write
// N = -1 for unknown.
type Dim struct {
	N   int
	Sym string
}

// Type is what is known of a value before anything runs. Ranked is false when not even the number of axes is known. A
// sequence or an optional (DType says so) has no axes; Elem is the type of what it holds, nil when nothing is known of
// that or the value is a tensor. Elem is never written to once it is set. Invariants are checkType's.
type Type struct {
	DType  tensor.DType
	Ranked bool
	Shape  []Dim
	Elem   *Type
}

// Of is the type of a sequence or an optional, as container says, of values of type elem; of an elem that is nothing at all the
// container of which nothing more is known. That the pair may be (Validate's rule) is not checked.
func Of(container tensor.DType, elem Type) Type {
	if elem.DType == tensor.Invalid && !elem.Ranked {
		return Type{DType: container}
	}
	return Type{DType: container, Elem: &elem}
}

// checkType: only containers hold something, a sequence holds tensors, an optional no optional.
func checkType(t Type) error {
	if !t.DType.Container() {
		if t.Elem != nil {
			return fmt.Errorf("type %s is no container, but holds values", t)
		}
		return nil
	}
	if t.Ranked || len(t.Shape) > 0 {
		return fmt.Errorf("type %s has axes", t.DType)
	}
	if t.Elem == nil {
		return nil
	}
	if t.Elem.DType == tensor.Optional || t.DType == tensor.Sequence && t.Elem.DType == tensor.Sequence {
		return fmt.Errorf("type %s is deeper than an optional sequence of tensors", t)
	}
	return checkType(*t.Elem)
}

// Fixed returns the shape as numbers, ok when the rank and every axis are known; never of a container. A scalar's is empty and
// not nil. The list is the caller's.
func (t Type) Fixed() (shape []int, ok bool) {
	shape = make([]int, len(t.Shape))
	for i, d := range t.Shape {
		if d.N < 0 {
			return nil, false
		}
		shape[i] = d.N
	}
	return shape, t.Ranked
}

// FixedType is the type of a tensor with every axis known; without numbers, of a scalar.
func FixedType(d tensor.DType, shape ...int) Type {
	t := Type{DType: d, Ranked: true, Shape: make([]Dim, len(shape))}
	for i, n := range shape {
		t.Shape[i].N = n
	}
	return t
}

// Port is a named input or output of a graph. Type's zero value means that nothing is known. An output names a value that the graph
// defines or, nested, captures.
type Port struct {
	Name string
	Type Type
}

// Kind says which field of an Attr holds its value, numbered as in ONNX's AttributeProto.AttributeType.
type Kind uint8

// The attribute kinds.
const (
	KindFloat   Kind = 1
	KindInt     Kind = 2
	KindString  Kind = 3
	KindTensor  Kind = 4
	KindGraph   Kind = 5
	KindFloats  Kind = 6
	KindInts    Kind = 7
	KindStrings Kind = 8
	KindTensors Kind = 9
	KindGraphs  Kind = 10
	KindOther   Kind = 255 // anything newer: kept in Raw as the front end's own bytes, so that a round trip loses nothing
)

// Attr is one attribute of a node; Kind says which field counts, and the others are zero. Ref is set inside model-local functions
// only: the attribute takes the value of the caller's attribute of that name. Lists, strings and tensors are read-only; a new
// value is a new Attr (Node.Set).
type Attr struct {
	Name    string
	Kind    Kind
	Float   float32
	Int     int64
	Str     []byte
	Tensor  *tensor.Tensor
	Graph   *Graph
	Floats  []float32
	Ints    []int64
	Strs    [][]byte
	Tensors []*tensor.Tensor
	Graphs  []*Graph
	Raw     []byte
	Ref     string
}

// Node applies one operator. Domain "" is ai.onnx. Name is unique within the graph after reading (the reader completes
// and disambiguates), so plans, reports and `ignored` can name nodes; the file's own name is kept as a prefix.
//
// Opset is the version of Domain that the spelling is of, where it is not the model's: nodes that came out of a function
// with imports of its own. Upgrading to one opset sets it to 0, which stands for the model's.
type Node struct {
	Name    string
	Domain  string
	Op      string
	Opset   int
	Inputs  []string
	Outputs []string
	Attrs   []Attr // sorted by Name
	Doc     string
}

// Graph is a list of nodes in execution order with what they read from outside. Types holds what is known about values
// that are neither inputs nor outputs (ONNX's value_info); it is a hint and may be missing. Invariants are Validate's.
type Graph struct {
	Name    string
	Doc     string
	Inputs  []Port
	Outputs []Port
	Consts  map[string]*tensor.Tensor
	Nodes   []*Node
	Types   map[string]Type
}

// Function is a model-local function: a node of its (Domain, Name) stands for Nodes with the inputs bound in order; inputs that the
// node leaves out are omitted ones. An overload is part of the name, behind a colon. Opsets are the versions that its nodes are
// spelled in, by domain. Inline makes models without functions of them, which is all that everything behind the reader sees.
type Function struct {
	Domain, Name string
	Inputs       []string
	Outputs      []string
	Attrs        []string // names of attributes without a default
	Defaults     []Attr
	Nodes        []*Node
	Opsets       map[string]int
}

// Pair is one metadata entry; models keep them in file order.
type Pair struct{ Key, Value string }

// Model is a graph with what stands around it. Opset is the version of ai.onnx whose spelling the nodes have now,
// FileOpset the one the file had. Opsets holds the imports of the other domains.
type Model struct {
	Graph     *Graph
	Opset     int
	FileOpset int
	Opsets    map[string]int
	IRVersion int
	Producer  string
	Version   string // producer's version
	Domain    string
	ModelVer  int64
	Doc       string
	Metadata  []Pair
	Functions []Function
}

// Attr returns the attribute of that name, whatever its kind, nil when absent. It points into n.Attrs: after Set or Unset it may
// be another attribute.
func (n *Node) Attr(name string) *Attr {
	for i := range n.Attrs {
		if n.Attrs[i].Name == name {
			return &n.Attrs[i]
		}
	}
	return nil
}

// Int returns an integer attribute; def when it is absent or of another kind, which no attribute of a model that op.UpgradeModel
// has let through is.
func (n *Node) Int(name string, def int64) int64 {
	if a := n.Attr(name); a != nil && a.Kind == KindInt {
		return a.Int
	}
	return def
}

// Float returns a float attribute; def when it is absent or of another kind.
func (n *Node) Float(name string, def float32) float32 {
	if a := n.Attr(name); a != nil && a.Kind == KindFloat {
		return a.Float
	}
	return def
}

// Str returns a string attribute; def when it is absent or of another kind. ONNX's strings are bytes, so it may be no UTF-8.
func (n *Node) Str(name, def string) string {
	if a := n.Attr(name); a != nil && a.Kind == KindString {
		return string(a.Str)
	}
	return def
}

// Ints returns an integer list, nil when it is absent or of another kind; an empty list may be nil too, so where the two differ
// Attr tells. The caller does not change it.
func (n *Node) Ints(name string) []int64 {
	if a := n.Attr(name); a != nil && a.Kind == KindInts {
		return a.Ints
	}
	return nil
}

// Set puts a in place of the attribute of the same name and keeps the list sorted. What a holds is shared, not copied.
func (n *Node) Set(a Attr) {
	i, found := slices.BinarySearchFunc(n.Attrs, a.Name, func(x Attr, name string) int {
		switch {
		case x.Name < name:
			return -1
		case x.Name > name:
			return 1
		}
		return 0
	})
	if found {
		n.Attrs[i] = a
		return
	}
	n.Attrs = slices.Insert(n.Attrs, i, a)
}

// SetInt sets an integer attribute.
func (n *Node) SetInt(name string, v int64) { n.Set(Attr{Name: name, Kind: KindInt, Int: v}) }

// SetInts sets an integer list, which nobody changes from then on.
func (n *Node) SetInts(name string, v []int64) { n.Set(Attr{Name: name, Kind: KindInts, Ints: v}) }

// Unset removes an attribute; absent is fine.
func (n *Node) Unset(name string) {
	n.Attrs = slices.DeleteFunc(n.Attrs, func(a Attr) bool { return a.Name == name })
}

// Input returns the name of input i, 0 or more: "" when it is omitted or beyond the list.
func (n *Node) Input(i int) string {
	if i < len(n.Inputs) {
		return n.Inputs[i]
	}
	return ""
}

// Clone copies the model for a pass to change: its graph as Graph.Clone does, imports, metadata, the list of functions and their
// nodes. Shared, and therefore replaced and never written to, are a function's other lists and its Opsets.
func (m *Model) Clone() *Model {
	c := *m
	c.Graph = m.Graph.Clone()
	c.Opsets = maps.Clone(m.Opsets)
	c.Metadata = slices.Clone(m.Metadata)
	c.Functions = slices.Clone(m.Functions)
	for i := range c.Functions {
		c.Functions[i].Nodes = cloneNodes(m.Functions[i].Nodes)
	}
	return &c
}

// Clone copies what passes change: the maps, the lists of ports, nodes, their inputs, outputs and attributes, and all of that of
// nested graphs. Tensors, what an attribute's lists and strings hold, and the shapes within types are shared; nobody writes to
// those in place, in a clone or anywhere: a pass puts a new one there.
func (g *Graph) Clone() *Graph {
	c := *g
	c.Inputs = slices.Clone(g.Inputs)
	c.Outputs = slices.Clone(g.Outputs)
	c.Consts = maps.Clone(g.Consts)
	c.Types = maps.Clone(g.Types)
	c.Nodes = cloneNodes(g.Nodes)
	return &c
}

// cloneNodes copies nodes as Graph.Clone says.
func cloneNodes(nodes []*Node) []*Node {
	out := make([]*Node, len(nodes))
	for i, n := range nodes {
		c := *n
		c.Inputs = slices.Clone(n.Inputs)
		c.Outputs = slices.Clone(n.Outputs)
		c.Attrs = slices.Clone(n.Attrs)
		for j, a := range c.Attrs {
			if a.Graph != nil {
				c.Attrs[j].Graph = a.Graph.Clone()
			}
			if a.Graphs != nil {
				c.Attrs[j].Graphs = make([]*Graph, len(a.Graphs))
				for k, s := range a.Graphs {
					c.Attrs[j].Graphs[k] = s.Clone()
				}
			}
		}
		out[i] = &c
	}
	return out
}
