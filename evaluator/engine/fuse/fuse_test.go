package fuse

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// prelude defines what most cases need, so that a case shows only its pattern: an input x quantized to qx and back to
// dx, weights that are DQ of int8 (w for Conv, m for MatMul), an int32 bias b and a float one f, parameters s, z for Q.
const prelude = `
input x: float32[N,4,8,8]
input r: float32[3,4]
sx: float32[] = const [0.02]
zx: uint8[] = const [128]
s: float32[] = const [0.03]
z: uint8[] = const [0]
z7: uint8[] = const [7]
wi: int8[4,4,3,3] = const random 1
ws: float32[4] = const [0.01, 0.02, 0.03, 0.04]
wz: int8[4] = const fill 0
mi: int8[4,4] = const random 2
bi: int32[4] = const [10, -20, 30, -40]
bs: float32[4] = const [0.0002, 0.0004, 0.0006, 0.0008]
f: float32[4] = const [0.1, 0.2, -0.3, 0.4]
f1: float32[1,4] = const [0.1, 0.2, -0.3, 0.4]
wf: float32[4,4,3,3] = const random 3
qx = QuantizeLinear(x, sx, zx) @qx
dx = DequantizeLinear(qx, sx, zx) @dx
qr = QuantizeLinear(r, sx, zx) @qr
dr = DequantizeLinear(qr, sx, zx) @dr
w = DequantizeLinear(wi, ws, wz) {axis=0} @w
m = DequantizeLinear(mi, ws, wz) {axis=1} @m
b = DequantizeLinear(bi, bs) {axis=0} @b
`

// TestFuse runs graph text, after the prelude, through the pass and prints the fused nodes, outputs and new constants.
// "fuse differs" marks what ONNX Runtime makes something else of, deliberately (see TestTheRuntimeFusesTheSame).
func TestFuse(t *testing.T) {
	datadriven.Walk(t, "testdata/cases", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			text := prelude + d.Input
			m, err := graph.Parse(text)
			require.NoError(t, err)
			before := graph.PrintGraph(m.Graph)
			g := Graph(m.Graph, nil)
			require.Equal(t, before, graph.PrintGraph(m.Graph), "the pass must not change its input")
			again := Graph(g, nil)
			require.Equal(t, graph.PrintGraph(g), graph.PrintGraph(again), "a fused graph is a fixed point")
			var out []string
			for _, line := range strings.Split(strings.TrimSpace(graph.PrintGraph(g)), "\n") {
				known := strings.HasPrefix(line, "input ") || strings.Contains(line, " = const ") && strings.Contains(text, "\n"+strings.SplitN(line, ":", 2)[0]+":")
				if !known {
					out = append(out, line)
				}
			}
			return strings.Join(out, "\n")
		})
	})
}
