package fuse

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/graph"
)

// consistent checks the editor's invariant: prod and uses describe exactly the nodes that are alive.
func consistent(t require.TestingT, e *editor) {
	uses, prod := map[string][]graph.Use{}, map[string]*graph.Node{}
	for _, n := range e.nodes {
		if !e.alive[n] {
			continue
		}
		for i, in := range n.Inputs {
			if in != "" {
				uses[in] = append(uses[in], graph.Use{Node: n, Input: i})
			}
		}
		for _, o := range n.Outputs {
			prod[o] = n
		}
	}
	require.Equal(t, prod, e.prod)
	for name, got := range e.uses {
		require.ElementsMatch(t, uses[name], got, name)
	}
	for name := range uses {
		require.Contains(t, slices.Collect(maps.Keys(e.uses)), name)
	}
}

// TestEditorKeepsTrack: after any sequence of changes prod and uses are those of the nodes that are left.
func TestEditorKeepsTrack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m, err := graph.Parse("input x: float32[4]\na = Relu(x)\nb = Add(a, a)\nc = Add(a, b)\nd = Relu(c)\ne = Add(d, b)\noutput e\n")
		require.NoError(r, err)
		e := newEditor(m.Graph, nil)
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			var live []*graph.Node
			for _, n := range e.nodes {
				if e.alive[n] {
					live = append(live, n)
				}
			}
			if len(live) == 0 {
				break
			}
			n := rapid.SampledFrom(live).Draw(r, "node")
			switch rapid.IntRange(0, 4).Draw(r, "change") {
			case 0:
				i := rapid.IntRange(0, len(n.Inputs)-1).Draw(r, "input")
				e.setInput(n, i, rapid.SampledFrom([]string{"x", "a", "b", ""}).Draw(r, "name"))
			case 1:
				e.setOutput(n, 0, e.fresh("new"))
			case 2:
				e.redirect(n.Outputs[0], "x")
			case 3:
				e.remove(n)
				e.remove(n) // once more is nothing
			case 4:
				e.add(&graph.Node{Op: "Relu", Inputs: []string{n.Outputs[0]}, Outputs: []string{e.fresh("more")}})
			}
			consistent(r, e)
		}
	})
}

// TestEditorTwoMakers: while two nodes make a value the later one counts, and taking the earlier one away, or renaming its
// output, leaves it so.
func TestEditorTwoMakers(t *testing.T) {
	for name, change := range map[string]func(e *editor, old *graph.Node){
		"removed": func(e *editor, old *graph.Node) { e.remove(old) },
		"renamed": func(e *editor, old *graph.Node) { e.setOutput(old, 0, "elsewhere") },
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse("input x: float32[4]\na = Relu(x)\nb = Relu(a)\noutput b\n")
			require.NoError(t, err)
			e := newEditor(m.Graph, nil)
			old := e.prod["a"]
			later := &graph.Node{Op: "Exp", Inputs: []string{"x"}, Outputs: []string{"a"}}
			e.add(later)
			change(e, old)
			require.Same(t, later, e.prod["a"])
			if name == "renamed" {
				require.Same(t, old, e.prod["elsewhere"])
			}
		})
	}
}

// TestRedirectLeavesOutputs: neither a graph's output nor what a nested graph reads can be given another name.
func TestRedirectLeavesOutputs(t *testing.T) {
	m, err := graph.Parse("input x: float32[4]\ninput c: bool[]\na = Relu(x)\nb = Relu(a)\nd = Relu(x)\ny = If(c) {then_branch=graph { t = Relu(d) output t }, else_branch=graph { t = Tanh(x) output t }}\noutput a\noutput b\noutput y\n")
	require.NoError(t, err)
	e := newEditor(m.Graph, nil)
	require.False(t, e.redirect("a", "x"))
	require.Equal(t, "a", e.prod["b"].Inputs[0])
	require.False(t, e.redirect("d", "x"))
	require.Nil(t, e.only("a"), "an output has a reader outside")
	require.Nil(t, e.only("d"), "a nested graph reads it by name")
	require.Len(t, e.uses["x"], 3)
}
