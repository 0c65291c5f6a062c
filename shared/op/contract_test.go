package op

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// cases are nodes over inputs of noise (those without "= const"), one for each way an operator can be used. What is checked
// of them is the contract of Lower and Kernel, not numbers.
var cases = []struct{ inputs, node string }{
	{"x: float32[2,3,4,5]", "Relu(x)"},
	{"x: float32[2,3,4,5]", "Sigmoid(x)"},
	{"x: float32[2,3,4,5]", "HardSigmoid(x) {alpha=0.1}"},
	{"x: float32[2,3,4,5]; lo: float32[] = const [-0.5]", "Clip(x, lo)"},
	{"x: int32[2,3,4,5]; lo: int32[] = const [-5]; hi: int32[] = const [5]", "Clip(x, lo, hi)"},
	{"x: float32[2,3,4,5]", `Gelu(x) {approximate="tanh"}`},
	{"x: float32[2,3,4,5]; y: float32[2,3,4,5]", "Add(x, y)"},
	{"x: float32[2,3,4,5]; y: float32[3,1,1]", "Mul(x, y)"},
	{"x: float32[2,3,4,5]; y: float32[5]", "Sub(x, y)"},
	{"x: float32[2,1,4,1]; y: float32[2,3,1,5]", "Div(x, y)"},
	{"x: float32[]; y: float32[2,3,4]", "Max(x, y)"},
	{"x: float32[2,3,4,5]; y: float32[3,4,5]; z: float32[1,3,1,1]", "Sum(x, y, z)"},
	{"x: float32[2,3,4,5]; y: float32[1,3,4,5]", "Mean(x, y)"},
	{"x: float32[2,3,4,5]; y: float32[3,1,1]", "PRelu(x, y)"},
	{"x: float32[2,3,4,5]; y: float32[2,3,4,5]", "Less(x, y)"},
	{"x: int64[2,3,4]; y: int64[2,3,4]", "Div(x, y)"},
	{"x: float32[2,3,4,5]; y: int32[]", "Pow(x, y)"},
	{"x: float32[2,3,4,5]", "Cast(x) {to=7}"},
	{"x: int8[2,3,4,5]", "Cast(x) {to=1}"},
	{"c: bool[2,3,4,5]; x: float32[3,4,5]; y: float32[2,3,1,1]", "Where(c, x, y)"},
	{"x: float32[2,3,4,5]; y: float32[2,2,4,5]", "Concat(x, y) {axis=1}"},
	{"x: uint8[2,3,4,5]; y: uint8[2,3,4,5]", "Concat(x, y) {axis=-1}"},
	{"x: float32[2,3,4,5]; y: float32[2,3,4,5]", "Concat(x, y) {axis=0}"},
	{"x: float32[2,6,4,5]", "Split(x) {axis=1, num_outputs=1}"},
	{"x: float32[2,6,4,5]; a: int64[2] = const [1, 2]; b: int64[2] = const [-1, 100]; c: int64[2] = const [1, 3]", "Slice(x, a, b, c)"},
	{"x: float32[2,6,4,5]; a: int64[1] = const [-1]; b: int64[1] = const [-100]; c: int64[1] = const [2]; d: int64[1] = const [-2]", "Slice(x, a, b, c, d)"},
	{"x: float32[2,3,4,5]; p: int64[8] = const [0, 1, 0, -1, 0, 0, 2, 1]; v: float32[] = const [7]", "Pad(x, p, v)"},
	{"x: float32[2,3,4,5]; p: int64[8] = const [0, 0, 1, 1, 0, 0, 2, 1]", `Pad(x, p) {mode="reflect"}`},
	{"x: float32[2,3,4,5]; p: int64[4] = const [1, 1, 2, 1]; v: float32[] = const [0]; a: int64[2] = const [-1, 1]", `Pad(x, p, v, a) {mode="edge"}`},
	{"x: float32[2,3,4,5]; p: int64[8] = const [0, 0, -1, 2, 0, 0, 0, -2]", `Pad(x, p) {mode="edge"}`},
	{"x: float32[2,3,4,5]", "Transpose(x) {perm=[0,2,3,1]}"},
	{"x: float32[2,3,4,5]", "Transpose(x)"},
	{"x: float32[2,3,4,5]; i: int64[2,2] = const [0, -1, 2, 1]", "Gather(x, i) {axis=1}"},
	{"x: float32[2,3,1,5]; s: int64[4] = const [1, 1, 4, 5]", "Expand(x, s)"},
	{"x: float32[2,3,4]; s: int64[3] = const [1, 2, 3]", "Tile(x, s)"},
	{"x: float32[2,3,4,5]; s: int64[2] = const [0, -1]", "Reshape(x, s)"},
	{"x: float32[2,3,4,5]; s: int64[2] = const [-1, 4]", "Reshape(x, s)"},
	{"x: float32[2,3,4,5]", "Flatten(x)"},
	{"x: float32[2,1,4,1]; a: int64[1] = const [3]", "Squeeze(x, a)"},
	{"x: float32[2,3]; a: int64[2] = const [0, -1]", "Unsqueeze(x, a)"},
	{"x: int64[2,3]; d: int64[] = const [4]; v: float32[2] = const [0, 1]", "OneHot(x, d, v)"},
	{"x: float32[2,3,7,9]; w: float32[4,3,3,3]; b: float32[4]", "Conv(x, w, b) {pads=[1,0,1,2], strides=[2,1]}"},
	{"x: float32[2,4,7,9]; w: float32[4,1,3,3]", "Conv(x, w) {group=4, dilations=[2,1]}"},
	{"x: float32[2,4,9]; w: float32[6,2,3]; b: float32[6]", `Conv(x, w, b) {group=2, auto_pad="SAME_UPPER", strides=[2]}`},
	{"x: float32[2,3,7,9]; w: float32[4,3,1,1]", `com.microsoft.FusedConv(x, w) {activation="Clip", activation_params=[-0.5,0.5]}`},
	{"x: float32[2,3]; w: float32[3,4]; c: float32[4]", "Gemm(x, w, c)"},
	{"x: float32[3,2]; w: float32[4,3]; c: float32[2,1]", "Gemm(x, w, c) {alpha=0.5, beta=2.0, transA=1, transB=1}"},
	{"x: float32[2,3]; w: float32[3,4]", `com.microsoft.FusedGemm(x, w) {activation="Relu"}`},
	{"x: float32[2,5,3]; w: float32[3,4]", "MatMul(x, w)"},
	{"x: float32[2,5,3]; w: float32[2,3,4]", "MatMul(x, w)"},
	{"x: float32[2,1,5,3]; w: float32[2,3,4]", "MatMul(x, w)"},
	{"x: float32[3]; w: float32[3]", "MatMul(x, w)"},
	{"x: float32[2,3,7,9]", "MaxPool(x) {kernel_shape=[3,2], pads=[1,0,1,1], strides=[2,2], ceil_mode=1}"},
	{"x: int8[2,3,7,9]", "MaxPool(x) {kernel_shape=[3,3]}"},
	{"x: float32[2,3,7,9]", "AveragePool(x) {kernel_shape=[3,2], pads=[1,0,1,1], strides=[2,2], count_include_pad=1}"},
	{"x: float32[2,3,9]", "AveragePool(x) {kernel_shape=[3]}"},
	{"x: float32[2,3,7,9]", "GlobalAveragePool(x)"},
	{"x: float32[2,3,7,9]", "GlobalMaxPool(x)"},
	{"x: float32[2,3,4,5]; s: float32[3]; b: float32[3]; m: float32[3]; v: float32[3] = const [1, 2, 3]", "BatchNormalization(x, s, b, m, v)"},
	{"x: float32[2,3,4,5]; s: float32[4,5]; b: float32[5]", "LayerNormalization(x, s, b) {axis=2}"},
	{"x: float32[2,7,4,5]", "LRN(x) {size=3}"},
	{"x: float32[2,3,4,5]", "Softmax(x) {axis=1}"},
	{"x: float32[2,3,4,5]", "LogSoftmax(x)"},
	{"x: float32[2,3,4,5]; a: int64[2] = const [1, -1]", "ReduceMean(x, a) {keepdims=0}"},
	{"x: float32[2,3,4,5]; a: int64[1] = const [0]", "ReduceMax(x, a)"},
	{"x: int64[2,3,4,5]", "ReduceSum(x)"},
	{"x: float32[2,3,4,5]", "ArgMax(x) {axis=1}"},
	{"x: float32[2,3,4,5]; s: float32[] = const [0.1]; z: uint8[] = const [128]", "QuantizeLinear(x, s, z)"},
	{"x: float32[2,3,4,5]; s: float32[3] = const [0.1, 0.2, 0.3]; z: int8[3] = const [1, 2, 3]", "QuantizeLinear(x, s, z)"},
	{"x: int8[2,3,4,5]; s: float32[4] = const [0.1, 0.2, 0.3, 1]; z: int8[4] = const [1, 2, 3, 4]", "DequantizeLinear(x, s, z) {axis=2}"},
	{"x: float32[5,3,4]; w: float32[2,24,4] = const random 1; r: float32[2,24,6] = const random 2; b: float32[2,48] = const random 3; n: int32[3] = const [5, 2, 4]; h: float32[2,3,6]",
		`LSTM(x, w, r, b, n, h) {hidden_size=6, direction="bidirectional"}`},
	{"x: float32[3,5,4]; w: float32[1,18,4] = const random 1; r: float32[1,18,6] = const random 2", `GRU(x, w, r) {hidden_size=6, layout=1}`},
	{"x: float32[5,3,4]; w: float32[1,18,4] = const random 1; r: float32[1,18,6] = const random 2; b: float32[1,36] = const random 3", `GRU(x, w, r, b) {hidden_size=6, linear_before_reset=1, direction="reverse"}`},
	{"x: float32[5,3,4]; w: float32[1,6,4] = const random 1; r: float32[1,6,6] = const random 2", `RNN(x, w, r) {activations=["HardSigmoid"], clip=0.5}`},
	{"x: float32[3,5]", "DynamicQuantizeLinear(x)"},
	{"x: uint8[2,3,4]; w: int8[4,5]; z: uint8[] = const [7]; v: int8[5] = const [1, 2, 3, 4, 5]", "MatMulInteger(x, w, z, v)"},
	{"x: uint8[2,4,7,6]; w: uint8[6,2,3,3]; z: uint8[] = const [7]", "ConvInteger(x, w, z) {group=2, pads=[1,1,1,1]}"},
	{"x: int8[3,600]; w: uint8[600,5]; z: int8[] = const [-7]; v: uint8[] = const [200]", "MatMulInteger(x, w, z, v)"},
	{"x: int8[3,257]; w: int8[257,5]; z: int8[3] = const [-128, 0, 127]; v: int8[5] = const [-128, 127, 0, 1, -1]", "MatMulInteger(x, w, z, v)"},
	{"x: uint8[2,70,3]; w: uint8[2,3,4]; z: uint8[] = const [255]", "MatMulInteger(x, w, z)"},
	{"x: uint8[4]; w: int8[3,4,2]", "MatMulInteger(x, w)"},
	{"x: int8[1,4,9,9]; w: int8[4,4,2,2]; z: int8[] = const [-9]; v: int8[4] = const [1, -2, 3, -128]", "ConvInteger(x, w, z, v) {strides=[2,1], pads=[0,1,1,0]}"},
	{"x: uint8[1,70,2,3]; w: uint8[3,70,2,2]; z: uint8[] = const [3]; v: uint8[] = const [130]", "ConvInteger(x, w, z, v) {dilations=[1,2], pads=[1,0,0,1]}"},
	{"x: uint8[1,3,5]; w: int8[3,1,2]; z: uint8[] = const [3]", "ConvInteger(x, w, z) {group=3}"},
	{"x: float32[2,6]; s: float32[2,3] = const [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]; z: int8[2,3] = const [1, 2, 3, 4, 5, 6]", "QuantizeLinear(x, s, z) {axis=1, block_size=2}"},
	{"x: int8[2,3,4]; s: float16[] = const [0.25]", "DequantizeLinear(x, s)"},
	{"x: float32[2,3,4]; s: float32[] = const [0.25]", "QuantizeLinear(x, s) {output_dtype=17}"},
	{"x: float8e5m2[2,3,4]; s: float32[3] = const [0.25, 1, 2]", "DequantizeLinear(x, s)"},
	{"x: float32[2,3,4]", "Cast(x) {to=22}"},
	{"x: float32[2,3,4]", "Cast(x) {to=18, saturate=0}"},
	{"x: uint8[2,3,7,9]; " + levelsOf("x", "uint8", 3) + "w: int8[4,3,3,3]; ws: float32[4] = const [0.1, 0.2, 0.3, 0.4]; wz: int8[4] = const [0, 0, 0, 0]; " + levelsOf("y", "uint8", 9) + "b: int32[4]",
		"QLinearConv(x, xs, xz, w, ws, wz, ys, yz, b) {pads=[1,1,1,1]}"},
	{"x: int8[2,3,7,9]; " + levelsOf("x", "int8", 3) + "w: uint8[3,1,3,3]; " + levelsOf("w", "uint8", 120) + levelsOf("y", "int8", -9),
		"QLinearConv(x, xs, xz, w, ws, wz, ys, yz) {group=3}"},
	{"x: uint8[2,4,5,4,6]; " + levelsOf("x", "uint8", 3) + "w: int8[6,2,3,2,3]; ws: float32[6] = const [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]; wz: int8[6] = const [0, 0, 0, 0, 0, 0]; " + levelsOf("y", "uint8", 9) + "b: int32[6]",
		"QLinearConv(x, xs, xz, w, ws, wz, ys, yz, b) {group=2, pads=[1,0,1,1,1,1], strides=[1,2,1]}"},
	{"x: uint8[2,5,3]; " + levelsOf("x", "uint8", 3) + "w: int8[3,4]; " + levelsOf("w", "int8", 0) + levelsOf("y", "uint8", 100), "QLinearMatMul(x, xs, xz, w, ws, wz, ys, yz)"},
	{"x: int8[2,5,3]; " + levelsOf("x", "int8", 3) + "w: int8[2,3,4]; " + levelsOf("w", "int8", 0) + levelsOf("y", "int8", 10), "QLinearMatMul(x, xs, xz, w, ws, wz, ys, yz)"},
	{"x: uint8[2,3]; " + levelsOf("x", "uint8", 3) + "w: int8[4,3]; " + levelsOf("w", "int8", 0) + "c: int32[4]; " + levelsOf("y", "uint8", 100), "com.microsoft.QGemm(x, xs, xz, w, ws, wz, c, ys, yz) {transB=1}"},
	{"x: uint8[2,3]; " + levelsOf("x", "uint8", 3) + "w: int8[3,4]; " + levelsOf("w", "int8", 0), "com.microsoft.QGemm(x, xs, xz, w, ws, wz)"},
	{"x: uint8[2,5,3]; w: int8[3,4]; " + levelsOf("x", "uint8", 3) + levelsOf("w", "int8", 0) + "c: float32[4]", "com.microsoft.MatMulIntegerToFloat(x, w, xs, ws, xz, wz, c)"},
	{"x: uint8[2,5,3]; w: uint8[2,3,4]; " + levelsOf("x", "uint8", 3) + levelsOf("w", "uint8", 9), "com.microsoft.MatMulIntegerToFloat(x, w, xs, ws, xz, wz)"},
	{"x: uint8[2,3,4,5]; " + levelsOf("x", "uint8", 3) + "w: uint8[2,3,4,5]; " + levelsOf("w", "uint8", 9) + levelsOf("y", "uint8", 100), "com.microsoft.QLinearAdd(x, xs, xz, w, ws, wz, ys, yz)"},
	{"x: uint8[3,1,1]; " + levelsOf("x", "uint8", 3) + "w: uint8[2,3,4,5]; " + levelsOf("w", "uint8", 9) + levelsOf("y", "uint8", 100), "com.microsoft.QLinearAdd(x, xs, xz, w, ws, wz, ys, yz)"},
	{"x: int8[2,3,4,5]; " + levelsOf("x", "int8", 3) + "w: int8[2,3,1,1]; " + levelsOf("w", "int8", 9) + levelsOf("y", "int8", 100), "com.microsoft.QLinearMul(x, xs, xz, w, ws, wz, ys, yz)"},
	{levelsOf("y", "uint8", 100) + "x: uint8[2,3,4,5]; " + levelsOf("x", "uint8", 3) + "w: uint8[2,2,4,5]; " + levelsOf("w", "uint8", 100), "com.microsoft.QLinearConcat(ys, yz, x, xs, xz, w, ws, wz) {axis=1}"},
	{"x: int8[2,3,4,5]; " + levelsOf("x", "int8", 3) + levelsOf("y", "int8", 5), "com.microsoft.QLinearSigmoid(x, xs, xz, ys, yz)"},
	{"x: uint8[2,3,4,5]; " + levelsOf("x", "uint8", 3) + levelsOf("y", "uint8", 5), "com.microsoft.QLinearLeakyRelu(x, xs, xz, ys, yz) {alpha=0.2}"},
	{"x: uint8[2,3,7,9]; " + levelsOf("x", "uint8", 3) + levelsOf("y", "uint8", 5), "com.microsoft.QLinearAveragePool(x, xs, xz, ys, yz) {kernel_shape=[3,3], pads=[1,1,0,0]}"},
	{"x: int8[2,3,7,9]; " + levelsOf("x", "int8", 3) + levelsOf("y", "int8", 5), "com.microsoft.QLinearGlobalAveragePool(x, xs, xz, ys, yz)"},
	{"x: uint8[2,3,9]; " + levelsOf("x", "uint8", 3) + levelsOf("y", "uint8", 5), "com.microsoft.QLinearSoftmax(x, xs, xz, ys, yz)"},
	{"x: uint8[2,3,9]; " + levelsOf("x", "uint8", 3) + levelsOf("y", "uint8", 5), "com.microsoft.QLinearSoftmax(x, xs, xz, ys, yz) {axis=1}"},
	{"x: int8[2,3,9]; " + levelsOf("x", "int8", 3) + levelsOf("y", "int8", 5), "com.microsoft.QLinearSoftmax(x, xs, xz, ys, yz) {axis=0}"},
}

