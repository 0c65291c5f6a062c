package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/outlet"
)

// roomless is a file on a disk without room.
func roomless(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("skipped: no /dev/full here")
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// pipe is a pipe whose reader is the test's to close.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// TestFullOutput: what cannot be written is an error with one line and code 2, however well the job went; its files are there.
func TestFullOutput(t *testing.T) {
	w := newWorld(t)
	for _, args := range [][]string{w.args(), w.args("--json"), append([]string{"explain"}, w.args()[1:9]...), {"replay", w.path("state")}, {"version"}, {"--help"}, {"run", "--help"}} {
		t.Run(args[0]+" "+args[len(args)-1], func(t *testing.T) {
			var stderr bytes.Buffer
			require.Equal(t, exitInput, execute(t.Context(), args, roomless(t), &stderr), stderr.String())
			require.Equal(t, 1, strings.Count(stderr.String(), "assay: "), stderr.String())
			require.Contains(t, stderr.String(), "assay: standard output: no space left on device: what it holds is not all")
		})
	}
	require.FileExists(t, w.path("out/report.html"))
}

// TestFullErrors: notes and progress are a courtesy; a job goes on without them.
func TestFullErrors(t *testing.T) {
	w := newWorld(t)
	var stdout bytes.Buffer
	require.Equal(t, exitMet, execute(t.Context(), w.args(), &stdout, roomless(t)))
	require.Contains(t, stdout.String(), "accuracy@top1   1.0000")
}

// leaving is a pipe whose reader goes away after the first write.
type leaving struct{ r, w *os.File }

func (l leaving) Write(b []byte) (int, error) {
	defer l.r.Close()
	return l.w.Write(b)
}

// TestUnreadOutput: a job whose events or messages nobody reads any more ends as by Ctrl-C, and the same command goes on.
func TestUnreadOutput(t *testing.T) {
	for name, start := range map[string]func(w *world, unread, other io.Writer) int{
		"events": func(w *world, unread, other io.Writer) int {
			return execute(t.Context(), w.args("--json"), unread, other)
		},
		"messages": func(w *world, unread, other io.Writer) int { return execute(t.Context(), w.args(), other, unread) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r, unread := pipe(t)
			var other bytes.Buffer
			require.Equal(t, exitUnread, start(w, leaving{r, unread}, &other))
			if name == "events" {
				require.Equal(t, "assay: interrupted; what was computed is kept: the same command goes on from here\n", other.String())
			}
			require.NoFileExists(t, w.path("out/report.json"))
			code, _, stderr := w.execute(t.Context(), w.args()...)
			require.Equal(t, exitMet, code, stderr)
		})
	}
}

// TestUnreadAnswer: a reader that went away before a short answer is told nothing.
func TestUnreadAnswer(t *testing.T) {
	w := newWorld(t)
	for _, args := range [][]string{{"version"}, {"--help"}, append([]string{"explain"}, w.args()[1:9]...)} {
		r, unread := pipe(t)
		r.Close()
		var stderr bytes.Buffer
		require.Equal(t, exitUnread, execute(t.Context(), args, unread, &stderr))
		require.Empty(t, stderr.String())
	}
}

// TestConclude: what is left of an exit code behind an output that failed.
func TestConclude(t *testing.T) {
	for _, c := range []struct {
		code        int
		full        bool
		want        int
		complaining bool
	}{
		{exitMissed, false, exitMissed, false},
		{exitMet, true, exitInput, true},
		{exitMissed, true, exitInput, true},
		{exitInternal, true, exitInternal, true},
	} {
		var b bytes.Buffer
		stdout := outlet.New(&b, nil)
		if c.full {
			stdout = outlet.New(roomless(t), nil)
		}
		_, _ = stdout.Write([]byte("answer\n"))
		b.Reset()
		require.Equal(t, c.want, conclude(c.code, stdout, outlet.New(&b, nil)))
		require.Equal(t, c.complaining, b.Len() > 0)
	}
}
