package layer

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// layers returns the rows of layer_shapes.json beside the repository, or the built-in ones where it is absent.
func layers(t testing.TB) []Layer {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "peers", "layer_shapes.json"))
	if err != nil {
		text = nil
	}
	all, err := Read(text)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// small are layers of every class that the plain tier can run in a moment.
const small = `[
{"name": "dense", "op": "Conv", "batch": 1, "in": [2, 5, 9, 8], "weight": [20, 5, 3, 3], "stride": [1, 1], "pad": [1, 1, 1, 1], "dilation": [1, 1], "group": 1},
{"name": "pointwise", "op": "Conv", "batch": 1, "in": [1, 32, 9, 8], "weight": [40, 32, 1, 1], "stride": [1, 1], "pad": [0, 0, 0, 0], "dilation": [1, 1], "group": 1},
{"name": "depthwise", "op": "Conv", "batch": 1, "in": [1, 24, 9, 8], "weight": [24, 1, 3, 3], "stride": [2, 2], "pad": [1, 1, 1, 1], "dilation": [1, 1], "group": 24},
{"name": "first", "op": "Conv", "batch": 1, "in": [1, 3, 19, 18], "weight": [8, 3, 3, 3], "stride": [2, 2], "pad": [1, 1, 1, 1], "dilation": [1, 1], "group": 1},
{"name": "product", "op": "MatMul", "batch": 1, "in": [1, 7, 33], "weight": [33, 21], "group": 1},
{"name": "attention", "op": "MatMul", "batch": 1, "in": [1, 3, 7, 33], "weight": [1, 3, 33, 21], "group": 1, "weight_is_activation": true}
]`

// TestTiersAgreeOnEveryClass compares results of all tiers bit for bit.
func TestTiersAgreeOnEveryClass(t *testing.T) {
	all, err := Read([]byte(small))
	require.NoError(t, err)
	require.Len(t, all, len(Classes))
	for _, l := range all {
		t.Run(l.Name, func(t *testing.T) {
			require.Equal(t, l.Name, l.Class())
			require.Positive(t, l.Operations())
			var f []float32
			var q []uint8
			for _, level := range tier.Supported() {
				undo := tier.Force(level)
				run, err := l.Float()
				require.NoError(t, err)
				integer, err := l.Integer()
				require.NoError(t, err)
				x, y := run(), integer()
				for _, typ := range []string{"f32", "u8s8"} {
					require.Contains(t, l.Pick(typ), typ)
				}
				undo()
				if level == tier.Plain {
					f, q = x, y
				}
				require.Equal(t, f, x, level)
				require.Equal(t, q, y, level)
			}
		})
	}
}

// TestProductsAreMatrices: leading sizes of In are rows beside a constant, and matrices of their own beside what is computed.
func TestProductsAreMatrices(t *testing.T) {
	for _, c := range []struct {
		computed bool
		in       []int
		want     [4]int // matrices, rows, depth, columns
	}{
		{false, []int{2, 3, 7, 5}, [4]int{1, 42, 5, 4}}, {true, []int{2, 3, 7, 5}, [4]int{6, 7, 5, 4}}, {false, []int{7, 5}, [4]int{1, 7, 5, 4}}, {true, []int{7, 5}, [4]int{1, 7, 5, 4}},
	} {
		l := Layer{Op: "MatMul", In: c.in, Weight: []int{5, 4}, Computed: c.computed}
		b, m, k, n := l.product()
		require.Equal(t, c.want, [4]int{b, m, k, n})
		require.Equal(t, float64(2*b*m*k*n), l.Operations())
	}
	conv := Layer{Op: "Conv", In: []int{2, 4, 9, 9}, Weight: []int{6, 2, 3, 3}, Stride: []int{2, 2}, Pad: []int{1, 1, 1, 1}, Dilation: []int{1, 1}, Group: 2}
	require.NoError(t, conv.Check())
	require.Equal(t, float64(2*2*5*5*6*2*9), conv.Operations())
	require.Equal(t, "first", conv.Class(), "4 channels, in groups that are none of depth")
	conv.In[1], conv.Weight[1] = 8, 4
	require.Equal(t, "dense", conv.Class())
}

