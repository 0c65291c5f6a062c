package resample

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// noise is the picture that testdata/golden.py makes.
func noise(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		u := uint64(i)
		v := uint32(u*2654435761+(u>>3)*40503) >> 13 & 0x1ff
		out[i] = byte(min(max(int(v)-128, 0), 255))
	}
	return out
}

// TestResizedBytesArePillows resizes up, down, by odd ratios and to the same size, grey and RGB, with every filter; the bytes
// are Pillow's, or OpenCV's.
func TestResizedBytesArePillows(t *testing.T) {
	f, err := os.Open("testdata/golden.txt")
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var w, h, c, ow, oh int
		var name, digest string
		_, err := fmt.Sscan(s.Text(), &w, &h, &c, &name, &ow, &oh, &digest)
		require.NoError(t, err)
		filter, err := ParseFilter(name)
		require.NoError(t, err)
		out := Resize(noise(w*h*c), w, h, c, filter, ow, oh, Rect{0, 0, ow, oh})
		require.Equal(t, digest, fmt.Sprintf("%x", sha256.Sum256(out)), s.Text())
	}
	require.Equal(t, 12*len(Filters()), n)
}

// TestPartOfAPictureIsThePart: resizing a part gives the bytes that the whole has there.
func TestPartOfAPictureIsThePart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 40)
		w, h, ow, oh := side.Draw(t, "w"), side.Draw(t, "h"), side.Draw(t, "ow"), side.Draw(t, "oh")
		c := rapid.SampledFrom([]int{1, 3}).Draw(t, "c")
		f := rapid.SampledFrom([]Filter{Bilinear, Bicubic, Box, Nearest, OpenCVLinear, OpenCVNearest}).Draw(t, "filter")
		r := Rect{W: rapid.IntRange(1, ow).Draw(t, "rw"), H: rapid.IntRange(1, oh).Draw(t, "rh")}
		r.X, r.Y = rapid.IntRange(0, ow-r.W).Draw(t, "x"), rapid.IntRange(0, oh-r.H).Draw(t, "y")
		whole := Resize(noise(w*h*c), w, h, c, f, ow, oh, Rect{0, 0, ow, oh})
		part := Resize(noise(w*h*c), w, h, c, f, ow, oh, r)
		for y := range r.H {
			from := ((r.Y+y)*ow + r.X) * c
			require.Equal(t, whole[from:from+r.W*c], part[y*r.W*c:(y+1)*r.W*c])
		}
	})
}

// TestFilterNames: a filter's name reads back, and an unknown one is refused with the names that exist.
func TestFilterNames(t *testing.T) {
	for i, name := range Filters() {
		got, err := ParseFilter(name)
		require.NoError(t, err)
		require.Equal(t, Filter(i), got)
		require.Equal(t, name, got.String())
	}
	_, err := ParseFilter("lanczos")
	require.ErrorContains(t, err, "known are bilinear, bicubic, box")
}
