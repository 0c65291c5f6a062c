package onnx

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/onnx/onnxpb"
)

// TestExternalBounds: a tensor may end where its file ends, and one of no bytes may stand there; a byte further is refused. The
// slice has no room behind it, and tensors of one file share one mapping.
func TestExternalBounds(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "w.bin"), []byte("abcdef"), 0o600))
	e := &externals{folders: []string{dir}}
	load := func(offset, size int) ([]byte, error) {
		return e.load([]*onnxpb.StringStringEntryProto{entry("location", "w.bin"), entry("offset", strconv.Itoa(offset)), entry("checksum", "x")}, size)
	}
	for _, c := range []struct {
		offset, size int
		want         string
	}{{0, 6, "abcdef"}, {4, 2, "ef"}, {5, 1, "f"}, {6, 0, ""}, {0, 0, ""}} {
		got, err := load(c.offset, c.size)
		require.NoError(t, err, "%v", c)
		require.Equal(t, c.want, string(got))
		require.Equal(t, len(got), cap(got))
	}
	for _, c := range [][2]int{{0, 7}, {6, 1}, {7, 0}} {
		_, err := load(c[0], c[1])
		require.ErrorContains(t, err, "are beyond its 6 bytes", "%v", c)
	}
	a, err := load(0, 6)
	require.NoError(t, err)
	b, err := load(0, 6)
	require.NoError(t, err)
	require.Same(t, &a[0], &b[0])
}

func entry(key, value string) *onnxpb.StringStringEntryProto {
	return &onnxpb.StringStringEntryProto{Key: &key, Value: &value}
}

// TestWithin: a folder holds itself and what is below it, and neither its parent nor a neighbour whose name begins alike.
func TestWithin(t *testing.T) {
	root := t.TempDir()
	root, err := filepath.EvalSymlinks(root)
	require.NoError(t, err)
	folder := filepath.Join(root, "a")
	require.NoError(t, os.Mkdir(folder, 0o700))
	for path, want := range map[string]bool{
		folder: true, filepath.Join(folder, "b"): true, filepath.Join(folder, "..b"): true,
		root: false, filepath.Join(root, "ab"): false, filepath.Dir(root): false,
	} {
		require.Equal(t, want, within(folder, path), path)
	}
	require.False(t, within(filepath.Join(root, "nowhere"), filepath.Join(root, "nowhere", "b")))
}

// TestOpsetsOfOneDomain: twice with one version is one import, in either spelling of ai.onnx; two versions are a contradiction.
func TestOpsetsOfOneDomain(t *testing.T) {
	of := func(domain string, version int64) *onnxpb.OperatorSetIdProto {
		return &onnxpb.OperatorSetIdProto{Domain: &domain, Version: &version}
	}
	got, err := opsets([]*onnxpb.OperatorSetIdProto{of("", 17), of("ai.onnx", 17), of("com.acme", 1)})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"": 17, "com.acme": 1}, got)
	_, err = opsets([]*onnxpb.OperatorSetIdProto{of("", 17), of("ai.onnx", 18)})
	require.EqualError(t, err, `domain "" is imported as opset 17 and 18`)
}
