package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuantizedAgain: the written file, and a model of integer operators, load, and a job on them is refused by the name of an
// operation; weights alone that are stored as integers are no hindrance.
func TestQuantizedAgain(t *testing.T) {
	w := newWorld(t)
	code, _, stderr := w.execute(t.Context(), w.args()...)
	require.Equal(t, exitMet, code, stderr)
	for _, c := range []struct {
		name  string
		model []byte
		want  string
	}{
		{"qdq", w.read("out/model_int8.onnx"), `already quantized: QuantizeLinear node "`},
		{"qoperator", w.encode(`ir 8
graph colours
input x: float32[N,3,8,8]
w: int8[4,3,1,1] = const [2, -1, -1, -1, 2, -1, -1, -1, 2, -1, -1, -1]
s: float32[] = const [0.01]
z: uint8[] = const [0]
wz: int8[] = const [0]
q: uint8[N,3,8,8] = QuantizeLinear(x, s, z) @q
c: uint8[N,4,8,8] = QLinearConv(q, s, z, w, s, wz, s, z) @colour
d: float32[N,4,8,8] = DequantizeLinear(c, s, z) @d
p: float32[N,4,1,1] = GlobalAveragePool(d) @mean
y: float32[N,4] = Flatten(p) @flat
output y: float32[N,4]
`), `already quantized: QLinearConv node "colour" and 2 more`},
		{"weights", w.encode(`ir 8
graph colours
input x: float32[N,3,8,8]
w: int8[4,3,1,1] = const [2, -1, -1, -1, 2, -1, -1, -1, 2, -1, -1, -1]
s: float32[] = const [1]
b: float32[4] = const [0, 0, 0, 0.75]
f: float32[4,3,1,1] = DequantizeLinear(w, s) @weights
c: float32[N,4,8,8] = Conv(x, f, b) @colour
p: float32[N,4,1,1] = GlobalAveragePool(c) @mean
y: float32[N,4] = Flatten(p) @flat
output y: float32[N,4]
`), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.write("again.onnx", c.model)
			code, _, stderr := w.execute(t.Context(), w.args("-m", w.path("again.onnx"), "--output-dir", w.path(c.name), "--state-dir", w.path("state "+c.name))...)
			if c.want == "" {
				require.Equal(t, exitMet, code, stderr)
				return
			}
			require.Equal(t, exitInput, code, stderr)
			require.Contains(t, stderr, c.want)
			require.Contains(t, stderr, "give the float model that it was made from")
			require.NoDirExists(t, w.path("state "+c.name))
		})
	}
}
