package quant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

func ptr[T any](v T) *T { return &v }

func TestConfigRefusals(t *testing.T) {
	require.NoError(t, Config{}.Check())
	for want, c := range map[string]Config{
		"placement":                     {Placement: "everywhere"},
		"preset":                        {Preset: "accuracy"},
		"weights.mode":                  {Weights: Kind{Mode: Asymmetric}},
		"weights.granularity":           {Weights: Kind{Granularity: "perrow"}},
		"weights.bits":                  {Weights: Kind{Bits: 16}},
		"weights.level_low":             {Weights: Kind{LevelLow: ptr(-300)}},
		"activations.granularity":       {Activations: Kind{Granularity: PerChannel}},
		"activations.mode":              {Activations: Kind{Mode: "affine"}},
		"activations.bits":              {Activations: Kind{Bits: 4}},
		"activations.level_low":         {Activations: Kind{LevelLow: ptr(0)}},
		"saturation_fix":                {SaturationFix: "first_layer"},
		"threshold":                     {BiasThreshold: -1},
		"activations.range_estimator":   {Activations: Kind{Estimator: Estimator{Preset: "best"}}},
		"max.type":                      {Activations: Kind{Estimator: Estimator{Max: Side{Type: "min"}}}},
		"min.aggregator":                {Activations: Kind{Estimator: Estimator{Min: Side{Aggregator: "mode"}}}},
		"max.outlier_prob":              {Activations: Kind{Estimator: Estimator{Max: Side{OutlierProb: ptr(0.5)}}}},
		"weights.range_estimator":       {Weights: Kind{Estimator: Estimator{Min: Side{Type: "min"}}}},
		"weights are symmetric":         {Weights: Kind{Estimator: Estimator{Min: Side{OutlierProb: ptr(0.01)}}}},
		"weights.range_estimator: max.": {Weights: Kind{Estimator: Estimator{Max: Side{Type: "mean"}}}},
	} {
		t.Run(want, func(t *testing.T) { require.ErrorContains(t, c.Check(), want) })
	}
}

// TestLevels: only magnitudes count; 7 bits are 127 levels.
func TestLevels(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		top  int32
	}{{Kind{}, 127}, {Kind{Bits: 7}, 63}, {Kind{LevelLow: ptr(-127), LevelHigh: ptr(127)}, 127}, {Kind{LevelLow: ptr(63), LevelHigh: ptr(-63)}, 63}} {
		r, err := Config{Weights: c.kind}.resolve()
		require.NoError(t, err)
		require.Equal(t, c.top, r.weightTop)
	}
	r, err := Config{Activations: Kind{LevelLow: ptr(-128), LevelHigh: ptr(127)}}.resolve()
	require.NoError(t, err)
	require.True(t, r.signed)
	r, err = Config{Activations: Kind{LevelLow: ptr(0), LevelHigh: ptr(255)}}.resolve()
	require.NoError(t, err)
	require.False(t, r.signed)
}

// TestPresets: the table of estimators, and single fields over it.
func TestPresets(t *testing.T) {
	resolve := func(c Config) rule {
		r, err := c.resolve()
		require.NoError(t, err)
		return r.activations
	}
	require.Equal(t, rule{min: end{Min, "min", 0}, max: end{AbsMax, "max", 0}}, resolve(Config{}))
	require.Equal(t, rule{min: end{Min, "min", 0}, max: end{AbsMax, "mean", 0}}, resolve(Config{Placement: POT}))
	require.Equal(t, rule{min: end{Min, "mean", 0}, max: end{Max, "mean", 0}}, resolve(Config{Placement: POT, Preset: Mixed}))
	require.Equal(t, rule{min: end{Min, "min", 0}, max: end{AbsQuantile, "mean", 1 - 1e-4}},
		resolve(Config{Activations: Kind{Estimator: Estimator{Preset: "quantile"}}}))
	require.Equal(t, rule{min: end{Quantile, "mean", 0.25}, max: end{Max, "hl_estimator", 0}},
		resolve(Config{Preset: Mixed, Activations: Kind{Estimator: Estimator{Preset: "quantile", Min: Side{OutlierProb: ptr(0.25)}, Max: Side{Type: "max", Aggregator: "hl_estimator"}}}}))
	require.Equal(t, 1-1e-4, resolve(Config{Activations: Kind{Estimator: Estimator{Max: Side{Type: "abs_quantile"}}}}).max.q)
}

func TestClippingBoundsTheRangeAndKeepsZero(t *testing.T) {
	r := rule{clipLow: ptr(-1.0), clipTop: ptr(2.0)}
	require.Equal(t, span{-1, 2}, r.clip(span{-5, 6}))
	require.Equal(t, span{-0.5, 1}, r.clip(span{-0.5, 1}))
	r = rule{clipLow: ptr(1.0), clipTop: ptr(-1.0)}
	require.Equal(t, span{0, 0}, r.clip(span{-5, 6}))
}

