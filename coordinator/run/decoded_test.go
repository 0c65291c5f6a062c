package run

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset"
	"assay/shared/store"
	"assay/shared/tensor"
)

// TestShelf: pictures are decoded once; again they are when a file changes, when a piece is gone, and when the manifest is
// damaged. Another normalisation decodes nothing.
func TestShelf(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, shade uint8, age time.Duration) {
		im := image.NewGray(image.Rect(0, 0, 4, 4))
		im.Pix[0] = shade
		f, err := os.Create(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NoError(t, png.Encode(f, im))
		require.NoError(t, f.Close())
		old := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(f.Name(), old, old))
	}
	write("a.png", 1, time.Hour)
	write("b.png", 2, time.Hour)
	s := shelf{filepath.Join(t.TempDir(), "decoded"), store.NewMemory()}
	build := func(scale float32) (dataset.Inputs, int) {
		set, err := dataset.Open(t.Context(), dataset.Source{Data: dir, Prep: dataset.Prep{Affine: dataset.Affine{Scale: scale}},
			Inputs: []dataset.Want{{Name: "x", DType: tensor.Float32, Shape: []int{-1, 1, 4, 4}}}})
		require.NoError(t, err)
		decoded := 0
		in, err := s.build(t.Context(), set, func(int, int) { decoded++ })
		require.NoError(t, err)
		return in, decoded
	}
	first, n := build(255)
	require.Equal(t, 2, n)
	again, n := build(255)
	require.Zero(t, n)
	require.Equal(t, first.Digest(), again.Digest())
	other, n := build(1)
	require.Zero(t, n, "a scale is applied when samples are fed")
	require.NotEqual(t, first.Digest(), other.Digest())

	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.WriteFile(files[0], []byte("x"), 0o644))
	_, n = build(255)
	require.Equal(t, 2, n, "damaged")
	s.objects = store.NewMemory()
	_, n = build(255)
	require.Equal(t, 2, n, "pieces are gone")
	write("a.png", 9, time.Minute)
	changed, n := build(255)
	require.Equal(t, 2, n, "a file changed")
	require.NotEqual(t, first.Digest(), changed.Digest())
	write("a.png", 7, 0)
	_, n = build(255)
	require.Equal(t, 2, n)
	_, n = build(255)
	require.Equal(t, 2, n, "a file of this moment is not trusted")
}
