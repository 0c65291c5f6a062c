package graph

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInlinedNodesSayTheirOpset: a node keeps the spelling of the function it stood in, and says so where the model imports another
// version of its domain; a domain that only the function imports is adopted at its version, of two functions the first one's.
func TestInlinedNodesSayTheirOpset(t *testing.T) {
	m, err := Parse(`opset 20
import d 1
import e 2
func d.F(x) (y) {
  import "" 17
  import e 1
  import f 4
  a = Relu(x) {g=graph { n = Neg(x) @n output n }} @a
  b = e.Op(a) @b
  y = f.Op(b) @c
}
func d.G(x) (y) {
  import "" 20
  import f 5
  a = Relu(x) @a
  b = f.Op(a) @b
  y = h.Op(b) @c
}
input x
h = d.F(x) @first
y = d.G(h) @second
output y
`)
	require.NoError(t, err)
	require.NoError(t, Inline(m))
	opsets := map[string]int{}
	walkNodes(m.Graph, func(n *Node) { opsets[n.Name] = n.Opset })
	require.Equal(t, map[string]int{"first/a": 17, "first/n": 17, "first/b": 1, "first/c": 0, "second/a": 0, "second/b": 5, "second/c": 0}, opsets)
	require.Equal(t, map[string]int{"e": 2, "f": 4}, m.Opsets)
	require.Empty(t, m.Functions)
}
