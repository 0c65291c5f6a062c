package main

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset/npy"
	"assay/shared/graph"
	"assay/shared/onnx"
)

// realAssets is the folder of real models and data next to the repository; the test is skipped where that is absent, and
// in short runs.
func realAssets(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: real models take longer than a short run has")
	}
	dir, err := filepath.Abs("../../shared/assets")
	require.NoError(t, err)
	if _, err := os.Stat(dir); err != nil {
		t.Skip("skipped: ../shared/assets is absent")
	}
	return dir
}

// someCIFAR links ten pictures of each class.
func someCIFAR(t *testing.T, w *world, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "cifar10/test/*/000?.jpg"))
	require.NoError(t, err)
	require.Len(t, files, 100)
	for _, f := range files {
		to := w.path("cifar/" + filepath.Base(filepath.Dir(f)) + "/" + filepath.Base(f))
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		require.NoError(t, os.Symlink(f, to))
	}
	return w.path("cifar")
}

// TestRealPreprocessing: with no flag but model and data, real networks get the preprocessing of their training.
func TestRealPreprocessing(t *testing.T) {
	dir := realAssets(t)
	for model, want := range map[string]string{
		"cifar10-resnet20": "imagenet-torch", "cifar10-cnn-medium": "unit", "mlperf-tiny-ic-resnet8": "raw255", "cifar10-vit-3x3": "imagenet-torch",
	} {
		t.Run(model, func(t *testing.T) {
			w := newWorld(t)
			code, _, stderr := w.execute(t.Context(), "run", "-m", filepath.Join(dir, "models", model+".onnx"), "--data", someCIFAR(t, w, dir),
				"--max-iter", "0", "--output-dir", w.path("out"), "--state-dir", w.path("state"))
			require.Contains(t, []int{exitMet, exitMissed}, code, stderr)
			require.Contains(t, stderr, "taken     --like "+want)
		})
	}
}

// TestRealPreprocessingOfSqueezeNet: whose right preprocessing gives five more of 64 than the nearest other.
func TestRealPreprocessingOfSqueezeNet(t *testing.T) {
	dir := realAssets(t)
	w := newWorld(t)
	code, _, stderr := w.execute(t.Context(), "run", "-m", filepath.Join(dir, "models/squeezenet1.1.onnx"), "--data", filepath.Join(dir, "imagenet/images"),
		"--labels", filepath.Join(dir, "imagenet/labels.txt"), "--max-iter", "0", "--output-dir", w.path("out"), "--state-dir", w.path("state"))
	require.Equal(t, exitMet, code, stderr)
	require.Contains(t, stderr, "taken     --like imagenet-torch, which is --resize 256 --crop 224 --scale 255")
}

// TestRealWithoutLabels: a detector of two outputs, and a classifier, on pictures without labels.
func TestRealWithoutLabels(t *testing.T) {
	dir := realAssets(t)
	for model, c := range map[string]struct {
		flags  []string
		metric string
	}{
		"ultraface-rfb-320": {[]string{"--scale", "128", "--mean", "0.9921875"}, "sqnr"},
		"squeezenet1.1":     {[]string{"--like", "imagenet-torch"}, "agreement"},
	} {
		t.Run(model, func(t *testing.T) {
			w := newWorld(t)
			files, err := filepath.Glob(filepath.Join(dir, "imagenet/images/*"))
			require.NoError(t, err)
			for i := range 24 {
				f := files[i*len(files)/24]
				require.NoError(t, os.MkdirAll(w.path("some"), 0o755))
				require.NoError(t, os.Symlink(f, w.path("some/"+filepath.Base(f))))
			}
			args := append([]string{"run", "-m", filepath.Join(dir, "models", model+".onnx"), "--data", w.path("some"), "--max-iter", "0",
				"--output-dir", w.path("out"), "--state-dir", w.path("state")}, c.flags...)
			code, _, stderr := w.execute(t.Context(), args...)
			require.Contains(t, []int{exitMet, exitMissed}, code, stderr)
			d := w.parse().Decisions
			require.Equal(t, c.metric, d.Metrics[0].Name)
			require.EqualValues(t, 1, d.Metrics[0].Float)
			require.Greater(t, float64(d.Metrics[0].Int8), 0.75)
			require.True(t, d.Output.Verified)
		})
	}
}

