package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/pass"
	"assay/shared/tensor"
)

// TestModelsGiveTheSameBytesEverywhere runs whole models in float and with everything INT8, on every tier of this machine: one sample
// after the other, two at a time, and all in a batch.
func TestModelsGiveTheSameBytesEverywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: a minute on the plain tier; run without -short")
	}
	small := []string{"mnist-cntk", "mnist-mlp-256x2", "mlperf-tiny-ic-resnet8", "cifar10-cnn-medium"}
	for _, name := range append(small, labelled...) {
		path := filepath.Join(shared(t, "assets"), "models", name+".onnx")
		t.Run(name, func(t *testing.T) {
			float, err := onnx.Read(path)
			require.NoError(t, err)
			require.NoError(t, pass.Normalize(float))
			integer, groups, err := quantized(t.Context(), float)
			require.NoError(t, err)
			require.NotZero(t, groups)
			for typ, m := range map[string]*graph.Model{"float": float, "int8": integer} {
				sameEverywhere(t, typ, m)
			}
		})
	}
}

// sameEverywhere compares the answers of m to a few samples, half as many on the plain tier, which is slow.
func sameEverywhere(t *testing.T, typ string, m *graph.Model) {
	const few = 4
	var want []map[string]*tensor.Tensor
	tiers := tier.Supported()
	for i := range tiers {
		level, samples := tiers[len(tiers)-1-i], few
		if level == tier.Plain {
			samples = few / 2
		}
		undo := tier.Force(level)
		p, err := engine.New(engine.Options{}).Compile(m, nil)
		require.NoError(t, err)
		if want == nil {
			want = answers(t, p, m, samples, 1)
		}
		two := answers(t, p, m, samples, 2)
		one, batch := two, two
		if level != tier.Plain {
			one, batch = answers(t, p, m, samples, 1), together(t, p, m, samples)
		}
		undo()
		require.Equal(t, want[:samples], two, "%s on %s, two threads", typ, level)
		require.Equal(t, want[:samples], one, "%s on %s, one thread", typ, level)
		require.Equal(t, want[:samples], batch, "%s on %s, a batch", typ, level)
	}
}

// oneRow is input i of m: one row, and of texts the first tokens, so that it takes seconds on every tier.
func oneRow(m *graph.Model, i int) map[string]*tensor.Tensor {
	in, _ := inputs(m, 1, uint64(i+100))
	for _, x := range in {
		if x.DType == tensor.Int64 && len(x.Shape) == 2 {
			x.Shape[1] = 12
			x.Data = x.Data[:12*x.DType.Size()]
		}
	}
	return in
}

// answers runs samples 0 to n-1, dealt out to so many goroutines.
func answers(t *testing.T, p *engine.Program, m *graph.Model, n, threads int) []map[string]*tensor.Tensor {
	out, errs := make([]map[string]*tensor.Tensor, n), make([]error, threads)
	var all sync.WaitGroup
	for k := range threads {
		all.Go(func() {
			for i := k; i < n && errs[k] == nil; i += threads {
				if out[i], errs[k] = p.Run(context.Background(), oneRow(m, i), [32]byte{}); errs[k] != nil {
					errs[k] = fmt.Errorf("sample %d: %w", i, errs[k])
				}
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return out
}

// together runs samples 0 to n-1 as one batch, or one by one if the program's rows depend on each other.
func together(t *testing.T, p *engine.Program, m *graph.Model, n int) []map[string]*tensor.Tensor {
	if !p.RowWise() {
		return answers(t, p, m, n, 1)
	}
	in := oneRow(m, 0)
	for i := 1; i < n; i++ {
		for name, x := range oneRow(m, i) {
			in[name].Shape[0]++
			in[name].Data = append(in[name].Data, x.Data...)
		}
	}
	out, err := p.Run(t.Context(), in, [32]byte{})
	require.NoError(t, err)
	rows := make([]map[string]*tensor.Tensor, n)
	for i := range rows {
		rows[i] = map[string]*tensor.Tensor{}
		for name, x := range out {
			size := len(x.Data) / n
			shape := append([]int{x.Shape[0] / n}, x.Shape[1:]...)
			rows[i][name] = &tensor.Tensor{DType: x.DType, Shape: shape, Data: x.Data[i*size : (i+1)*size]}
		}
	}
	return rows
}
