package quant

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPresetOfTheModel: without a preset a model with attention gets asymmetric activations, written out or not.
func TestPresetOfTheModel(t *testing.T) {
	attention := func(body string) string {
		return "input q: float32[1,4,8]\ninput k: float32[1,8,4]\ninput v: float32[1,4,8]\naxes: int64[1] = const [-1]\n" +
			"s = MatMul(q, k) @scores\n" + body + "\no = MatMul(p, v) @mix\noutput o\n"
	}
	for name, c := range map[string]struct {
		text string
		cfg  Config
		want Preset
	}{
		"no attention":             {"input x: float32[1,8]\ny = Relu(x) @r\noutput y\n", Config{}, Performance},
		"softmax":                  {attention("p = Softmax(s) {axis=-1} @soft"), Config{}, Mixed},
		"softmax written out":      {attention("e = Exp(s) @e\nz = ReduceSum(e, axes) {keepdims=1} @z\np = Div(e, z) @soft"), Config{}, Mixed},
		"softmax behind dropout":   {attention("w = Softmax(s) {axis=-1} @soft\np = Identity(w) @keep"), Config{}, Mixed},
		"another product":          {attention("p = Relu(s) @r"), Config{}, Performance},
		"the job says otherwise":   {attention("p = Softmax(s) {axis=-1} @soft"), Config{Preset: Performance}, Performance},
		"POT's placement is POT's": {attention("p = Softmax(s) {axis=-1} @soft"), Config{Placement: POT}, Performance},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, c.cfg.For(parse(t, c.text).Graph).Preset)
		})
	}
}
