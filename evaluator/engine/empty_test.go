package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestNoSamplesGiveNoResults: a batch of none goes through every kind of layer, in float and in integers, on each tier, and through what
// is grouped, joined and tabulated; so do pictures without lines or columns through what looks at single pixels.
func TestNoSamplesGiveNoResults(t *testing.T) {
	const head = `
input x: float32[n,32,h,w]
dw: float32[32,1,3,3] = const random 1
pw: float32[64,32,1,1] = const random 2
gw: float32[64,16,3,3] = const random 3
w3: float32[32,32,3,3] = const random 4
b: float32[32] = const random 5
fc: float32[32,10] = const random 6
s: float32[] = const [0.05]
z: uint8[] = const [128]
ws: float32[] = const [0.01]
dwi: int8[32,1,3,3] = const random 7
w3i: int8[32,32,3,3] = const random 8
one: float32[] = const [1]
`
	for name, text := range map[string]string{
		"depthwise":   "y = Conv(x, dw, b) {group=32, pads=[1,1,1,1]}\noutput y\n",
		"strided":     "y = Conv(x, dw) {group=32, pads=[1,1,1,1], strides=[2,2]}\noutput y\n",
		"pointwise":   "y = Conv(x, pw)\nz1 = Relu(y)\noutput z1\n",
		"grouped":     "y = Conv(x, gw) {group=2, pads=[1,1,1,1]}\noutput y\n",
		"residual":    "c = Conv(x, w3, b) {pads=[1,1,1,1]}\na = Add(c, x)\ny = Relu(a)\noutput y\n",
		"swish":       "g = Sigmoid(x)\ny = Mul(x, g)\noutput y\n",
		"joined":      "c = Conv(x, w3) {pads=[1,1,1,1]}\nd = Conv(x, w3, b) {pads=[1,1,1,1]}\ny = Concat(c, d) {axis=1}\noutput y\n",
		"transposed":  "y = ConvTranspose(x, w3) {strides=[2,2]}\noutput y\n",
		"softmax":     "y = Softmax(x) {axis=1}\noutput y\n",
		"layout":      "c = Conv(x, pw)\ny = Transpose(c) {perm=[0,3,2,1]}\noutput y\n",
		"integers":    "q = QuantizeLinear(x, s, z)\nd = DequantizeLinear(q, s, z)\nw = DequantizeLinear(w3i, ws)\nc = Conv(d, w) {pads=[1,1,1,1]}\nr = QuantizeLinear(c, s, z)\ny = DequantizeLinear(r, s, z)\noutput y\n",
		"depthwise 8": "q = QuantizeLinear(x, s, z)\nd = DequantizeLinear(q, s, z)\nw = DequantizeLinear(dwi, ws)\nc = Conv(d, w) {group=32, pads=[1,1,1,1]}\nr = QuantizeLinear(c, s, z)\ny = DequantizeLinear(r, s, z)\noutput y\n",
		"tables":      "q = QuantizeLinear(x, s, z)\nd = DequantizeLinear(q, s, z)\ne = Exp(d)\na = Add(e, one)\nl = Log(a)\ny = QuantizeLinear(l, s, z)\noutput y\n",
	} {
		for _, shape := range [][]int{{0, 32, 7, 9}, {0, 32, 1, 1}, {2, 32, 0, 9}, {2, 32, 7, 0}} {
			if shape[0] > 0 && strings.Contains(text, "Conv") {
				continue // a kernel that does not fit
			}
			for _, level := range tier.Supported() {
				undo := tier.Force(level)
				m, err := graph.Parse(head + text)
				require.NoError(t, err)
				p, err := engine.New(engine.Options{Memory: 1 << 26}).Compile(m, nil)
				require.NoError(t, err, name)
				out, err := p.Run(context.Background(), map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, shape...)}, [32]byte{1})
				undo()
				require.NoError(t, err, "%s of %v", name, shape)
				for _, v := range out {
					require.NoError(t, v.Check())
					require.Zero(t, v.Len(), "%s of %v is %v", name, shape, v.Shape)
				}
			}
		}
	}
}
