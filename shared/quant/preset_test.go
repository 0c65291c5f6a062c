package quant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// TestPresetOfActivations: a function that is flat below zero and feeds a layer asks for asymmetric ranges, in all
// spellings of exporters; one that feeds none, has two sides or no negative side at all does not.
func TestPresetOfActivations(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       Preset
	}{
		{"Relu", "a = Relu(x) @a", Performance},
		{"Sigmoid", "a = Sigmoid(x) @a", Performance},
		{"Tanh", "a = Tanh(x) @a", Performance},
		{"HardSwish", "a = HardSwish(x) @a", Mixed},
		{"Gelu", "a = Gelu(x) @a", Mixed},
		{"Mish", "a = Mish(x) @a", Mixed},
		{"Elu", "a = Elu(x) @a", Mixed},
		{"LeakyRelu", "a = LeakyRelu(x) {alpha=0.1} @a", Mixed},
		{"LeakyRelu that is nearly linear", "a = LeakyRelu(x) {alpha=0.5} @a", Performance},
		{"PRelu", "a = PRelu(x, c) @a", Mixed},
		{"PRelu with one steep slope", "a = PRelu(x, big) @a", Performance},
		{"PRelu with a computed slope", "a = PRelu(x, y) @a", Performance},
		{"Swish written out", "s = Sigmoid(x) @s\na = Mul(x, s) @a", Mixed},
		{"Swish the other way round", "s = Sigmoid(x) @s\na = Mul(s, x) @a", Mixed},
		{"HardSwish by its gate", "s = HardSigmoid(x) @s\na = Mul(x, s) @a", Mixed},
		{"HardSwish by Clip", "t = Add(x, c) @t\ns = Clip(t, lo, hi) @s\nm = Mul(x, s) @m\na = Div(m, c) @a", Mixed},
		{"Mish written out", "p = Softplus(x) @p\ns = Tanh(p) @s\na = Mul(x, s) @a", Mixed},
		{"GELU with Erf", "d = Div(x, c) @d\ne = Erf(d) @e\no = Add(e, c) @o\nm = Mul(x, o) @m\na = Mul(m, c) @a", Mixed},
		{"GELU with the half in front", "h = Mul(x, c) @h\nd = Div(x, c) @d\ne = Erf(d) @e\no = Add(e, c) @o\na = Mul(h, o) @a", Mixed},
		{"GELU with Tanh", "q = Mul(x, x) @q\nr = Mul(q, x) @r\nu = Mul(r, c) @u\nk = Add(x, u) @k\nj = Mul(k, c) @j\ns = Tanh(j) @s\no = Add(s, c) @o\nm = Mul(c, o) @m\na = Mul(x, m) @a", Mixed},
		{"a gate of another value", "s = Sigmoid(y) @s\na = Mul(x, s) @a", Performance},
		{"squeeze and excitation", "p = GlobalAveragePool(x) @p\ns = Sigmoid(p) @s\na = Mul(x, s) @a", Performance},
		{"a square", "a = Mul(x, x) @a", Performance},
		{"behind a pool and a Concat", "h = HardSwish(x) @h\np = MaxPool(h) {kernel_shape=[1,1]} @p\na = Concat(p, y) {axis=1} @a", Mixed},
		{"cut off by a Relu", "h = HardSwish(x) @h\na = Relu(h) @a", Performance},
		{"normalised before the layer", "h = Gelu(x) @h\na = Softmax(h) {axis=1} @a", Performance},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "input x: float32[1,2,4,4]\ninput y: float32[1,2,4,4]\nc: float32[1] = const [0.25]\nbig: float32[2] = const [0.1, 0.5]\n" +
				"lo: float32[] = const [0]\nhi: float32[] = const [6]\nw: float32[1,2,1,1] = const [1, 1]\n" + c.body + "\nz = Conv(a, w) @conv\noutput z\n"
			g := parse(t, text).Graph
			require.Equal(t, c.want, Config{}.For(g).Preset)
			require.Equal(t, Performance, Config{Placement: POT}.For(g).Preset, "POT's placement is POT's")
			require.Equal(t, Performance, Config{Preset: Performance}.For(g).Preset, "the job says otherwise")
		})
	}
}

// TestPresetOfWideGraphs: a fan of a thousand Adds over each other is looked at in no time, and nothing there is a layer.
func TestPresetOfWideGraphs(t *testing.T) {
	g := &graph.Graph{Nodes: []*graph.Node{{Op: "HardSwish", Inputs: []string{"x"}, Outputs: []string{"v0"}}}}
	for i := range 1000 {
		v := func(k int) string { return "v" + string(rune('0'+max(0, k))) }
		g.Nodes = append(g.Nodes, &graph.Node{Op: "Add", Inputs: []string{v(i), v(i - 1)}, Outputs: []string{v(i + 1)}})
	}
	require.Equal(t, Performance, Config{}.For(g).Preset)
}
