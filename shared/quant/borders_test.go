package quant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// TestBorders: only what changes between float and INT8 at run time counts.
func TestBorders(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Borders
	}{
		"a Conv from input to output": {`ir 8
graph g
input x: float32[1,1,4,4]
s: float32[] = const [0.1]
z: uint8[] = const [0]
w: int8[1,1,1,1] = const [3]
wz: int8[] = const [0]
xq: uint8[1,1,4,4] = QuantizeLinear(x, s, z) @q1
xd: float32[1,1,4,4] = DequantizeLinear(xq, s, z) @d1
wd: float32[1,1,1,1] = DequantizeLinear(w, s, wz) @dw
c: float32[1,1,4,4] = Conv(xd, wd) @conv
r: float32[1,1,4,4] = Relu(c) @relu
rq: uint8[1,1,4,4] = QuantizeLinear(r, s, z) @q2
y: float32[1,1,4,4] = DequantizeLinear(rq, s, z) @d2
output y: float32[1,1,4,4]
`, Borders{Quantize: 1, Dequantize: 1, Integer: 1}},
		"a Sub between the two": {`ir 8
graph g
input x: float32[1,4]
s: float32[] = const [0.1]
z: uint8[] = const [0]
xq: uint8[1,4] = QuantizeLinear(x, s, z) @q1
xd: float32[1,4] = DequantizeLinear(xq, s, z) @d1
d: float32[1,4] = Sub(xd, xd) @sub
dq: uint8[1,4] = QuantizeLinear(d, s, z) @q2
dd: float32[1,4] = DequantizeLinear(dq, s, z) @d2
y: float32[1,4] = Exp(dd) @exp
output y: float32[1,4]
`, Borders{Quantize: 2, Dequantize: 2, Unfused: []string{"sub"}}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse(c.text)
			require.NoError(t, err)
			require.Equal(t, c.want, BordersOf(m))
		})
	}
}
