package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/onnx"
	"assay/shared/tensor"
)

// quantized are models that ONNX Runtime's own tool makes INT8 for this test.
var quantized = []struct {
	file, kind string
	count      int
}{
	{"squeezenet1.1", "imagenet", 6},
	{"mlperf-tiny-ic-resnet8", "nhwc", 12},
	{"cifar10-resnet20", "cifar", 12},
	{"mobilenet_v1_0.25_224", "imagenet", 6},
	{"efficientnet-lite0", "imagenet", 3},
	{"ch_ppocr_mobile_v2.0_cls_infer", "2x3x48x192", 2},
}

// qdq is the quantized form of a model, made once per test binary.
func qdq(t testing.TB, file, kind string, count int) string {
	path := filepath.Join(t.TempDir(), file+".qdq.onnx")
	oracle(t, "quantize", filepath.Join(assets(t), "models", file+".onnx"), kind, fmt.Sprint(count), path)
	return path
}

// TestQuantizedModelsEqualTheRuntime demands the runtime's operators and its bytes from whole INT8 networks.
func TestQuantizedModelsEqualTheRuntime(t *testing.T) {
	for _, c := range quantized {
		t.Run(c.file, func(t *testing.T) {
			path := qdq(t, c.file, c.kind, c.count)
			want := runtimeOutputs(t, path, c.kind, c.count)
			m, err := onnx.Read(path)
			require.NoError(t, err)
			p, err := engine.New(engine.Options{}).Compile(m, nil)
			require.NoError(t, err)
			ours := p.Operators()
			for _, of := range []map[string]int{ours, want.operators} {
				for name := range of {
					if name != "QuantizeLinear" && name != "DequantizeLinear" {
						require.Equal(t, want.operators[name], ours[name], name)
					}
				}
			}
			got := runRows(t, engine.New(engine.Options{}), m, want.in)
			for name, w := range want.out {
				require.Equal(t, w.Shape, got[name].Shape)
				differing := 0
				a, b := got[name].F32(), tensor.View[float32](w)
				for i := range b {
					if a[i] != b[i] {
						differing++
					}
				}
				require.Zero(t, differing, "of %d outputs; the runtime ran %v", len(b), want.operators)
			}
		})
	}
}

// TestBatchChangesNoBit compares a batch with its samples one by one, in float and in INT8.
func TestBatchChangesNoBit(t *testing.T) {
	const tokens = "input_ids=int64:5x16,attention_mask=int64:5x16,token_type_ids=int64:5x16"
	for _, c := range []struct {
		file, kind string
		integer    bool
	}{
		{"mlperf-tiny-ic-resnet8", "nhwc", false},
		{"mlperf-tiny-ic-resnet8", "nhwc", true},
		{"cifar10-resnet20", "cifar", false},
		{"cifar10-resnet20", "cifar", true},
		{"mobilenet_v1_0.25_224", "imagenet", true},
		{"cifar10-vit-3x3", "cifar", false},
		{"all-minilm-l6-v2", tokens, false},
		{"all-minilm-l6-v2", tokens, true},
	} {
		t.Run(fmt.Sprintf("%s/int8=%v", c.file, c.integer), func(t *testing.T) {
			path := filepath.Join(assets(t), "models", c.file+".onnx")
			in := runtimeOutputs(t, path, c.kind, 5).in
			if c.integer {
				path = qdq(t, c.file, c.kind, 5)
			}
			m, err := onnx.Read(path)
			require.NoError(t, err)
			p, err := engine.New(engine.Options{}).Compile(m, nil)
			require.NoError(t, err)
			require.True(t, p.RowWise())
			all, err := p.Run(context.Background(), in, [32]byte{})
			require.NoError(t, err)
			for r := range 5 {
				one, err := p.Run(context.Background(), row(in, r, 1), [32]byte{})
				require.NoError(t, err)
				for name, x := range row(all, r, 1) {
					require.Equal(t, x, one[name])
				}
			}
		})
	}
}
