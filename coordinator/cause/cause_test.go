package cause

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// findings quantizes a model on samples of its input x, and returns what is found in each group, by rule.
func findings(t *testing.T, text string, cfg quant.Config, samples ...[]float32) []map[string]Cause {
	t.Helper()
	m, err := graph.Parse(text)
	require.NoError(t, err)
	shape := []int{1, len(samples[0])}
	// Every value of these models is its input or one elementwise operation on it, so a tiny interpreter does.
	values := make([]map[string]*tensor.Tensor, len(samples))
	for i, x := range samples {
		values[i] = evaluate(t, m.Graph, tensor.Of(tensor.Float32, shape, x))
	}
	collect := func(taps []quant.Tap) *quant.Stats {
		var records [][]byte
		for _, v := range values {
			r, err := quant.Record(taps, v)
			require.NoError(t, err)
			records = append(records, r)
		}
		st, err := quant.NewStats(taps, records, nil)
		require.NoError(t, err)
		return st
	}
	taps, err := quant.Taps(m, cfg)
	require.NoError(t, err)
	params, _, err := quant.Build(m, cfg, collect(taps))
	require.NoError(t, err)
	shapes := map[string][]int{}
	for name, v := range values[0] {
		shapes[name] = v.Shape
	}
	model := NewModel(m.Graph, params, shapes)
	var groups []int
	for g := range params.Groups {
		groups = append(groups, g)
	}
	st := collect(model.Taps(groups))
	var out []map[string]Cause
	for _, g := range groups {
		found, err := model.Find(g, st)
		require.NoError(t, err)
		byKind := map[string]Cause{}
		for _, c := range found {
			require.NotContains(t, c.Text, "%!")
			byKind[c.Kind] = c
		}
		out = append(out, byKind)
	}
	return out
}

// evaluate computes Add, Sub, Mul, MatMul and Gemm of small models.
func evaluate(t *testing.T, g *graph.Graph, x *tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	v := map[string]*tensor.Tensor{"x": x}
	for name, c := range g.Consts {
		v[name] = c
	}
	for _, n := range g.Nodes {
		a, b := v[n.Inputs[0]].F32(), v[n.Inputs[1]].F32()
		var out []float32
		switch n.Op {
		case "MatMul", "Gemm":
			columns := v[n.Inputs[1]].Shape[1]
			out = make([]float32, columns)
			for i, s := range a {
				for c := range out {
					out[c] += float32(s * b[i*columns+c])
				}
			}
		default:
			for i, s := range a {
				o := b[i%len(b)]
				out = append(out, map[string]float32{"Add": s + o, "Sub": s - o, "Mul": s * o}[n.Op])
			}
		}
		v[n.Outputs[0]] = tensor.Of(tensor.Float32, []int{1, len(out)}, out)
	}
	return v
}

// ramp is n values from lo to hi.
func ramp(n int, lo, hi float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = lo + (hi-lo)*float32(i)/float32(n-1)
	}
	return out
}

// weighted is a dense layer of n inputs with weights that are not zero.
func weighted(n int) string {
	text := "ir 8\ngraph dense\ninput x: float32[1," + strconv.Itoa(n) + "]\nw: float32[" + strconv.Itoa(n) + ",2] = const ["
	for i := range 2 * n {
		if i > 0 {
			text += ", "
		}
		text += "0.5"
	}
	return text + "]\ny: float32[1,2] = MatMul(x, w) @dense\noutput y: float32[1,2]\n"
}

// TestActivations: each rule finds its pattern, and no rule finds anything in values that are spread evenly.
func TestActivations(t *testing.T) {
	with := func(x []float32, at int, v float32) []float32 { x[at] = v; return x }
	many := make([]float32, 400)
	for i := range many {
		many[i] = float32(math.Exp2(-float64(i % 16)))
	}
	for name, c := range map[string]struct {
		x    []float32
		want []string
	}{
		"even":     {ramp(400, -1, 1), nil},
		"positive": {ramp(400, 0, 4), nil},
		"outlier":  {with(ramp(400, -1, 1), 7, 40), []string{RangeOutlier, ChannelImbalance}},
		"far out":  {with(ramp(400, -1, 1), 7, 400), []string{RangeOutlier, ChannelImbalance, RoundedToZero}},
		"octaves":  {many, []string{RoundedToZero, ChannelImbalance}},
		"one side": {ramp(400, 20, 21), []string{ClippedZeroPoint}},
		"lopsided": {ramp(400, -0.1, 1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var kinds []string
			for kind := range findings(t, weighted(400), quant.Config{}, c.x, c.x)[0] {
				kinds = append(kinds, kind)
			}
			require.ElementsMatch(t, c.want, kinds)
		})
	}
}

// TestFigures: the number of a finding is what the rule says.
func TestFigures(t *testing.T) {
	x := ramp(400, -1, 1)
	x[0] = 40
	c := findings(t, weighted(400), quant.Config{}, x)[0][RangeOutlier]
	require.InDelta(t, 40, c.Figure, 12, "one bin is a quarter wide")
	require.Equal(t, "x", c.Value)
	c = findings(t, weighted(400), quant.Config{}, ramp(400, 20, 21))[0][ClippedZeroPoint]
	require.InDelta(t, 255.0/21, c.Figure, 0.1)
}

