package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/cause"
	"assay/coordinator/report"
)

const magika = "../deployments/examples/magika"

// runMagika runs a job of the second example and returns its report. It takes minutes, so -short leaves it out.
func runMagika(t *testing.T, job string) (*world, report.Decisions) {
	t.Helper()
	if testing.Short() || race {
		t.Skip("skipped: quantizes a real network; run without -short")
	}
	w := newWorld(t)
	code, _, stderr := w.execute(t.Context(), "run", magika+"/"+job, "--output-dir", w.path("out"), "--state-dir", w.path("state"))
	require.Equal(t, exitMet, code, stderr)
	r, err := report.Parse(w.read("out/report.json"))
	require.NoError(t, err)
	return w, r.Decisions
}

// fractions are float, all INT8 and final of the first metric.
func fractions(d report.Decisions) []string {
	var out []string
	for _, s := range d.Metrics[0].Exact {
		count, _, _ := strings.Cut(s, " ")
		out = append(out, count)
	}
	return out
}

// hits runs models in ONNX Runtime: how many of the scored files each names right, and the class of every file.
func hits(t *testing.T, models ...string) [][]string {
	t.Helper()
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Skip("not checked in ONNX Runtime: ASSAY_PYTHON names no interpreter with onnxruntime")
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{magika + "/check.py"}, models...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var fields [][]string
	for line := range strings.Lines(string(out)) {
		fields = append(fields, strings.Fields(line))
	}
	require.Len(t, fields, len(models))
	return fields
}

// TestMagika: with the default placement everything that can be INT8 is, nothing is lost, and ONNX Runtime names every file
// as it does with the float model. README.md of the example tells these numbers.
func TestMagika(t *testing.T) {
	w, d := runMagika(t, "job.json")
	require.Equal(t, []string{"119/121", "119/121", "119/121"}, fractions(d))
	require.Equal(t, report.Samples{Calibration: 31, Search: 121}, d.Samples)
	require.Empty(t, d.FloatGroups)
	require.Equal(t, 3, d.Model.Groups)
	require.Greater(t, d.MACShare, 0.99)
	got := hits(t, magika+"/model.onnx", w.path("out/magika_int8.onnx"))
	require.Equal(t, "119", got[0][0])
	require.Equal(t, got[0], got[1], "top-1 of every file, float and INT8")
}

// TestMagikaPOT: with POT's placement everything INT8 is useless, and the loop finds operations inside the LayerNorms that
// are to blame. ONNX Runtime counts the same hits in the written file. README.md of the example tells these numbers.
func TestMagikaPOT(t *testing.T) {
	if os.Getenv("ASSAY_LONG") == "" {
		t.Skip("skipped: a search of minutes; run with ASSAY_LONG=1")
	}
	w, d := runMagika(t, "job-pot.json")
	require.Equal(t, []string{"119/121", "49/121", "119/121"}, fractions(d))
	require.Equal(t, [2]int{23, 21}, [2]int{d.Model.Operations, d.Model.Groups})
	var float []int
	for _, g := range d.FloatGroups {
		float = append(float, int(g.Index))
	}
	kinds := map[string]bool{}
	for _, c := range d.Groups[d.FloatGroups[0].Index].Causes {
		kinds[c.Kind] = true
	}
	require.True(t, kinds[cause.SmallDifference] && kinds[cause.ChannelImbalance], "why the first group costs: %v", kinds)
	require.Equal(t, []int{5, 0, 1, 9, 2, 3, 4, 11, 12, 13}, float)
	require.InDelta(t, .908, d.MACShare, .001)
	require.Equal(t, "119", hits(t, w.path("out/magika_int8.onnx"))[0][0])
}
