package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// file is a .npy of the given version.
func file(version byte, head string, data ...byte) []byte {
	b := append([]byte(magic), version, 0)
	if version == 1 {
		b = append(b, byte(len(head)), byte(len(head)>>8))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	}
	return append(append(b, head...), data...)
}

func head(descr, fortran, shape string) string {
	return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n"
}

// TestDecode: versions, orders, types and what is refused.
func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		file  []byte
		dtype tensor.DType
		shape []int
		data  []byte
		err   string
	}{
		"version 1":        {file: file(1, head("|u1", "False", "(2, 2)"), 1, 2, 3, 4), dtype: tensor.Uint8, shape: []int{2, 2}, data: []byte{1, 2, 3, 4}},
		"version 3":        {file: file(3, head("|i1", "False", "(2,)"), 1, 2, 99), dtype: tensor.Int8, shape: []int{2}, data: []byte{1, 2}},
		"Fortran order":    {file: file(2, head("|u1", "True", "(2, 3)"), 1, 4, 2, 5, 3, 6), dtype: tensor.Uint8, shape: []int{2, 3}, data: []byte{1, 2, 3, 4, 5, 6}},
		"big-endian":       {file: file(1, head(">i2", "False", "(2,)"), 1, 2, 3, 4), dtype: tensor.Int16, shape: []int{2}, data: []byte{2, 1, 4, 3}},
		"both":             {file: file(1, head(">u2", "True", "(2, 1, 2)"), 0, 1, 0, 3, 0, 2, 0, 4), dtype: tensor.Uint16, shape: []int{2, 1, 2}, data: []byte{1, 0, 2, 0, 3, 0, 4, 0}},
		"a number":         {file: file(1, head("<f4", "False", "()"), 0, 0, 128, 63), dtype: tensor.Float32, data: []byte{0, 0, 128, 63}},
		"Python 2's longs": {file: file(1, head("|b1", "False", "(1L,)"), 1), dtype: tensor.Bool, shape: []int{1}, data: []byte{1}},
		"other key order":  {file: file(1, `{"shape": (1,), "fortran_order": False, "descr": "|u1"}`, 7), dtype: tensor.Uint8, shape: []int{1}, data: []byte{7}},
		"empty axis":       {file: file(1, head("<f8", "True", "(0, 3)")), dtype: tensor.Float64, shape: []int{0, 3}, data: []byte{}},
		"no magic":         {file: []byte("PK..........."), err: "it is no .npy"},
		"future version":   {file: file(9, head("|u1", "False", "(1,)"), 1), err: "version 9 is unknown"},
		"short header":     {file: file(1, head("|u1", "False", "(1,)"))[:30], err: "truncated"},
		"short data":       {file: file(1, head("<f4", "False", "(2, 2)"), 1, 2, 3), err: "needs 16 bytes, 3 follow"},
		"huge":             {file: file(1, head("<f8", "False", "(1000000, 1000000, 1000000)"), 1), err: "truncated"},
		"wraps to zero":    {file: file(1, head("|u1", "False", "(549755813888, 549755813888, 0)"), 1), err: "truncated"},
		"negative":         {file: file(1, head("|u1", "False", "(-1,)"), 1), err: "is impossible"},
		"text":             {file: file(1, head("<U5", "False", "(1,)"), 1), err: `element type "<U5" is not read`},
		"objects":          {file: file(1, head("|O", "False", "(1,)"), 1), err: "is not read"},
		"records":          {file: file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 1), err: "structured"},
		"no dictionary":    {file: file(1, "hello"), err: "no dictionary"},
		"code":             {file: file(1, "{'descr': __import__('os'), 'shape': (1,)}"), err: "element type"},
		"no order":         {file: file(1, "{'descr': '|u1', 'shape': (1,)}", 1), err: "True or False is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Decode(c.file)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.dtype, a.DType)
			require.Equal(t, c.shape, a.Shape)
			require.Equal(t, c.data, a.Data)
		})
	}
}

// archive makes a .npz.
func archive(t testing.TB, members map[string][]byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, data := range members {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write(data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// TestDecodeArchive: members by name, foreign members, and an archive beyond the limit.
func TestDecodeArchive(t *testing.T) {
	one := file(1, head("|u1", "False", "(1,)"), 5)
	as, err := DecodeArchive(archive(t, map[string][]byte{"x.npy": one}), 1<<20)
	require.NoError(t, err)
	require.Len(t, as, 1)
	require.Equal(t, "x", as[0].Name)
	require.Equal(t, []byte{5}, as[0].Tensor.Data)
	_, err = DecodeArchive(archive(t, map[string][]byte{"x.txt": one}), 1<<20)
	require.ErrorContains(t, err, `member "x.txt" is no .npy`)
	_, err = DecodeArchive(archive(t, map[string][]byte{"x.npy": make([]byte, 5000)}), 1000)
	require.ErrorContains(t, err, "1000 are left of the limit")
	_, err = DecodeArchive([]byte("PK\x03\x04"), 1000)
	require.ErrorContains(t, err, "it is no .npz")
}

// TestClaimsCostNoMemory: a header that claims gigabytes allocates next to nothing.
func TestClaimsCostNoMemory(t *testing.T) {
	b := file(1, head(">f8", "True", "(16384, 16384)"), make([]byte, 100)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Decode(b)
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "truncated")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

// FuzzNpy: a .npy or .npz decodes to tensors that hold what their shape says, or is refused.
func FuzzNpy(f *testing.F) {
	f.Add(file(1, head("<f4", "True", "(2, 1)"), make([]byte, 8)...))
	f.Add(file(2, head(">i8", "False", "()"), make([]byte, 8)...))
	f.Add(file(1, `{"shape": (1L,), "fortran_order": False, "descr": "|u1"}`, 7))
	f.Add(archive(f, map[string][]byte{"x.npy": file(1, head("|u1", "False", "(1,)"), 5)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := Decode(b); err == nil {
			require.NoError(t, a.Check())
		}
		as, err := DecodeArchive(b, 1<<20)
		if err != nil {
			return
		}
		for _, a := range as {
			require.NoError(t, a.Tensor.Check())
		}
	})
}
