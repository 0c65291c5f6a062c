package dataset

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzTexts: sizes, crops, resizes and paddings that are read say themselves again in the same words, and can be checked.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"224", "320x240", "256,bicubic", "1024x600,fit_to_window,opencv-linear", "300,stride:32,right_bottom,value:1:2:3", "3x4,floor"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := ParseResize(s); err == nil {
			again, err := ParseResize(r.String())
			require.NoError(t, err)
			require.Equal(t, r, again)
			require.NoError(t, Prep{Resize: r}.Check())
			to := r.of(Size{1 + len(s), 7})
			require.True(t, to.W >= 0 && to.H >= 0)
		}
		if p, err := ParsePad(s); err == nil {
			again, err := ParsePad(p.String())
			require.NoError(t, err)
			require.Equal(t, p, again)
			require.NoError(t, Prep{Pad: p}.Check())
		}
		if c, floor, err := ParseCrop(s); err == nil {
			again, alike, err := ParseCrop(cropString(c, floor))
			require.NoError(t, err)
			require.Equal(t, c, again)
			require.Equal(t, floor, alike)
		}
	})
}