// levelsOf declares scale and zero point of a quantized tensor.
func levelsOf(name, dtype string, zero int) string {
	return fmt.Sprintf("%ss: float32[] = const [0.0%d]; %sz: %s[] = const [%d]; ", name, 3+len(dtype), name, dtype, zero)
}

// parseCase returns the node with its inputs filled.
func parseCase(t *testing.T, inputs, node string) (*graph.Node, []*tensor.Tensor) {
	var text strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(strings.TrimSpace(inputs), ";"), ";") {
		if line = strings.TrimSpace(line); !strings.Contains(line, "=") {
			line = "input " + line
		}
		text.WriteString(line + "\n")
	}
	m, err := graph.Parse(text.String() + "out = " + node + " @n\noutput out\n")
	require.NoError(t, err, text.String())
	r := rand.New(rand.NewPCG(3, 4))
	env := m.Graph.Consts
	for _, p := range m.Graph.Inputs {
		shape, _ := p.Type.Fixed()
		env[p.Name] = noise(r, p.Type.DType, shape)
	}
	n := m.Graph.Nodes[0]
	in := make([]*tensor.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		in[i] = env[name]
	}
	return n, in
}

func noise(r *rand.Rand, d tensor.DType, shape []int) *tensor.Tensor {
	t := tensor.New(d, shape...)
	switch d {
	case tensor.Float32:
		for i := range t.F32() {
			t.F32()[i] = r.Float32()*4 - 2
		}
	case tensor.Bool:
		for i := range t.Data {
			t.Data[i] = byte(r.IntN(2))
		}
	case tensor.Int32:
		for i := range tensor.View[int32](t) {
			tensor.View[int32](t)[i] = int32(r.IntN(20) - 8)
		}
	case tensor.Int64:
		for i := range tensor.View[int64](t) {
			tensor.View[int64](t)[i] = int64(r.IntN(20) - 8)
		}
	default:
		for i := range t.Data {
			t.Data[i] = byte(r.IntN(256))
		}
	}
	return t
}

