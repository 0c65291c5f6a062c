//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAsProgram is no test of its own: the one below runs this binary as the program, to see what it costs.
func TestAsProgram(t *testing.T) {
	args := os.Getenv("ASSAY_TEST_ARGS")
	if args == "" {
		t.Skip("runs only as the child of another test")
	}
	code, _, stderr := newWorld(t).execute(t.Context(), strings.Split(args, "\n")...)
	t.Log(stderr)
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	left := strconv.Itoa(code) + "\n" + string(status)
	require.NoError(t, os.WriteFile(os.Getenv("ASSAY_TEST_CODE"), []byte(left), 0o644))
}

// peakOf reads VmHWM, in KiB, out of a process's own status. The Maxrss that its parent is told is no measure: a child
// starts in its parent's memory, so the parent's size counts in it.
func peakOf(t testing.TB, status string) int64 {
	_, rest, ok := strings.Cut(status, "VmHWM:")
	require.True(t, ok, status)
	peak, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return peak
}

// peak runs a command line as a process of its own and gives its exit code and its peak memory in KiB.
func (w *world) peak(args ...string) (code string, kib int64) {
	w.t.Helper()
	self, err := os.Executable()
	require.NoError(w.t, err)
	cmd := exec.Command(self, "-test.run", "^TestAsProgram$")
	cmd.Env = append(os.Environ(), "ASSAY_TEST_ARGS="+strings.Join(args, "\n"), "ASSAY_TEST_CODE="+w.path("code"))
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, string(out))
	code, status, _ := strings.Cut(string(w.read("code")), "\n")
	return code, peakOf(w.t, status)
}

// TestTierIsAWish: an instruction-set tier that is misspelt is the user's mistake; it is not replaced silently.
func TestTierIsAWish(t *testing.T) {
	w := newWorld(t)
	t.Setenv("ASSAY_TIER", "avx-512")
	code, _ := w.peak(w.args()...)
	require.Equal(t, strconv.Itoa(exitInput), code)
	t.Setenv("ASSAY_TIER", "Plain")
	code, _ = w.peak(w.args()...)
	require.Equal(t, strconv.Itoa(exitMet), code)
}

// TestMemoryOfClaim: a file of a hundred bytes that says 2 GB follow costs less than 64 MB.
func TestMemoryOfClaim(t *testing.T) {
	w := newWorld(t)
	w.write("model.onnx", claim2GB())
	require.Less(t, len(w.read("model.onnx")), 128)
	code, peak := w.peak(w.args()...)
	require.Equal(t, strconv.Itoa(exitInput), code)
	if race {
		t.Skipf("peak memory %d KiB: the race detector's own is not bounded here", peak)
	}
	require.Less(t, peak, int64(64<<10), "KiB")
}

// TestFieldMemory: the field cases that bound the memory of a run stay below it, as processes of their own.
func TestFieldMemory(t *testing.T) {
	folders, err := filepath.Glob(fieldDir + "/*/case.json")
	require.NoError(t, err)
	if len(folders) == 0 {
		t.Skip("skipped: ../shared/assets is absent")
	}
	for _, f := range folders {
		c := readCase(t, filepath.Dir(f))
		name := filepath.Base(c.dir)
		if c.Check.MaxRSS == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := &world{t, t.TempDir()}
			var args []string
			if c.Check.Model == "refuse" {
				args = c.refusedArgs(w)
			} else {
				args = []string{"run", c.job(t, w, nil), "--memory", "64MiB"} // what is kept to spare work gives way
			}
			_, peak := w.peak(args...)
			if race {
				t.Skipf("peak memory %d KiB: the race detector's own is not bounded here", peak)
			}
			require.Less(t, peak>>10, c.Check.MaxRSS, "MiB")
		})
	}
}

// full mounts a file system of a few kilobytes at dir.
func full(t *testing.T, dir, size string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("skipped: mounting a small file system needs root")
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("skipped: this machine lets nobody mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
}

// TestDiskFull: a full output directory, or state directory, is one error with what to do; no file is left half written,
// and what was measured is kept.
func TestDiskFull(t *testing.T) {
	t.Run("output", func(t *testing.T) {
		w := newWorld(t)
		full(t, w.path("out"), "4k") // the model fits, the report does not
		code, _, stderr := w.execute(t.Context(), w.args()...)
		require.Equal(t, exitInput, code, stderr)
		require.Contains(t, stderr, "--output-dir")
		require.Contains(t, stderr, "bytes are needed and ")
		left, err := filepath.Glob(w.path("out/.*"))
		require.NoError(t, err)
		require.Empty(t, left, "temporary files")
		require.NoFileExists(t, w.path("out/report.json"))
		code, _, stderr = w.execute(t.Context(), w.args("--output-dir", w.path("elsewhere"))...)
		require.Equal(t, exitMet, code, stderr)
		require.Contains(t, string(w.read("elsewhere/report.json")), `"inferences": 0`)
	})
	for _, size := range []string{"64k", "1028k"} { // at once, and after the broker has begun to write
		t.Run("state of "+size, func(t *testing.T) {
			w := newWorld(t)
			full(t, w.path("state"), size)
			code, _, stderr := w.execute(t.Context(), w.args()...)
			require.Equal(t, exitInput, code, stderr)
			require.Contains(t, stderr, "--state-dir")
			require.Regexp(t, `at least \d+ bytes are wanted and \d+ are free`, stderr)
			require.NotRegexp(t, `deadline|timeout|not ready`, stderr, "nobody waited for the broker's own patience to end")
		})
	}
	for _, size := range []string{"3m", "4500k"} { // 3.8 MB of samples: too many, and just fitting without what comes behind them
		t.Run("state of "+size+" and many samples", func(t *testing.T) {
			w := newWorld(t)
			const n = 20000
			w.write("many.npy", npyOf("|u1", []int{n, 3, 8, 8}, make([]byte, n*3*8*8)))
			w.write("labels.npy", npyOf("|u1", []int{n}, bytes.Repeat([]byte{3}, n)))
			full(t, w.path("state"), size)
			code, _, stderr := w.execute(t.Context(), w.args("--data", w.path("many.npy"), "--labels", w.path("labels.npy"))...)
			require.Equal(t, exitInput, code, stderr)
			require.Regexp(t, `state directory .*: the disk is full: at least \d+ bytes are wanted and \d+ are free; free some space, or choose another with --state-dir`, stderr)
		})
	}
}
