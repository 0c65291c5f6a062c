package op_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/onnx"
	"assay/shared/onnx/suite"
	"assay/shared/op"
	"assay/shared/tensor"
)

// models are the real networks whose float outputs are compared with ONNX Runtime's.
var models = []string{
	"mnist-cntk", "mnist-mlp-256x2", "mlperf-tiny-ic-resnet8", "cifar10-resnet20", "cifar10-cnn-medium", "squeezenet1.1",
	"mobilenet_v1_0.25_224", "efficientnet-lite0", "cifar10-vit-3x3", "magika-v3_3",
}

// runtimeOutputs makes inputs for a model and what ONNX Runtime says to them, in a new folder. The test is skipped without
// an interpreter.
func runtimeOutputs(t *testing.T, model string) string {
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	dir := t.TempDir()
	out, err := exec.Command(python, "testdata/runtime.py", model, dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// TestModelsAgreeWithONNXRuntime: max|a-b| <= 1e-4 max|b| for each output; the order of float sums differs, nothing else.
func TestModelsAgreeWithONNXRuntime(t *testing.T) {
	root := assets(t)
	for _, name := range models {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(root, "models", name+".onnx")
			dir := runtimeOutputs(t, path)
			m, err := onnx.Read(path)
			require.NoError(t, err)
			in := map[string]*tensor.Tensor{}
			shapes := map[string]op.Info{}
			for i, p := range m.Graph.Inputs {
				x, err := suite.ReadTensor(filepath.Join(dir, fmt.Sprintf("input_%d.pb", i)))
				require.NoError(t, err)
				in[p.Name], shapes[p.Name] = x, op.Info{DType: x.DType, Shape: x.Shape}
			}
			info, err := op.InferShapes(m.Graph, shapes)
			require.NoError(t, err)
			env, err := evaluate(m.Graph, in)
			require.NoError(t, err)
			for i, p := range m.Graph.Outputs {
				want, err := suite.ReadTensor(filepath.Join(dir, fmt.Sprintf("output_%d.pb", i)))
				require.NoError(t, err)
				require.Equal(t, want.Shape, info[p.Name].Shape)
				requireNear(t, want, env[p.Name], 1e-4)
			}
		})
	}
}

// requireNear demands max|got-want| <= bound * max|want|.
func requireNear(t *testing.T, want, got *tensor.Tensor, bound float64) {
	t.Helper()
	require.Equal(t, want.Shape, got.Shape)
	top, worst := 0.0, 0.0
	g := got.F32()
	for i, w := range want.F32() {
		top = max(top, math.Abs(float64(w)))
		worst = max(worst, math.Abs(float64(w)-float64(g[i])))
	}
	require.LessOrEqual(t, worst, bound*top, "largest difference %g of largest output %g", worst, top)
	t.Logf("largest difference %.2g of largest output %.3g", worst, top)
}
