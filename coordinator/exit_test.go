package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
	"assay/coordinator/run"
)

// example is a job of the tree that misses its limit with everything INT8.
const example = "../deployments/examples/digits/job.json"

// TestMet: a job within its limit ends with 0 and leaves its three files; asked again it computes nothing.
func TestMet(t *testing.T) {
	w := newWorld(t)
	code, stdout, stderr := w.execute(t.Context(), w.args()...)
	require.Equal(t, exitMet, code, stderr)
	require.Contains(t, stdout, "accuracy@top1   1.0000")
	for _, name := range []string{"model_int8.onnx", "report.json", "report.html"} {
		require.FileExists(t, w.path("out/"+name))
		require.Contains(t, stdout, w.path("out/"+name))
	}
	first := w.read("out/model_int8.onnx")
	r, err := report.Parse(w.read("out/report.json"))
	require.NoError(t, err)
	require.True(t, r.Decisions.Met && r.Decisions.Output.Verified)
	require.Equal(t, "assay "+report.Quoted(w.args()...), r.Run.Command)
	require.Equal(t, r.Run.Speed.Int8, r.Run.Speed.Final, "nothing went back to float: it is one model, which has one speed")

	code, _, stderr = w.execute(t.Context(), w.args()...)
	require.Equal(t, exitMet, code, stderr)
	again, err := report.Parse(w.read("out/report.json"))
	require.NoError(t, err)
	require.Zero(t, again.Run.Inferences)
	require.Equal(t, r.Decisions, again.Decisions)
	require.Equal(t, first, w.read("out/model_int8.onnx"))
}

// TestMissed: a limit that cannot be held ends with 3; the best model is written all the same, and a replay says the same.
func TestMissed(t *testing.T) {
	w := newWorld(t)
	args := []string{"run", example, "--max-iter", "0", "--output-dir", w.path("out"), "--state-dir", w.path("state")}
	code, stdout, stderr := w.execute(t.Context(), args...)
	require.Equal(t, exitMissed, code, stderr)
	require.Contains(t, stdout, "NOT MET")
	require.FileExists(t, w.path("out/digits_int8.onnx"))
	code, stdout, stderr = w.execute(t.Context(), "replay", w.path("state"))
	require.Equal(t, exitMissed, code, stderr)
	require.Contains(t, stdout, "end: iterations")
}

// TestReplayOfARelativeLimit: a replay judges by the limit of the job, which here is missed as a share of the float model's value and would be held as
// the same number in the metric's own unit.
func TestReplayOfARelativeLimit(t *testing.T) {
	w := newWorld(t)
	for kind, want := range map[string]int{"relative": exitMissed, "absolute": exitMet} {
		args := []string{"run", example, "--max-iter", "0", "--max-drop", "0.024", "--drop-type", kind, "--output-dir", w.path("out"), "--state-dir", w.path("state")}
		code, _, stderr := w.execute(t.Context(), args...)
		require.Equal(t, want, code, stderr)
		r, err := report.Parse(w.read("out/report.json"))
		require.NoError(t, err)
		code, stdout, stderr := w.execute(t.Context(), "replay", w.path("state"))
		require.Equal(t, want, code, stderr)
		require.Contains(t, stdout, fmt.Sprintf("(%.6g)", float64(r.Decisions.Metrics[0].Drop)))
		require.Contains(t, stdout, "end: "+r.Decisions.Reason)
	}
}

// TestReplayOfParts: a state whose results are gone, or whose broker is, ends a replay with 2 and what to do; the job itself makes them
// anew where it can.
func TestReplayOfParts(t *testing.T) {
	w := newWorld(t)
	code, _, stderr := w.execute(t.Context(), w.args()...)
	require.Equal(t, exitMet, code, stderr)
	require.NoError(t, os.RemoveAll(w.path("state/broker")))
	code, stdout, stderr := w.execute(t.Context(), "replay", w.path("state"))
	require.Equal(t, exitInput, code, stderr)
	require.Empty(t, stdout)
	require.Regexp(t, `^assay: replay: object \w+: object is not in the store \(.*run the job again`, stderr)

	w.write("state/job.json", bytes.Replace(w.read("state/job.json"), []byte(`"NATS": ""`), []byte(`"NATS": "nats://127.0.0.1:1"`), 1))
	code, _, stderr = w.execute(t.Context(), "replay", w.path("state"))
	require.Equal(t, exitInput, code, stderr)
	require.Contains(t, stderr, "broker nats://127.0.0.1:1: ")

	code, _, stderr = w.execute(t.Context(), w.args()...)
	require.Equal(t, exitMet, code, stderr)
	code, _, stderr = w.execute(t.Context(), "replay", w.path("state"))
	require.Equal(t, exitMet, code, stderr)
}

