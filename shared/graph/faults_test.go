package graph

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// sound is a valid model that every case of TestFaults breaks in one place: x and w go into node "add", whose result node
// "if" passes through one of two graphs.
func sound() *Model {
	m, err := Parse("input x: float32[2]\nw: float32[2] = const [1, 2]\nc: bool[] = const [1]\na = Add(x, w) {k=1, t=tensor int64[1] [5], z=2.0} @add\n" +
		"y = If(c) {else_branch=graph { n = Neg(a) @neg output n }, then_branch=graph { output a }} @if\noutput y\n")
	if err != nil {
		panic(err)
	}
	return m
}

// TestFaults: Validate names the place and the fault; nothing that a front end could leave undone passes.
func TestFaults(t *testing.T) {
	require.NoError(t, Validate(sound()))
	short := &tensor.Tensor{DType: tensor.Float32, Shape: []int{2}, Data: make([]byte, 7)}
	add := func(m *Model) *Node { return m.Graph.Nodes[0] }
	set := func(a Attr) func(*Model) { return func(m *Model) { add(m).Set(a) } }
	inner := func(m *Model) *Graph { return m.Graph.Nodes[1].Attr("else_branch").Graph }
	for _, c := range []struct {
		name  string
		spoil func(m *Model)
		want  string
	}{
		{"no graph", func(m *Model) { m.Graph = nil }, "model has no graph"},
		{"opset", func(m *Model) { m.Opset = -1 }, "opset -1"},
		{"input without a name", func(m *Model) { m.Graph.Inputs[0].Name = "" }, "an input has no name"},
		{"constant without a name", func(m *Model) { m.Graph.Consts[""] = short }, "a constant has no name"},
		{"constant without a tensor", func(m *Model) { m.Graph.Consts["w"] = nil }, `constant "w" has no tensor`},
		{"constant that is too short", func(m *Model) { m.Graph.Consts["w"] = short }, `constant "w": `},
		{"input that is a constant", func(m *Model) { m.Graph.Inputs[0].Name = "w" }, `value "w" is defined twice: as a graph input and as a constant`},
		{"missing node", func(m *Model) { m.Graph.Nodes = append(m.Graph.Nodes, nil) }, "node 2 is missing"},
		{"no operator", func(m *Model) { add(m).Op = "" }, `node "add" () has no operator`},
		{"no name", func(m *Model) { add(m).Name = "" }, "the name is missing or used before"},
		{"name of a nested node", func(m *Model) { add(m).Name = "neg" }, `node "neg" (Neg): the name is missing or used before`},
		{"undefined input", func(m *Model) { add(m).Inputs[1] = "v" }, `node "add" (Add): input 1: value "v" is not defined`},
		{"own output", func(m *Model) { add(m).Inputs[1] = "a" }, `input 1: value "a" is the output of node "add" (Add), which stands later`},
		{"attributes out of order", func(m *Model) { n := add(m); n.Attrs[0], n.Attrs[1] = n.Attrs[1], n.Attrs[0] }, `attribute "k" stands after "t"`},
		{"attribute twice", func(m *Model) { n := add(m); n.Attrs = append(n.Attrs, n.Attrs[2]) }, `attribute "z" stands after "z"`},
		{"no kind", set(Attr{Name: "q"}), `attribute "q": unknown kind(0)`},
		{"unknown kind", set(Attr{Name: "q", Kind: 77}), `attribute "q": unknown kind(77)`},
		{"no tensor", set(Attr{Name: "q", Kind: KindTensor}), `attribute "q": has no tensor`},
		{"no tensor in a list", set(Attr{Name: "q", Kind: KindTensors, Tensors: []*tensor.Tensor{tensor.New(tensor.Int8, 1), nil}}), `attribute "q": has no tensor`},
		{"broken tensor", set(Attr{Name: "q", Kind: KindTensor, Tensor: short}), `attribute "q": `},
		{"no graph in an attribute", set(Attr{Name: "q", Kind: KindGraph}), `attribute "q": has no graph`},
		{"no graph in a list", set(Attr{Name: "q", Kind: KindGraphs, Graphs: []*Graph{nil}}), `attribute "q": has no graph`},
		{"graph beside a number", set(Attr{Name: "q", Kind: KindInt, Graph: &Graph{}}), "holds a graph, but is of kind int"},
		{"graphs beside a graph", set(Attr{Name: "q", Kind: KindGraph, Graph: &Graph{}, Graphs: []*Graph{{}}}), "holds a graph, but is of kind graph"},
		{"reference", set(Attr{Name: "q", Kind: KindInt, Ref: "r"}), `refers to attribute "r" of a function, but stands outside of one`},
		{"undefined output", func(m *Model) { m.Graph.Outputs[0].Name = "q" }, `graph output "q" is not defined`},
		{"output with a hint", func(m *Model) { m.Graph.Types["y"] = FixedType(tensor.Int8, 3) }, `graph output "y" has a second type int8[3]`},
		{"hidden name", func(m *Model) { inner(m).Nodes[0].Outputs[0] = "w" }, `value "w" is defined twice: as a constant and as output of node "neg" (Neg)`},
		{"nested fault", func(m *Model) { inner(m).Nodes[0].Inputs[0] = "q" }, `node "if" (If): nested graph "": node "neg" (Neg): input 0: value "q" is not defined`},
		{"nested output", func(m *Model) { inner(m).Outputs[0].Name = "q" }, `node "if" (If): nested graph "": graph output "q" is not defined`},
		{"function twice", func(m *Model) { m.Functions = []Function{{Name: "F"}, {Name: "F"}} }, `function "F" of domain "" is defined twice`},
		{"default of a function", func(m *Model) { m.Functions = []Function{{Name: "F", Defaults: []Attr{{Name: "q"}}}} }, `function "F" of domain "": default of attribute "q": unknown kind(0)`},
		{"output of a function", func(m *Model) { m.Functions = []Function{{Name: "F", Outputs: []string{"q"}}} }, `function "F" of domain "": graph output "q" is not defined`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sound()
			c.spoil(m)
			require.ErrorContains(t, Validate(m), c.want)
		})
	}
}