// TestMask: a constant of a mask's size that is added to values is found behind them.
func TestMask(t *testing.T) {
	found := findings(t, `ir 8
graph masked
input x: float32[1,4]
m: float32[1,4] = const [0, 0, 0, -10000]
w: float32[4,2] = const [1, 0, 0, 1, 1, 0, 0, 1]
s: float32[1,4] = Add(x, m) @mask
y: float32[1,2] = MatMul(s, w) @dense
output y: float32[1,2]
`, quant.Config{Ignored: quant.Ignored{Scope: []string{"mask"}}}, []float32{1, -2, 3, 0.5})
	c, ok := found[0][MaskValue]
	require.True(t, ok)
	require.Equal(t, Cause{MaskValue, "s", -10000, c.Text}, c)
	require.Contains(t, c.Text, `the constant -10,000 in "m"`)
}

// TestConstants: unequal channels under one scale, and biases that fill int32.
func TestConstants(t *testing.T) {
	text := `ir 8
graph constants
input x: float32[1,2]
w: float32[2,4] = const [1, 0.01, 0.02, 0.01, 1, 0.01, 0.02, 0.01]
b: float32[4] = const [1e6, 0, 0, 0]
y: float32[1,4] = Gemm(x, w, b) @dense
output y: float32[1,4]
`
	tiny := []float32{0.001, 0.002}
	found := findings(t, text, quant.Config{Weights: quant.Kind{Granularity: quant.PerTensor}}, tiny)[0]
	require.Contains(t, found, ChannelImbalance)
	require.Equal(t, "w", found[ChannelImbalance].Value)
	require.Contains(t, findings(t, text, quant.Config{}, tiny)[0], OverflowingBias)
	require.NotContains(t, findings(t, text, quant.Config{}, tiny)[0], ChannelImbalance, "each channel has a scale of its own")
	require.NotContains(t, findings(t, text, quant.Config{}, []float32{1000, 2000})[0], OverflowingBias)
}

// TestDifference: results that are small beside the levels of the operands.
func TestDifference(t *testing.T) {
	text := func(c string) string {
		return `ir 8
graph difference
input x: float32[1,4]
k: float32[1,4] = const [` + c + `]
o: float32[1,1] = const [1]
p: float32[1,4] = Mul(x, k) @scaled
q: float32[1,4] = Mul(x, o) @copied
d: float32[1,4] = Sub(p, q) @difference
w: float32[4,2] = const [1, 0, 0, 1, 1, 0, 0, 1]
y: float32[1,2] = MatMul(d, w) @dense
output y: float32[1,2]
`
	}
	x := []float32{100, 200, 300, 400}
	kinds := func(c string) map[string]Cause {
		for _, g := range findings(t, text(c), quant.Config{Placement: quant.POT}, x) {
			if found, ok := g[SmallDifference]; ok {
				return map[string]Cause{SmallDifference: found}
			}
		}
		return nil
	}
	require.Contains(t, kinds("1.001, 1.0005, 0.9995, 1.0005"), SmallDifference)
	require.Empty(t, kinds("3, 2, 3, 2"))
}

// TestTies: only groups that share a score.
func TestTies(t *testing.T) {
	out := Ties("the first ranking", []int{4, 2, 7}, []float64{0.5, 0.25, 0.5})
	require.Len(t, out, 2)
	require.Equal(t, 1.0, out[4].Figure)
	require.Contains(t, out[7].Text, "1 of the 2 other groups has the same score in the first ranking, 0.5000")
}

// TestInOrder: the rules' order, one finding a value, four at most.
func TestInOrder(t *testing.T) {
	var found []Cause
	for _, r := range Rules() {
		found = append([]Cause{{Kind: r.Kind, Value: "v"}, {Kind: r.Kind, Value: "v"}}, found...)
		require.Equal(t, r.Name, Name(r.Kind))
	}
	out := inOrder(found)
	require.Len(t, out, most)
	require.Equal(t, MaskValue, out[0].Kind)
	require.Equal(t, RangeOutlier, out[1].Kind)
	require.Equal(t, "of another version", Name("of another version"))
}

// TestBadUse: statistics that were not asked for are an error.
func TestBadUse(t *testing.T) {
	m, err := graph.Parse(weighted(4))
	require.NoError(t, err)
	params := &plan.Params{
		Points: []plan.Point{{Value: "x", Uses: []plan.Use{{Node: "dense"}}, DType: tensor.Uint8, Axis: -1, Scale: []float32{1}, Zero: []int32{0}}},
		Groups: [][]uint32{{0}},
	}
	st, err := quant.NewStats(nil, nil, nil)
	require.NoError(t, err)
	_, err = NewModel(m.Graph, params, nil).Find(0, st)
	require.ErrorContains(t, err, "was not collected")
}