// TestRealBoxesBehindASelection: a face detector with NonMaxSuppression behind it, which it was published without, on pictures
// without labels. INT8 gives the boxes of the float model, to the same share whether their coordinates are parts of the picture's
// sides or pixels.
func TestRealBoxesBehindASelection(t *testing.T) {
	dir := realAssets(t)
	var shares []float64
	for _, unit := range []string{"1, 1, 1, 1", "320, 240, 320, 240"} {
		t.Run(unit, func(t *testing.T) {
			w := newWorld(t)
			m, err := onnx.Read(filepath.Join(dir, "models/ultraface-rfb-320.onnx"))
			require.NoError(t, err)
			tail, err := graph.Parse(`input scores: float32[1,4420,2]
input boxes: float32[1,4420,4]
most: int64[1] = const [50]
overlap: float32[1] = const [0.5]
least: float32[1] = const [0.5]
front: int64[1] = const [0]
face: int64[1] = const [1]
behind: int64[1] = const [2]
last: int64[1] = const [-1]
unit: float32[4] = const [` + unit + `]
of: float32[1,1,4420] = Transpose(faces) {perm=[0,2,1]} @of
faces = Slice(scores, face, behind, last) @faces
sel = NonMaxSuppression(boxes, of, most, overlap, least) @sel
place = Slice(sel, behind, three, last) @place
three: int64[1] = const [3]
places = Squeeze(place, last) @places
flat = Squeeze(boxes, front) @flat
near = Gather(flat, places) @near
pixels = Mul(near, unit) @pixels
line = Squeeze(faces, ends) @line
ends: int64[2] = const [0, 2]
score = Gather(line, places) @score
column = Unsqueeze(score, last) @column
found = Concat(pixels, column) {axis=-1} @found
output found: float32[K,5]
`)
			require.NoError(t, err)
			m.Graph.Nodes = append(m.Graph.Nodes, tail.Graph.Nodes...)
			maps.Copy(m.Graph.Consts, tail.Graph.Consts)
			m.Graph.Outputs = tail.Graph.Outputs
			b, err := onnx.Encode(m)
			require.NoError(t, err)
			w.write("faces.onnx", b)
			files, err := filepath.Glob(filepath.Join(dir, "imagenet/images/*"))
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(w.path("some"), 0o755))
			for i := range 40 {
				f := files[i*len(files)/40]
				require.NoError(t, os.Symlink(f, w.path("some/"+filepath.Base(f))))
			}
			code, _, stderr := w.execute(t.Context(), "run", "-m", w.path("faces.onnx"), "--data", w.path("some"), "--max-iter", "0", "--scale", "128", "--mean", "0.9921875",
				"--output-dir", w.path("out"), "--state-dir", w.path("state"))
			require.Contains(t, []int{exitMet, exitMissed}, code, stderr)
			require.Contains(t, stderr, "boxes of found, which NonMaxSuppression compares")
			d := w.parse().Decisions
			require.Equal(t, "rows", d.Metrics[0].Name)
			shares = append(shares, float64(d.Metrics[0].Int8))
			require.Greater(t, shares[len(shares)-1], 0.97)
			require.Less(t, shares[len(shares)-1], 1.0, "boxes move a little")
			require.True(t, d.Output.Verified)
		})
	}
	require.InDelta(t, shares[0], shares[1], 1e-6)
}

// TestRealPairs: correlations of the first 16 sentence pairs are those of ONNX Runtime and scipy on the float model.
func TestRealPairs(t *testing.T) {
	dir := realAssets(t)
	w := newWorld(t)
	const pairs = 16
	for _, name := range []string{"input_ids", "attention_mask", "token_type_ids"} {
		b, err := os.ReadFile(filepath.Join(dir, "sts", name+".npy"))
		require.NoError(t, err)
		a, err := npy.Decode(b)
		require.NoError(t, err)
		w.write("sts/"+name+".npy", npyOf("<i8", []int{2 * pairs, a.Shape[1]}, a.Data[:2*pairs*a.Shape[1]*8]))
	}
	b, err := os.ReadFile(filepath.Join(dir, "sts/scores.npy"))
	require.NoError(t, err)
	scores, err := npy.Decode(b)
	require.NoError(t, err)
	var text []byte
	for i := range pairs {
		text = fmt.Appendln(text, math.Float32frombits(binary.LittleEndian.Uint32(scores.Data[4*i:])))
	}
	w.write("scores.txt", text)
	code, _, stderr := w.execute(t.Context(), "run", "-m", filepath.Join(dir, "models/all-minilm-l6-v2.onnx"), "--data", w.path("sts"), "--labels", w.path("scores.txt"),
		"--metric", "spearman,pearson", "--max-iter", "0", "--output-dir", w.path("out"), "--state-dir", w.path("state"))
	require.Contains(t, []int{exitMet, exitMissed}, code, stderr)
	d := w.parse().Decisions
	require.InDelta(t, 0.9504931349281248, float64(d.Metrics[0].Float), 1e-9)
	require.InDelta(t, 0.9256277219414031, float64(d.Metrics[1].Float), 1e-5)
	require.InDelta(t, float64(d.Metrics[1].Float), float64(d.Metrics[1].Int8), 0.02)
}
