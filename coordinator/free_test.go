package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
)

// detector gives at most three of sixteen boxes for each of four classes: their number follows from the sample.
var detector = `ir 8
graph detector
input x: float32[1,3,8,8]
w: float32[4,3,1,1] = const [2, -1, -1, -1, 2, -1, -1, -1, 2, -1, -1, -1]
b: float32[4] = const [0, 0, 0, 0.75]
size: int64[3] = const [1, 4, 16]
grid: float32[16,4] = const [` + gridBoxes() + `]
most: int64[1] = const [3]
overlap: float32[1] = const [0.5]
least: float32[1] = const [0.25]
box: int64[] = const [2]
front: int64[1] = const [0]
c: float32[1,4,8,8] = Conv(x, w, b) @colour
p = MaxPool(c) {kernel_shape=[2,2], strides=[2,2]} @pool
s = Reshape(p, size) @scores
t = Transpose(s) {perm=[0,2,1]} @offsets
boxes = Add(t, grid) @boxes
selected = NonMaxSuppression(boxes, s, most, overlap, least) @select
rows = Gather(selected, box) {axis=1} @rows
flat = Squeeze(boxes, front) @flat
kept = Gather(flat, rows) @kept
`

// gridBoxes are sixteen boxes of 10 x 10, side by side in four rows.
func gridBoxes() string {
	var at []string
	for i := range 16 {
		y, x := 10*(i/4), 10*(i%4)
		at = append(at, fmt.Sprintf("%d, %d, %d, %d", y, x, y+10, x+10))
	}
	return strings.Join(at, ", ")
}

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
	{"a mask", strings.ReplaceAll(colours, "output y: float32[N,4]", "m: float32[N,4,8,8] = Sigmoid(c) @mask\noutput m: float32[N,4,8,8]"), nil, "sqnr", []string{"outputs (m)", "a Sigmoid makes m"}},
	{"two outputs", colours + "output c: float32[N,4,8,8]\n", nil, "sqnr", []string{"outputs (y, c)"}},
	{"one of two outputs", colours + "output c: float32[N,4,8,8]\n", []string{"--output", "y"}, "agreement", []string{"output y"}},
	{"boxes behind a selection", detector + "output kept: float32[K,4]\n", []string{"--max-drop", "1"}, "rows", []string{"which rows of kept", "in any order (F1)", "the first 256 rows of a sample", "boxes of kept, which NonMaxSuppression compares, count by intersection over union"}},
	{"boxes and what they are selected from", detector + "output kept: float32[K,4]\noutput c: float32[1,4,8,8]\n", nil, "sqnr", []string{"outputs (c)", "not measured: kept, whose number of rows follows from the data (--output kept --metric rows compares the rows)"}},
	{"a selection by its values", detector + "output selected: int64[K,3]\n", []string{"--metric", "sqnr", "--max-drop", "1"}, "sqnr", []string{"the number of rows of selected follows from the data", "--metric rows compares"}},
	{"a selection by its rows", detector + "output selected: int64[K,3]\noutput c: float32[1,4,8,8]\n", []string{"--metric", "rows", "--output", "selected", "--max-drop", "1"}, "rows", []string{"which rows of selected"}},
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
