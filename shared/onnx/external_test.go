package onnx

import (
	"os"
	"path/filepath"
	"testing"

	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"

	"github.com/stretchr/testify/require"
)

// external moves the first initializer to a data file.
func external(m *onnxpb.ModelProto, location, offset, length string) {
	t := m.Graph.Initializer[0]
	t.RawData = nil
	t.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
	t.ExternalData = nil
	for _, p := range [][2]string{{"location", location}, {"offset", offset}, {"length", length}, {"checksum", "ignored"}} {
		if p[1] != "" {
			t.ExternalData = append(t.ExternalData, pair(p[0], p[1]))
		}
	}
}

// TestExternalData reads 8 bytes of a file of 13, or says why not.
func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "model")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "sub"), 0o755))
	content := append([]byte("12345"), tensor.Of(tensor.Float32, []int{2}, []float32{3, 4}).Data...)
	for _, path := range []string{"model/w.bin", "model/sub/w.bin", "secret"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), content, 0o644))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "empty"), nil, 0o644))
	require.NoError(t, os.Symlink("../secret", filepath.Join(folder, "link")))
	require.NoError(t, os.Symlink("w.bin", filepath.Join(folder, "inner")))
	cases := []struct{ location, offset, length, want string }{
		{"w.bin", "5", "8", ""},
		{"w.bin", "5", "", ""},
		{"./sub/../sub/w.bin", "5", "8", ""},
		{"inner", "5", "8", ""},
		{"w.bin", "6", "8", `external data "w.bin": 8 bytes at offset 6 are beyond its 13 bytes: the file is truncated or of another model`},
		{"w.bin", "9223372036854775807", "8", `external data "w.bin": 8 bytes at offset 9223372036854775807 are beyond its 13 bytes: the file is truncated or of another model`},
		{"w.bin", "0", "9", "external data: length is 9 bytes, the shape needs 8"},
		{"w.bin", "-1", "8", `external data: offset "-1" is no size`},
		{"empty", "0", "8", `external data "empty": 8 bytes at offset 0 are beyond its 0 bytes: the file is truncated or of another model`},
		{"missing", "0", "8", `external data "missing": is not beside the model: no such file or directory`},
		{"../secret", "5", "8", `external data "../secret": leaves the model's folder`},
		{"sub/../../secret", "5", "8", `external data "sub/../../secret": leaves the model's folder`},
		{filepath.Join(dir, "secret"), "5", "8", `external data "` + filepath.Join(dir, "secret") + `": leaves the model's folder`},
		{"link", "5", "8", `external data "link": is a link that leaves the model's folder`},
		{"sub", "0", "8", `external data "sub": is no regular file`},
		{"", "0", "8", `external data "": leaves the model's folder`},
	}
	for _, c := range cases {
		t.Run(c.location+" "+c.offset, func(t *testing.T) {
			b := small(t, func(m *onnxpb.ModelProto) { external(m, c.location, c.offset, c.length) })
			m, err := Decode(b, folder)
			if c.want != "" {
				require.EqualError(t, err, `graph "main": initializer "w": `+c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []float32{3, 4}, m.Graph.Consts["w"].F32())
		})
	}
}

// TestLinkedFilesOfACache reads a model whose two files are links into one folder of contents.
func TestLinkedFilesOfACache(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "blobs"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "snapshot"), 0o755))
	b := small(t, func(m *onnxpb.ModelProto) { external(m, "m.onnx.data", "0", "8") })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "blobs", "aa"), b, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "blobs", "bb"), tensor.Of(tensor.Float32, []int{2}, []float32{3, 4}).Data, 0o644))
	require.NoError(t, os.Symlink("../blobs/aa", filepath.Join(dir, "snapshot", "m.onnx")))
	require.NoError(t, os.Symlink("../blobs/bb", filepath.Join(dir, "snapshot", "m.onnx.data")))
	m, err := Read(filepath.Join(dir, "snapshot", "m.onnx"))
	require.NoError(t, err)
	require.Equal(t, []float32{3, 4}, m.Graph.Consts["w"].F32())
}

// TestReadNamesThePath covers what is no file at all.
func TestReadNamesThePath(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(dir)
	require.EqualError(t, err, dir+": is no regular file; name the .onnx file itself")
	_, err = Read(filepath.Join(dir, "no.onnx"))
	require.EqualError(t, err, filepath.Join(dir, "no.onnx")+": no such file or directory")
	require.ErrorIs(t, err, os.ErrNotExist)
}
