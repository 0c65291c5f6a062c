package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/shared/graph"
	"assay/shared/op"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTextOpsetIsNewest keeps the opset of a text without one equal to that of package op, which graph cannot import.
func TestTextOpsetIsNewest(t *testing.T) {
	m, err := graph.Parse("")
	require.NoError(t, err)
	require.Equal(t, op.Newest, m.Opset)
}

// draw makes a random valid graph: node i reads earlier values; some nodes hold a graph that captures one.
func draw(t *rapid.T) *graph.Model {
	var b strings.Builder
	b.WriteString("input v0\n")
	n := rapid.IntRange(1, 20).Draw(t, "nodes")
	for i := 1; i <= n; i++ {
		before := rapid.IntRange(0, i-1)
		fmt.Fprintf(&b, "v%d = Op(v%d, v%d)", i, before.Draw(t, "a"), before.Draw(t, "b"))
		if rapid.Bool().Draw(t, "nested") {
			fmt.Fprintf(&b, " {g=graph { w%d = Neg(v%d) output w%d }}", i, before.Draw(t, "c"), i)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "output v%d\n", n)
	m, err := graph.Parse(b.String())
	require.NoError(t, err)
	return m
}

// TestSortKeepsAndRestores: a sorted graph keeps its order; any permutation of its nodes sorts to a valid graph with the
// same nodes, and sorting that again changes nothing.
func TestSortKeepsAndRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := draw(t)
		want := graph.Print(m)
		require.NoError(t, graph.Sort(m.Graph))
		require.Equal(t, want, graph.Print(m))
		m.Graph.Nodes = rapid.Permutation(m.Graph.Nodes).Draw(t, "order")
		require.NoError(t, graph.Sort(m.Graph))
		require.NoError(t, graph.Validate(m))
		once := graph.Print(m)
		require.NoError(t, graph.Sort(m.Graph))
		require.Equal(t, once, graph.Print(m))
	})
}

// TestSortIsWhole: nested graphs that could be sorted stay as they were when a graph around them cannot, whatever is wrong there,
// and the order within them does not matter for the order around them.
func TestSortIsWhole(t *testing.T) {
	const nested = "c = If(x) {g=graph { r = Neg(q) @r  q = Add(late, p) @q  p = Abs(x) @p  output r }} @if\nlate = Relu(x) @late\noutput c\n"
	for fault, want := range map[string]string{
		"":                               "",
		"a = Add(x, none) @a\n":          "is not defined",
		"a = Add(x, b) @a\nb = Neg(a)\n": "cycle",
		"x = Neg(late) @a\n":             "defined twice",
		"p = Neg(x) @a\n":                "defined twice",
		"output none\n":                  "is not defined",
	} {
		m, err := graph.Parse("input x\n" + fault + nested)
		require.NoError(t, err)
		before := graph.Print(m)
		err = graph.Sort(m.Graph)
		if want != "" {
			require.ErrorContains(t, err, want)
			require.Equal(t, before, graph.Print(m), fault)
			continue
		}
		require.NoError(t, err)
		graph.NameNodes(m.Graph)
		require.NoError(t, graph.Validate(m))
		require.Equal(t, []string{"late", "if"}, []string{m.Graph.Nodes[0].Name, m.Graph.Nodes[1].Name})
	}
}

// TestIndexAnswers: producer, uses and outputs of a drawn graph are those of its nodes.
func TestIndexAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := draw(t)
		x := graph.NewIndex(m.Graph)
		uses := 0
		for i, n := range m.Graph.Nodes {
			require.Equal(t, i, x.Position[n])
			require.Same(t, n, x.Producer[n.Outputs[0]])
			uses += len(n.Inputs) + len(graph.Captures(n))
		}
		for name, list := range x.Uses {
			uses -= len(list)
			for _, u := range list {
				if u.Sub {
					require.Contains(t, graph.Captures(u.Node), name)
				} else {
					require.Equal(t, name, u.Node.Inputs[u.Input])
				}
			}
		}
		require.Zero(t, uses)
		require.True(t, x.Output[m.Graph.Outputs[0].Name])
	})
}

// TestCloneIsDeep changes everything in a clone that a pass may change, and nothing of it shows in the original.
func TestCloneIsDeep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := draw(t)
		want := graph.Print(m)
		c := m.Clone()
		require.Equal(t, graph.Digest(m), graph.Digest(c))
		for _, n := range c.Graph.Nodes {
			n.Inputs[0], n.Outputs[0], n.Name = "x", "y", "z"
			n.SetInt("axis", 1)
			for _, sub := range graph.Nested(n) {
				sub.Outputs[0].Name = "q"
				sub.Nodes[0].Inputs[0] = "q"
			}
		}
		c.Graph.Inputs[0].Name = "other"
		require.Equal(t, want, graph.Print(m))
	})
}

// TestDigestIgnoresTheFile: only what the model says counts.
func TestDigestIgnoresTheFile(t *testing.T) {
	parse := func(head, body string) [32]byte {
		m, err := graph.Parse(head + "input x: float32[1]\n" + body + "output y: float32[1]\n")
		require.NoError(t, err)
		return graph.Digest(m)
	}
	want := parse("", "y = Relu(x)\n")
	require.Equal(t, want, parse("ir 3\nfile_opset 9\n", "y = Relu(x)\n"))
	require.NotEqual(t, want, parse("opset 20\n", "y = Relu(x)\n"))
	require.NotEqual(t, want, parse("meta a b\n", "y = Relu(x)\n"))
	require.NotEqual(t, want, parse("", "y = Relu(x) {a=1}\n"))
	require.NotEqual(t, parse("", "y = Relu(x) {a=1}\n"), parse("", "y = Relu(x) {a=1.0}\n"))
	long := func(seed int) [32]byte {
		return parse("", fmt.Sprintf("w: float32[99] = const random %d\ny = Relu(x)\n", seed))
	}
	require.NotEqual(t, long(1), long(2))
}

// TestInlineBombIsRefused: forty functions that call the next one twice would make 2^40 nodes.
func TestInlineBombIsRefused(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "func d.F%d(a) (c) {\n b = d.F%d(a) @l\n c = d.F%d(b) @r\n}\n", i, i+1, i+1)
	}
	b.WriteString("func d.F40(a) (b) {\n b = Relu(a) @x\n}\ninput x\ny = d.F0(x) @y\noutput y\n")
	m, err := graph.Parse(b.String())
	require.NoError(t, err)
	start := time.Now()
	require.ErrorContains(t, graph.Inline(m), "functions expand to more than 262144 nodes")
	require.Less(t, time.Since(start), 20*time.Second)
}

// TestNameNodesIsLinear names many nodes that share one name.
func TestNameNodesIsLinear(t *testing.T) {
	g := &graph.Graph{}
	for range 200_000 {
		g.Nodes = append(g.Nodes, &graph.Node{Name: "n", Op: "Relu"})
	}
	start := time.Now()
	graph.NameNodes(g)
	require.Less(t, time.Since(start), 10*time.Second)
	require.Equal(t, "n_200000", g.Nodes[199_999].Name)
}
