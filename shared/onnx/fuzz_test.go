package onnx

import (
	"testing"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"

	"github.com/stretchr/testify/require"
)

// FuzzDecode feeds bytes to the reader. It must not panic; a model that it accepts is valid, and one that only needs
// arranging comes back from its own bytes with an equal digest. The corpus holds past failures.
func FuzzDecode(f *testing.F) {
	f.Add(small(f, nil))
	f.Add(small(f, func(m *onnxpb.ModelProto) { external(m, "fuzz_test.go", "3", "8") }))
	for _, b := range claims(f) {
		f.Add(b)
	}
	for _, text := range []string{everything, functions} {
		m, err := graph.Parse(text)
		require.NoError(f, err)
		b, err := Encode(m)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		if m, err := Decode(b, "."); err == nil {
			require.NoError(t, graph.Validate(m))
		}
		m, err := parse(b, []string{"."})
		if err != nil {
			return
		}
		graph.NameNodes(m.Graph)
		if graph.Inline(m) != nil {
			return
		}
		graph.Unhide(m.Graph)
		if graph.Sort(m.Graph) != nil || graph.Validate(m) != nil {
			return
		}
		first, err := Encode(m)
		require.NoError(t, err)
		again, err := parse(first, nil)
		require.NoError(t, err)
		prune(m.Graph)
		require.Equal(t, graph.Digest(m), graph.Digest(again))
		second, err := Encode(again)
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}

// functions exercises inlining.
const functions = `ir 10
import my 1
func my.F(a, b) (c) {
  import "" 21
  attr alpha
  c = LeakyRelu(a) {alpha=ref alpha float} @leaky
}
func my.G(a) (b, a) {
  import my 1
  b = my.F(a) {alpha=0.5} @f
}
graph g
input x: float32[2]
p, q = my.G(x) @g
y = Add(p, q) @add
output y: float32[2]
`
