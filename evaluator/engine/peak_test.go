package engine_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestMaximaOfTables: a GlobalMaxPool behind a function of a byte that falls and rises is one step with it, if nobody else reads the
// values. The bytes are those of kernels apart.
func TestMaximaOfTables(t *testing.T) {
	const head = `input q: uint8[_,7,300]
s: float32[] = const [0.03]
z: uint8[] = const [117]
half: float32[] = const [0.5]
bias: float32[7,1] = const [1,-2,3,-4,0.5,0,7]
w: uint8[7,7,1] = const [129,128,128,128,128,128,128,128,129,128,128,128,128,128,128,128,129,128,128,128,128,128,128,128,129,128,128,128,128,128,128,128,129,128,128,128,128,128,128,128,129,128,128,128,128,128,128,128,129]
wz: uint8[] = const [128]
one: float32[] = const [1]
x = QLinearConv(q, s, z, w, one, wz, s, z)
d = DequantizeLinear(x, s, z)
b = Add(d, bias)
`
	for name, c := range map[string]struct {
		text   string
		joined bool
	}{
		"a valley":      {"c = Mul(b, b)\ne = Mul(c, half)\nf = Tanh(e)\ng = Mul(f, half)\ny = GlobalMaxPool(g)\noutput y", true},
		"a hill":        {"c = Mul(b, b)\ne = Mul(c, half)\nf = Tanh(e)\ng = Neg(f)\ny = GlobalMaxPool(g)\noutput y", false},
		"another reads": {"c = Mul(b, b)\ne = Mul(c, half)\nf = Tanh(e)\ng = Mul(f, half)\ny = GlobalMaxPool(g)\na = GlobalAveragePool(g)\noutput y\noutput a", false},
		"it is wanted":  {"c = Mul(b, b)\ne = Mul(c, half)\nf = Tanh(e)\ng = Mul(f, half)\ny = GlobalMaxPool(g)\noutput y\noutput g", false},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse(head + c.text)
			require.NoError(t, err)
			for _, rows := range []int{1, 3} {
				x, rng := tensor.New(tensor.Uint8, rows, 7, 300), rand.New(rand.NewPCG(1, 2))
				for i := range x.Data {
					x.Data[i] = byte(rng.Uint32() % 200)
				}
				grouped, apart := together(t, m, map[string]*tensor.Tensor{"q": x})
				t.Log(grouped, apart)
				require.Equal(t, c.joined, apart-grouped == 6, "%d steps instead of %d", grouped, apart)
			}
		})
	}
}
