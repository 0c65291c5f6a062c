package op

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestNestedGraphsMayReadLateValues: what a branch or a body captures may be known only when the model runs, at any depth; then so is
// what follows from it, and the rest is known as ever. An undefined name outside of nested graphs stays an error.
func TestNestedGraphsMayReadLateValues(t *testing.T) {
	m, err := graph.Parse(`input x: float32[2,3]
input c: bool[]
two: int64[] = const [2]
t: bool[] = const [1]
n = NonZero(x) @late
a = If(c) {then_branch=graph { p = Neg(n) @neg output p }, else_branch=graph { output n }} @if
b, d = If(t) {then_branch=graph { q = Abs(x) @abs r = If(c) {then_branch=graph { s = Neg(n) @deep output s }, else_branch=graph { output n }} @within output q output r }, else_branch=graph { output x output n }} @both
e, f = Loop(two, "", x) {body=graph { input i: int64[] input k: bool[] input v: float32[2,3] w = Add(v, v) @add g = Shape(n) @shape output k output w output g }} @loop
h = Relu(b) @behind
output a
output d
output e
output h
`)
	require.NoError(t, err)
	info, err := InferShapes(m.Graph, nil)
	require.NoError(t, err)
	for _, open := range []string{"n", "a", "d"} {
		require.NotContains(t, info, open)
	}
	for _, known := range []string{"b", "e", "h"} {
		require.Equal(t, tensor.Float32, info[known].DType, known)
		require.Equal(t, []int{2, 3}, info[known].Shape, known)
	}
	m.Graph.Nodes = append(m.Graph.Nodes, &graph.Node{Name: "bad", Op: "Relu", Inputs: []string{"nowhere"}, Outputs: []string{"z"}})
	_, err = InferShapes(m.Graph, nil)
	require.ErrorContains(t, err, `node "bad" (Relu): input 0 ("nowhere") is not defined before it is used`)
}
