package op

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// batched is a Scan of opset 8 over two samples of up to three rows: the state is the sum so far and what is joined the sum
// times an element captured from around.
const batched = `opset 8
input n: int64[2]
input s: float32[2,2]
input x: float32[2,3,2]
k: float32[] = const [2]
y, z = Scan(%s, s, x) {num_scan_inputs=1%s, body=graph {
  input a: float32[2]
  input e: float32[2]
  b = Add(a, e)
  c = Mul(b, k)
  output b: float32[2]
  output c: float32[2]
}}
output y
output z
`

// TestBatchedScan: the form of opset 8, whole, of given lengths and backwards.
func TestBatchedScan(t *testing.T) {
	for _, c := range []struct {
		name, lengths, attrs string
		n                    []int64
		y, z                 []float32
	}{
		{"all rows", `""`, "", []int64{0, 0}, []float32{9, 12, 27, 30}, []float32{2, 4, 8, 12, 18, 24, 14, 16, 32, 36, 54, 60}},
		{"lengths", "n", "", []int64{2, 3}, []float32{4, 6, 27, 30}, []float32{2, 4, 8, 12, 0, 0, 14, 16, 32, 36, 54, 60}},
		{"lengths beyond both ends", "n", "", []int64{-5, 9}, []float32{0, 0, 27, 30}, []float32{0, 0, 0, 0, 0, 0, 14, 16, 32, 36, 54, 60}},
		{"lengths, backwards", "n", ", directions=[1]", []int64{2, 3}, []float32{4, 6, 27, 30}, []float32{6, 8, 8, 12, 0, 0, 22, 24, 40, 44, 54, 60}},
		{"no length, backwards", "n", ", directions=[1]", []int64{0, 1}, []float32{0, 0, 7, 8}, []float32{0, 0, 0, 0, 0, 0, 14, 16, 0, 0, 0, 0}},
		{"backwards", `""`, ", directions=[1]", []int64{0, 0}, []float32{9, 12, 27, 30}, []float32{10, 12, 16, 20, 18, 24, 22, 24, 40, 44, 54, 60}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := graph.Parse(fmt.Sprintf(batched, c.lengths, c.attrs))
			require.NoError(t, err)
			require.NoError(t, UpgradeModel(m))
			graph.NameNodes(m.Graph)
			require.NoError(t, graph.Validate(m))
			x := tensor.New(tensor.Float32, 2, 3, 2)
			for i := range x.F32() {
				x.F32()[i] = float32(i + 1)
			}
			s := tensor.Of(tensor.Float32, []int{2, 2}, []float32{0, 0, 0, 0})
			env, err := EvalGraph(context.Background(), m.Graph, map[string]*tensor.Tensor{"n": int64s(c.n...), "s": s, "x": x})
			require.NoError(t, err)
			require.Equal(t, []int{2, 3, 2}, env["z"].Shape)
			require.Equal(t, c.y, env["y"].F32())
			require.Equal(t, c.z, env["z"].F32())
		})
	}
}

// TestBatchedScanBothWays: one Scan goes over the same values forwards and backwards, each within the sample's own length.
func TestBatchedScanBothWays(t *testing.T) {
	m, err := graph.Parse(`opset 8
input n: int64[2]
input x: float32[2,3,1]
z = Scan(n, x, x) {num_scan_inputs=2, directions=[0,1], body=graph {
  input f: float32[1]
  input b: float32[1]
  k: float32[] = const [100]
  w = Mul(f, k)
  c = Add(w, b)
  output c: float32[1]
}}
output z
`)
	require.NoError(t, err)
	require.NoError(t, UpgradeModel(m))
	graph.NameNodes(m.Graph)
	require.NoError(t, graph.Validate(m))
	x := tensor.Of(tensor.Float32, []int{2, 3, 1}, []float32{1, 2, 3, 4, 5, 6})
	env, err := EvalGraph(context.Background(), m.Graph, map[string]*tensor.Tensor{"n": int64s(2, 3), "x": x})
	require.NoError(t, err)
	require.Equal(t, []float32{102, 201, 0, 406, 505, 604}, env["z"].F32())
}

// TestBatchedScanIsRefused: what no Scan can be.
func TestBatchedScanIsRefused(t *testing.T) {
	for attrs, want := range map[string]string{
		", directions=[1,1]": "do not fit 1 values",
	} {
		m, err := graph.Parse(fmt.Sprintf(batched, "n", attrs))
		require.NoError(t, err)
		require.ErrorContains(t, UpgradeModel(m), want)
	}
	m, err := graph.Parse("opset 8\ny = Scan() {body=graph { k: float32[] = const [1] output k }}\noutput y\n")
	require.NoError(t, err)
	require.ErrorContains(t, UpgradeModel(m), "it has no inputs")
}
