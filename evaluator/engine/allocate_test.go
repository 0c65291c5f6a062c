package engine_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/onnx"
	"assay/shared/pass"
	"assay/shared/tensor"
)

// feeds are inputs of a model at batch 1: small integers, and floats that are no constants.
func feeds(t testing.TB, path string) map[string]*tensor.Tensor {
	m, err := onnx.Read(path)
	require.NoError(t, err)
	in := map[string]*tensor.Tensor{}
	for _, p := range m.Graph.Inputs {
		if m.Graph.Consts[p.Name] != nil {
			continue
		}
		var shape []int
		for i, d := range p.Type.Shape {
			n := d.N
			if n < 0 && i == 0 {
				n = 1
			} else if n < 0 {
				n = 32
			}
			shape = append(shape, n)
		}
		x := tensor.New(p.Type.DType, shape...)
		if x.DType == tensor.Float32 {
			for i, v := 0, x.F32(); i < len(v); i++ {
				v[i] = float32(i%17)/8 - 1
			}
		}
		in[p.Name] = x
	}
	return in
}

// allocates demands that a warm run of p allocates at most so often, and never where the results of one serve the next. A collection in between may empty a pool, so the least
// of some runs counts; the race detector drops at random what pools hold, so there only the run counts.
func allocates(t *testing.T, most float64, p *engine.Program, in map[string]*tensor.Tensor) {
	t.Helper()
	for _, again := range []bool{false, true} {
		run := func() {
			out, err := p.Run(context.Background(), in, [32]byte{})
			require.NoError(t, err)
			if again {
				p.Reuse(out)
			}
		}
		if again {
			most = 0
		}
		run()
		if race {
			return
		}
		least := testing.AllocsPerRun(1, run)
		for i := 0; i < 10 && least > most; i++ {
			least = min(least, testing.AllocsPerRun(1, run))
		}
		require.LessOrEqual(t, least, most, "results serve again: %v", again)
	}
}

// TestRealModelsAllocateResultsOnly demands that a warm run of whole networks allocates what it gives to the caller and no
// more, whatever the depth: attention products, softmax and normalisation included.
func TestRealModelsAllocateResultsOnly(t *testing.T) {
	for _, file := range []string{"mobilenet_v1_0.25_224", "squeezenet1.1", "cifar10-resnet20", "cifar10-vit-3x3", "all-minilm-l6-v2",
		"ultraface-rfb-320", "mnist-cntk", "magika-v3_3"} {
		t.Run(file, func(t *testing.T) {
			if tier.Current() == tier.Plain {
				t.Skip("skipped: a whole network takes minutes on the plain tier")
			}
			path := filepath.Join(assets(t), "models", file+".onnx")
			in := feeds(t, path)
			m, err := onnx.Read(path)
			require.NoError(t, err)
			require.NoError(t, pass.Normalize(m))
			p, err := engine.New(engine.Options{}).Compile(m, nil)
			require.NoError(t, err)
			allocates(t, 2+3*float64(len(p.Wants())), p, in)
		})
	}
}
