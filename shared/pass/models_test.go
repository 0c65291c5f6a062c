package pass

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/op"
	"assay/shared/tensor"
)

// assets is the folder of shared models beside the repository; the test is skipped where it is absent.
func assets(t *testing.T) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "assets")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return dir
}

// TestRealModelsKeepTheirOutputs: Normalize changes float outputs by at most 1e-5 of the largest, Simplify by nothing; a
// second call finds nothing to do; the operators that should be gone are.
func TestRealModelsKeepTheirOutputs(t *testing.T) {
	for _, c := range []struct {
		model string
		gone  []string
	}{
		{"mnist-cntk", []string{}},
		{"mnist-mlp-256x2", nil},
		{"mlperf-tiny-ic-resnet8", []string{"Identity"}},
		{"cifar10-resnet20", []string{"BatchNormalization"}},
		{"cifar10-cnn-medium", nil},
		{"squeezenet1.1", nil},
		{"mobilenet_v1_0.25_224", []string{"BatchNormalization"}},
		{"efficientnet-lite0", []string{"BatchNormalization", "Pad"}},
		{"cifar10-vit-3x3", nil},
	} {
		t.Run(c.model, func(t *testing.T) {
			m, err := onnx.Read(filepath.Join(assets(t), "models", c.model+".onnx"))
			require.NoError(t, err)
			in := inputs(m.Graph)
			want := outputs(t, m.Graph, in)
			before := len(m.Graph.Nodes)

			exact := m.Clone()
			require.NoError(t, run(exact, exactly(), valid(exact)))
			for name, w := range want {
				require.Equal(t, w.Data, outputs(t, exact.Graph, in)[name].Data, "exact passes changed %s", name)
			}

			require.NoError(t, run(m, normalize, valid(m)))
			for name, w := range want {
				near(t, w, outputs(t, m.Graph, in)[name], 1e-5)
			}
			t.Logf("%d nodes, %d by exact passes, %d normalised", before, len(exact.Graph.Nodes), len(m.Graph.Nodes))
			for _, n := range m.Graph.Nodes {
				require.NotContains(t, c.gone, n.Op, n.Name)
			}
			digest := graph.Digest(m)
			require.NoError(t, Normalize(m))
			require.Equal(t, digest, graph.Digest(m))
		})
	}
}

// inputs makes noise for the graph's inputs; unknown axes are 1 (the batch), or the 224 of image models.
func inputs(g *graph.Graph) map[string]*tensor.Tensor {
	r := rand.New(rand.NewPCG(1, 2))
	in := map[string]*tensor.Tensor{}
	for _, p := range g.Inputs {
		shape := make([]int, len(p.Type.Shape))
		for i, d := range p.Type.Shape {
			shape[i] = d.N
			if d.N < 0 {
				shape[i] = 1 + 223*min(i, 1)
			}
		}
		x := tensor.New(tensor.Float32, shape...)
		for i := range x.F32() {
			x.F32()[i] = r.Float32()*2 - 1
		}
		in[p.Name] = x
	}
	return in
}

// outputs evaluates g node by node.
func outputs(t *testing.T, g *graph.Graph, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	env := map[string]*tensor.Tensor{}
	for _, from := range []map[string]*tensor.Tensor{g.Consts, in} {
		for name, x := range from {
			env[name] = x
		}
	}
	for _, n := range g.Nodes {
		args := make([]*tensor.Tensor, len(n.Inputs))
		for i, name := range n.Inputs {
			args[i] = env[name]
		}
		out, err := op.Eval(n, args)
		require.NoError(t, err)
		for i, name := range n.Outputs {
			env[name] = out[i]
		}
	}
	out := map[string]*tensor.Tensor{}
	for _, p := range g.Outputs {
		out[p.Name] = env[p.Name]
	}
	return out
}

// near demands max|got-want| <= bound * max|want|.
func near(t *testing.T, want, got *tensor.Tensor, bound float64) {
	t.Helper()
	require.Equal(t, want.Shape, got.Shape)
	top, worst := 0.0, 0.0
	for i, w := range want.F32() {
		top = max(top, math.Abs(float64(w)))
		worst = max(worst, math.Abs(float64(w)-float64(got.F32()[i])))
	}
	require.LessOrEqual(t, worst, bound*top)
	t.Logf("largest difference %.2g of largest output %.3g", worst, top)
}