// lowered is one way of running a case.
type lowered struct {
	l   *Lower
	c   *Call
	k   Kernel
	out []*tensor.Tensor
}

// lower prepares a case for a layout with the computed inputs in mask; ok is false where Lower wants a constant.
func lower(t *testing.T, n *graph.Node, in []*tensor.Tensor, y Layout, mask int) (w lowered, ok bool) {
	x := &Infer{Node: n, In: make([]Info, len(in)), Out: make([]Info, len(n.Outputs))}
	for i, v := range in {
		if v != nil {
			x.In[i] = Info{DType: v.DType, Shape: v.Shape, Value: v}
		}
	}
	require.NoError(t, Apply(x))
	o := Lookup(n.Domain, n.Op)
	w.l, w.c = prepare(o, x, in, y, func(i int) bool { return mask>>i&1 != 0 })
	var err error
	if w.k, err = o.Lower(w.l); err != nil {
		require.Regexp(t, "computed from data|no float32 constant", err.Error())
		return w, false
	}
	w.c.Scratch = make([]byte, w.k.Scratch)
	for i := range w.c.Scratch {
		w.c.Scratch[i] = 0xa5
	}
	for i, a := range w.l.Out {
		w.out = append(w.out, tensor.New(a.DType, a.Shape...))
		w.c.Out[i] = w.out[i].Data
	}
	return w, true
}

