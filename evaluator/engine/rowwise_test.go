package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
)

// TestRowWise asks small graphs whether several samples may be fed at once.
func TestRowWise(t *testing.T) {
	for _, c := range []struct {
		name, text string
		rows       bool
		batch      int
	}{
		{"pointwise", "input x: float32[n,4]\ny = Relu(x)\noutput y", true, 0},
		{"fixed batch", "input x: float32[1,4]\ny = Relu(x)\noutput y", false, 1},
		{"fixed batch of four", "input x: float32[4,4]\ny = Relu(x)\noutput y", false, 4},
		{"softmax over the batch", "input x: float32[n,4]\ny = Softmax(x) {axis=0}\noutput y", false, 0},
		{"softmax over the row", "input x: float32[n,4]\ny = Softmax(x) {axis=1}\noutput y", true, 0},
		{"rows cross a product", "input x: float32[n,4]\nt = Transpose(x) {perm=[1,0]}\ny = MatMul(x, t)\noutput y", false, 0},
		{"batch moved away", "input x: float32[n,4]\ny = Transpose(x) {perm=[1,0]}\noutput y", false, 0},
		{"mean over the batch", "input x: float32[n,4]\na: int64[1] = const [0]\ny = ReduceMean(x, a) {keepdims=1}\noutput y", false, 0},
		{"a bias with rows", "input x: float32[n,4]\nb: float32[3,1] = const [1, 2, 3]\ny = Add(x, b)\noutput y", false, 0},
		{"one row for all, from shapes", "input x: float32[n,4]\nt: float32[9,4] = const ramp 0 1\ni: int64[1] = const [2]\nj = Neg(i)\nk = Abs(j)\ng = Gather(t, k) {axis=0}\nh = Relu(g)\ny = Add(x, h)\noutput y", true, 0},
		{"rows numbered by the shape", "input x: float32[n,1]\nz: int64[] = const [0]\no: int64[] = const [1]\ns = Shape(x)\nb = Gather(s, z)\nr = Range(z, b, o)\nf = Cast(r) {to=1}\na: int64[1] = const [1]\nu = Unsqueeze(f, a)\ny = Add(x, u)\noutput y", false, 0},
		{"a token for each row", "input x: float32[n,2,4]\nt: float32[1,1,4] = const [1, 2, 3, 4]\nz: int64[] = const [0]\ns = Shape(x)\nb = Gather(s, z)\nq: int64[1] = const [0]\nb1 = Unsqueeze(b, q)\no: int64[2] = const [1, 4]\nc = Concat(b1, o) {axis=0}\ne = Expand(t, c)\ny = Concat(e, x) {axis=1}\noutput y", true, 0},
		{"reshape keeps rows", "input x: float32[n,4]\ns: int64[3] = const [0, 2, 2]\ny = Reshape(x, s)\noutput y", true, 0},
		{"reshape folds rows", "input x: float32[n,4]\ns: int64[2] = const [-1, 2]\ny = Reshape(x, s)\noutput y", false, 0},
		{"two inputs", "input x: float32[n,4]\ninput z: float32[n,4]\ny = Add(x, z)\noutput y", true, 0},
		{"scalar input", "input x: float32[n,4]\ninput z: float32[]\ny = Add(x, z)\noutput y", false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := graph.Parse(c.text)
			require.NoError(t, err)
			p, err := engine.New(engine.Options{}).Compile(m, nil)
			require.NoError(t, err)
			require.Equal(t, c.rows, p.RowWise())
			require.Equal(t, c.batch, p.Batch())
		})
	}
}
