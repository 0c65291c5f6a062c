package graph

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// TestText runs the scripts of testdata: `print` parses and prints, `validate`, `sort`, `inline`, `unhide`, `finite` do so
// and then apply the function of that name. Whatever parses must print to a text that parses to the same.
func TestText(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { runScript(t, path) })
	}
}

func runScript(t *testing.T, path string) {
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		m, err := Parse(d.Input)
		if err != nil {
			return err.Error()
		}
		requireRoundTrip(t, m)
		if err := commands[d.Cmd](m); err != nil {
			return err.Error()
		}
		if d.Cmd == "validate" || d.Cmd == "finite" {
			return "ok"
		}
		requireRoundTrip(t, m)
		return strings.TrimPrefix(Print(m), "opset 21\n")
	})
}

var commands = map[string]func(*Model) error{
	"print":    func(*Model) error { return nil },
	"validate": Validate,
	"sort":     func(m *Model) error { return Sort(m.Graph) },
	"finite":   CheckFinite,
	"inline":   Inline,
	"unhide":   func(m *Model) error { Unhide(m.Graph); return nil },
}

// requireRoundTrip checks that the text form loses nothing that counts.
func requireRoundTrip(t *testing.T, m *Model) {
	t.Helper()
	text := Print(m)
	again, err := ParseWith(text, Table(m))
	require.NoError(t, err, text)
	require.Equal(t, text, Print(again))
	require.Equal(t, Digest(m), Digest(again))
}
