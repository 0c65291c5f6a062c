package op_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIntegerOperatorsEqualONNXRuntime: no byte of an integer operator differs from the runtime's, floats behind exact
// integer sums included.
func TestIntegerOperatorsEqualONNXRuntime(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	root := t.TempDir()
	out, err := exec.Command(python, "testdata/quantized.py", root).CombinedOutput()
	require.NoError(t, err, "%s", out)
	dirs, err := filepath.Glob(filepath.Join(root, "*"))
	require.NoError(t, err)
	require.Greater(t, len(dirs), 60)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			require.NoError(t, runCase(filepath.Join(dir, "model.onnx"), tolerance{}))
		})
	}
}
