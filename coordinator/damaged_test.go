package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDamagedStates: a state directory that was damaged between a job and the next command is bad input, said in one line with what to
// do, or is computed again; no answer comes from what is damaged.
func TestDamagedStates(t *testing.T) {
	stored := func(w *world, change func(path string, b []byte) []byte) {
		require.NoError(w.t, filepath.WalkDir(w.path("state/broker"), func(path string, e fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".blk" {
				return err
			}
			b, err := os.ReadFile(path)
			require.NoError(w.t, err)
			return os.WriteFile(path, change(path, b), 0o644)
		}))
	}
	for name, c := range map[string]struct {
		damage func(w *world)
		replay string // what it says
		run    string // what a run says; "" when it computes again what is lost
	}{
		"the broker is a file": {func(w *world) {
			require.NoError(w.t, os.RemoveAll(w.path("state/broker")))
			w.write("state/broker", nil)
		}, "choose another with --state-dir", "choose another with --state-dir"},
		"the memory is cut":           {func(w *world) { w.write("state/job.json", []byte("{")) }, "state/job.json: unexpected end of JSON input (it is damaged: run the job again", ""},
		"the memory has another type": {func(w *world) { w.write("state/job.json", []byte(`{"Drop": 5}`)) }, "state/job.json: json: cannot unmarshal number", ""},
		"the memory names nothing":    {func(w *world) { w.write("state/job.json", []byte("{}")) }, "parts of the state were removed: run the job again", ""},
		"the store is cut":            {func(w *world) { stored(w, func(_ string, b []byte) []byte { return b[:min(len(b), 100)] }) }, "run", ""},
		"the results are overwritten": {func(w *world) {
			stored(w, func(path string, b []byte) []byte {
				if strings.Contains(path, "RESULTS") {
					copy(b[50:], "garbage garbage")
				}
				return b
			})
		}, "run it again to go on", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			code, first, stderr := w.execute(t.Context(), w.args()...)
			require.Equal(t, exitMet, code, stderr)
			c.damage(w)
			code, stdout, stderr := w.execute(t.Context(), "replay", w.path("state"))
			require.Equal(t, exitInput, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.replay)
			require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			code, stdout, stderr = w.execute(t.Context(), w.args()...)
			if c.run != "" {
				require.Equal(t, exitInput, code, stderr)
				require.Contains(t, stderr, c.run)
				return
			}
			require.Equal(t, exitMet, code, stderr)
			require.Equal(t, measured(t, first), measured(t, stdout))
			code, _, stderr = w.execute(t.Context(), "replay", w.path("state"))
			require.Equal(t, exitMet, code, stderr)
		})
	}
}

// measured is the line of the metric's values in a summary.
func measured(t *testing.T, summary string) string {
	t.Helper()
	_, line, ok := strings.Cut(summary, "\naccuracy@top1 ")
	require.True(t, ok, summary)
	line, _, _ = strings.Cut(line, "\n")
	return line
}
