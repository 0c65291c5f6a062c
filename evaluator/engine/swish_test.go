package engine_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestProductsWithSigmoidAreOneKernel compares Swish in the place of Sigmoid and Mul with the two as they are written.
func TestProductsWithSigmoidAreOneKernel(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		steps []string
	}{
		"swish":                    {"s = Sigmoid(x)\ny = Mul(x, s)\noutput y\n", []string{"Swish"}},
		"the other way round":      {"s = Sigmoid(x)\ny = Mul(s, x)\noutput y\n", []string{"Swish"}},
		"something between":        {"s = Sigmoid(x)\na = Relu(x)\ny = Mul(x, s)\noutput y\noutput a\n", []string{"Relu", "Swish"}},
		"twice in a row":           {"s = Sigmoid(x)\na = Mul(s, x)\nr = Sigmoid(a)\ny = Mul(a, r)\noutput y\n", []string{"Swish+Swish"}},
		"the sigmoid is an output": {"s = Sigmoid(x)\ny = Mul(x, s)\noutput y\noutput s\n", []string{"Sigmoid", "Mul"}},
		"the sigmoid is read":      {"s = Sigmoid(x)\na = Mul(x, s)\ny = Softmax(s)\noutput a\noutput y\n", []string{"Sigmoid", "Mul", "Softmax"}},
		"its square":               {"s = Sigmoid(x)\ny = Mul(s, s)\noutput y\n", []string{"Sigmoid+Mul"}},
		"another factor":           {"a = Relu(x)\ns = Sigmoid(a)\ny = Mul(x, s)\noutput y\n", []string{"Relu+Sigmoid+Mul"}},
		"halves, rounded between":  {"h = Cast(x) {to=10}\ns = Sigmoid(h)\nz = Mul(h, s)\ny = Cast(z) {to=1}\noutput y\n", []string{"Cast", "Sigmoid", "Mul", "Cast"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse("input x: float32[n,3,9,8]\n" + c.text)
			require.NoError(t, err)
			r := rand.New(rand.NewPCG(3, 1))
			x := tensor.New(tensor.Float32, 5, 3, 9, 8)
			for i := range x.F32() {
				x.F32()[i] = float32(r.NormFloat64() * 20)
			}
			copy(x.F32(), []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 0, float32(math.Copysign(0, -1)), -103})
			together(t, m, map[string]*tensor.Tensor{"x": x})
			p, err := engine.New(engine.Options{}).Compile(m, nil)
			require.NoError(t, err)
			steps, err := engine.Steps(p, map[string]op.Info{"x": {DType: tensor.Float32, Shape: x.Shape}})
			require.NoError(t, err)
			require.Equal(t, c.steps, steps)
		})
	}
}
