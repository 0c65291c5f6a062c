package npy

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzArchive: an .npz gives arrays that account for their bytes, within the limit, or is refused.
func FuzzArchive(f *testing.F) {
	array := append([]byte("\x93NUMPY\x01\x00\x35\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\n"), 0, 0, 128, 63)
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range []string{"x.npy", "y.npy"} {
			out, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			require.NoError(f, err)
			_, err = out.Write(array)
			require.NoError(f, err)
		}
		require.NoError(f, w.Close())
		f.Add(b.Bytes())
	}
	f.Add([]byte("PK\x05\x06" + string(make([]byte, 18))))
	f.Fuzz(func(t *testing.T, b []byte) {
		arrays, err := DecodeArchive(b, 1<<20)
		if err != nil {
			return
		}
		for _, a := range arrays {
			require.NoError(t, a.Tensor.Check())
		}
	})
}
