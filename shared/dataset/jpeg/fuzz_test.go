package jpeg

import (
	"bytes"
	"encoding/binary"
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

// TestOrientationOfEntries: the entry is found wherever it stands, the last one at the very end too; another type, a number beyond
// 8 and a directory that is not there are no orientation.
func TestOrientationOfEntries(t *testing.T) {
	entry := func(tag, kind, v uint16) []byte {
		b := binary.LittleEndian.AppendUint16(nil, tag)
		b = binary.LittleEndian.AppendUint16(b, kind)
		b = binary.LittleEndian.AppendUint32(b, 1)
		return binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	file := func(n uint16, entries ...[]byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte("II*\x00"), 8)
		return append(binary.LittleEndian.AppendUint16(b, n), bytes.Join(entries, nil)...)
	}
	other := entry(0x10f, 2, 7)
	for _, c := range []struct {
		name string
		b    []byte
		want int
	}{
		{"alone, and nothing behind", file(1, entry(tagOrientation, 3, 6)), 6},
		{"the last of three", file(3, other, other, entry(tagOrientation, 3, 8)), 8},
		{"1 and 8 are the ends", file(1, entry(tagOrientation, 3, 1)), 1},
		{"behind the entries that there are", file(1, other, entry(tagOrientation, 3, 6)), 1},
		{"a byte short", file(1, entry(tagOrientation, 3, 6)[:11]), 1},
		{"of another type", file(1, entry(tagOrientation, 4, 6)), 1},
		{"9", file(1, entry(tagOrientation, 3, 9)), 1},
		{"0", file(1, entry(tagOrientation, 3, 0)), 1},
		{"no directory", []byte("II*\x00\xff\xff\xff\xff"), 1},
		{"no header", []byte("II*\x00"), 1},
	} {
		require.Equal(t, c.want, Orientation(c.b), c.name)
	}
}

// TestTablesOfWrongNumbers: a Huffman table has class 0 or 1 and a number below 4, and no more codes than bytes.
func TestTablesOfWrongNumbers(t *testing.T) {
	base := seeds(t)["444.jpg"]
	at := bytes.Index(base, []byte{0xff, 0xc4}) + 4
	for _, first := range []byte{0x20, 0x30, 0xf0, 0x04, 0x14} {
		b := bytes.Clone(base)
		b[at] = first
		_, err := Decode(b)
		require.ErrorContains(t, err, "a Huffman table of wrong length or number", "%#x", first)
	}
	b := bytes.Clone(base)
	b[at+16] = 255
	_, err := Decode(b)
	require.ErrorContains(t, err, "a Huffman table with too many codes")
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
