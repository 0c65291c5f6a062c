package quant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestMoves: what only moves or clamps values, and what computes.
func TestMoves(t *testing.T) {
	for name, want := range map[string]bool{
		"Reshape": true, "Transpose": true, "Flatten": true, "Concat": true, "Split": true, "Relu": true, "Clip": true, "MaxPool": true, "Identity": true,
		"Cast": true, "Dropout": true, "Conv": false, "Gemm": false, "Add": false, "Softmax": false, "AveragePool": false, "Sigmoid": false, "Unheard": false,
	} {
		require.Equal(t, want, Moves(&graph.Node{Op: name}), name)
		require.True(t, name == "Unheard" || op.Lookup("", name) != nil, name)
	}
}

// TestRowsOfStats: a statistic comes back sample by sample as it was collected; one that was not is an error, and so is a record of
// another length, or one that holds no number.
func TestRowsOfStats(t *testing.T) {
	top, means := Tap{Value: "x", Func: Max, Axis: -1, Width: 1}, Tap{Value: "x", Func: Mean, Axis: 1, Width: 2}
	taps := []Tap{top, means}
	var records [][]byte
	for _, v := range [][]float32{{1, 2, 3, 4}, {-1, 0, -3, -8}} {
		b, err := Record(taps, map[string]*tensor.Tensor{"x": tensor.Of(tensor.Float32, []int{2, 2}, v)})
		require.NoError(t, err)
		records = append(records, b)
	}
	s, err := NewStats(taps, records, nil)
	require.NoError(t, err)
	rows, err := s.Rows(means)
	require.NoError(t, err)
	require.Equal(t, [][]float64{{2, 3}, {-2, -4}}, rows)
	rows, err = s.Rows(top)
	require.NoError(t, err)
	require.Equal(t, [][]float64{{4}, {0}}, rows)
	_, err = s.Rows(Tap{Value: "x", Func: Min, Axis: -1, Width: 1})
	require.ErrorContains(t, err, `min of "x" was not collected`)
	_, err = NewStats(taps, [][]byte{records[0][:8]}, []string{"a.png"})
	require.ErrorContains(t, err, "sample 0 (a.png)")
	_, err = NewStats(taps, nil, nil)
	require.ErrorContains(t, err, "no calibration samples")

	r := NewRecorder(taps, 2)
	require.NoError(t, r.Add("x", 1, tensor.Of(tensor.Float32, []int{2, 2}, []float32{-1, 0, -3, -8}), op.Logical))
	require.NoError(t, r.Add("other", 0, tensor.New(tensor.Int8, 1), op.Logical), "nobody asks for it")
	_, err = r.Records()
	require.ErrorContains(t, err, `"x": the value was not computed`)
	require.NoError(t, r.Add("x", 0, tensor.Of(tensor.Float32, []int{2, 2}, []float32{1, 2, 3, 4}), op.Logical))
	b, err := r.Records()
	require.NoError(t, err)
	require.Equal(t, append(records[0], records[1]...), b, "in whatever order values came")
}