// TestMatricesDiffer: each product of an attention takes both of its own sides.
func TestMatricesDiffer(t *testing.T) {
	l := Layer{Op: "MatMul", In: []int{3, 4, 9}, Weight: []int{3, 9, 70}, Computed: true}
	run, err := l.Integer()
	require.NoError(t, err)
	float, err := l.Float()
	require.NoError(t, err)
	y, f := run(), float()
	r := rand.New(rand.NewPCG(1, 1))
	a := bytes(r, 3*4*9)
	q, b := requant(70), bytes(r, 3*9*70)
	r = rand.New(rand.NewPCG(1, 1))
	fa, fb := floats(r, 3*4*9), floats(r, 3*9*70)
	for i := range y {
		m, row, col := i/(4*70), i/70, i%70
		acc, chain := int32(0), float32(0)
		for k := range 9 {
			acc += (int32(a[row*9+k]) - zero) * (int32(b[(m*9+k)*70+col]) - zero - 1)
			chain = numeric.FMA32(fa[row*9+k], fb[(m*9+k)*70+col], chain)
		}
		require.Equal(t, q.At(acc, 0), y[i], "matrix %d, row %d, column %d", m, row%4, col)
		require.Equal(t, chain, f[i])
	}
}

// TestReadKeepsTheFirstOfAName, and refuses the list for one that is no layer.
func TestReadKeepsTheFirstOfAName(t *testing.T) {
	all, err := Read([]byte(`[{"name": "a", "op": "Gemm", "in": [2, 3], "weight": [3, 5]}, {"name": "b", "op": "Gemm", "in": [2, 3], "weight": [3, 6]},
		{"name": "a", "op": "Gemm", "in": [2, 3], "weight": [3, 7]}]`))
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []int{3, 5}, all[0].Weight)
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`: "layer shapes: unexpected end of JSON input",
		`[{"name": "a", "op": "Conv", "in": [1]}]`:                                    `layer "a": a convolution has 4 sizes of input and weight, 2 strides, 4 pads and 2 dilations`,
		`[{"name": "a", "op": "Pool"}]`:                                               `layer "a": operator "Pool" is none of Conv, Gemm and MatMul`,
		`[{"name": "a", "op": "MatMul", "in": [2, 3], "weight": [4, 5], "group": 1}]`: `layer "a": matrices [2 3] and [4 5] cannot be multiplied`,
		`[{"name": "a", "op": "MatMul", "in": [-2, 3], "weight": [3, 5]}]`:            `layer "a": sizes [-2 3] and [3 5]: they must be positive`,
		`[{"name": "a", "op": "MatMul", "in": [2, 3], "weight": [3, 0]}]`:             `layer "a": sizes [2 3] and [3 0]: they must be positive`,
		`[{"name": "a", "op": "Conv", "in": [1, 1, 1, 1], "weight": [1, 1, 3, 3], "stride": [1, 1], "pad": [0, 0, 0, 0], "dilation": [1, 1], "group": 1}]`: `layer "a": convolution kernel 3x3 with dilation 1x1 covers 3x3, more than the padded input 1x1 (1x1 with pads 0, 0, 0, 0)`,
	} {
		_, err := Read([]byte(text))
		require.EqualError(t, err, want)
	}
}

// BenchmarkLayers reports GFLOP/s or GOP/s of every layer on the current tier. The times are wall times: command
// evaluator/bench measures thread time, beside the machine's peak and ONNX Runtime.
func BenchmarkLayers(b *testing.B) {
	for _, l := range layers(b) {
		for _, typ := range []string{"f32", "u8s8"} {
			b.Run(l.Name+"/"+typ+"/"+tier.Current().String(), func(b *testing.B) {
				run, err := l.Ready(typ)
				require.NoError(b, err)
				run()
				for b.Loop() {
					run()
				}
				b.ReportMetric(l.Operations()*float64(b.N)/float64(b.Elapsed()), "GOP/s")
			})
		}
	}
}
