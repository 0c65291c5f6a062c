package cell

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestFitting: a batch holds as many samples as give batchBytes together, one at least.
func TestFitting(t *testing.T) {
	values := func(bytes ...int) map[string]*tensor.Tensor {
		out := map[string]*tensor.Tensor{}
		for i, n := range bytes {
			out[string(rune('a'+i))] = tensor.New(tensor.Uint8, n)
		}
		return out
	}
	require.Equal(t, largestBatch, fitting(values(), 1))
	require.Equal(t, largestBatch, fitting(values(100, 200), 1))
	require.Equal(t, 2, fitting(values(batchBytes/4, batchBytes/4), 1))
	require.Equal(t, 4, fitting(values(batchBytes/4, batchBytes/4), 2))
	require.Equal(t, 1, fitting(values(batchBytes, batchBytes), 1))
}
