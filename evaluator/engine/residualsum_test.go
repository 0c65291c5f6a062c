package engine_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestSumsJoinTheirConvolution says which sums a convolution adds as it stores, and compares the outputs with those of the
// nodes one by one.
func TestSumsJoinTheirConvolution(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		steps []string
	}{
		"residual":             {"c = Conv(x, w)\ny = Add(c, x)\noutput y\n", []string{"FusedConv"}},
		"the other way round":  {"c = Conv(x, w, b)\ny = Add(x, c)\noutput y\n", []string{"FusedConv"}},
		"with a Relu":          {"c = Conv(x, w, b)\ns = Add(c, x)\ny = Relu(s)\noutput y\n", []string{"FusedConv"}},
		"of two convolutions":  {"c = Conv(x, w, b)\nd = Conv(x, w)\nz = Add(c, d)\ny = Relu(z)\noutput y\n", []string{"Conv", "FusedConv"}},
		"value made later":     {"c = Conv(x, w)\nd = Softmax(x)\ny = Add(c, d)\noutput y\n", []string{"Softmax", "FusedConv"}},
		"twice in a row":       {"c = Conv(x, w)\nd = Add(c, x)\ne = Conv(d, w)\ny = Add(e, d)\noutput y\n", []string{"FusedConv", "FusedConv"}},
		"groups":               {"c = Conv(x, g) {group=4}\ny = Add(c, x)\noutput y\n", []string{"FusedConv"}},
		"depthwise":            {"c = Conv(x, dw) {group=8}\ny = Add(c, x)\noutput y\n", []string{"Conv", "Add"}},
		"the Relu comes first": {"c = Conv(x, w)\nr = Relu(c)\ny = Add(r, x)\noutput y\n", []string{"FusedConv", "Add"}},
		"another activation":   {"c = Conv(x, w)\ns = Add(c, x)\ny = Sigmoid(s)\noutput y\n", []string{"FusedConv", "Sigmoid"}},
		"twice itself":         {"c = Conv(x, w)\ny = Add(c, c)\noutput y\n", []string{"Conv", "Add"}},
		"stretched operand":    {"c = Conv(x, w)\nm = GlobalAveragePool(x)\ny = Add(c, m)\noutput y\n", []string{"Conv", "GlobalAveragePool", "Add"}},
		"constant operand":     {"c = Conv(x, w)\ny = Add(c, k)\noutput y\n", []string{"Conv", "Add"}},
		"stretched result":     {"m = GlobalAveragePool(x)\nc = Conv(m, w)\ny = Add(c, x)\noutput y\n", []string{"GlobalAveragePool", "Conv", "Add"}},
		"the conv is wanted":   {"c = Conv(x, w)\ny = Add(c, x)\noutput y\noutput c\n", []string{"Conv", "Add"}},
		"the conv is read":     {"c = Conv(x, w)\ny = Add(c, x)\nz = Neg(c)\noutput y\noutput z\n", []string{"Conv", "Add", "Neg"}},
		"the sum is wanted":    {"c = Conv(x, w)\ns = Add(c, x)\ny = Relu(s)\noutput y\noutput s\n", []string{"FusedConv", "Relu"}},
		"the sum is read":      {"c = Conv(x, w)\ns = Add(c, x)\ny = Relu(s)\nz = Mul(y, s)\noutput z\n", []string{"FusedConv", "Relu+Mul"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse("input x: float32[n,8,6,5]\n" + c.text)
			require.NoError(t, err)
			r := rand.New(rand.NewPCG(3, 1))
			for name, shape := range map[string][]int{"w": {8, 8, 1, 1}, "g": {8, 2, 1, 1}, "dw": {8, 1, 1, 1}, "b": {8}, "k": {3, 8, 6, 5}} {
				m.Graph.Consts[name] = normal(r, shape...)
			}
			x := normal(r, 3, 8, 6, 5)
			copy(x.F32(), []float32{float32(math.Inf(1)), float32(math.NaN()), 0, float32(math.Copysign(0, -1)), 1e-40})
			together(t, m, map[string]*tensor.Tensor{"x": x})
			p, err := engine.New(engine.Options{}).Compile(m, nil)
			require.NoError(t, err)
			steps, err := engine.Steps(p, map[string]op.Info{"x": {DType: tensor.Float32, Shape: x.Shape}})
			require.NoError(t, err)
			steps = slices.DeleteFunc(steps, func(s string) bool { return s == "Transpose" }) // to channels last and back
			require.Equal(t, c.steps, steps)
			require.Equal(t, name != "constant operand", p.RowWise(), "rows of a constant are not those of samples")
		})
	}
}

// normal is a tensor of normal deviates.
func normal(r *rand.Rand, shape ...int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, shape...)
	for i, v := 0, x.F32(); i < len(v); i++ {
		v[i] = float32(r.NormFloat64())
	}
	return x
}
