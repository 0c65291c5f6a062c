package layer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`: "layer shapes: unexpected end of JSON input",
		`[{"name": "a", "op": "Conv", "in": [1]}]`:                                    `layer "a": a convolution has 4 sizes of input and weight, 2 strides, 4 pads and 2 dilations`,
		`[{"name": "a", "op": "Pool"}]`:                                               `layer "a": operator "Pool" is none of Conv, Gemm and MatMul`,
		`[{"name": "a", "op": "MatMul", "in": [2, 3], "weight": [4, 5], "group": 1}]`: `layer "a": matrices [2 3] and [4 5] cannot be multiplied`,
		`[{"name": "a", "op": "Conv", "in": [1, 1, 1, 1], "weight": [1, 1, 3, 3], "stride": [1, 1], "pad": [0, 0, 0, 0], "dilation": [1, 1], "group": 1}]`: `layer "a": convolution kernel 3x3 with dilation 1x1 is larger than the padded input 1x1`,
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
