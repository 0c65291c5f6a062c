package fuse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// FuzzGraph feeds valid graphs, the cases of TestFuse among them, whose nodes may have any number of inputs: the pass
// must neither fail nor make an invalid graph of them.
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
		if err != nil || graph.Validate(m) != nil {
			return
		}
		m.Graph = Graph(m.Graph, nil)
		require.NoError(t, graph.Validate(m), graph.PrintGraph(m.Graph))
	})
}
