package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestToldByReaders: what readers of a layer's result can tell apart bounds its range.
func TestToldByReaders(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name, body string
		want       span
	}{
		{"HardSwish", "a = HardSwish(y) @a", span{-3, inf}},
		{"HardSigmoid, torch's", "a = HardSigmoid(y) {alpha=0.25, beta=0.5} @a", span{-2, 2}},
		{"HardSigmoid that starts at zero", "a = HardSigmoid(y) {alpha=0.5, beta=0.0} @a", span{0, 2}},
		{"HardSigmoid, downhill", "a = HardSigmoid(y) {alpha=-0.5} @a", everything},
		{"Sigmoid", "a = Sigmoid(y) @a", span{-16, 16}},
		{"Gelu", "a = Gelu(y) @a", span{-4, inf}},
		{"Celu", "a = Celu(y) {alpha=0.5} @a", span{-4, inf}},
		{"LeakyRelu", "a = LeakyRelu(y) @a", everything},
		{"Swish written out", "s = Sigmoid(y) @s\na = Mul(y, s) @a", span{-8, inf}},
		{"a Swish whose gate is read as well", "s = Sigmoid(y) @s\nm = Mul(y, s) @m\na = Add(m, s) @a", span{-16, inf}},
		{"HardSwish by its gate", "s = HardSigmoid(y) {alpha=0.25} @s\na = Mul(s, y) @a", span{-2, inf}},
		{"a gate of another value", "s = Sigmoid(x) @s\na = Mul(y, s) @a", everything},
		{"two readers", "h = HardSwish(y) @h\ns = HardSigmoid(y) {alpha=0.125} @s\na = Add(h, s) @a", span{-4, inf}},
		{"one reader wants all", "h = HardSwish(y) @h\na = Add(h, y) @a", everything},
		{"its shape is no value", "h = HardSwish(y) @h\nn = Shape(y) @n\na = Reshape(h, n) @a", span{-3, inf}},
		{"an output of the graph", "a = HardSwish(y) @a\noutput y", everything},
		{"only its shape", "a = Shape(y) @a", everything},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, "input x: float32[1,2,4,4]\nw: float32[2,2,1,1] = const [1, 0, 0, 1]\ny = Conv(x, w) @conv\n"+c.body+"\noutput a\n")
			s, err := newSketch(m, Config{Preset: Mixed})
			require.NoError(t, err)
			got := s.told("y")
			require.InDelta(t, c.want.lo, got.lo, 1e-6)
			require.InDelta(t, c.want.hi, got.hi, 1e-6)
			pot, err := newSketch(m, Config{Placement: POT})
			require.NoError(t, err)
			require.Equal(t, everything, pot.told("y"), "POT's ranges are POT's")
		})
	}
}

// TestFlatEnds: what a reader makes of a value beyond the ends differs from what it makes of the end by nothing, or by less
// than half a level of a result that reaches 1.4.
func TestFlatEnds(t *testing.T) {
	const nothing, half = 1.2e-7, 1.4 / 510
	for _, c := range []struct {
		name, body string
		miss       float64
	}{
		{"HardSwish", "a = HardSwish(y) @a", 0},
		{"HardSigmoid", "a = HardSigmoid(y) {alpha=0.2, beta=0.5} @a", nothing},
		{"HardSwish by its gate", "s = HardSigmoid(y) {alpha=0.25} @s\na = Mul(y, s) @a", 0},
		{"Sigmoid", "a = Sigmoid(y) @a", nothing},
		{"Tanh", "a = Tanh(y) @a", nothing},
		{"Gelu", "a = Gelu(y) @a", half},
		{"Gelu with Tanh", "a = Gelu(y) {approximate=\"tanh\"} @a", half},
		{"Mish", "a = Mish(y) @a", half},
		{"Elu", "a = Elu(y) {alpha=1.0} @a", half},
		{"Selu", "a = Selu(y) @a", half},
		{"Celu", "a = Celu(y) {alpha=2.0} @a", half},
		{"Swish", "a = Swish(y) {alpha=1.5} @a", half},
		{"Swish written out", "s = Sigmoid(y) @s\na = Mul(y, s) @a", half},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, "input x: float32[1,1,1,1]\nw: float32[1,1,1,1] = const [1]\ny = Conv(x, w) @conv\n"+c.body+"\noutput a\n")
			s, err := newSketch(m, Config{Preset: Mixed})
			require.NoError(t, err)
			told := s.told("y")
			at := func(v float64) float64 {
				x := tensor.New(tensor.Float32, 1, 1, 1, 1)
				x.F32()[0] = float32(v)
				return float64(run(t, m, map[string]*tensor.Tensor{"x": x})["a"].F32()[0])
			}
			require.False(t, math.IsInf(told.lo, 0))
			for times := 1.0; times < 100; times *= 1.3 {
				require.InDelta(t, at(told.lo), at(float64(told.lo*times)), c.miss, "%g times the lower end", times)
				if !math.IsInf(told.hi, 0) {
					require.InDelta(t, at(told.hi), at(float64(told.hi*times)), c.miss, "%g times the upper end", times)
				}
			}
		})
	}
}

// TestRangeOfHardSwish: a Conv before a HardSwish gets no levels below -3 in either preset's reach, and the levels that it
// has are finer; the same Conv before an Add keeps its range.
func TestRangeOfHardSwish(t *testing.T) {
	scale := func(body string, preset Preset) (float32, int32) {
		m := parse(t, "input x: float32[1,2,4,4]\nw: float32[2,2,1,1] = const [8, 0, 0, 2]\nu: float32[1,2,1,1] = const [1, 1]\n"+
			"y = Conv(x, w) @conv\n"+body+"\nz = Conv(a, u) @next\noutput z\n")
		cfg := Config{Preset: preset}
		p, _, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 4, nil)))
		require.NoError(t, err)
		for _, q := range p.Points {
			if q.Value == "y" {
				return q.Scale[0], q.Zero[0]
			}
		}
		t.Fatal("the Conv has no point on its result")
		return 0, 0
	}
	bent, zero := scale("a = HardSwish(y) @a", Mixed)
	require.InDelta(t, -3, -float64(bent)*float64(zero), float64(bent), "the lower end")
	plain, zero := scale("a = Add(y, x) @a", Mixed)
	require.Less(t, -float64(plain)*float64(zero), -6.0, "the lower end of a value that is read as it is")
	require.Less(t, bent, plain)

	symmetric, zero := scale("a = HardSwish(y) @a", Performance)
	whole, _ := scale("a = Add(y, x) @a", Performance)
	require.EqualValues(t, 128, zero)
	require.Equal(t, whole, symmetric, "a symmetric range reaches as far down as up, and nothing bounds it there")
	gate, _ := scale("s = HardSigmoid(y) {alpha=0.25} @s\na = Mul(x, s) @a", Performance)
	require.InDelta(t, 2.0/127, gate, 1e-6, "both ends are bounded")
}