// computed lists the inputs that the call brings.
func (w *lowered) computed() (list []int) {
	for i, b := range w.c.In {
		if b != nil {
			list = append(list, i)
		}
	}
	return list
}

// result is the outputs in Logical order.
func (w *lowered) result() []*tensor.Tensor {
	out := make([]*tensor.Tensor, len(w.out))
	for i, a := range w.l.Out {
		out[i] = &tensor.Tensor{DType: a.DType, Shape: a.Shape, Data: w.c.Out[i]}
		if a.Layout == ChannelsLast {
			out[i] = toLogical(out[i])
		}
	}
	return out
}

// TestCasesStandOnce: a case that stands twice proves nothing more and hides one that was meant.
func TestCasesStandOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases {
		key := c.inputs + " -> " + c.node
		require.False(t, seen[key], key)
		seen[key] = true
	}
}

// TestKernelsKeepTheirContract: for every case, layout, and choice of computed and constant inputs that Lower takes, the
// bits are the same; Run allocates nothing, repeats itself, and leaves its inputs alone; sharing the buffer that Alias
// names changes nothing.
func TestKernelsKeepTheirContract(t *testing.T) {
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.node, "com.microsoft.", ""), func(t *testing.T) {
			n, in := parseCase(t, c.inputs, c.node)
			want, err := Eval(n, in)
			require.NoError(t, err)
			ways := 0
			for _, y := range []Layout{Logical, ChannelsLast} {
				for mask := range 1 << min(len(in), 6) {
					w, ok := lower(t, n, in, y, mask)
					if !ok || n.Op == "Gemm" && mask&4 != 0 { // a computed C is added behind the chain, not in front
						continue
					}
					ways++
					runTwice(t, &w, want)
					aliased(t, &w, want)
				}
			}
			require.GreaterOrEqual(t, ways, 4)
		})
	}
}

