package pass

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestElementTypesFollow: what dtype says of a node's first result, which passes trust, is what the shape rule says. Invalid is
// always allowed where only is not set: it costs a rewrite and no result.
func TestElementTypesFollow(t *testing.T) {
	const head = "input x: float32[2,3]\ninput i: int64[2,3]\ninput q: uint8[2,3]\ninput b: bool[2,3]\ninput w: float32[1,1,4]\n" +
		"s: float32[] = const [0.5]\nz: int8[] = const [3]\nn: int64[2] = const [2, 3]\nk: int64[] = const [4]\nv: float16[2] = const [0, 1]\nh: float16[] = const [0.5]\n"
	for _, node := range []string{
		"Relu(x)", "Cast(x) {to=7}", "Cast(i) {to=1}", "CastLike(x, i)", "Where(b, i, i)", "OneHot(i, k, v)", "DequantizeLinear(q, s)", "DequantizeLinear(q, h)",
		"QuantizeLinear(x, s)", "QuantizeLinear(x, s, z)", "QuantizeLinear(x, s) {output_dtype=3}", "Shape(x)", "Size(x)", "ArgMax(x)", "ArgMin(x)",
		"Equal(x, x)", "Less(x, x)", "Greater(x, x)", "LessOrEqual(x, x)", "GreaterOrEqual(x, x)", "And(b, b)", "Or(b, b)", "Xor(b, b)", "Not(b)",
		"IsNaN(x)", "IsInf(x)", "NonMaxSuppression(w, w)", "EyeLike(x) {dtype=7}", "EyeLike(x)", "DynamicQuantizeLinear(x)", "MatMulInteger(q, c)",
		"ConstantOfShape(n)", "ConstantOfShape(n) {value=tensor int64[1] [7]}", "HannWindow(k)", "HannWindow(k) {output_datatype=11}", "HammingWindow(k)", "BlackmanWindow(k)",
		"Range(k, k, k)", "TopK(x, n1)", "CumSum(x, k1)", "TfIdfVectorizer(i) {mode=\"TF\", min_gram_length=1, max_gram_length=1, max_skip_count=0, ngram_counts=[0], ngram_indexes=[0], pool_int64s=[1]}",
		"com.microsoft.DequantizeLinear(q, s)", "BitCast(x) {to=6}",
	} {
		m, err := graph.Parse(head + "c: uint8[3,2] = const fill 1\nn1: int64[1] = const [1]\nk1: int64[] = const [1]\nout = " + node + "\noutput out\n")
		require.NoError(t, err, node)
		info, err := op.InferShapes(m.Graph, nil)
		require.NoError(t, err, node)
		if d := newEditor(m.Graph).dtype("out"); d != tensor.Invalid && info["out"].DType != tensor.Invalid {
			require.Equal(t, info["out"].DType, d, node)
		}
	}
}

// TestElementTypesOfConformanceModels is TestElementTypesFollow for every value of every model of the ONNX suite that has fixed
// shapes: a new operator that changes the type has to be known to dtype.
func TestElementTypesOfConformanceModels(t *testing.T) {
	models, err := filepath.Glob(filepath.Join(assets(t), "onnx-conformance", "*", "*", "model.onnx"))
	require.NoError(t, err)
	require.NotEmpty(t, models)
	compared := 0
	for _, path := range models {
		m, err := onnx.Read(path)
		if err != nil {
			continue // of the cases that package op leaves out
		}
		info, err := op.InferShapes(m.Graph, nil)
		if err != nil {
			continue
		}
		e := newEditor(m.Graph)
		for _, n := range m.Graph.Nodes {
			for _, out := range n.Outputs {
				want, ok := info[out]
				if d := e.dtype(out); ok && out != "" && want.DType != tensor.Invalid && d != tensor.Invalid {
					require.Equal(t, want.DType, d, "%s: %q of node %q (%s)", path, out, n.Name, n.Op)
					compared++
				}
			}
		}
	}
	require.Greater(t, compared, 1000)
}
