package jpeg

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func seeds(t testing.TB) map[string][]byte {
	files, err := filepath.Glob("testdata/*.jpg")
	require.NoError(t, err)
	out := map[string][]byte{}
	for _, f := range files {
		out[filepath.Base(f)], err = os.ReadFile(f)
		require.NoError(t, err)
	}
	require.NotEmpty(t, out)
	return out
}

// FuzzDecode: any bytes give the picture that their size says, or an error.
func FuzzDecode(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := Decode(b)
		if err != nil {
			return
		}
		require.Len(t, im.Pix, im.W*im.H*im.C)
		up := im.Upright()
		require.Len(t, up.Pix, len(im.Pix))
	})
}

// TestTruncationsAreFound: a file cut anywhere before its last scan ends is an error that says truncated or corrupt.
// Only the end marker may be missing, from a sequential file. About 150 cuts a file, and all of the last ones.
func TestTruncationsAreFound(t *testing.T) {
	for name, b := range seeds(t) {
		for n := 3; n < len(b)-2; n++ {
			if n < len(b)-20 {
				n = min(n+len(b)/150, len(b)-20)
			}
			_, err := Decode(b[:n])
			// The last byte of data may hold nothing but padding bits.
			if err == nil && n >= len(b)-4 {
				continue
			}
			require.Error(t, err, "%s cut to %d of %d bytes", name, n, len(b))
		}
	}
}

// TestMissingScansAreNamed: a progressive file from which one scan was cut out, end marker and all others in place, is
// refused whichever scan it is; other decoders show it blurred without a word.
func TestMissingScansAreNamed(t *testing.T) {
	b := seeds(t)["420-progressive.jpg"]
	var scans []int // where each begins: its tables stand before it and stay
	for i := 0; i+1 < len(b); i++ {
		if b[i] == 0xff && b[i+1] == 0xda {
			scans = append(scans, i)
		}
	}
	require.Greater(t, len(scans), 5)
	for k, at := range scans {
		end := at + 2
		for ; b[end] != 0xff || b[end+1] == 0 || b[end+1] >= 0xd0 && b[end+1] <= 0xd7; end++ {
		}
		_, err := Decode(append(bytes.Clone(b[:at]), b[end:]...))
		require.Error(t, err, "scan %d", k)
		require.Regexp(t, "lacks the scan with|a scan may be missing|ends before the picture", err.Error(), "scan %d", k)
	}
	last := bytes.LastIndex(b, []byte{0xff, 0xda})
	_, err := Decode(append(bytes.Clone(b[:last]), 0xff, 0xd9))
	require.ErrorContains(t, err, "component 1 of this progressive file lacks the scan with the last 1 bits of coefficients 1 to 63")
}

// TestOrientations: Upright undoes what each orientation says, on a picture whose pixels differ.
func TestOrientations(t *testing.T) {
	stored := &Image{W: 3, H: 2, C: 1, Pix: []byte("abcdef")}
	for o, want := range map[int]string{
		1: "abc def", 2: "cba fed", 3: "fed cba", 4: "def abc", 5: "ad be cf", 6: "da eb fc", 7: "fc eb da", 8: "cf be ad",
	} {
		stored.Orientation = o
		up := stored.Upright()
		var rows [][]byte
		for y := range up.H {
			rows = append(rows, up.Pix[y*up.W:(y+1)*up.W])
		}
		require.Equal(t, want, string(bytes.Join(rows, []byte(" "))), "orientation %d", o)
	}
	im, err := Decode(seeds(t)["orientation.jpg"])
	require.NoError(t, err)
	require.Equal(t, 6, im.Orientation)
}

// TestRefusals: formats that are not read are named, and claims cost no memory.
func TestRefusals(t *testing.T) {
	base := seeds(t)["444.jpg"]
	at := bytes.Index(base, []byte{0xff, 0xc0})
	change := func(offset int, v ...byte) []byte {
		b := bytes.Clone(base)
		copy(b[at+offset:], v)
		return b
	}
	for want, b := range map[string][]byte{
		"no JPEG":                    []byte("GIF89a"),
		"arithmetic coding":          change(1, 0xc9),
		"lossless":                   change(1, 0xc3),
		"12 bits a sample":           change(4, 12),
		"size 53 x 0":                change(5, 0, 0),
		"more than 134217728":        change(5, 0xff, 0xff, 0xff, 0xff),
		"cannot come from":           change(5, 0x20, 0x00, 0x20, 0x00),
		"wrong length":               change(9, 5),
		"no whole ratio":             change(11, 0x31, 1, 2, 0x21),
		"table 3 is missing":         change(12, 3),
		"ends before the picture":    base[:at],
		"truncated within a segment": base[:5],
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(b)
		runtime.ReadMemStats(&after)
		require.ErrorContains(t, err, want)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), want)
	}
}
