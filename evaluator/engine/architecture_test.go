package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/onnx"
)

// TestArchitecturesAgreeWithTheRuntime: outputs of well-known architectures with random weights, as two exporters write
// them, within 1e-4 of ONNX Runtime's.
func TestArchitecturesAgreeWithTheRuntime(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: large models")
	}
	interpreter := os.Getenv("ASSAY_PYTHON")
	if interpreter == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	script := filepath.Join(assets(t), "..", "peers", "make_arch.py")
	const tokens = "input_ids=int64:2x128,attention_mask=int64:2x128,token_type_ids=int64:2x128"
	for _, c := range []struct {
		name, style, kind string
		long              bool
	}{
		{"resnet50", "dynamo", "2x3x224x224", false}, {"mobilenet_v1", "dynamo", "2x3x224x224", false},
		{"mobilenet_v2", "dynamo", "2x3x224x224", false}, {"efficientnet_b0", "dynamo", "2x3x224x224", false},
		{"yolo_nano", "dynamo", "2x3x320x320", false},
		{"vit_s16", "dynamo", "1x3x224x224", false}, {"vit_s16", "torchscript", "1x3x224x224", false},
		{"vit_b16", "dynamo", "1x3x224x224", true}, {"vit_b16", "torchscript", "1x3x224x224", false},
		{"bert_base", "dynamo", tokens, true}, {"bert_base", "torchscript", tokens, false},
	} {
		t.Run(c.name+"/"+c.style, func(t *testing.T) {
			if c.long && os.Getenv("ASSAY_LONG") == "" {
				t.Skip("skipped: the other exporter's form of the same large network is compared; run with ASSAY_LONG=1")
			}
			dir := t.TempDir()
			out, err := exec.CommandContext(t.Context(), interpreter, script, "--out", dir, "--only", c.name, "--style", c.style).CombinedOutput()
			require.NoError(t, err, "%s", out)
			path := filepath.Join(dir, c.name+".onnx")
			want := runtimeOutputs(t, path, c.kind, 2)
			m, err := onnx.Read(path)
			require.NoError(t, err)
			got := runRows(t, engine.New(engine.Options{}), m, want.in)
			for name, w := range want.out {
				near(t, name, got[name], w, 1e-4)
			}
		})
	}
}
