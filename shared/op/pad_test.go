package op

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestPadRepeatsAndCuts: a mode repeats what is left after cutting, as ONNX Runtime does.
func TestPadRepeatsAndCuts(t *testing.T) {
	x := tensor.Of(tensor.Float32, []int{3}, []float32{1, 2, 3})
	for _, c := range []struct {
		mode          string
		before, after int64
		want          []float32
	}{
		{"constant", 2, -2, []float32{0, 0, 1}},
		{"edge", 2, -2, []float32{1, 1, 1}}, {"edge", -2, 5, []float32{3, 3, 3, 3, 3, 3}}, {"edge", -1, -1, []float32{2}},
		{"reflect", -1, 1, []float32{2, 3, 2}},
		{"wrap", 2, -2, []float32{1, 1, 1}}, {"wrap", -1, 2, []float32{2, 3, 2, 3}},
	} {
		n := &graph.Node{Name: "pad", Op: "Pad", Inputs: []string{"x", "p"}, Outputs: []string{"y"}}
		n.Attrs = append(n.Attrs, graph.Attr{Name: "mode", Kind: graph.KindString, Str: []byte(c.mode)})
		out, err := Eval(n, []*tensor.Tensor{x, tensor.Of(tensor.Int64, []int{2}, []int64{c.before, c.after})})
		require.NoError(t, err, "%+v", c)
		require.Equal(t, c.want, out[0].F32(), "%+v", c)
	}
	_, err := Eval(&graph.Node{Name: "pad", Op: "Pad", Inputs: []string{"x", "p"}, Outputs: []string{"y"},
		Attrs: []graph.Attr{{Name: "mode", Kind: graph.KindString, Str: []byte("reflect")}}}, []*tensor.Tensor{x, tensor.Of(tensor.Int64, []int{2}, []int64{2, -2})})
	require.ErrorContains(t, err, "in mode reflect", "one element is left, which has no reflection")
}