func runTwice(t *testing.T, w *lowered, want []*tensor.Tensor) {
	var before [][]byte
	for _, b := range w.c.In {
		before = append(before, append([]byte(nil), b...))
	}
	for range 2 {
		w.k.Run(w.c)
		for i, v := range w.result() {
			require.True(t, bytes.Equal(want[i].Data, v.Data), "output %d in layout %v with computed inputs %v", i, w.l.layout(), w.computed())
		}
	}
	for i, b := range w.c.In {
		require.True(t, bytes.Equal(before[i], b), "input %d was written", i)
	}
	if !packsInRun(w.l) && !race {
		least := 1.0
		for try := 0; least > 0 && try < 3; try++ { // the runtime's own goroutines count too
			least = min(least, testing.AllocsPerRun(1, func() { w.k.Run(w.c) }))
		}
		require.Zero(t, least, "Run allocates")
	}
}

// packsInRun names the exception: products of two computed matrices pack the right one in every run, and so does Attention.
func packsInRun(l *Lower) bool {
	right := map[string]int{"MatMul": 1, "Gemm": 1, "FusedGemm": 1, "QLinearMatMul": 3, "QGemm": 3, "MatMulIntegerToFloat": 1}
	i, ok := right[l.Node.Op]
	return l.Node.Op == "Attention" || ok && l.In[i].Const == nil
}

