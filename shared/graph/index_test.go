package graph

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUsesOfEveryKind: a value that one node reads twice, that a nested graph passes on as its output, and names that are a nested
// graph's own.
func TestUsesOfEveryKind(t *testing.T) {
	m, err := Parse("input x\nw: float32[1] = const [1]\na = Add(x, x) @add\n" +
		"b = Loop(x, \"\", a) {body=graph { input x2  k: float32[1] = const [1]  c = Mul(x2, k) @mul  d = Add(c, w) @inner  output a  output d }, gs=graphs[graph { output x }]} @loop\noutput b\noutput a\n")
	require.NoError(t, err)
	x := NewIndex(m.Graph)
	add, loop := m.Graph.Nodes[0], m.Graph.Nodes[1]
	require.Equal(t, []Use{{Node: add}, {Node: add, Input: 1}, {Node: loop}, {Node: loop, Sub: true}}, x.Uses["x"])
	require.Equal(t, []Use{{Node: loop, Input: 2}, {Node: loop, Sub: true}}, x.Uses["a"])
	require.Equal(t, []Use{{Node: loop, Sub: true}}, x.Uses["w"])
	require.NotContains(t, x.Uses, "")
	for _, own := range []string{"x2", "k", "c", "d"} {
		require.NotContains(t, x.Uses, own)
	}
	require.Equal(t, []string{"w", "a", "x"}, Captures(loop))
	require.Equal(t, map[string]bool{"a": true, "b": true}, x.Output)
	require.Nil(t, x.Producer["x"])
	require.Nil(t, x.Producer["w"])
	require.Same(t, loop, x.Producer["b"])
}

// TestPrefixed: the graph's own names get the prefix, in graphs within it too where they read them; captured names and the argument stay.
func TestPrefixed(t *testing.T) {
	m, err := Parse("input x\nw: float32[1] = const [1]\na: float32[1] = Add(x, out) @a\nb = If(a) {g=graph { c = Add(a, w) @c  d = Neg(out2) @d  output c }} @b\noutput b\n")
	require.NoError(t, err)
	before := PrintGraph(m.Graph)
	used := ValueNames(m.Graph)
	require.Equal(t, map[string]bool{"x": true, "w": true, "a": true, "b": true, "c": true, "d": true, "out": true, "out2": true}, used)
	p := Prefixed(m.Graph, "p/", used)
	require.Equal(t, before, PrintGraph(m.Graph))
	require.Equal(t, `input p/x
p/w: float32[1] = const [1]
p/a: float32[1] = Add(p/x, out) @a
p/b = If(p/a) {g=graph {
  c = Add(p/a, p/w) @c
  d = Neg(out2) @d
  output c
}} @b
output p/b
`, PrintGraph(p))
	require.Len(t, used, 8+4)
	require.Equal(t, []string{"p/x_2", "p/w_2", "p/a_2", "p/b_2"}, defined(Prefixed(m.Graph, "p/", used)))
	require.Equal(t, []string{"p/x_3", "p/w_3", "p/a_3", "p/b_3"}, defined(Prefixed(m.Graph, "p/", used)))
}

// TestNamesOfNodes: the first keeps its name, later ones count on past names that are taken, nested graphs share the names.
func TestNamesOfNodes(t *testing.T) {
	node := func(name, op string, outs ...string) *Node { return &Node{Name: name, Op: op, Outputs: outs} }
	inner := node("", "Neg", "i")
	g := &Graph{Nodes: []*Node{
		node("a", "Relu", "x"), node("a_2", "Relu", "y"), node("a", "Relu", "z"), node("", "Relu", "", "w"), node("", "Relu"), node("", "Relu"), node("Relu_w", "Relu", "v"),
		{Name: "if", Op: "If", Attrs: []Attr{{Name: "g", Kind: KindGraph, Graph: &Graph{Nodes: []*Node{inner, node("a", "Abs")}}}}}, node("a", "Relu"),
	}}
	NameNodes(g)
	var names []string
	walkNodes(g, func(n *Node) { names = append(names, n.Name) })
	require.Equal(t, []string{"a", "a_2", "a_3", "Relu_w_2", "Relu", "Relu_2", "Relu_w", "if", "Neg_i", "a_4", "a_5"}, names)
	NameNodes(g)
	var again []string
	walkNodes(g, func(n *Node) { again = append(again, n.Name) })
	require.Equal(t, names, again)
}