// TestScoresOfNoNumber: samples on which the float model's scores are NaN are told by name; the run goes on, as one calibration does not
// meet says nothing about the others.
func TestScoresOfNoNumber(t *testing.T) {
	w := newWorld(t)
	b := colourArray(false)
	for _, i := range []int{7, 11} {
		binary.LittleEndian.PutUint32(b[len(b)-4*192*(12-i):], math.Float32bits(float32(math.NaN())))
	}
	w.write("some.npy", b)
	w.write("labels.npy", npyOf("|u1", []int{12}, []byte{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}))
	code, _, stderr := w.execute(t.Context(), append(without(w.args(), "--like"), "--data", w.path("some.npy"), "--labels", w.path("labels.npy"), "--calib", "7")...)
	require.Equal(t, exitMet, code, stderr)
	require.Contains(t, stderr, "the float model's scores are no numbers (NaN) for 2 of 12 samples, some.npy[7] the first: it has no answer there")
}

// TestOutputGone: an output directory that is no more when the job wants to write is made again; where that is no directory any more, the
// error says what to do, and the same command ends without computing anything again.
func TestOutputGone(t *testing.T) {
	w := newWorld(t)
	first := true
	out := &writes{f: func() {
		if first {
			require.NoError(t, os.RemoveAll(w.path("out")))
		}
		first = false
	}}
	require.Equal(t, exitMet, execute(t.Context(), w.args("--json"), out, out))
	require.FileExists(t, w.path("out/report.json"))

	first = true
	out.f = func() {
		if first {
			require.NoError(t, os.RemoveAll(w.path("elsewhere")))
			w.write("elsewhere", nil)
		}
		first = false
	}
	var stderr bytes.Buffer
	require.Equal(t, exitInput, execute(t.Context(), w.args("--json", "--output-dir", w.path("elsewhere")), out, &stderr))
	require.Contains(t, stderr.String(), "elsewhere")
	require.Contains(t, stderr.String(), "--output-dir")
	require.Contains(t, stderr.String(), "what was measured is kept")
}

// writes calls f before each write, which is passed over.
type writes struct{ f func() }

func (w *writes) Write(b []byte) (int, error) {
	w.f()
	return len(b), nil
}

// TestNoText: an argument that is no UTF-8 is refused, since the parser would make another name of it.
func TestNoText(t *testing.T) {
	w := newWorld(t)
	code, _, stderr := w.execute(t.Context(), w.args("--output-dir", w.path("a\xff"))...)
	require.Equal(t, exitInput, code)
	require.Contains(t, stderr, `a\xff" is no UTF-8`)
	require.NoDirExists(t, w.path("out"))
}

// TestInterrupted: Ctrl-C ends with 130 and one line; the same command then goes on.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, stderr := w.execute(ctx, w.args()...)
	require.Equal(t, exitInterrupted, code)
	require.Contains(t, stderr, "assay: interrupted; what was computed is kept")
	code, _, stderr = w.execute(t.Context(), w.args()...)
	require.Equal(t, exitMet, code, stderr)
}

// TestExitCodes: what an error means to the shell.
func TestExitCodes(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		code int
		line string
	}{
		{"fine", context.Background(), nil, exitMet, ""},
		{"missed", context.Background(), errMissed, exitMissed, ""},
		{"input", context.Background(), fmt.Errorf("job: %w", run.BadInput(errors.New("no model"))), exitInput, "assay: job: no model\n"},
		{"several", context.Background(), run.BadInput(errors.New("one\ntwo\n")), exitInput, "assay: one\n  two\n"},
		{"internal", context.Background(), errors.New("impossible"), exitInternal, "assay: impossible\n"},
		{"interrupted", cancelled, errors.New("context canceled"), exitInterrupted, "assay: interrupted; what was computed is kept: the same command goes on from here\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			require.Equal(t, c.code, exitCode(c.ctx, c.err, &b))
			require.Equal(t, c.line, b.String())
		})
	}
}

