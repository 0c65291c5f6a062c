package engine_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/onnx"
)

// optimised are models whose form after ONNX Runtime's optimiser is read and run.
var optimised = []struct{ file, kind string }{
	{"mnist-cntk", "1x1x28x28"},
	{"mlperf-tiny-ic-resnet8", "nhwc"},
	{"cifar10-resnet20", "cifar"},
	{"cifar10-vit-3x3", "cifar"},
	{"squeezenet1.1", "imagenet"},
	{"all-minilm-l6-v2", "input_ids=int64:1x24,attention_mask=int64:1x24,token_type_ids=int64:1x24"},
}

// TestOptimisedModels: a file that the runtime saved after its optimisations holds its own operators, and gives the same
// results as the file it was made from. At the last level it is made for one machine, and refused by name.
func TestOptimisedModels(t *testing.T) {
	for _, c := range optimised {
		path := filepath.Join(assets(t), "models", c.file+".onnx")
		t.Run(c.file, func(t *testing.T) {
			want := runtimeOutputs(t, path, c.kind, 1)
			for _, level := range []string{"basic", "extended", "all"} {
				file := filepath.Join(t.TempDir(), level+".onnx")
				oracle(t, "optimise", path, level, "1", file)
				m, err := onnx.Read(file)
				if level == "all" && err != nil {
					require.ErrorContains(t, err, "for one kind of machine")
					continue
				}
				require.NoError(t, err, level)
				p, err := engine.New(engine.Options{}).Compile(m, nil)
				require.NoError(t, err, level)
				got, err := p.Run(context.Background(), want.in, [32]byte{})
				require.NoError(t, err, level)
				for name, w := range want.out {
					near(t, name, got[name], w, 1e-4)
				}
			}
		})
	}
}

// TestOptimisedQuantizedModels: the same of QDQ models, whose optimised form holds integer operators, at the last level
// with channels behind.
func TestOptimisedQuantizedModels(t *testing.T) {
	for _, c := range []struct{ file, kind string }{{"mlperf-tiny-ic-resnet8", "nhwc"}, {"squeezenet1.1", "imagenet"}} {
		t.Run(c.file, func(t *testing.T) {
			quantized := filepath.Join(t.TempDir(), "quantized.onnx")
			oracle(t, "quantize", filepath.Join(assets(t), "models", c.file+".onnx"), c.kind, "2", quantized)
			want := runtimeOutputs(t, quantized, c.kind, 1)
			for _, level := range []string{"extended", "all"} {
				file := filepath.Join(t.TempDir(), level+".onnx")
				oracle(t, "optimise", quantized, level, "1", file)
				m, err := onnx.Read(file)
				require.NoError(t, err, level)
				got := runRows(t, engine.New(engine.Options{}), m, want.in)
				for name, w := range want.out {
					near(t, name, got[name], w, 1e-4)
				}
			}
		})
	}
}
