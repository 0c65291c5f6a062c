package onnx

import (
	"testing"

	"assay/shared/graph"

	"github.com/stretchr/testify/require"
)

// decodeText takes a text through bytes and the whole reader.
func decodeText(t *testing.T, text string) (*graph.Model, error) {
	t.Helper()
	m, err := graph.Parse(text)
	require.NoError(t, err)
	b, err := Encode(m)
	require.NoError(t, err)
	return Decode(b, "")
}

// TestFunctionsAreInlined reads functions within functions; none is left.
func TestFunctionsAreInlined(t *testing.T) {
	m, err := decodeText(t, functions)
	require.NoError(t, err)
	require.Empty(t, m.Functions)
	require.NotContains(t, m.Opsets, "my")
	require.Equal(t, `input x: float32[2]
p = LeakyRelu(x) {alpha=0.5} @g/f/leaky
q = Identity(x) @g/Identity
y = Add(p, q) @add
output y: float32[2]
`, graph.PrintGraph(m.Graph))
}

// TestFunctionOpsets: a function may import another opset than the model, and is read in its spelling: Clip had its bounds
// as attributes before 11, as inputs since. A function in it has its own again.
func TestFunctionOpsets(t *testing.T) {
	m, err := decodeText(t, `opset 21
import my 1
func my.Outer(a) (c) {
  import "" 9
  import my 1
  b = Clip(a) {max=6.0, min=0.0} @old
  c = my.Inner(b) @inner
}
func my.Inner(a) (b) {
  import "" 13
  k = Constant() {value_float=2.0}
  b = Clip(a, k) @new
}
graph g
input x: float32[2]
y = my.Outer(x) @f
z = Clip(y) @plain
output z: float32[2]
`)
	require.NoError(t, err)
	text := graph.PrintGraph(m.Graph)
	require.Contains(t, text, `f/b = Clip(x, f/old/min, f/old/max) @f/old`)
	require.Contains(t, text, `y = Clip(f/b, f/inner/k) @f/inner/new`)
	require.Contains(t, text, `z = Clip(y) @plain`)
	require.Zero(t, m.Graph.Nodes[0].Opset)
}

// TestUpgradedOnRead: the attributes of an old Clip become constants, and the model remembers its own opset.
func TestUpgradedOnRead(t *testing.T) {
	m, err := decodeText(t, `opset 9
graph g
input x: float32[2]
y = Clip(x) {max=6.0, min=0.0} @clip
output y: float32[2]
`)
	require.NoError(t, err)
	require.Equal(t, 9, m.FileOpset)
	require.Greater(t, m.Opset, 9)
	require.Len(t, m.Graph.Nodes[0].Inputs, 3)
	require.Empty(t, m.Graph.Nodes[0].Attrs)
}

// TestCheckFiniteAfterReading names a NaN weight as the file does; reading alone does not mind.
func TestCheckFiniteAfterReading(t *testing.T) {
	m, err := decodeText(t, `graph g
input x: float32[2]
w: float32[2] = const [1, nan]
y = Add(x, w)
output y: float32[2]
`)
	require.NoError(t, err)
	require.EqualError(t, graph.CheckFinite(m),
		`model has NaN in its constants (damaged file or diverged training?): constant "w": 1 of 2 elements, the first at 1`)
}
