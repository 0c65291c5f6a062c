package engine_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/pass"
	"assay/shared/tensor"
)

// together runs m with its kernels in groups and one by one, demands equal bytes, and returns how many kernels each took.
func together(t testing.TB, m *graph.Model, in map[string]*tensor.Tensor) (grouped, apart int64) {
	t.Helper()
	var out [2]map[string]*tensor.Tensor
	var steps [2]int64
	for i, e := range []*engine.Engine{engine.New(engine.Options{}), engine.Apart(engine.New(engine.Options{}))} {
		p, err := e.Compile(m, nil)
		require.NoError(t, err)
		for range 2 { // the second finds an arena full of the first one's values
			out[i], err = p.Run(context.Background(), in, [32]byte{})
			require.NoError(t, err)
		}
		steps[i] = e.Usage().Steps / 2
	}
	watch(t, engine.New(engine.Options{}), m, in)
	for name, want := range out[1] {
		require.Equal(t, want.Shape, out[0][name].Shape, name)
		require.Equal(t, want.Data, out[0][name].Data, name)
	}
	return steps[0], steps[1]
}

// program is a random graph of element-wise operators over operands of many forms of broadcasting, some of them computed,
// some quantized and dequantized on the way.
func program(r *rand.Rand) (string, int, int) {
	n, c := 1+r.IntN(3), []int{1, 3, 8, 64, 100, 5000}[r.IntN(6)]
	var s strings.Builder
	fmt.Fprintf(&s, "input x: float32[%d,7,%d]\ninput row: float32[%d]\ninput col: float32[%d,7,1]\ninput one: float32[1]\n", n, c, c, n)
	s.WriteString("half: float32[] = const [0.5]\ns: float32[] = const [0.03]\nz: uint8[] = const [117]\n")
	full, other := []string{"x"}, []string{"row", "col", "one", "half"}
	any := func() string {
		if r.IntN(3) == 0 {
			return other[r.IntN(len(other))]
		}
		return full[r.IntN(len(full))]
	}
	recent := func() string { return full[max(0, len(full)-1-r.IntN(3))] }
	for i := range 3 + r.IntN(14) {
		v := fmt.Sprintf("v%d", i)
		switch r.IntN(5) {
		case 0, 1:
			fmt.Fprintf(&s, "%s = %s(%s)\n", v, []string{"Sigmoid", "Tanh", "Erf", "Relu", "Neg", "Exp", "Abs", "Sqrt"}[r.IntN(8)], recent())
		case 2:
			fmt.Fprintf(&s, "q%s = QuantizeLinear(%s, s, z)\n%s = DequantizeLinear(q%s, s, z)\n", v, recent(), v, v)
		default:
			a, b := recent(), any()
			if r.IntN(2) == 0 {
				a, b = b, a
			}
			fmt.Fprintf(&s, "%s = %s(%s, %s)\n", v, []string{"Add", "Sub", "Mul", "Div", "Max", "Min"}[r.IntN(6)], a, b)
		}
		full = append(full, v)
	}
	fmt.Fprintf(&s, "output %s\n", full[len(full)-1])
	if r.IntN(2) == 0 {
		fmt.Fprintf(&s, "output %s\n", full[len(full)-2])
	}
	return s.String(), n, c
}

// TestGroupsChangeNoBit compares random programs with themselves, kernel by kernel, on values that include the odd ones.
func TestGroupsChangeNoBit(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	saved := int64(0)
	for i := range 300 {
		text, n, c := program(r)
		m, err := graph.Parse(text)
		require.NoError(t, err, text)
		in := map[string]*tensor.Tensor{}
		for _, p := range m.Graph.Inputs {
			shape := map[string][]int{"x": {n, 7, c}, "row": {c}, "col": {n, 7, 1}, "one": {1}}[p.Name]
			x := tensor.New(tensor.Float32, shape...)
			for j, v := 0, x.F32(); j < len(v); j++ {
				if v[j] = float32(3 * r.NormFloat64()); r.IntN(40) == 0 {
					v[j] = []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), 1e30, 1e-40}[r.IntN(6)]
				}
			}
			in[p.Name] = x
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log(text)
				}
			}()
			grouped, apart := together(t, m, in)
			saved += apart - grouped
		})
	}
	require.Greater(t, saved, int64(1000), "few kernels were grouped")
}

