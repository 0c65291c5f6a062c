package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bright is the network of colours on bytes: below 150 everything is black to it.
var bright = strings.Replace(colours, "0.75", "150", 1)

// TestPreprocessingFound: without flags the usual ones are tried, the table and the winner are printed, and the result is
// the one that the flags give.
func TestPreprocessingFound(t *testing.T) {
	w := newWorld(t)
	w.write("model.onnx", w.encode(bright))
	code, _, stderr := w.execute(t.Context(), without(w.args(), "--like")...)
	require.Equal(t, exitMet, code, stderr)
	require.Contains(t, stderr, "trying 5 usual ones on 12 samples: 60 inferences")
	require.Regexp(t, `(?m)^  raw255 +12 +best$`, stderr)
	for _, other := range []string{"imagenet-torch", "imagenet-tf", "imagenet-caffe", "unit"} {
		require.Regexp(t, `(?m)^  `+other+` +\d +no: 1 in [\d,]+$`, stderr)
	}
	require.Regexp(t, `(?m)^taken +--like raw255$`, stderr)
	found := w.parse()
	code, _, stderr = w.execute(t.Context(), w.args("--like", "raw255", "--state-dir", w.path("other"))...)
	require.Equal(t, exitMet, code, stderr)
	require.NotContains(t, stderr, "trying")
	require.Equal(t, w.parse().Decisions.Job, found.Decisions.Job)
	require.Equal(t, w.parse().Decisions.Output, found.Decisions.Output)
}

// TestPreprocessingMisfits: what cannot be for a model is in the table with its reason, and the others still race.
func TestPreprocessingMisfits(t *testing.T) {
	w := newWorld(t)
	grey := strings.Replace(strings.Replace(bright, "float32[N,3,8,8]", "float32[N,1,8,8]", 1), "w: float32[4,3,1,1] = const [2, -1, -1, -1, 2, -1, -1, -1, 2, -1, -1, -1]", "w: float32[4,1,1,1] = const [1, 2, 3, 4]", 1)
	w.write("model.onnx", w.encode(grey))
	code, _, stderr := w.execute(t.Context(), without(w.args(), "--like")...)
	require.Equal(t, exitInput, code, stderr)
	require.Regexp(t, `(?m)^  imagenet-torch +does not fit: .*channels`, stderr)
	require.Regexp(t, `(?m)^  imagenet-caffe +does not fit: `, stderr)
	require.Regexp(t, `(?m)^  unit +\d`, stderr)
}
