package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExplain: the job as understood, with places and flags, and nothing is written.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	code, stdout, stderr := w.execute(t.Context(), "explain", example, "--max-drop", "0.02", "--output-dir", w.path("out"), "--state-dir", w.path("state"))
	require.Equal(t, exitMet, code, stderr)
	for _, want := range []string{
		`(?m)^model\.model_name +job\.json:8 +digits$`, `(?m)^…params\.maximal_drop +--max-drop +0\.02$`, `(?m)^…params\.max_iter_num +default +no limit$`,
		`(?m)^measured +accuracy@top1 of logits; a drop of 0\.02 is allowed$`, `(?m)^inputs +pixels: float32\[n,64\]$`, `(?m)^can be INT8 +4 operations in 4 groups$`, `(?m)^samples +1,200 to measure on, 200 to calibrate on; labelled$`,
		`(?m)^inferences +3,800 if`, `1,200 more for a ranking of all groups`,
	} {
		require.Regexp(t, want, stdout)
	}
	require.NoDirExists(t, w.path("out"))
	require.NoDirExists(t, w.path("state"))

	code, stdout, stderr = w.execute(t.Context(), "explain", magika+"/job-pot.json") // the numbers that TestMagikaPOT measures
	require.Equal(t, exitMet, code, stderr)
	require.Regexp(t, `(?m)^can be INT8 +23 operations in 21 groups$`, stdout)

	args := w.args()
	args[0] = "explain"
	code, stdout, stderr = w.execute(t.Context(), args...)
	require.Equal(t, exitMet, code, stderr)
	require.Regexp(t, `(?m)^engine\.like +--like +unit$`, stdout)
	require.Contains(t, stdout, "pictures      --scale 255")
}

// TestExplainRefuses: mistakes are the same errors as those of run.
func TestExplainRefuses(t *testing.T) {
	w := newWorld(t)
	w.write("job.json", []byte(`{"model": {"modle": "x"}}`))
	for _, args := range [][]string{{w.path("job.json")}, {"-m", w.path("absent.onnx"), "--data", w.path("images")}, {"--like", "unti"}, {}} {
		code, stdout, stderr := w.execute(t.Context(), append([]string{"explain"}, args...)...)
		ran, _, same := w.execute(t.Context(), append([]string{"run"}, args...)...)
		require.Equal(t, exitInput, code)
		require.Equal(t, ran, code)
		require.Equal(t, same, stderr)
		require.Empty(t, stdout)
	}
}
