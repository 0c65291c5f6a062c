package fuse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// FuzzGraph feeds graphs of any kind, the cases of TestFuse among them: the pass must neither fail nor make an invalid
// graph of a valid one.
func FuzzGraph(f *testing.F) {
	files, err := filepath.Glob("testdata/cases/*.txt")
	require.NoError(f, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(f, err)
		for _, c := range strings.Split(string(b), "\nfuse\n")[1:] {
			text, _, _ := strings.Cut(c, "----")
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := graph.Parse(prelude + text)
		if err != nil {
			return
		}
		valid := graph.Validate(m) == nil
		m.Graph = Graph(m.Graph, nil)
		if valid {
			require.NoError(t, graph.Validate(m), graph.PrintGraph(m.Graph))
		}
	})
}