// TestHelp: help and version are answers; no command, or an unknown one, is a mistake.
func TestHelp(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"--help"}, exitMet, "Usage: assay <command>", ""},
		{[]string{"run", "--help"}, exitMet, "--max-drop=D", ""},
		{[]string{"replay", "--help"}, exitMet, "State directory of the job", ""},
		{[]string{"run", "--help"}, exitMet, "Examples:\n", ""},
		{[]string{"explain", "--help"}, exitMet, "Examples:\n", ""},
		{[]string{"replay", "--help"}, exitMet, "Examples:\n", ""},
		{[]string{"health", "--help"}, exitMet, "Example: ", ""},
		{[]string{"completion", "--help"}, exitMet, "Examples:\n", ""},
		{[]string{"--version"}, exitMet, "assay ", ""},
		{[]string{"version"}, exitMet, "assay ", ""},
		{[]string{"health", "--nats", "nats://127.0.0.1:1"}, exitInternal, "", "assay: broker nats://127.0.0.1:1: "},
		{[]string{"completion", "bash", "-c"}, exitMet, "complete ", ""},
		{nil, exitInput, "", "Usage: assay <command>"},
		{[]string{"quantize"}, exitInput, "", "assay: unexpected argument quantize"},
		{[]string{"run", "--max-dorp", "1"}, exitInput, "", "assay: unknown flag --max-dorp"},
		{[]string{"replay"}, exitInput, "", `assay: expected "<state>"`},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			code, stdout, stderr := w.execute(t.Context(), c.args...)
			require.Equal(t, c.code, code)
			require.Contains(t, stdout, c.stdout)
			require.Contains(t, stderr, c.stderr)
		})
	}
}

// TestJSON: --json prints events only, each an object, and no summary.
func TestJSON(t *testing.T) {
	w := newWorld(t)
	code, stdout, stderr := w.execute(t.Context(), w.args("--json")...)
	require.Equal(t, exitMet, code, stderr)
	seen := map[string]bool{}
	var last struct {
		Event   string
		Met     bool
		Metrics []report.Metric
		Share   float64 `json:"int8_mac_share"`
		Files   []string
	}
	for line := range strings.Lines(stdout) {
		last.Event = ""
		require.NoError(t, json.Unmarshal([]byte(line), &last), line)
		seen[last.Event] = true
	}
	for _, event := range []string{"loaded", "quantizable", "phase", "step"} {
		require.True(t, seen[event], event)
	}
	require.Equal(t, "result", last.Event, "the last line is the result")
	r, err := report.Parse(w.read("out/report.json"))
	require.NoError(t, err)
	require.Equal(t, r.Decisions.Metrics, last.Metrics)
	require.True(t, last.Met)
	require.InDelta(t, r.Decisions.MACShare, last.Share, 0)
	require.Equal(t, []string{w.path("out/model_int8.onnx"), w.path("out/report.json"), w.path("out/report.html")}, last.Files)
}

// TestBusy: two jobs cannot hold one state directory; the second says who does.
func TestBusy(t *testing.T) {
	w := newWorld(t)
	held, err := run.OpenState(w.path("state"))
	require.NoError(t, err)
	defer held.Close()
	code, _, stderr := w.execute(t.Context(), w.args()...)
	require.Equal(t, exitInput, code)
	require.Contains(t, stderr, fmt.Sprintf("is in use by process %d", os.Getpid()))
	require.NoFileExists(t, filepath.Join(w.dir, "out", "report.json"))
}

// TestReadme: the README names every flag of run and every exit code, and its first command is the example's.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	readme := string(text)
	_, help, _ := newWorld(t).execute(t.Context(), "run", "--help")
	for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(help, -1) {
		if flag != "--help" && flag != "--version" {
			require.True(t, strings.Contains(readme, flag), flag)
		}
	}
	for _, code := range []int{exitMet, exitInternal, exitInput, exitMissed, exitInterrupted, exitUnread} {
		require.Contains(t, readme, fmt.Sprintf("\n| %d | ", code))
	}
	require.Contains(t, readme, "\n    go run ./coordinator run "+strings.TrimPrefix(example, "../")+"\n")
}
