package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
)

// withoutLabels are jobs whose right answer is the float model's. notes must stand on standard error.
var withoutLabels = []struct {
	name   string
	model  string
	more   []string
	metric string
	notes  []string
}{
	{"a classifier", colours, nil, "agreement", []string{"no labels are used", "scores of 4 classes", "--metric sqnr"}},
	{"a classifier by its outputs", colours, []string{"--metric", "sqnr"}, "sqnr", []string{"outputs (y)", "noise at 20.0 dB", " dB)"}},
	{"feature maps", strings.ReplaceAll(colours, "output y: float32[N,4]", "output c: float32[N,4,8,8]"), []string{"--max-drop", "0.1"}, "sqnr", []string{"outputs (c)", "9.5 dB"}},
	{"two outputs", colours + "output c: float32[N,4,8,8]\n", nil, "sqnr", []string{"outputs (y, c)"}},
	{"one of two outputs", colours + "output c: float32[N,4,8,8]\n", []string{"--output", "y"}, "agreement", []string{"output y"}},
	{"both by name", colours + "output c: float32[N,4,8,8]\n", []string{"--output", "c,y"}, "sqnr", []string{"outputs (c, y)"}},
}

// TestWithoutLabels: every model can be measured without labels; a second run answers from what is stored, and a replay
// makes the same decisions.
func TestWithoutLabels(t *testing.T) {
	for _, c := range withoutLabels {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("model.onnx", w.encode(c.model))
			args := append(without(w.args(), "--labels"), c.more...)
			code, stdout, stderr := w.execute(t.Context(), args...)
			require.Equal(t, exitMet, code, stderr)
			for _, note := range c.notes {
				require.Contains(t, stderr, note)
			}
			first := w.parse()
			require.Equal(t, c.metric, first.Decisions.Metrics[0].Name)
			require.EqualValues(t, 1, first.Decisions.Metrics[0].Float)
			require.True(t, first.Decisions.Output.Verified)
			require.Equal(t, c.metric == "sqnr", strings.Contains(stdout, "sqnr in decibels"))
			require.EqualValues(t, 4*12, first.Run.Inferences, "calibration, float, INT8 and the file; the float model's own records cost nothing")

			code, _, stderr = w.execute(t.Context(), args...)
			require.Equal(t, exitMet, code, stderr)
			again := w.parse()
			require.Zero(t, again.Run.Inferences)
			require.Equal(t, first.Decisions, again.Decisions)

			code, stdout, stderr = w.execute(t.Context(), "replay", w.path("state"))
			require.Equal(t, exitMet, code, stderr)
			require.Contains(t, stdout, c.metric)
		})
	}
}

// parse reads report.json.
func (w *world) parse() *report.Report {
	w.t.Helper()
	r, err := report.Parse(w.read("out/report.json"))
	require.NoError(w.t, err)
	return r
}

// TestAnnotationFree: POT's key sets labels aside that are there.
func TestAnnotationFree(t *testing.T) {
	w := newWorld(t)
	w.relabel(func(int) int { return 3 })
	job, err := json.Marshal(map[string]any{
		"model":       map[string]any{"model": "model.onnx"},
		"engine":      map[string]any{"data_source": "images", "labels": "labels.txt", "like": "unit"},
		"compression": map[string]any{"algorithms": []any{map[string]any{"name": "AccuracyAwareQuantization", "params": map[string]any{"annotation_free": true}}}},
	})
	require.NoError(t, err)
	w.write("job.json", job)
	code, _, stderr := w.execute(t.Context(), "run", w.path("job.json"), "--output-dir", w.path("out"), "--state-dir", w.path("state"))
	require.Equal(t, exitMet, code, stderr)
	require.Equal(t, "agreement", w.parse().Decisions.Metrics[0].Name)
}