// TestQ4LaterEntryMatches: POT stopped at the first entry of the right type.
func TestQ4LaterEntryMatches(t *testing.T) {
	n := &graph.Node{Name: "c", Op: "Conv"}
	n.SetInt("group", 8)
	op := func(typ string, group int64) Operation {
		return Operation{Type: typ, Attributes: []graph.Attr{{Name: "group", Kind: graph.KindInt, Int: group}}}
	}
	require.True(t, Ignored{Operations: []Operation{op("Conv", 1), op("Conv", 8)}}.ignores(n))
	require.True(t, Ignored{Operations: []Operation{{Type: "GroupConvolution"}}}.ignores(n), "OpenVINO's names are known")
	require.False(t, Ignored{Operations: []Operation{op("Conv", 1), op("Gemm", 8)}}.ignores(n))
	require.True(t, Ignored{SkipModel: true}.ignores(n))
	require.True(t, Ignored{Scope: []string{"b", "c"}}.ignores(n))
}

// TestAttributesSelect: of the kinds that can be written down each selects the operation that has it, and no other value or kind does;
// tensors and graphs select nothing.
func TestAttributesSelect(t *testing.T) {
	texts := func(s ...string) (out [][]byte) {
		for _, x := range s {
			out = append(out, []byte(x))
		}
		return out
	}
	attrs := []graph.Attr{
		{Kind: graph.KindInt, Int: 1}, {Kind: graph.KindInt, Int: 2}, {Kind: graph.KindFloat, Float: 1}, {Kind: graph.KindFloat, Float: 2},
		{Kind: graph.KindString, Str: []byte("a")}, {Kind: graph.KindString, Str: []byte("b")}, {Kind: graph.KindInts, Ints: []int64{1}}, {Kind: graph.KindInts, Ints: []int64{1, 2}},
		{Kind: graph.KindFloats, Floats: []float32{1}}, {Kind: graph.KindFloats, Floats: []float32{2}}, {Kind: graph.KindStrings, Strs: texts("a")}, {Kind: graph.KindStrings, Strs: texts("a", "b")},
		{Kind: graph.KindTensor, Tensor: tensor.New(tensor.Float32, 1)}, {Kind: graph.KindGraph, Graph: &graph.Graph{}},
	}
	for i, have := range attrs {
		have.Name = "k"
		n := &graph.Node{Name: "n", Op: "Op"}
		n.Set(have)
		for j, want := range attrs {
			want.Name = "k"
			same := i == j && have.Kind != graph.KindTensor && have.Kind != graph.KindGraph
			require.Equal(t, same, Ignored{Operations: []Operation{{Type: "Op", Attributes: []graph.Attr{want}}}}.ignores(n), "%d %d", i, j)
			want.Name = "other"
			require.False(t, Ignored{Operations: []Operation{{Type: "Op", Attributes: []graph.Attr{want}}}}.ignores(n))
		}
	}
}

// TestConfigIsKept: filling in defaults changes nothing of the configuration that is given, whoever does it.
func TestConfigIsKept(t *testing.T) {
	m := parse(t, "input x: float32[1,8]\nw: float32[8,4] = const random 1\ny = MatMul(x, w) @fc\noutput y\n")
	cfg := Config{Weights: Kind{Bits: 7, LevelLow: ptr(-3)}, InputShapes: map[string][]int{"x": {1, 8}}, Ignored: Ignored{Scope: []string{"fc"}}}
	same := Config{Weights: Kind{Bits: 7, LevelLow: ptr(-3)}, InputShapes: map[string][]int{"x": {1, 8}}, Ignored: Ignored{Scope: []string{"fc"}}}
	require.NoError(t, cfg.Check())
	taps, err := Taps(m, cfg)
	require.NoError(t, err)
	require.Empty(t, taps, "all is ignored")
	n, err := CountGroups(m, cfg)
	require.NoError(t, err)
	require.Zero(t, n)
	st, err := NewStats(nil, nil, nil)
	require.NoError(t, err)
	p, _, err := Build(m, cfg, st)
	require.NoError(t, err)
	require.Empty(t, p.Points)
	require.Equal(t, same, cfg)

	cfg.Ignored.Scope = []string{"fd"}
	require.NoError(t, cfg.Check(), "the model says which nodes there are")
	_, err = Taps(m, cfg)
	require.EqualError(t, err, `ignored.scope: the model has no node "fd" (the nearest is "fc")`)
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"Conv_1", "conv_1", 1}} {
		require.Equal(t, c.want, editDistance(c.a, c.b), c)
	}
}
