package run

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/onnx"
)

// TestSequencesAtTheBorderAreRefused: data sets hold tensors and metrics read them, so a model that takes or gives anything else says
// which value it is; an output beside those that are measured may be one.
func TestSequencesAtTheBorderAreRefused(t *testing.T) {
	load := func(text string) (*model, error) {
		m, err := graph.Parse(text)
		require.NoError(t, err)
		b, err := onnx.Encode(m)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "model.onnx")
		require.NoError(t, os.WriteFile(path, b, 0o644))
		return loadModel(path)
	}
	_, err := load("input s: sequence(float32[2])\nx = ConcatFromSequence(s) {axis=0}\noutput x: float32[?]\n")
	require.ErrorContains(t, err, `input "s" is sequence(float32[2]), and data sets hold tensors`)

	m, err := load("input x: float32[2]\ny = Relu(x)\nl = SequenceConstruct(x, y)\noutput l: sequence(float32)\noutput y: float32[2]\n")
	require.NoError(t, err)
	require.EqualError(t, m.chooseOutputs(""), `--output: output "l" is sequence(float32), and metrics read tensors; those are [y]`)
	require.ErrorContains(t, m.chooseOutputs("l"), `output "l"`)
	require.NoError(t, m.chooseOutputs("y"))
}
