package dataset

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// archive is a .npz of int64 rows by name.
func archive(t *testing.T, arrays map[string][]int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"ids", "mask", "other"} {
		v, ok := arrays[name]
		if !ok {
			continue
		}
		w, err := z.Create(name + ".npy")
		require.NoError(t, err)
		var data []byte
		for _, x := range v {
			data = binary.LittleEndian.AppendUint64(data, uint64(x))
		}
		_, err = w.Write(npyOf("<i8", fmt.Sprintf("(1, %d)", len(v)), data))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

var sentence = []Want{{"ids", tensor.Int64, []int{-1, -1}}, {"mask", tensor.Int64, []int{-1, -1}}}

// TestSamplesOfManyLengths: one .npz a sample, an array for each input, each sample at its own length.
func TestSamplesOfManyLengths(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.npz", archive(t, map[string][]int64{"mask": {1, 1, 0}, "ids": {5, 6, 7}}))
	write(t, dir, "b.npz", archive(t, map[string][]int64{"ids": {8, 9}, "mask": {1, 1}}))
	labels := write(t, dir, "labels.txt", []byte("b.npz 1\na.npz 0\n"))
	set, in, m := build(t, Source{Data: dir, Labels: labels, Inputs: sentence})
	require.Equal(t, []string{"b.npz", "a.npz"}, set.Names)
	require.Equal(t, []int32{1, 0}, set.Labels)
	require.Equal(t, 1, in.Together([]uint32{0, 1}))
	fed, err := in.Feed(t.Context(), m.get, []uint32{1})
	require.NoError(t, err)
	require.Equal(t, []int{1, 3}, fed["ids"].Shape)
	require.Equal(t, []int64{5, 6, 7}, tensor.View[int64](fed["ids"]))
	require.Equal(t, []int64{1, 1, 0}, tensor.View[int64](fed["mask"]))
}

// TestSamplesThatLackAnInput: the file, the input and what is there are named, in the first sample at once.
func TestSamplesThatLackAnInput(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.npz", archive(t, map[string][]int64{"ids": {5}, "other": {1}}))
	_, err := Open(t.Context(), Source{Data: dir, Inputs: sentence})
	require.ErrorContains(t, err, `a.npz: no array for model input "mask": the model wants ids, mask, the file has ids, other`)

	write(t, dir, "a.npz", archive(t, map[string][]int64{"ids": {5}, "mask": {1}}))
	write(t, dir, "b.npz", []byte("PK no archive"))
	set, err := Open(t.Context(), Source{Data: dir, Inputs: sentence})
	require.NoError(t, err)
	_, faults, err := set.Build(t.Context(), memory{}.put, nil)
	require.NoError(t, err)
	require.ErrorContains(t, faults.Err(), "b.npz: it is no .npz")
}
