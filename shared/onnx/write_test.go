package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// lowerLimits makes Write put the constants of small models outside.
func lowerLimits(t *testing.T) {
	above, from := outsideAbove, outsideFrom
	outsideAbove, outsideFrom = 100, 64
	t.Cleanup(func() { outsideAbove, outsideFrom = above, from })
}

// large is a model whose constants go outside; seed makes them others.
func large(t *testing.T, seed int) *graph.Model {
	m, err := graph.Parse(fmt.Sprintf(`ir 10
		graph main
		input x: float32[64]
		a: float32[64] = const random %d
		b: float32[64] = const random %d
		s: float32[] = const [2]
		t = Add(x, a)
		u = Mul(t, b)
		y = Mul(u, s)
		output y: float32[64]`, seed, seed+1))
	require.NoError(t, err)
	return m
}

// inside is a model that has no data file.
func inside(t *testing.T) *graph.Model {
	m, err := graph.Parse("graph main\ninput x: float32[1]\noutput x: float32[1]")
	require.NoError(t, err)
	return m
}

// listing is name and content of every file of a folder.
func listing(t *testing.T, dir string) map[string]string {
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = string(b)
	}
	return out
}

// TestWriteOutside writes a model with a data file and reads it back. The file's name is from its content, its parts are aligned,
// and a model may be written over the files it is mapped from.
func TestWriteOutside(t *testing.T) {
	lowerLimits(t)
	m := large(t, 1)
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	require.NoError(t, Write(path, m))
	again, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, graph.Digest(m), graph.Digest(again))
	before := listing(t, dir)
	require.NoError(t, Write(path, again), "over the files it is mapped from")
	require.Equal(t, before, listing(t, dir))
	require.Len(t, before, 2, "no partial files")
	for name, content := range before {
		if name != "m.onnx" {
			sum := sha256.Sum256([]byte(content))
			require.Equal(t, "m.onnx."+hex.EncodeToString(sum[:8])+".data", name)
			require.Len(t, content, 4096+256)
		}
	}
	pb := &onnxpb.ModelProto{}
	require.NoError(t, proto.Unmarshal([]byte(before["m.onnx"]), pb))
	require.Nil(t, pb.Graph.Initializer[2].DataLocation, "a scalar stays inside")
	requireChecked(t, path)
}

// TestWriteReplaces: the data of the model that was there goes with it, and nothing else does: not a file that is named alike, nor
// one that some other program has put there.
func TestWriteReplaces(t *testing.T) {
	lowerLimits(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "m[1]*.onnx")
	require.NoError(t, Write(path, large(t, 1)))
	neighbours := map[string]string{
		"m[1]*.onnx.data": "of another program", "m[1]*.onnx.0123456789abcdef.data": "of a writer that is not done", "m1x.onnx.0123456789abcdef.data": "x",
	}
	for name, content := range neighbours {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	for _, m := range []*graph.Model{large(t, 3), large(t, 1), inside(t), inside(t), large(t, 1)} {
		require.NoError(t, Write(path, m))
		again, err := Read(path)
		require.NoError(t, err)
		require.Equal(t, graph.Digest(m), graph.Digest(again))
		want := 1 + len(neighbours)
		if len(m.Graph.Consts) > 0 {
			want++
		}
		have := listing(t, dir)
		require.Len(t, have, want)
		for name, content := range neighbours {
			require.Equal(t, content, have[name])
		}
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm())
}

var errInjected = errors.New("no space left on device")

// failing is a disk on which the steps for which fail says so do nothing but give an error. Steps count from 0.
func failing(fail func(step int) bool) (d disk, steps *int) {
	steps = new(int)
	next := func() error {
		*steps++
		if fail(*steps - 1) {
			return errInjected
		}
		return nil
	}
	return disk{
		write: func(f *os.File, b []byte, at int64) (int, error) {
			if err := next(); err != nil {
				n, _ := f.WriteAt(b[:len(b)/2], at)
				return n, err
			}
			return f.WriteAt(b, at)
		},
		rename: func(from, to string) error {
			if err := next(); err != nil {
				return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
			}
			return os.Rename(from, to)
		},
		remove: func(path string) error {
			if err := next(); err != nil {
				return err
			}
			return os.Remove(path)
		},
	}, steps
}

// TestWriteFails lets each step fail, alone (a full disk) and with all that follow (a killed process). Alone, an error leaves
// the folder as it was, and without one the new model is there; killed, path is one of the two models, whole.
func TestWriteFails(t *testing.T) {
	lowerLimits(t)
	type pair struct {
		name     string
		old, new *graph.Model
	}
	for _, c := range []pair{
		{"other data", large(t, 1), large(t, 3)}, {"same data", large(t, 1), large(t, 1)}, {"first data", inside(t), large(t, 1)},
		{"last data", large(t, 1), inside(t)}, {"nothing before", nil, large(t, 1)},
	} {
		for _, killed := range []bool{false, true} {
			for step, steps := 0, 1; step < steps; step++ {
				t.Run(fmt.Sprintf("%s/killed %v/step %d", c.name, killed, step), func(t *testing.T) {
					dir := t.TempDir()
					path := filepath.Join(dir, "m.onnx")
					if c.old != nil {
						require.NoError(t, Write(path, c.old))
					}
					before := listing(t, dir)
					d, n := failing(func(at int) bool { return at == step || killed && at > step })
					err := d.model(path, c.new)
					steps = max(steps, *n)
					if killed {
						if c.old == nil && err != nil {
							require.NoFileExists(t, path)
							return
						}
						got, readErr := Read(path)
						require.NoError(t, readErr)
						want := c.new
						if err != nil {
							want = c.old
						}
						require.Equal(t, graph.Digest(want), graph.Digest(got))
						return
					}
					if err != nil {
						require.ErrorIs(t, err, errInjected)
						require.NotContains(t, err.Error(), dir, "Write names the path")
						require.Equal(t, before, listing(t, dir))
						return
					}
					got, err := Read(path)
					require.NoError(t, err)
					require.Equal(t, graph.Digest(c.new), graph.Digest(got))
				})
			}
		}
	}
}

// TestWriteErrors: what cannot be written, or not there, is named and leaves nothing behind.
func TestWriteErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "m.onnx")
	require.EqualError(t, Write(path, inside(t)), path+": no such file or directory")

	lowerLimits(t)
	folder := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "full"), 0o700))
	err := Write(folder, large(t, 1))
	require.ErrorContains(t, err, folder+": ")
	require.Equal(t, []string{"m.onnx"}, names(t, filepath.Dir(folder)))

	broken := large(t, 1)
	broken.Graph.Consts["a"].Data = broken.Graph.Consts["a"].Data[:8]
	path = filepath.Join(t.TempDir(), "m.onnx")
	require.ErrorContains(t, Write(path, broken), path+`: graph "main": constant "a": `)
	require.Empty(t, names(t, filepath.Dir(path)))
}

func names(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestWritersMeet: writers of one path at once leave one of their models, whole, and no partial file.
func TestWritersMeet(t *testing.T) {
	lowerLimits(t)
	path := filepath.Join(t.TempDir(), "m.onnx")
	digests := [][32]byte{}
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		m := large(t, 10*i)
		digests = append(digests, graph.Digest(m))
		all.Go(func() { errs[i] = Write(path, m) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	m, err := Read(path)
	require.NoError(t, err)
	require.Contains(t, digests, graph.Digest(m))
	require.False(t, slices.ContainsFunc(names(t, filepath.Dir(path)), func(s string) bool { return filepath.Ext(s) == ".partial" }))
}