func aliased(t *testing.T, w *lowered, want []*tensor.Tensor) {
	a := w.k.Alias
	if a < 0 || w.l.In[a].Const != nil {
		return
	}
	require.Equal(t, len(w.c.In[a]), len(w.c.Out[0]), "Alias needs equal sizes")
	w.c.In[a] = append([]byte(nil), w.c.In[a]...)
	w.c.Out[0] = w.c.In[a]
	w.k.Run(w.c)
	require.True(t, bytes.Equal(want[0].Data, w.result()[0].Data), "in place of input %d in layout %v", a, w.l.layout())
}

// TestRowWiseMeansRowWise: where RowWise holds, a batch gives what its rows give one by one.
func TestRowWiseMeansRowWise(t *testing.T) {
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.node, "com.microsoft.", ""), func(t *testing.T) {
			n, in := parseCase(t, c.inputs, c.node)
			o := Lookup(n.Domain, n.Op)
			mask := 1 << o.data
			w, ok := lower(t, n, in, Logical, mask)
			if !ok || o.RowWise != nil && !o.RowWise(w.l) {
				return
			}
			want, err := Eval(n, in)
			require.NoError(t, err)
			rows := in[o.data].Shape[0]
			for r := range rows {
				part := append([]*tensor.Tensor(nil), in...)
				part[o.data] = row(in[o.data], r)
				got, err := Eval(n, part)
				require.NoError(t, err)
				require.Equal(t, row(want[0], r).Shape, got[0].Shape)
				require.True(t, bytes.Equal(row(want[0], r).Data, got[0].Data), "row %d", r)
			}
		})
	}
}

// row is row r of t along axis 0.
func row(t *tensor.Tensor, r int) *tensor.Tensor {
	size := len(t.Data) / t.Shape[0]
	return &tensor.Tensor{DType: t.DType, Shape: append([]int{1}, t.Shape[1:]...), Data: t.Data[r*size : (r+1)*size]}
}
