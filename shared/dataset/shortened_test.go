package dataset

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/mapped"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// TestShortenedArraysAreAnError: a file of arrays that another program cuts off between its opening and the reading of its samples ends
// neither the process nor in samples of zeros, whether elements are taken as they lie or converted.
func TestShortenedArraysAreAnError(t *testing.T) {
	const samples, width = 64, 1024
	double := make([]byte, 0, 8*samples*width)
	for i := range samples * width {
		double = binary.LittleEndian.AppendUint64(double, math.Float64bits(float64(i)))
	}
	for descr, data := range map[string][]byte{"<f4": make([]byte, 4*samples*width), "<f8": double, "|u1": make([]byte, samples*width)} {
		t.Run(descr, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.npy")
			require.NoError(t, os.WriteFile(path, npyOf(descr, "(64, 1024)", data), 0o600))
			set, err := Open(t.Context(), Source{Data: path, Inputs: []Want{{"x", tensor.Float32, []int{-1, width}}}})
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, 8192))
			put := func([]byte) (plan.Digest, error) { return plan.Digest{}, nil }
			_, _, err = set.Build(t.Context(), put, nil)
			require.ErrorIs(t, err, mapped.ErrShortened)
			require.ErrorContains(t, err, "data: "+path+" was shortened while it was read (run the job when the file is complete)")
		})
	}
}
