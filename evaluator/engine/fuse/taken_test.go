package fuse

import (
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
)

// TestWhatFusesIsTaken: a graph whose nodes the operators take is taken after the pass as well, and its outputs have the
// types and shapes they had. A pattern whose integer form is refused must stay literal.
func TestWhatFusesIsTaken(t *testing.T) {
	datadriven.Walk(t, "testdata/cases", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m, err := graph.Parse(prelude + d.Input)
			require.NoError(t, err)
			in := map[string]op.Info{}
			for _, p := range m.Graph.Inputs {
				shape := make([]int, len(p.Type.Shape))
				for i, dim := range p.Type.Shape {
					shape[i] = max(dim.N, 2)
				}
				in[p.Name] = op.Info{DType: p.Type.DType, Shape: shape}
			}
			want, err := op.InferShapes(m.Graph, in)
			if err != nil {
				return d.Expected // refused as it was written
			}
			got, err := op.InferShapes(Graph(m.Graph, nil), in)
			if err != nil {
				t.Errorf("%s: %v", d.Pos, err)
				return d.Expected
			}
			for _, o := range m.Graph.Outputs {
				require.Equal(t, want[o.Name].DType, got[o.Name].DType, "%s: %s", d.Pos, o.Name)
				require.Equal(t, want[o.Name].Shape, got[o.Name].Shape, "%s: %s", d.Pos, o.Name)
			}
			return d.Expected
		})
	})
}
