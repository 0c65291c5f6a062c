package cell

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/quant"
	"assay/shared/tensor"
)

// TestMemo: a value is made once however many ask, the oldest are forgotten, a failure is not remembered.
func TestMemo(t *testing.T) {
	m := newMemo[int, int](2)
	var made atomic.Int64
	get := func(k int) int {
		v, err := m.get(k, func() (int, error) { made.Add(1); return 10 * k, nil })
		require.NoError(t, err)
		return v
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if get(1) != 10 {
				t.Error("wrong value")
			}
		})
	}
	group.Wait()
	require.Equal(t, int64(1), made.Load())
	for _, c := range []struct {
		key  int
		made int64
	}{{2, 2}, {1, 2}, {3, 3}, {1, 3}, {2, 4}, {3, 5}} {
		require.Equal(t, 10*c.key, get(c.key))
		require.Equal(t, c.made, made.Load(), "%v", c)
	}
	_, err := m.get(9, func() (int, error) { return 0, errors.New("not now") })
	require.ErrorContains(t, err, "not now")
	require.Equal(t, 90, get(9))
}

func floats(v []float32, shape ...int) *tensor.Tensor { return tensor.Of(tensor.Float32, shape, v) }

// TestRow: a sample's part of a batch is as if it had been alone.
func TestRow(t *testing.T) {
	b := floats([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	r, err := row(b, 1, 3)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, r.Shape)
	require.Equal(t, floats([]float32{3, 4}, 1, 2).Data, r.Data)
	whole, err := row(b, 0, 1)
	require.NoError(t, err)
	require.Same(t, b, whole)
	for _, bad := range []*tensor.Tensor{floats([]float32{1}), floats(make([]float32, 8), 4, 2)} {
		_, err := row(bad, 0, 3)
		require.ErrorContains(t, err, "has no axis for a batch of 3")
	}
	_, err = tapped([]quant.Tap{{Value: "x"}}, map[string]*tensor.Tensor{"x": floats(nil, 0, 2)}, 3)
	require.Error(t, err)
}

// TestValues: each tapped value is asked for once, in order.
func TestValues(t *testing.T) {
	require.Equal(t, []string{"b", "a"}, values([]quant.Tap{{Value: "b"}, {Value: "a"}, {Value: "b"}}))
	require.Empty(t, values(nil))
}
