package cause

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// modelOf is a model to ask about its graph alone.
func modelOf(t *testing.T, text string) *Model {
	t.Helper()
	m, err := graph.Parse("ir 8\ngraph g\ninput x: float32[1,4]\nk: float32[1,4] = const [0, 0, 0, -10000]\n" + text + "output v: float32[1,4]\n")
	require.NoError(t, err)
	return NewModel(m.Graph, &plan.Params{}, nil)
}

// TestMaskReaches: a mask is found through every operator that moves or combines single elements, on either side, and through
// none that sums many or forgets what it was given.
func TestMaskReaches(t *testing.T) {
	found := func(text string) bool {
		name, value, ok := modelOf(t, text).constantBehind("v", 9000, reach, map[string]bool{})
		if ok {
			require.Equal(t, "k", name)
			require.Equal(t, -10000.0, value)
		}
		return ok
	}
	for op := range carriers {
		require.True(t, found("v = "+op+"(x, k)\n"), op)
		require.True(t, found("v = "+op+"(k, x)\n"), op)
	}
	for _, op := range []string{"MatMul", "Softmax", "Sigmoid", "ReduceMean", "Relu", "Gemm"} {
		require.False(t, found("v = "+op+"(x, k)\n"), op)
	}
	chain := func(n int) string {
		text, last := "", "k"
		for i := range n - 1 {
			next := "a" + strings.Repeat("i", i)
			text += next + " = Identity(" + last + ")\n"
			last = next
		}
		return text + "v = Identity(" + last + ")\n"
	}
	require.True(t, found(chain(reach)))
	require.False(t, found(chain(reach+1)))
	require.False(t, found("v = Add(x, x)\n"))
}

// TestLarge: an element is the mask when it is 1,000 or more in magnitude and within a factor of two of the range's end.
func TestLarge(t *testing.T) {
	for _, c := range []struct {
		x    float32
		size float64
		want bool
	}{
		{1000, 1000, true}, {999, 1000, false}, {-1000, 1000, true}, {1000, 2000, true}, {1000, 2001, false}, {4000, 2000, true}, {4001, 2000, false}, {0, 0, false},
		{float32(math.Inf(1)), 1000, false}, {float32(math.NaN()), 1000, false},
	} {
		v, ok := large(tensor.Of(tensor.Float32, []int{2}, []float32{1, c.x}), c.size)
		require.Equal(t, c.want, ok, "%v", c)
		if ok {
			require.Equal(t, float64(c.x), v)
		}
	}
	_, ok := large(tensor.Of(tensor.Int64, []int{1}, []int64{5000}), 5000)
	require.False(t, ok, "indices mask nothing")
}

// TestImbalance: dead channels do not count, the middle of an even number is the upper one, and two must live.
func TestImbalance(t *testing.T) {
	for _, c := range []struct {
		channels               []float64
		ratio, median, largest float64
	}{
		{nil, 0, 0, 0}, {[]float64{5}, 0, 0, 0}, {[]float64{0, 0, 5}, 0, 0, 0}, {[]float64{1, 8}, 1, 8, 8}, {[]float64{8, 1, 1}, 8, 1, 8},
		{[]float64{0, 2, 0, 1, 16}, 8, 2, 16}, {[]float64{1, 2, 3, 12}, 4, 3, 12},
	} {
		ratio, median, largest := imbalance(c.channels)
		require.Equal(t, []float64{c.ratio, c.median, c.largest}, []float64{ratio, median, largest}, "%v", c.channels)
	}
}

// TestChannelsOf: which axis holds channels, by rank, and which shapes have none.
func TestChannelsOf(t *testing.T) {
	for _, c := range []struct {
		shape []int
		axis  int32 // -1: none
	}{
		{[]int{1, 3, 8, 8}, 1}, {[]int{1, 5, 3, 8, 8}, 1}, {[]int{1, 7, 64}, 2}, {[]int{1, 10}, 1}, {[]int{10}, -1}, {nil, -1}, {[]int{1, 1}, -1}, {[]int{1, 2}, 1},
		{[]int{1, 1, 8, 8}, -1}, {[]int{1, maxChannels}, 1}, {[]int{1, maxChannels + 1}, -1}, {[]int{4, 1}, -1},
	} {
		tap, ok := (&Model{Shapes: map[string][]int{"v": c.shape}}).channels("v")
		require.Equal(t, c.axis >= 0, ok, "%v", c.shape)
		if ok {
			require.Equal(t, quant.Tap{Value: "v", Func: quant.AbsMax, Axis: c.axis, Width: uint32(c.shape[c.axis])}, tap)
		}
	}
}

