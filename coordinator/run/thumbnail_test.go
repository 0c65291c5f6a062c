package run

import (
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset"
)

// TestPixelsOf: channels last, channels first and grey give the same picture; what has no pixels gives none.
func TestPixelsOf(t *testing.T) {
	last := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18} // 3 x 2 pixels
	first := []byte{1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17, 3, 6, 9, 12, 15, 18}
	a, b := pixelsOf(last, []uint32{2, 3, 3}, dataset.NHWC), pixelsOf(first, []uint32{3, 2, 3}, dataset.NCHW)
	for y := range 2 {
		for x := range 3 {
			require.Equal(t, a.At(x, y), b.At(x, y))
		}
	}
	require.Equal(t, color.RGBA{16, 17, 18, 255}, a.At(2, 1))
	require.Equal(t, color.RGBA{5, 5, 5, 255}, pixelsOf([]byte{1, 2, 3, 4, 5, 6}, []uint32{2, 3}, "").At(1, 1))
	for _, shape := range [][]uint32{{18}, {2, 3, 2}, {2, 3}, {0, 3, 3}, {1, 1, 1, 18}} {
		require.Nil(t, pixelsOf(last, shape, dataset.NHWC), "%v", shape)
	}
}

// TestShrink: the longer side ends at the limit, and every pixel is the mean of what it covers.
func TestShrink(t *testing.T) {
	data := make([]byte, 40*20)
	for i := range data {
		data[i] = byte(i % 40) // a ramp along rows
	}
	m := pixelsOf(data, []uint32{20, 40}, "")
	small := shrink(m, 10)
	require.Equal(t, 10, small.Bounds().Dx())
	require.Equal(t, 5, small.Bounds().Dy())
	require.Equal(t, color.RGBA{1, 1, 1, 255}, small.At(0, 0), "the mean of 0, 1, 2, 3")
	require.Equal(t, color.RGBA{37, 37, 37, 255}, small.At(9, 4))
	require.Equal(t, m, shrink(m, 40))
}
