package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/coordinator/run"
)

// TestPrune: what jobs keep is listed with size and age, and removed by name or age; the user's own files stay, and so do
// the results of the job.
func TestPrune(t *testing.T) {
	w := newWorld(t)
	t.Setenv("XDG_CACHE_HOME", w.path("cache"))
	t.Setenv("HOME", w.dir)
	code, stdout, stderr := w.execute(t.Context(), "prune")
	require.Equal(t, exitMet, code, stderr)
	require.Equal(t, "nothing is kept in the user's cache\n", stdout)

	base, err := run.StatesDir()
	require.NoError(t, err)
	job := func(name string, age time.Duration) string {
		dir := filepath.Join(base, name)
		args := w.args()
		for i, a := range args {
			if a == "--state-dir" {
				args[i+1] = dir
			}
		}
		code, _, stderr := w.execute(t.Context(), args...)
		require.Equal(t, exitMet, code, stderr)
		then := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(filepath.Join(dir, "lock"), then, then))
		return dir
	}
	young, old := job("young", time.Hour), job("old", 40*24*time.Hour)
	require.NoError(t, os.MkdirAll(filepath.Join(base, "no state"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(base, "file"), nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(old, "notes.txt"), nil, 0o644))

	code, stdout, stderr = w.execute(t.Context(), "prune")
	require.Equal(t, exitMet, code, stderr)
	require.Regexp(t, `(?s)[kM]B .*old.*[kM]B .*young.*[kM]B in all`, stdout)
	require.NotContains(t, stdout, "no state")

	code, stdout, stderr = w.execute(t.Context(), "prune", "--unused-for", "30d", "--dry-run")
	require.Equal(t, exitMet, code, stderr)
	require.Regexp(t, `^would remove .*old \(.*[kM]B\)\n$`, stdout)
	require.DirExists(t, filepath.Join(old, "broker"))

	code, stdout, stderr = w.execute(t.Context(), "prune", "--unused-for", "30d")
	require.Equal(t, exitMet, code, stderr)
	require.Regexp(t, `^removed .*old \(.*[kM]B\)\n$`, stdout)
	left, err := os.ReadDir(old)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, "notes.txt", left[0].Name())

	held, err := run.OpenState(young)
	require.NoError(t, err)
	code, _, stderr = w.execute(t.Context(), "prune", "--unused-for", "0h")
	require.Equal(t, exitInput, code)
	require.Regexp(t, `^assay: state directory .*young is in use by process \d+`, stderr)
	require.NoError(t, held.Close())
	code, _, stderr = w.execute(t.Context(), "prune", young)
	require.Equal(t, exitMet, code, stderr)
	require.NoDirExists(t, young)
	require.FileExists(t, w.path("out/model_int8.onnx"))
}

// TestPruneRefuses: a directory that is no job's is never removed, and an age must be one.
func TestPruneRefuses(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{w.path("images")}, `^assay: .*images is not a state directory: report\.json names a job's under run\.state\n$`},
		{[]string{w.path("absent")}, `^assay: .*absent is not a state directory`},
		{[]string{w.path("model.onnx")}, `^assay: .*model\.onnx is not a state directory`},
		{[]string{"--unused-for", "soon"}, `"soon" is no age: write 30d or 12h`},
		{[]string{"--unused-for=-3h"}, `"-3h" is no age`},
		{[]string{"--unused-for", "999999d"}, `"999999d" is no age`},
	} {
		code, stdout, stderr := w.execute(t.Context(), append([]string{"prune"}, c.args...)...)
		require.Equal(t, exitInput, code, c.args)
		require.Empty(t, stdout)
		require.Regexp(t, c.want, stderr)
	}
	require.DirExists(t, w.path("images"))
}
