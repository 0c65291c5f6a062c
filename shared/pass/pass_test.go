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

// TestOrder: Normalize keeps every row of the order table, and every row and pass is in use.
func TestOrder(t *testing.T) {
	for _, o := range order {
		before, after := slices.Index(normalize, o.before), slices.Index(normalize, o.after)
		require.True(t, before >= 0 && before < after, "%s before %s: %s", o.before, o.after, o.reason)
	}
	for _, p := range passes {
		require.NotEmpty(t, p.reason)
		require.Contains(t, normalize, p.name)
	}
}

// exactly are the passes of Normalize that change no bit, in its order.
func exactly() (names []string) {
	for _, name := range normalize {
		if slices.ContainsFunc(passes, func(p pass) bool { return p.name == name && p.exact }) {
			names = append(names, name)
		}
	}
	return names
}
