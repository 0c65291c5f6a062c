package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// compiled parses a graph and compiles it for the wanted values.
func compiled(t *testing.T, text string, want ...string) (*engine.Program, error) {
	m, err := graph.Parse(text)
	require.NoError(t, err)
	return engine.New(engine.Options{Memory: 1 << 24}).Compile(m, want)
}

const small = `
input x: float32[n,3]
input unused: float32[n,9]
k: float32[3] = const [1, 2, 3]
a = Add(x, k)
b = Relu(a)
s = Shape(b)
c = Mul(b, b)
output c
`

// TestWantedValues asks for an input, a constant, a shape, an intermediate value and the output, and gives no input that
// they do not need.
func TestWantedValues(t *testing.T) {
	p, err := compiled(t, small, "x", "k", "s", "a", "c", "c")
	require.NoError(t, err)
	x := tensor.Of(tensor.Float32, []int{2, 3}, []float32{-5, 0, 1, 2, -3, 4})
	out, err := p.Run(context.Background(), map[string]*tensor.Tensor{"x": x}, [32]byte{1})
	require.NoError(t, err)
	require.Len(t, out, 5)
	require.Equal(t, x, out["x"])
	require.NotSame(t, &x.Data[0], &out["x"].Data[0])
	require.Equal(t, []float32{1, 2, 3}, out["k"].F32())
	require.Equal(t, []int64{2, 3}, tensor.View[int64](out["s"]))
	require.Equal(t, []float32{-4, 2, 4, 3, -1, 7}, out["a"].F32())
	require.Equal(t, []float32{0, 4, 16, 9, 0, 49}, out["c"].F32())

	out["c"].F32()[0] = 9 // results belong to the caller
	again, err := p.Run(context.Background(), map[string]*tensor.Tensor{"x": x}, [32]byte{1})
	require.NoError(t, err)
	require.Equal(t, []float32{0, 4, 16, 9, 0, 49}, again["c"].F32())
}

// TestInputsAtOddAddresses feeds bytes that start where no float may.
func TestInputsAtOddAddresses(t *testing.T) {
	p, err := compiled(t, small)
	require.NoError(t, err)
	whole := make([]byte, 13)
	copy(whole[1:], tensor.Of(tensor.Float32, []int{3}, []float32{1, 1, 1}).Data)
	out, err := p.Run(context.Background(), map[string]*tensor.Tensor{"x": {DType: tensor.Float32, Shape: []int{1, 3}, Data: whole[1:]}}, [32]byte{})
	require.NoError(t, err)
	require.Equal(t, []float32{4, 9, 16}, out["c"].F32())
}

// TestBadRequests lists what is refused and how.
func TestBadRequests(t *testing.T) {
	_, err := compiled(t, small, "nowhere")
	require.EqualError(t, err, `value "nowhere" is not in the graph`)
	_, err = compiled(t, "input x: float32[n]\na = Foo(x)\nb = odd.Bar(a)\nc = Foo(b)\noutput c")
	require.EqualError(t, err, "operators [Foo odd.Bar] cannot be run: they are not among the supported ones (OPERATORS.md)")
	_, err = compiled(t, "input x: float32[n]\na = Relu(b)\nb = Relu(a)\noutput b")
	require.Error(t, err)

	p, err := compiled(t, small)
	require.NoError(t, err)
	for want, in := range map[string]map[string]*tensor.Tensor{
		`input "x" is missing`:                                              {},
		`input "x": it holds int32, the model wants float32`:                {"x": tensor.New(tensor.Int32, 1, 3)},
		`input "x": its shape is [1 4], the model wants float32[n,3]`:       {"x": tensor.New(tensor.Float32, 1, 4)},
		`input "x": its shape is [3], the model wants 2 axes: float32[n,3]`: {"x": tensor.New(tensor.Float32, 3)},
		`input "x": tensor float32[2 3] holds 4 bytes, its shape needs 24`:  {"x": {DType: tensor.Float32, Shape: []int{2, 3}, Data: make([]byte, 4)}},
		`input "x": tensor shape [-1 3] is impossible`:                      {"x": {DType: tensor.Float32, Shape: []int{-1, 3}}},
		`input "x": tensor shape [4611686018427387904 3] is impossible`:     {"x": {DType: tensor.Float32, Shape: []int{1 << 62, 3}}},
	} {
		_, err := p.Run(context.Background(), in, [32]byte{})
		require.EqualError(t, err, want)
	}
	none, err := compiled(t, "input x: float32[0,3]\ny = Relu(x)\noutput y\n")
	require.NoError(t, err)
	_, err = none.Run(context.Background(), map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1, 3)}, [32]byte{})
	require.EqualError(t, err, `input "x": its shape is [1 3], the model wants float32[0,3]`)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = p.Run(ctx, map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1, 3)}, [32]byte{})
	require.ErrorIs(t, err, context.Canceled)
}

// TestTooSmallAPicture: a picture that the kernel of some node covers and more is refused with the node and with the sizes that it
// would need, however the picture's size came about.
func TestTooSmallAPicture(t *testing.T) {
	p, err := compiled(t, `
input x: float32[1,1,h,w]
k: float32[1,1,3,3] = const fill 1
a = AveragePool(x) {kernel_shape=[2,2], strides=[2,2]}
y = Conv(a, k) {pads=[1,0,1,0]} @"features.3"
output y
`)
	require.NoError(t, err)
	_, err = p.Run(t.Context(), map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1, 1, 5, 5)}, [32]byte{})
	require.EqualError(t, err, `node "features.3" (Conv): kernel [3 3] with dilations [1 1] covers [3 3], more than the padded input [4 2] ([2 2] with pads [1 0] in front and [1 0] behind): it needs a larger input or more padding`)
}

// TestHostileShapesCostNothing multiplies a small input to sizes that no machine has.
func TestHostileShapesCostNothing(t *testing.T) {
	for _, text := range []string{
		"input x: float32[1]\ns: int64[3] = const [1000000, 1000000, 1000]\ny = Expand(x, s)\noutput y",
		"input x: float32[1]\ns: int64[2] = const [100000, 100000]\ny = Expand(x, s)\nz = Relu(y)\noutput z",
		"input x: float32[1]\ns: int64[3] = const [2000000000, 2000000000, 2000000000]\ny = Expand(x, s)\noutput y",
	} {
		p, err := compiled(t, text)
		if err != nil {
			continue
		}
		_, err = p.Run(context.Background(), map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1)}, [32]byte{})
		require.Error(t, err)
		t.Log(err)
	}
}
