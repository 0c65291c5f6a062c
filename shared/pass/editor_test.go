package pass

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestEditorKeepsItsIndex: after any pass over random graphs the editor's index says of producers and readers what a new index of
// the graph says, so that a pass may trust it at any moment, and no hint is left of a value that is gone.
func TestEditorKeepsItsIndex(t *testing.T) {
	for seed := range uint64(40) {
		text := draw(seed+100, 12)
		for _, p := range passes {
			m, err := graph.Parse(text)
			require.NoError(t, err, text)
			for _, n := range m.Graph.Nodes {
				m.Graph.Types[n.Outputs[0]] = graph.FixedType(tensor.Float32)
			}
			e := newEditor(m.Graph)
			_, err = p.run(e)
			require.NoError(t, err, text)
			e.done()
			want := graph.NewIndex(m.Graph)
			require.Equal(t, want.Producer, e.index.Producer, "seed %d, pass %s", seed, p.name)
			for value, uses := range want.Uses {
				require.ElementsMatch(t, uses, e.index.Uses[value], "seed %d, pass %s: readers of %q", seed, p.name, value)
			}
			for value, uses := range e.index.Uses {
				require.True(t, len(uses) == 0 || len(want.Uses[value]) > 0, "seed %d, pass %s: %q has no reader any more", seed, p.name, value)
			}
			for value := range m.Graph.Types {
				require.NotNil(t, want.Producer[value], "seed %d, pass %s: hint of %q", seed, p.name, value)
			}
		}
	}
}
