package run

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWriteFile: a file is whole or as it was, and nothing else is left in its directory.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	for _, text := range []string{"first", "second, and longer", ""} {
		require.NoError(t, writeFile(path, []byte(text)))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(b))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode())
	taken := filepath.Join(dir, "taken")
	require.NoError(t, os.MkdirAll(filepath.Join(taken, "by a directory"), 0o755))
	require.ErrorContains(t, writeFile(taken, []byte("x")), "write "+taken+": ")
	require.ErrorContains(t, writeFile(filepath.Join(dir, "absent", "file"), nil), "write "+filepath.Join(dir, "absent", "file")+": ")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "%v", entries)
}

// TestWrittenFileMustEqual: one bit of one record is a fault, and the samples are counted.
func TestWrittenFileMustEqual(t *testing.T) {
	want := []byte("aabbccdd")
	require.NoError(t, unequal(want, []byte("aabbccdd"), 2))
	require.ErrorContains(t, unequal(want, []byte("aabbccde"), 2), "samples differ: 1 of 4")
	require.ErrorContains(t, unequal(want, []byte("abbbccxx"), 2), "samples differ: 2 of 4")
}

// TestStates: what a job made is listed, least recently used first; a directory with a lock or a broker alone is none.
func TestStates(t *testing.T) {
	base := t.TempDir()
	for name, parts := range map[string][]string{"new": {lockFile, brokerDir}, "old": {lockFile, brokerDir}, "locked": {lockFile}, "brokered": {brokerDir}, "empty": nil} {
		dir := filepath.Join(base, name)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		for _, part := range parts {
			if part == lockFile {
				require.NoError(t, os.WriteFile(filepath.Join(dir, part), nil, 0o644))
			} else {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, part), 0o755))
			}
		}
	}
	then := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(base, "old", lockFile), then, then))
	kept, err := States(base)
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Equal(t, []string{filepath.Join(base, "old"), filepath.Join(base, "new")}, []string{kept[0].Dir, kept[1].Dir})
	require.WithinDuration(t, then, kept[0].Used, time.Second)
	var input *InputError
	for _, name := range []string{"locked", "brokered", "empty", "absent"} {
		_, err := StateAt(filepath.Join(base, name))
		require.ErrorAs(t, err, &input, name)
		require.ErrorAs(t, Prune(filepath.Join(base, name)), &input, name)
	}
	none, err := States(filepath.Join(base, "absent"))
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, Prune(kept[0].Dir))
	require.NoDirExists(t, kept[0].Dir)
	state, err := OpenState(kept[1].Dir)
	require.NoError(t, err)
	require.ErrorAs(t, Prune(kept[1].Dir), &input, "it is held, if only by this process")
	require.NoError(t, state.Close())
	require.DirExists(t, kept[1].Dir)
}
