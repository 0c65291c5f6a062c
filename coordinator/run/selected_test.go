package run

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// TestSelected: what a selection makes has a number of rows of its own; what counts up to a size has not.
func TestSelected(t *testing.T) {
	head := "input x: float32[1,4,16]\ninput b: float32[1,16,4]\nn: int64[1] = const [3]\nzero: float32[1] = const [0]\n"
	for name, c := range map[string]struct {
		body string
		want bool
	}{
		"NonMaxSuppression":                {"y = NonMaxSuppression(b, x, n, zero, zero) @nms", true},
		"behind it":                        {"s = NonMaxSuppression(b, x, n) @nms\nt = Cast(s) {to=1} @cast\ny = Mul(t, t) @square", true},
		"NonZero of values":                {"y = NonZero(x) @nz", true},
		"NonZero of a comparison":          {"g = Greater(x, zero) @g\ny = NonZero(g) @nz", true},
		"counting up to a size":            {"s = Shape(x) @shape\no = ConstantOfShape(s) @ones\ny = NonZero(o) @nz", false},
		"of a constant":                    {"y = NonZero(zero) @nz", false},
		"TopK has as many rows as it says": {"y, i = TopK(x, n) {axis=2} @top", false},
		"beside a selection":               {"s = NonZero(x) @nz\ny = Relu(x) @relu", false},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse("ir 8\ngraph g\n" + head + c.body + "\noutput y\n")
			require.NoError(t, err)
			require.Equal(t, c.want, selected(m.Graph)["y"])
		})
	}
}

// TestSwitches: the outputs that a Sigmoid makes itself, in the order of the outputs.
func TestSwitches(t *testing.T) {
	m, err := graph.Parse("ir 8\ngraph g\ninput x: float32[1,4]\na = Sigmoid(x) @a\nb = HardSigmoid(x) @b\nc = Relu(a) @c\noutput a\noutput b\noutput c\n")
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a"}, switches(m.Graph, []string{"c", "b", "a"}))
	require.Empty(t, switches(m.Graph, []string{"c"}))
}
