package engine_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestBytesThatLieRightAreNotMoved counts the kernels around a convolution between Transposes and Squeezes.
func TestBytesThatLieRightAreNotMoved(t *testing.T) {
	head := "input x: float32[2,6,9]\nw: float32[4,9,3,1] = const [" + strings.Repeat("0.5, -1, 0.25, ", 35) + "1, 2, 3]\n" +
		"v: float32[4,6,3,1] = const [" + strings.Repeat("0.5, -1, 0.25, ", 23) + "1, 2, 3]\n" +
		"u: float32[4,6,1,3] = const [" + strings.Repeat("0.5, -1, 0.25, ", 23) + "1, 2, 3]\nax: int64[1] = const [3]\na = Unsqueeze(x, ax)\n"
	for name, c := range map[string]struct {
		text           string
		grouped, apart int64
	}{
		"transposed to channels last": {"b = Transpose(a) {perm=[0,2,1,3]}\nc = Conv(b, w)\nd = Squeeze(c, ax)\ne = Neg(d)\noutput e", 4, 7},
		"the Transpose is read too":   {"b = Transpose(a) {perm=[0,2,1,3]}\nc = Conv(b, w)\noutput b\noutput c", 4, 5},
		"squeezed, then asked for":    {"c = Conv(a, v)\nd = Squeeze(c, ax)\noutput d", 4, 5},
		"sides change places":         {"b = Transpose(a) {perm=[0,1,3,2]}\nc = Conv(b, u)\noutput c", 5, 5},
		"other axes move":             {"b = Transpose(a) {perm=[0,2,3,1]}\nc = Relu(b)\noutput c", 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse(head + c.text)
			require.NoError(t, err)
			x := tensor.New(tensor.Float32, 2, 6, 9)
			for i, f := 0, x.F32(); i < len(f); i++ {
				f[i] = float32(i%13) - 5
			}
			grouped, apart := together(t, m, map[string]*tensor.Tensor{"x": x})
			require.Equal(t, []int64{c.grouped, c.apart}, []int64{grouped, apart})
		})
	}
}
