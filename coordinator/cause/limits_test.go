package cause

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// kinds applies the rules for activations to values of x under a scale of 1 and a zero point.
func kinds(t *testing.T, zero int32, x []float32) []string {
	t.Helper()
	m, err := graph.Parse(weighted(len(x)))
	require.NoError(t, err)
	model := NewModel(m.Graph, &plan.Params{}, map[string][]int{"x": {len(x)}})
	ends := extremes("x")
	taps := []quant.Tap{ends[0], ends[1], histogram("x")}
	r, err := quant.Record(taps, map[string]*tensor.Tensor{"x": tensor.Of(tensor.Float32, []int{len(x)}, x)})
	require.NoError(t, err)
	st, err := quant.NewStats(taps, [][]byte{r}, nil)
	require.NoError(t, err)
	found, err := model.activation(plan.Point{Value: "x", DType: tensor.Uint8, Axis: -1, Scale: []float32{1}, Zero: []int32{zero}}, st)
	require.NoError(t, err)
	var out []string
	for _, c := range found {
		out = append(out, c.Kind)
	}
	return out
}

// TestLevels: 64 levels are few, more are not, and a zero point is clipped only where no value touches zero.
func TestLevels(t *testing.T) {
	for name, c := range map[string]struct {
		zero   int32
		lo, hi float32
		want   []string
	}{
		"64 above zero":       {0, 100, 164, []string{ClippedZeroPoint}},
		"65 above zero":       {0, 100, 165, nil},
		"64 below zero":       {255, -164, -100, []string{ClippedZeroPoint}},
		"64 from zero":        {0, 0, 64, []string{UnusedLevels}},
		"64 up to zero":       {255, -64, 0, []string{UnusedLevels}},
		"64 on both sides":    {128, -32, 32, []string{UnusedLevels}},
		"one value":           {0, 100, 100, nil},
		"64 are in the range": {0, 191, 300, []string{ClippedZeroPoint}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, kinds(t, c.zero, ramp(40, c.lo, c.hi)))
		})
	}
}

// TestOutlierBelow: the end of a range that lies below zero counts as the one above.
func TestOutlierBelow(t *testing.T) {
	x := ramp(400, -16, -4)
	x[7] = -255
	require.Contains(t, kinds(t, 255, x), RangeOutlier)
	for i := range x {
		x[i] = -x[i]
	}
	require.Contains(t, kinds(t, 0, x), RangeOutlier)
}

// TestMaskInPart: a mask that values pull up to half way to zero is one.
func TestMaskInPart(t *testing.T) {
	found := findings(t, `ir 8
graph masked
input x: float32[1,4]
m: float32[1,4] = const [0, 0, 0, -1000]
w: float32[4,2] = const [1, 0, 0, 1, 1, 0, 0, 1]
s: float32[1,4] = Add(x, m) @mask
y: float32[1,2] = MatMul(s, w) @dense
output y: float32[1,2]
`, quant.Config{Ignored: quant.Ignored{Scope: []string{"mask"}}}, []float32{1, -2, 3, 400})
	require.Contains(t, found[0], MaskValue)
}

// TestRoom: a bias has 2^30 levels, less where the sums of a deep layer take more than the other half of int32.
func TestRoom(t *testing.T) {
	for depth, want := range map[int]float64{2: 1 << 30, 33_000: 1 << 30, 40_000: 1<<31 - 1 - 40_000*255*127} {
		model := modelOf(t, "w: float32["+strconv.Itoa(depth)+",1] = const ["+strings.TrimSuffix(strings.Repeat("1, ", depth), ", ")+"]\nv = MatMul(x, w) @deep\nu = Add(v, k) @behind\n")
		for _, node := range []string{"deep", "behind"} {
			require.Equal(t, want, model.room(plan.Point{Uses: []plan.Use{{Node: node}}}), "%s, %d", node, depth)
		}
		require.Equal(t, float64(1<<30), model.room(plan.Point{Uses: []plan.Use{{Node: "elsewhere"}}}))
	}
}

// TestBiasInPlace: the corrected bias counts where there is one, else the model's.
func TestBiasInPlace(t *testing.T) {
	model := modelOf(t, "b: float32[2] = const [3, 4]\nv = Gemm(x, k, b) @dense\n")
	p := plan.Point{Value: "b", Kind: plan.Bias, Uses: []plan.Use{{Node: "dense", Input: 2}}}
	require.Equal(t, []float32{3, 4}, model.biasOf(p))
	model.Params.Patches = []plan.Patch{
		{Use: plan.Use{Node: "other", Input: 2}, DType: tensor.Float32, Shape: []uint32{1}, Data: tensor.Of(tensor.Float32, []int{1}, []float32{9}).Data},
		{Use: p.Uses[0], DType: tensor.Float32, Shape: []uint32{2}, Data: tensor.Of(tensor.Float32, []int{2}, []float32{5, 6}).Data},
	}
	require.Equal(t, []float32{5, 6}, model.biasOf(p))
}

// TestCoarsest: the widest level of the operands counts, wherever it stands.
func TestCoarsest(t *testing.T) {
	model := modelOf(t, "v = Add(x, k) @sum\n")
	fine := plan.Point{Value: "x", Uses: []plan.Use{{Node: "sum"}}, Scale: []float32{0.25}}
	coarse := plan.Point{Value: "k", Uses: []plan.Use{{Node: "sum", Input: 1}}, Scale: []float32{2}}
	other := plan.Point{Value: "x", Uses: []plan.Use{{Node: "other"}}, Scale: []float32{8}}
	model.Params.Groups = [][]uint32{{0, 1, 2}}
	for _, points := range [][]plan.Point{{fine, coarse, other}, {coarse, fine, other}} {
		model.Params.Points = points
		require.Equal(t, 2.0, model.coarsest(0, model.nodes["sum"]))
	}
}