// TestSharesErrOnOneSide: what is read from a histogram never claims more than is true: the share below a value is no larger
// than the true one, the magnitude that a share stays below no smaller.
func TestSharesErrOnOneSide(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for range 200 {
		x := make([]float32, 1+r.IntN(300))
		for i := range x {
			if x[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(20)-10))); r.IntN(5) == 0 {
				x[i] = 0
			}
		}
		taps := []quant.Tap{histogram("v")}
		record, err := quant.Record(taps, map[string]*tensor.Tensor{"v": tensor.Of(tensor.Float32, []int{1, len(x)}, x)})
		require.NoError(t, err)
		st, err := quant.NewStats(taps, [][]byte{record, record}, nil)
		require.NoError(t, err)
		var s seen
		require.NoError(t, s.counted("v", st))
		var alive []float64
		for _, v := range x {
			if v != 0 {
				alive = append(alive, math.Abs(float64(v)))
			}
		}
		slices.Sort(alive)
		require.Equal(t, float64(2*len(alive)), s.values, "both samples, without zeros")
		if len(alive) == 0 {
			require.Zero(t, s.below(math.Inf(1)))
			continue
		}
		for range 20 {
			v := alive[r.IntN(len(alive))] * (0.5 + r.Float64())
			n, _ := slices.BinarySearch(alive, v)
			require.LessOrEqual(t, s.below(v), float64(n)/float64(len(alive)))
			q := r.Float64()
			at := alive[max(0, int(math.Ceil(q*float64(len(alive))))-1)]
			require.GreaterOrEqual(t, s.magnitude(q, math.Inf(1)), at)
		}
	}
}

// TestOutputAxis: where the output channels of a weight lie, by operator.
func TestOutputAxis(t *testing.T) {
	for text, want := range map[string]int{
		"v = Conv(x, k)\n": 0, "v = Gemm(x, k) {transB=1}\n": 0, "v = Gemm(x, k)\n": 1, "v = MatMul(x, k)\n": 1, "v = ConvTranspose(x, k)\n": -1, "v = Add(x, k)\n": -1,
	} {
		m := modelOf(t, text)
		require.Equal(t, want, outputAxis(m.index.Producer["v"], 2), text)
	}
}

// TestChannelMaxima: the largest magnitude of each index of an axis, on any axis.
func TestChannelMaxima(t *testing.T) {
	w := tensor.Of(tensor.Float32, []int{2, 3, 2}, []float32{1, -2, 3, 4, -5, 0, 0, 0.5, -6, 1, 2, 7})
	require.Equal(t, []float64{5, 7}, channelMaxima(w, 0))
	require.Equal(t, []float64{2, 6, 7}, channelMaxima(w, 1))
	require.Equal(t, []float64{6, 7}, channelMaxima(w, 2))
}

// TestTapsOnce: a value that several groups or points share is measured once, whatever is asked of it.
func TestTapsOnce(t *testing.T) {
	m := modelOf(t, "s = Add(x, k) @sum\nv = Relu(s) @relu\n")
	m.Shapes = map[string][]int{"x": {1, 4}}
	m.Params = &plan.Params{
		Points: []plan.Point{{Value: "x"}, {Value: "x"}, {Value: "k", Kind: plan.Weight}}, Groups: [][]uint32{{0, 2}, {1}},
	}
	m.ops = [][]string{{"sum"}, {"sum", "relu", "nowhere"}}
	require.Equal(t, []quant.Tap{
		extremes("x")[0], extremes("x")[1], histogram("x"), {Value: "x", Func: quant.AbsMax, Axis: 1, Width: 4}, histogram("s"),
	}, m.Taps([]int{0, 1}))
	require.Empty(t, m.Taps(nil))
}

// TestTouchingZero: values that reach zero from one side lie on both sides of nothing: the range includes zero anyway, and few
// levels are unused ones, not those of a clipped zero point.
func TestTouchingZero(t *testing.T) {
	text := weighted(400)
	for _, c := range []struct {
		x    []float32
		want bool // clipped zero point
	}{{ramp(400, -21, -20), true}, {ramp(400, 20, 21), true}, {append(ramp(399, -21, -20), 0), false}, {append(ramp(399, 20, 21), 0), false}} {
		_, ok := findings(t, text, quant.Config{}, c.x)[0][ClippedZeroPoint]
		require.Equal(t, c.want, ok)
	}
}

// TestRoomOfBias: a bias may take what the sums of its layer leave of int32: less for deeper layers, also where the bias is an
// Add behind the layer; what is not a layer with a weight has the rule's own limit.
func TestRoomOfBias(t *testing.T) {
	const depth = 65000
	weights := strings.TrimSuffix(strings.Repeat("1, ", 2*depth), ", ")
	g, err := graph.Parse("ir 8\ngraph g\ninput x: float32[1,65000]\nw: float32[65000,2] = const [" + weights + "]\nb: float32[2] = const [1, 2]\n" +
		"s: float32[1,2] = MatMul(x, w) @layer\ny: float32[1,2] = Add(s, b) @bias\nz: float32[1,2] = Add(b, s) @turned\nr: float32[1,2] = Relu(b) @none\noutput y: float32[1,2]\n")
	require.NoError(t, err)
	m := NewModel(g.Graph, &plan.Params{}, nil)
	for node, want := range map[string]float64{
		"layer": math.MaxInt32 - depth*255*127, "bias": math.MaxInt32 - depth*255*127, "turned": math.MaxInt32 - depth*255*127, "none": biasLevels, "nowhere": biasLevels,
	} {
		require.Equal(t, want, m.room(plan.Point{Uses: []plan.Use{{Node: node}}}), node)
	}
}
