package dataset

import (
	"image/color"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// TestRecall: the key changes with files and with what is done to pixels, not with what is applied when samples are fed;
// a recalled manifest is the one that Build gives.
func TestRecall(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	path := write(t, dir, "a.png", pngOf(t, 4, 4, color.NRGBA{1, 2, 3, 255}))
	write(t, dir, "b.png", pngOf(t, 4, 4, color.White))
	keyOf := func(p Prep, at time.Time) (plan.Digest, bool, *Set) {
		set, err := Open(t.Context(), Source{Data: dir, Inputs: tiny, Prep: p})
		require.NoError(t, err)
		key, ok, err := set.Key(at)
		require.NoError(t, err)
		return key, ok, set
	}
	_, ok, _ := keyOf(Prep{}, now)
	require.False(t, ok, "files of this moment could change unseen")
	later := now.Add(time.Minute)
	first, ok, set := keyOf(Prep{Affine: Affine{Scale: 255}}, later)
	require.True(t, ok)
	m := memory{}
	old, _, err := set.Build(t.Context(), m.put, nil)
	require.NoError(t, err)

	fed := Prep{Channels: "bgr", Affine: Affine{0, []float32{1, 2, 3}, nil}}
	same, _, other := keyOf(fed, later)
	require.Equal(t, first, same)
	recalled, err := other.Recall(old)
	require.NoError(t, err)
	built, _, err := other.Build(t.Context(), m.put, nil)
	require.NoError(t, err)
	require.Equal(t, built.Digest(), recalled.Digest())
	require.NotEqual(t, old.Digest(), recalled.Digest())

	for name, p := range map[string]Prep{
		"crop": {Crop: Size{2, 2}}, "filter": {Resize: Resize{Size: Size{2, 2}, Filter: 1}}, "orient": {Orient: true}, "reader": {Reader: OpenCVReader},
		"part": {Fraction: 0.5, Resize: Resize{Size: Size{2, 2}}},
	} {
		key, ok, _ := keyOf(p, later)
		require.True(t, ok)
		require.NotEqual(t, first, key, name)
	}
	require.NoError(t, os.Chtimes(path, now, now.Add(time.Second)))
	key, _, _ := keyOf(Prep{}, later)
	require.NotEqual(t, first, key, "a file's time")
	_, err = set.Select([]int{0}).Recall(old)
	require.ErrorContains(t, err, "2 samples")
	old.Streams[0].DType = tensor.Float32
	_, err = set.Recall(old)
	require.ErrorContains(t, err, "another form")

	elsewhere := t.TempDir()
	for _, name := range []string{"a.png", "b.png"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		twin := write(t, elsewhere, name, b)
		require.NoError(t, os.Chtimes(twin, info.ModTime(), info.ModTime()))
	}
	there, err := Open(t.Context(), Source{Data: elsewhere, Inputs: tiny})
	require.NoError(t, err)
	twin, ok, err := there.Key(later)
	require.NoError(t, err)
	require.True(t, ok)
	require.NotEqual(t, key, twin, "files of another folder, alike by name, length and time")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	linked, err := Open(t.Context(), Source{Data: link, Inputs: tiny})
	require.NoError(t, err)
	byLink, _, err := linked.Key(later)
	require.NoError(t, err)
	require.Equal(t, key, byLink, "the same folder by another name")

	array := write(t, dir, "x/a.npy", npyOf("<f4", "(1, 2)", make([]byte, 8)))
	set, err = Open(t.Context(), Source{Data: array, Inputs: []Want{{"x", tensor.Float32, []int{-1, 2}}}})
	require.NoError(t, err)
	_, ok, err = set.Key(later)
	require.NoError(t, err)
	require.False(t, ok, "arrays are not decoded")
}
