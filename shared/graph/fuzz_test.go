package graph

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse feeds texts to the parser. It must not panic, nor may what works on its result; a model that is valid prints
// to a text that parses to an equal one. Seeds are the inputs of the scripts in testdata.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(f, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(f, err)
		for _, part := range strings.Split(string(b), "\n\n") {
			input, _, _ := strings.Cut(part, "\n----")
			_, input, _ = strings.Cut(input, "\n")
			f.Add(input)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		if Validate(m) == nil {
			requireRoundTrip(t, m)
			require.NoError(t, Sort(m.Graph), "valid graphs are sorted")
			_ = CheckFinite(m)
		}
		NewIndex(m.Graph)
		if c := m.Clone(); Inline(c) == nil {
			Unhide(c.Graph)
			if Sort(c.Graph) == nil {
				requireRoundTrip(t, c)
			}
		}
	})
}
