package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
)

// checked runs a job and the program in its report, in ONNX Runtime, and returns what that prints.
func checked(t *testing.T, w *world, args ...string) string {
	t.Helper()
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("skipped: ASSAY_PYTHON names no interpreter with onnxruntime and Pillow")
	}
	code, _, stderr := w.execute(t.Context(), args...)
	require.Equal(t, exitMet, code, stderr)
	r, err := report.Parse(w.read("out/report.json"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), python, "-")
	cmd.Stdin, cmd.Stderr = strings.NewReader(r.Run.Check), os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, r.Run.Check)
	return string(out)
}

// TestCheckProgram: the program in the report counts in ONNX Runtime what Assay measured: on arrays, on pictures, and without
// calibration samples; where the data cannot be read in a few lines it runs the file all the same.
func TestCheckProgram(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, "1125 of 1200 right; measured by Assay: 1125/1200 (0.9375)\n",
		checked(t, w, "run", example, "--output-dir", w.path("out"), "--state-dir", w.path("state")))
	for _, more := range [][]string{{}, {"--like", "imagenet-tf"}, {"--channels", "bgr", "--resize", "10", "--crop", "8"}, {"--mean", "1,2,3", "--std", "0.5"}} {
		w := newWorld(t)
		said := regexp.MustCompile(`^(\d+) of 12 right; measured by Assay: (\d+)/12`).FindStringSubmatch(checked(t, w, w.args(append(more, "--max-drop", "1")...)...))
		require.Len(t, said, 3, "%v", more)
		require.Equal(t, said[2], said[1], "%v", more)
	}
	w = newWorld(t)
	require.Regexp(t, `^8 of 8 right; measured by Assay: 8/8`, checked(t, w, w.args("--calib", "every:3")...))
	w = newWorld(t)
	require.Equal(t, "y float32 (1, 4)\n", checked(t, w, w.args("--pad", "8x8", "--max-drop", "1")...))
}
