package op

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIntegerSoftmaxRefusesWhatItsOpsetMeansOtherwise: before opset 13 the axes from axis on were one row.
func TestIntegerSoftmaxRefusesWhatItsOpsetMeansOtherwise(t *testing.T) {
	inputs := "x: uint8[2,3,4]; " + levelsOf("x", "uint8", 3) + levelsOf("y", "uint8", 5)
	for attrs, want := range map[string]string{
		"{axis=0}":            "",
		"{axis=1, opset=13}":  "",
		"{axis=2, opset=12}":  "",
		"{axis=-1, opset=11}": "",
		"{axis=1, opset=12}":  "axis 1 of 3 with opset below 13 is not supported, the last is",
		"{axis=-3, opset=11}": "axis 0 of 3 with opset below 13 is not supported, the last is",
		"{axis=3, opset=13}":  "axis 3",
		"{axis=-4, opset=13}": "axis -4",
	} {
		n, in := parseCase(t, inputs, "com.microsoft.QLinearSoftmax(x, xs, xz, ys, yz) "+attrs)
		_, err := Eval(n, in)
		if want == "" {
			require.NoError(t, err, attrs)
			continue
		}
		require.ErrorContains(t, err, want, attrs)
	}
}
