package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCustomOperatorsAreRefused: a published network with operators of another library is refused in one line that names
// each operator of a foreign domain once with the node that has it, by run and by explain, before data are looked at.
func TestCustomOperatorsAreRefused(t *testing.T) {
	const model = "../../shared/assets/models/superresolution-custom-ops.onnx"
	if _, err := os.Stat(model); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	for _, command := range []string{"run", "explain"} {
		w := newWorld(t)
		args := w.args("-m", model)
		args[0] = command
		code, stdout, stderr := w.execute(t.Context(), args...)
		require.Equal(t, exitInput, code, stderr)
		require.Empty(t, stdout)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		require.Contains(t, stderr, filepath.Base(model))
		named := regexp.MustCompile(`operator ([\w.]+) \(node "(\w+)"\)`).FindAllStringSubmatch(stderr, -1)
		require.Len(t, named, 2, stderr)
		require.Equal(t, []string{"com.microsoft.extensions.DecodeImage", "pre_process_0"}, named[0][1:])
		require.Equal(t, []string{"com.microsoft.extensions.EncodeImage", "post_process_52"}, named[1][1:])
		require.NoDirExists(t, w.path("out"))
	}
}
