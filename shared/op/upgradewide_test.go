package op

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestOldSpellingsKeepTheirMeaning upgrades one node of an old opset and compares what it computes with today's node.
func TestOldSpellingsKeepTheirMeaning(t *testing.T) {
	for _, c := range []struct {
		name       string
		opset      string
		inputs     string
		old, today string
	}{
		{"axis of the second operand", "6", "input x: float32[2,3,4]\ninput y: float32[3]\n", "Add(x, y) {axis=1, broadcast=1}", "Einsum(x) {equation=\"...\"}"},
		{"last axes by default", "6", "input x: float32[2,3]\ninput y: float32[3]\n", "Sub(x, y) {broadcast=1}", "Sub(x, y)"},
		{"one slope a channel", "6", "input x: float32[2,3,4]\ny: float32[3] = const [0.5, 0.25, 2]\n", "PRelu(x, y)", ""},
		{"C is stretched anyway", "6", "input x: float32[2,3]\ninput y: float32[3,4]\ninput z: float32[4]\n", "Gemm(x, y, z) {broadcast=1}", "Gemm(x, y, z)"},
		{"upsampling by attribute", "7", "input x: float32[1,1,2,3]\n", "Upsample(x) {mode=\"nearest\", scales=[1.0,1.0,2.0,2.0]}", ""},
		{"upsampling by input", "9", "input x: float32[1,1,2,3]\ny: float32[4] = const [1, 1, 2, 2]\n", "Upsample(x, y) {mode=\"linear\"}",
			"Resize(x, \"\", y) {mode=\"linear\", coordinate_transformation_mode=\"asymmetric\"}"},
		{"shrinking takes the element behind", "10", "input x: float32[1,1,2,5]\ny: float32[4] = const [1, 1, 1, 0.6]\n", "Resize(x, y)",
			"Resize(x, \"\", y) {nearest_mode=\"ceil\", coordinate_transformation_mode=\"asymmetric\"}"},
		{"half pixels of neighbours", "11", "input x: float32[1,1,2,5]\nr: float32[0] = const []\ny: float32[4] = const [1, 1, 1, 0.6]\n",
			"Resize(x, r, y) {nearest_mode=\"floor\", coordinate_transformation_mode=\"tf_half_pixel_for_nn\"}",
			"Resize(x, \"\", y) {nearest_mode=\"round_prefer_ceil\"}"},
		{"k as an attribute", "9", "input x: float32[2,5]\nk: int64[1] = const [3]\n", "TopK(x) {k=3}", "TopK(x, k)"},
		{"a mask that nobody reads", "7", "input x: float32[2,5]\n", "Dropout(x) {ratio=0.3}", "Identity(x)"},
		{"Scatter", "10", "input x: float32[3,3]\ni: int64[1,3] = const [2, 0, 1]\ninput y: float32[1,3]\n", "Scatter(x, i, y)", "ScatterElements(x, i, y)"},
		{"bilinear", "16", "input x: float32[1,1,3,3]\ninput y: float32[1,2,2,2]\n", "GridSample(x, y) {mode=\"bilinear\"}", "GridSample(x, y) {mode=\"linear\"}"},
		{"regions are not moved", "10", "input x: float32[1,1,4,4]\ny: float32[1,4] = const [0, 0, 3, 3]\nb: int64[1] = const [0]\n", "RoiAlign(x, y, b) {output_height=2, output_width=2}",
			"RoiAlign(x, y, b) {output_height=2, output_width=2, coordinate_transformation_mode=\"output_half_pixel\"}"},
		{"axis as an attribute", "17", "input x: float32[1,6,1]\na: int64[] = const [1]\n", "DFT(x) {axis=1}", "DFT(x, \"\", a)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := upgraded(t, c.opset, c.inputs, c.old)
			switch c.name {
			case "axis of the second operand":
				x, y := rampOf(2, 3, 4), rampOf(3)
				for i, v := range got.F32() {
					require.Equal(t, x.F32()[i]+y.F32()[i/4%3], v)
				}
			case "one slope a channel":
				for i, v := range got.F32() {
					want := rampOf(2, 3, 4).F32()[i]
					if want < 0 {
						want *= []float32{0.5, 0.25, 2}[i/4%3]
					}
					require.Equal(t, want, v)
				}
			case "upsampling by attribute":
				for i, v := range got.F32() {
					require.Equal(t, rampOf(1, 1, 2, 3).F32()[i/12*3+i%6/2], v)
				}
			default:
				want := upgraded(t, "21", c.inputs, c.today)
				require.Equal(t, want.Shape, got.Shape)
				require.Equal(t, want.Data, got.Data)
			}
		})
	}
}

// rampOf is an input of the test.
func rampOf(shape ...int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, shape...)
	for i := range x.F32() {
		x.F32()[i] = float32(i%7)*0.25 - 0.75
	}
	return x
}

// upgraded parses one node, upgrades it and evaluates it on ramps.
func upgraded(t *testing.T, opset, inputs, node string) *tensor.Tensor {
	m, err := graph.Parse("opset " + opset + "\ngraph g\n" + inputs + "out = " + node + " @n\noutput out\n")
	require.NoError(t, err)
	require.NoError(t, UpgradeModel(m))
	in := map[string]*tensor.Tensor{}
	for _, p := range m.Graph.Inputs {
		shape, _ := p.Type.Fixed()
		in[p.Name] = rampOf(shape...)
	}
	env, err := EvalGraph(context.Background(), m.Graph, in)
	require.NoError(t, err)
	return env["out"]
}

// TestValuesStayWithinTheirBound: a graph whose values would take more is refused before they are made.
func TestValuesStayWithinTheirBound(t *testing.T) {
	for _, node := range []string{
		"ConstantOfShape(s)", "Expand(x, s)", "Tile(x, r)", "OneHot(i, d, v)", `Resize(x, "", "", s)`, "Pad(x, p)", "CenterCropPad(x, s)",
		"HannWindow(d)", "AffineGrid(th, g)", `RoiAlign(im, rois, b) {output_height=40000, output_width=40000}`,
	} {
		m, err := graph.Parse("opset 21\ngraph g\ninput x: float32[1,1]\ni: int64[1] = const [0]\nd: int64[] = const [16000000]\nv: float32[2] = const [0, 1]\n" +
			"s: int64[2] = const [30000, 30000]\nr: int64[2] = const [30000, 30000]\np: int64[4] = const [30000, 30000, 30000, 30000]\n" +
			"input th: float32[1,2,3]\ng: int64[4] = const [1, 1, 30000, 30000]\ninput im: float32[1,1,2,2]\nrois: float32[1,4] = const [0, 0, 1, 1]\nb: int64[1] = const [0]\n" +
			"out = " + node + " @n\noutput out\n")
		require.NoError(t, err, node)
		in := map[string]*tensor.Tensor{"x": rampOf(1, 1), "th": rampOf(1, 2, 3), "im": rampOf(1, 1, 2, 2)}
		_, err = EvalBounded(context.Background(), m.Graph, in, 32<<20)
		require.ErrorContains(t, err, "bytes", node)
	}
}
