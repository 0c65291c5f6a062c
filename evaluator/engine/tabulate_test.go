package engine_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestTabulatedGroups has float functions of one byte, with and without a bias for each channel: where they are long and the batch
// is large they are looked up, and the weights count the tables.
func TestTabulatedGroups(t *testing.T) {
	const head = "s: float32[] = const [0.03]\nz: uint8[] = const [117]\nhalf: float32[] = const [0.5]\n" +
		"bias: float32[7] = const [1,-2,3,-4,0.5,0,7]\nd = DequantizeLinear(q, s, z)\n"
	const curve = "c = Mul(b, b)\ne = Mul(c, b)\nf = Mul(e, half)\ng = Tanh(f)\nh = Mul(g, b)\noutput h"
	for name, c := range map[string]struct {
		text  string
		rows  int
		bytes int64
	}{
		"a bias for each channel":    {"b = Add(d, bias)\n" + curve, 300, 7 * 256 * 4},
		"one function":               {"b = Add(d, half)\n" + curve, 300, 256 * 4},
		"few rows":                   {"b = Add(d, bias)\n" + curve, 127, 0},
		"a short chain":              {"b = Add(d, bias)\noutput b", 300, 0},
		"two lengths of period":      {"w: float32[3,7] = const [" + strings.Repeat("2,", 20) + "1]\na = Add(d, w)\nb = Add(a, bias)\n" + curve, 3000, 0},
		"a number of another sample": {"r: float32[300,1] = const [" + strings.Repeat("2,", 299) + "1]\nb = Add(d, r)\n" + curve, 300, 0},
	} {
		t.Run(name, func(t *testing.T) {
			input, shape := "input q: uint8[_,7]\n", []int{c.rows, 7}
			if strings.Contains(c.text, "[3,7]") {
				input, shape = "input q: uint8[_,3,7]\n", []int{c.rows / 3, 3, 7}
			}
			m, err := graph.Parse(input + head + c.text)
			require.NoError(t, err)
			x, rng := tensor.New(tensor.Uint8, shape...), rand.New(rand.NewPCG(1, 2))
			for i := range x.Data {
				x.Data[i] = byte(rng.Uint32())
			}
			in := map[string]*tensor.Tensor{"q": x}
			together(t, m, in)
			e := engine.New(engine.Options{})
			p, err := e.Compile(m, nil)
			require.NoError(t, err)
			_, err = p.Run(context.Background(), in, [32]byte{})
			require.NoError(t, err)
			require.Equal(t, c.bytes, e.Usage().Weights)
		})
	}
}
