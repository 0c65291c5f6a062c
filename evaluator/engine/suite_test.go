package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/suite"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestEngineAgreesWithOp runs every case of the ONNX suite that package op can evaluate: compiled, the bits are the same.
// The exception is a Gemm whose C is computed: it is added behind the sums instead of in front of them.
func TestEngineAgreesWithOp(t *testing.T) {
	models, err := filepath.Glob(filepath.Join(assets(t), "onnx-conformance", "*", "*", "model.onnx"))
	require.NoError(t, err)
	e, agreed := engine.New(engine.Options{Memory: 1 << 28}), 0
	for i, path := range models {
		whole := filepath.Base(filepath.Dir(filepath.Dir(path))) == "light"
		if testing.Short() && i%40 != 0 || whole && tier.Current() == tier.Plain {
			continue
		}
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			m, err := onnx.Read(path)
			if err != nil || hasGemmSum(m.Graph) {
				t.SkipNow()
			}
			in := suiteInputs(dir, m.Graph)
			want, err := op.EvalGraph(context.Background(), m.Graph, in)
			if err != nil {
				t.SkipNow()
			}
			p, err := e.Compile(m, nil)
			require.NoError(t, err)
			got, err := p.Run(context.Background(), in, [32]byte{})
			require.NoError(t, err)
			for _, out := range m.Graph.Outputs {
				require.Equal(t, contents(want[out.Name]), contents(got[out.Name]), out.Name)
			}
			agreed++
		})
	}
	t.Logf("%d cases agree", agreed)
}

// contents is what two runs have to agree in: a tensor itself, of a container its items and not the memory that they lie in.
func contents(v *tensor.Tensor) any {
	if !v.DType.Container() {
		return v
	}
	items := []any{v.DType, v.Elem}
	for _, item := range v.Items {
		items = append(items, contents(item))
	}
	return items
}

// hasGemmSum reports whether the C of a Gemm is no constant.
func hasGemmSum(g *graph.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool { return n.Op == "Gemm" && n.Input(2) != "" && g.Consts[n.Input(2)] == nil })
}

// suiteInputs reads the first data set of a case; what cannot be read is missing.
func suiteInputs(dir string, g *graph.Graph) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for i, p := range g.Inputs {
		if x, err := suite.Read(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("input_%d.pb", i)), p.Type); err == nil {
			in[p.Name] = x
		}
	}
	return in
}
