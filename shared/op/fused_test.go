package op_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFloatOperatorsAgreeWithONNXRuntime: recurrent operators and those of com.microsoft, in forms that the ONNX suite has
// no case of. Only the order of float sums and the functions' last bits differ.
func TestFloatOperatorsAgreeWithONNXRuntime(t *testing.T) {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	root := t.TempDir()
	out, err := exec.Command(python, "testdata/fused.py", root).CombinedOutput()
	require.NoError(t, err, "%s", out)
	dirs, err := filepath.Glob(filepath.Join(root, "*"))
	require.NoError(t, err)
	require.Greater(t, len(dirs), 40)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			require.NoError(t, runCase(filepath.Join(dir, "model.onnx"), tolerance{relative: 1e-4, absolute: 2e-5}))
		})
	}
}