// TestAttributes: what is absent or of another kind gives the default; a list is kept in order of names.
func TestAttributes(t *testing.T) {
	n := &Node{Inputs: []string{"x", ""}}
	n.SetInt("m", 3)
	n.SetInts("z", []int64{1, 2})
	n.Set(Attr{Name: "a", Kind: KindFloat, Float: 0.5})
	n.Set(Attr{Name: "s", Kind: KindString, Str: []byte("same")})
	n.SetInt("m", 4)
	var names []string
	for _, a := range n.Attrs {
		names = append(names, a.Name)
	}
	require.Equal(t, []string{"a", "m", "s", "z"}, names)
	require.EqualValues(t, 4, n.Int("m", 9))
	require.EqualValues(t, 9, n.Int("a", 9), "a float is no integer")
	require.EqualValues(t, 9, n.Int("none", 9))
	require.EqualValues(t, 0.5, n.Float("a", 9))
	require.EqualValues(t, 9, n.Float("m", 9))
	require.EqualValues(t, 9, n.Float("none", 9))
	require.Equal(t, "same", n.Str("s", "d"))
	require.Equal(t, "d", n.Str("m", "d"))
	require.Equal(t, "d", n.Str("none", "d"))
	require.Equal(t, []int64{1, 2}, n.Ints("z"))
	require.Nil(t, n.Ints("m"))
	require.Nil(t, n.Ints("none"))
	n.Unset("m")
	n.Unset("m")
	require.Nil(t, n.Attr("m"))
	require.NotNil(t, n.Attr("s"))
	require.Equal(t, []string{"x", "", ""}, []string{n.Input(0), n.Input(1), n.Input(2)})
}

// TestTypesOfShapes: a shape is fixed when every axis is known; one without axes is a scalar, which is not the same as unknown.
func TestTypesOfShapes(t *testing.T) {
	for _, c := range []struct {
		t    Type
		want []int
		ok   bool
	}{
		{FixedType(tensor.Int8), []int{}, true}, {FixedType(tensor.Int8, 2, 0), []int{2, 0}, true}, {Type{DType: tensor.Int8}, []int{}, false},
		{Type{Ranked: true, Shape: []Dim{{N: 2}, {N: -1, Sym: "N"}}}, nil, false},
	} {
		shape, ok := c.t.Fixed()
		require.Equal(t, c.ok, ok, "%s", c.t)
		require.Equal(t, c.want, shape, "%s", c.t)
	}
}

// TestCloneSharesNothingButTensors: what a pass, an upgrade or a front end changes in a clone is the clone's own.
func TestCloneSharesNothingButTensors(t *testing.T) {
	m, err := Parse("import d 1\nmeta k v\nfunc d.F(a) (b) {\n b = Relu(a) {g=graph { n = Neg(a) @n output n }} @r\n}\ninput x: float32[2]\nw: float32[1] = const [1]\n" +
		"v: float32[2] = d.F(x) {gs=graphs[graph { q = Neg(x) @q output q }], t=tensor int8[1] [1]} @v\ny: float32[2] = Add(v, w) @y\noutput y\n")
	require.NoError(t, err)
	want, c := Print(m), m.Clone()
	require.Equal(t, want, Print(c))
	require.Same(t, m.Graph.Consts["w"], c.Graph.Consts["w"])
	c.Opsets["d"], c.Metadata[0].Value = 7, "other"
	c.Functions[0].Name = "G"
	f := c.Functions[0].Nodes[0]
	f.Inputs[0], f.Attrs[0].Graph.Nodes[0].Op = "z", "Abs"
	n := c.Graph.Nodes[0]
	n.Attr("gs").Graphs[0].Nodes[0].Op = "Abs"
	n.Attr("gs").Graphs[0].Outputs[0].Name = "z"
	n.Unset("t")
	n.Outputs[0] = "z"
	c.Graph.Outputs[0].Name, c.Graph.Inputs[0].Name = "z", "z"
	delete(c.Graph.Consts, "w")
	delete(c.Graph.Types, "v")
	require.Equal(t, want, Print(m))
}

// TestDigestIsWhatItWas: stored results lie under digests of models, so a model keeps its digest over versions of this code. A
// change here makes every result that users have kept unreachable; it needs a reason and a line in the notes.
func TestDigestIsWhatItWas(t *testing.T) {
	d := Digest(sound())
	require.Equal(t, "79a73ef8081913c05e5241261cf485f88d21f807235c9799a7bca546d1dbd9f6", hex.EncodeToString(d[:]))
}