// TestWhatIsGrouped counts kernels where a rule decides.
func TestWhatIsGrouped(t *testing.T) {
	const head = "input x: float32[2,600]\nhalf: float32[] = const [0.5]\ns: float32[] = const [0.1]\nz: uint8[] = const [9]\n"
	for name, c := range map[string]struct {
		text  string
		steps int64
	}{
		"swish":                       {"a = Sigmoid(x)\nb = Mul(x, a)\noutput b", 1},
		"gelu":                        {"a = Mul(x, half)\nb = Erf(a)\nc = Add(b, half)\nd = Mul(x, c)\ne = Mul(d, half)\noutput e", 1},
		"a result stays":              {"a = Sigmoid(x)\nb = Mul(x, a)\noutput a\noutput b", 2},
		"others read it":              {"a = Sigmoid(x)\nb = Softmax(a)\nc = Mul(a, half)\nd = Add(b, c)\noutput d", 3},
		"a table":                     {"q = QuantizeLinear(x, s, z)\nd = DequantizeLinear(q, s, z)\na = Tanh(d)\np = QuantizeLinear(a, s, z)\nf = DequantizeLinear(p, s, z)\noutput f", 1},
		"softmax stands by itself":    {"a = Relu(x)\nb = Softmax(a)\nc = Relu(b)\noutput c", 3},
		"a sum of others is no sum":   {"a = Relu(x)\nb = ReduceSum(a)\nc = Sub(a, b)\noutput c", 3},
		"two that a third one joins":  {"a = Relu(x)\nb = Neg(x)\nc = Add(a, b)\noutput c", 1},
		"rows of another":             {"r: float32[600] = const [" + strings.Repeat("1,", 599) + "1]\na = Relu(x)\nb = Mul(a, r)\noutput b", 1},
		"asked for its type only":     {"k = ReduceMax(x)\na = Abs(x)\nb = CastLike(a, k)\nc = Relu(b)\noutput c", 2},
		"what grows stands by itself": {"k: float32[3,1,1] = const [1,2,3]\na = Relu(x)\nb = Mul(a, k)\nc = Relu(b)\noutput c", 3},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse(head + c.text)
			require.NoError(t, err)
			x := tensor.New(tensor.Float32, 2, 600)
			for i, v := 0, x.F32(); i < len(v); i++ {
				v[i] = float32(i-500) / 100
			}
			grouped, _ := together(t, m, map[string]*tensor.Tensor{"x": x})
			require.Equal(t, c.steps, grouped)
		})
	}
}

// TestGroupsOfWholeModels compares labelled models, and integer networks, with themselves kernel by kernel.
func TestGroupsOfWholeModels(t *testing.T) {
	if tier.Current() == tier.Plain {
		t.Skip("skipped: a whole network takes minutes on the plain tier")
	}
	for _, f := range floats {
		if f.file == "ch_ppocr_mobile_v2.0_cls_infer" {
			continue // takes no image of the size that feeds makes
		}
		t.Run(f.file, func(t *testing.T) {
			path := filepath.Join(assets(t), "models", f.file+".onnx")
			m, err := onnx.Read(path)
			require.NoError(t, err)
			require.NoError(t, pass.Normalize(m))
			together(t, m, feeds(t, path))
		})
	}
	for _, float := range []uint64{0, 0b1001, ^uint64(0)} {
		c := chain{layers: 9, size: 12, channels: 24, float: float}
		together(t, c.model(), c.images(3, 3))
	}
}

// TestGroupsAllocateNothing: calls of members belong to the frame.
func TestGroupsAllocateNothing(t *testing.T) {
	m, err := graph.Parse("input x: float32[2,9000]\na = Sigmoid(x)\nb = Mul(x, a)\nc = Tanh(b)\noutput c")
	require.NoError(t, err)
	p, err := engine.New(engine.Options{}).Compile(m, nil)
	require.NoError(t, err)
	in := map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 2, 9000)}
	allocates(t, 6, p, in)
}
