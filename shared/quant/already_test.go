package quant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
)

// TestAlreadyQuantized: what this package writes, and integer operators, are not quantized again; INT8 weights alone are no
// quantized model.
func TestAlreadyQuantized(t *testing.T) {
	m := parse(t, residual)
	require.NoError(t, CheckFloat(m))
	p, _, err := Build(m, Config{}, statistics(t, m, Config{}, noise(m, 1, nil)))
	require.NoError(t, err)
	q, err := Apply(m, p, plan.All(p))
	require.NoError(t, err)
	require.ErrorContains(t, CheckFloat(q), `already quantized: QuantizeLinear node "`)

	weights := parse(t, `
input x: float32[1,2]
w: int8[2,2] = const [1, 2, 3, 4]
s: float32[] = const [0.5]
d = DequantizeLinear(w, s) @weights
y = MatMul(x, d) @product
output y
`)
	require.NoError(t, CheckFloat(weights))
	integer := parse(t, `
input x: float32[1,2]
w: int8[2,2] = const [1, 2, 3, 4]
s: float32[] = const [0.5]
z: uint8[] = const [3]
wz: int8[] = const [0]
q = QuantizeLinear(x, s, z) @q
y = QLinearMatMul(q, s, z, w, s, wz, s, z) @product
output y
`)
	require.EqualError(t, CheckFloat(integer), `the model is already quantized: QLinearMatMul node "product" and 1 more; give the float model that it was made from`)
}
