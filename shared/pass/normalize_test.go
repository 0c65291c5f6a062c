package pass

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestNormalizeKeepsStoredIntegers: a weight that is stored as integers stays so, and a graph that is not what it claims to be is left in
// place, for whoever runs it to say so.
func TestNormalizeKeepsStoredIntegers(t *testing.T) {
	m, err := graph.Parse(`input x: float32[1,2]
q: int8[2,3] = const [1, -2, 3, 4, 5, -6]
s: float32[] = const [0.5]
z: int8[] = const [1]
w = DequantizeLinear(q, s, z) @dq
i = Identity(x) @same
y = MatMul(i, w) @fc
output y: float32[1,3]
`)
	require.NoError(t, err)
	in := map[string]*tensor.Tensor{"x": tensor.Of(tensor.Float32, []int{1, 2}, []float32{3, -1})}
	want := evaluated(t, m.Graph, in)["y"]
	require.NoError(t, Normalize(m))
	require.NoError(t, graph.Validate(m))
	var nodes []string
	for _, n := range m.Graph.Nodes {
		nodes = append(nodes, n.Name)
	}
	require.Equal(t, []string{"dq", "fc"}, nodes)
	require.Equal(t, want.Data, evaluated(t, m.Graph, in)["y"].Data)

	m, err = graph.Parse("input x: float32[1]\na: float32[2] = const [1, 2]\nb: float32[3] = const [1, 2, 3]\nc = Add(a, b) @bad\ny = Add(x, c) @sum\noutput y\n")
	require.NoError(t, err)
	require.NoError(t, Normalize(m))
	require.Len(t, m.Graph.Nodes, 2)
	_, err = op.InferShapes(m.Graph, nil)
	require.ErrorContains(t, err, `node "bad" (Add)`)
}
