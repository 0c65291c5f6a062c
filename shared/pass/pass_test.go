package pass

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// TestPasses runs the named passes over a graph in its text form until nothing changes; the graph is validated after each.
func TestPasses(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m, err := graph.Parse(d.Input)
			require.NoError(t, err, d.Pos)
			require.NoError(t, graph.Validate(m), d.Pos)
			var names []string
			for _, a := range d.CmdArgs {
				names = append(names, a.Key)
			}
			require.NoError(t, run(m, names, valid(m)), d.Pos)
			return strings.TrimPrefix(graph.Print(m), "opset 21\n")
		})
	})
}

// valid checks a model after each pass.
func valid(m *graph.Model) func(string) error {
	return func(name string) error {
		if err := graph.Validate(m); err != nil {
			return fmt.Errorf("after pass %s: %w", name, err)
		}
		return nil
	}
}

// TestOrder: both entry points keep every row of the order table, every row and pass is in use, and Simplify is exact.
func TestOrder(t *testing.T) {
	for _, o := range order {
		used := false
		for _, names := range [][]string{normalize, simplify} {
			before, after := slices.Index(names, o.before), slices.Index(names, o.after)
			if before < 0 || after < 0 {
				continue
			}
			used = true
			require.Less(t, before, after, o.reason)
		}
		require.True(t, used, "%s before %s: no entry point has both", o.before, o.after)
	}
	for _, p := range passes {
		require.NotEmpty(t, p.reason)
		if slices.Contains(simplify, p.name) {
			require.True(t, p.exact, p.name)
		} else {
			require.Contains(t, normalize, p.name)
		}
	}
}
