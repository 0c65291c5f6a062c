package pass

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// TestFoldedConstantsGrowWithinBounds: a result of eight times the bytes of all inputs and maxGrowth more is folded, one element more
// is not, nor is one whose size in bytes no model could hold.
func TestFoldedConstantsGrowWithinBounds(t *testing.T) {
	const one, both = (8*8 + maxGrowth) / 4, (8*(8+4) + maxGrowth) / 4 // float32 elements from int64[1], and with float32[1]
	for _, c := range []struct {
		node   string
		n      int
		folded bool
	}{
		{"ConstantOfShape(s)", one, true}, {"ConstantOfShape(s)", one + 1, false}, {"Expand(w, s)", both, true}, {"Expand(w, s)", both + 1, false},
		{"ConstantOfShape(s)", 1 << 29, false}, {"ConstantOfShape(s)", 1<<31 - 1, false},
	} {
		m, err := graph.Parse(fmt.Sprintf("input x: float32[1]\ns: int64[1] = const [%d]\nw: float32[1] = const [3]\nv = %s @v\ny = Add(x, v) @y\noutput y\n", c.n, c.node))
		require.NoError(t, err)
		require.NoError(t, run(m, []string{"constants", "dead"}, valid(m)))
		require.Equal(t, c.folded, len(m.Graph.Nodes) == 1, "%s of %d", c.node, c.n)
		if c.folded {
			require.Equal(t, []int{c.n}, m.Graph.Consts["v"].Shape)
		}
	}
}
