package engine_test

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/tensor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// floats are whole models with the inputs they are fed.
var floats = []struct {
	file, kind string
	count      int
}{
	{"mnist-cntk", "1x1x28x28", 1},
	{"mnist-mlp-256x2", "1x784x1", 1},
	{"mlperf-tiny-ic-resnet8", "nhwc", 3},
	{"cifar10-resnet20", "cifar", 3},
	{"cifar10-cnn-medium", "nhwc", 3},
	{"cifar10-vit-3x3", "cifar", 1},
	{"squeezenet1.1", "imagenet", 2},
	{"mobilenet_v1_0.25_224", "imagenet", 2},
	{"efficientnet-lite0", "imagenet", 2},
	{"all-minilm-l6-v2", "input_ids=int64:2x24,attention_mask=int64:2x24,token_type_ids=int64:2x24", 2},
	{"magika-v3_3", "int32:2x2048", 2},
	{"ch_ppocr_mobile_v2.0_cls_infer", "1x3x48x192", 1},
	{"ultraface-rfb-320", "1x3x240x320", 1},
}

// TestFloatModelsAgreeWithTheRuntime demands max|a-b| <= 1e-4 max|b| for each output of each model.
func TestFloatModelsAgreeWithTheRuntime(t *testing.T) {
	for _, c := range floats {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join(assets(t), "models", c.file+".onnx")
			want := runtimeOutputs(t, path, c.kind, c.count)
			m, err := onnx.Read(path)
			require.NoError(t, err)
			got := runRows(t, engine.New(engine.Options{}), m, want.in)
			for name, w := range want.out {
				near(t, name, got[name], w, 1e-4)
			}
		})
	}
}

// runRows runs m on in, all rows at once where the model lets its batch free, else row by row.
func runRows(t testing.TB, e *engine.Engine, m *graph.Model, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	p, err := e.Compile(m, nil)
	require.NoError(t, err)
	rows, fixed := 0, false
	for _, port := range m.Graph.Inputs {
		if x := in[port.Name]; x != nil {
			rows = x.Shape[0]
			fixed = fixed || len(port.Type.Shape) > 0 && port.Type.Shape[0].N == 1
		}
	}
	if !fixed {
		out, err := p.Run(context.Background(), in, [32]byte{})
		require.NoError(t, err)
		return out
	}
	all := map[string]*tensor.Tensor{}
	for r := range rows {
		out, err := p.Run(context.Background(), row(in, r, 1), [32]byte{})
		require.NoError(t, err)
		for name, x := range out {
			if all[name] == nil {
				all[name] = &tensor.Tensor{DType: x.DType, Shape: append([]int{0}, x.Shape[1:]...)}
			}
			all[name].Shape[0] += x.Shape[0]
			all[name].Data = append(all[name].Data, x.Data...)
		}
	}
	return all
}

// row returns rows [from, from+n) of each tensor.
func row(in map[string]*tensor.Tensor, from, n int) map[string]*tensor.Tensor {
	out := map[string]*tensor.Tensor{}
	for name, x := range in {
		size := len(x.Data) / x.Shape[0]
		out[name] = &tensor.Tensor{DType: x.DType, Shape: append([]int{n}, x.Shape[1:]...), Data: x.Data[from*size : (from+n)*size]}
	}
	return out
}

// near demands equal types and shapes, and for floats max|a-b| <= tolerance max|b|, else equality.
func near(t testing.TB, name string, got, want *tensor.Tensor, tolerance float64) {
	require.NotNil(t, got, name)
	require.Equal(t, want.Shape, got.Shape, name)
	require.Equal(t, want.DType, got.DType, name)
	if got.DType != tensor.Float32 {
		require.True(t, bytes.Equal(want.Data, got.Data), name)
		return
	}
	a, b := got.F32(), tensor.View[float32](want)
	most, worst := 0.0, 0.0
	for i := range b {
		most = max(most, math.Abs(float64(b[i])))
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	require.False(t, math.IsNaN(worst), name)
	require.LessOrEqual(t, worst, tolerance*most, name)
}
