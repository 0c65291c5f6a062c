package cell

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFitting: a batch holds as many samples as give batchBytes together, one at least.
func TestFitting(t *testing.T) {
	require.Equal(t, largestBatch, fitting(0, 1))
	require.Equal(t, largestBatch, fitting(300, 1))
	require.Equal(t, 2, fitting(batchBytes/2, 1))
	require.Equal(t, 4, fitting(batchBytes/2, 2))
	require.Equal(t, 1, fitting(2*batchBytes, 1))
}
