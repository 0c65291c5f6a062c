package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// logical is v, which lies as y says, in logical order.
func logical(v *tensor.Tensor, y op.Layout) *tensor.Tensor {
	out := tensor.New(v.DType, v.Shape...)
	if y == op.Logical || len(v.Shape) < 3 {
		copy(out.Data, v.Data)
		return out
	}
	size, channels, pixels := v.DType.Size(), v.Shape[1], tensor.Count(v.Shape[2:])
	for n := range v.Shape[0] {
		for c := range channels {
			for p := range pixels {
				copy(out.Data[((n*channels+c)*pixels+p)*size:][:size], v.Data[((n*pixels+p)*channels+c)*size:])
			}
		}
	}
	return out
}

// watch demands that watching all values of a model, its inputs among them, shows each once, with the bytes that Run
// returns. The second watch finds an arena full of the first one's values.
func watch(t testing.TB, e *engine.Engine, m *graph.Model, in map[string]*tensor.Tensor) {
	t.Helper()
	var want []string
	for name := range in {
		want = append(want, name)
	}
	for _, n := range m.Graph.Nodes {
		want = append(want, n.Outputs...)
	}
	p, err := e.Compile(m, want)
	require.NoError(t, err)
	values, err := p.Run(context.Background(), in, [32]byte{})
	require.NoError(t, err)
	for range 2 {
		seen := map[string]bool{}
		require.NoError(t, p.Watch(context.Background(), in, func(name string, v *tensor.Tensor, y op.Layout) error {
			require.False(t, seen[name], "%s is shown twice", name)
			seen[name] = true
			require.Equal(t, values[name].Shape, v.Shape, name)
			require.Equal(t, values[name].Data, logical(v, y).Data, name)
			return nil
		}))
		require.Len(t, seen, len(values))
	}
}

// TestWatchEndsWithTheError: what see says ends the run, wherever a value comes from, and the program goes on to work.
func TestWatchEndsWithTheError(t *testing.T) {
	m, err := graph.Parse("input x: float32[1,2,3,3]\nk: float32[1] = const [2]\na = Relu(x)\ny = Mul(a, k)\noutput y\n")
	require.NoError(t, err)
	p, err := engine.New(engine.Options{}).Compile(m, []string{"x", "k", "a", "y"})
	require.NoError(t, err)
	in := map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1, 2, 3, 3)}
	enough := errors.New("enough")
	for _, last := range []string{"k", "x", "a", "y"} {
		var seen []string
		err = p.Watch(t.Context(), in, func(name string, _ *tensor.Tensor, _ op.Layout) error {
			if seen = append(seen, name); name == last {
				return enough
			}
			return nil
		})
		require.ErrorIs(t, err, enough)
		require.Equal(t, last, seen[len(seen)-1], "nothing comes after the error")
	}
	_, err = p.Run(t.Context(), in, [32]byte{})
	require.NoError(t, err)
	require.ErrorContains(t, p.Watch(t.Context(), nil, nil), `input "x" is missing`)
}

// TestWatchOfParts: a program whose shapes follow from elements shows the same.
func TestWatchOfParts(t *testing.T) {
	m, err := graph.Parse("input x: float32[2,3]\nn = NonZero(x)\nf = Cast(n) {to=1}\ny = Neg(f)\noutput y\n")
	require.NoError(t, err)
	watch(t, engine.New(engine.Options{}), m, map[string]*tensor.Tensor{"x": tensor.Of(tensor.Float32, []int{2, 3}, []float32{0, 1, 0, 2, 0, 3})})
}
