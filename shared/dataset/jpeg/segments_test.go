package jpeg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// part is a marker with its payload and, behind a scan header, the coded data up to the next marker.
type part struct {
	marker        byte
	payload, data []byte
}

// parts takes a file of testdata apart; the end marker is none of them.
func parts(t *testing.T, name string) (out []part) {
	b := seeds(t)[name]
	require.NotNil(t, b, name)
	for at := 2; b[at+1] != 0xd9; {
		p := part{marker: b[at+1], payload: b[at+4 : at+2+int(binary.BigEndian.Uint16(b[at+2:]))]}
		at += 4 + len(p.payload)
		end := at
		for ; p.marker == 0xda && (b[end] != 0xff || b[end+1] == 0 || b[end+1]&0xf8 == 0xd0); end++ {
		}
		p.data, at = b[at:end], end
		out = append(out, p)
	}
	return out
}

// joined is a file of parts with between in front of each of them, and the end marker.
func joined(list []part, between ...byte) []byte {
	b := []byte{0xff, 0xd8}
	for i, p := range list {
		if i > 0 {
			b = append(b, between...)
		}
		b = append(b, 0xff, p.marker)
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.payload)+2))
		b = append(append(b, p.payload...), p.data...)
	}
	return append(append(b, between...), 0xff, 0xd9)
}

// find is the place of the n-th part with that marker.
func find(t *testing.T, list []part, marker byte, n int) int {
	for i, p := range list {
		if p.marker == marker {
			if n--; n < 0 {
				return i
			}
		}
	}
	require.Fail(t, "no such part")
	return -1
}

// TestWhatStandsBetweenSegments: markers without a length, foreign bytes, any number of 0xff, comments and foreign APPs change nothing, and
// neither does a missing end of a sequential file.
func TestWhatStandsBetweenSegments(t *testing.T) {
	for _, name := range []string{"444.jpg", "420-progressive.jpg", "restart.jpg"} {
		want, err := Decode(seeds(t)[name])
		require.NoError(t, err)
		list := parts(t, name)
		require.Equal(t, seeds(t)[name], joined(list))
		for _, between := range []string{"\xff\x01", "\xff\xd0", "\xff\xd7", "\xff\xd3\xff\x01", "\xff\xff\xff", "\x00\x12\xff\x00", "\xff\xfe\x00\x02", "\xff\xe3\x00\x05abc", "\xff\xee\x00\x05Ado", "\xff\xe0\x00\x02", "\xff\xe1\x00\x08Exif\x00\x00"} {
			got, err := Decode(joined(list, []byte(between)...))
			require.NoError(t, err, "%s %q", name, between)
			require.Equal(t, want, got, "%s %q", name, between)
		}
		whole := joined(list)
		got, err := Decode(whole[:len(whole)-2])
		if name == "420-progressive.jpg" {
			require.EqualError(t, err, "truncated: the file ends before the picture does")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// TestWideQuantizers: a table of 16 bits a divisor is read high byte first, and may hold what a byte cannot.
func TestWideQuantizers(t *testing.T) {
	list := parts(t, "grey.jpg")
	want, err := Decode(joined(list))
	require.NoError(t, err)
	at := find(t, list, 0xdb, 0)
	wide := []byte{list[at].payload[0] | 0x10}
	for _, q := range list[at].payload[1:65] {
		wide = append(wide, 0, q)
	}
	list[at].payload = wide
	got, err := Decode(joined(list))
	require.NoError(t, err)
	require.Equal(t, want, got)
	wide[1] = 1 // the mean of each block, times more than 256/q
	got, err = Decode(joined(list))
	require.NoError(t, err)
	require.NotEqual(t, want.Pix, got.Pix)
	d := &decoder{}
	require.NoError(t, d.quantizerTables(wide))
	require.Equal(t, 256+int32(wide[2]), d.quantizers[0][0])
	require.Equal(t, int32(wide[4]), d.quantizers[0][1], "zigzag: to the right first")
	require.Equal(t, int32(wide[6]), d.quantizers[0][8])
	require.Equal(t, int32(wide[128]), d.quantizers[0][63])
}

// TestColourSpaces: JFIF means YCbCr whatever the components are called, else Adobe's number decides, and without both R, G, B do.
func TestColourSpaces(t *testing.T) {
	frameOf := func(ids string) *frame {
		f := &frame{}
		for i := range len(ids) {
			f.comps = append(f.comps, &component{id: ids[i]})
		}
		return f
	}
	for _, c := range []struct {
		ids   string
		jfif  bool
		adobe int
		want  space
	}{
		{"Y", true, 2, grey}, {"\x01\x02\x03", true, -1, ycc}, {"RGB", true, -1, ycc}, {"RGB", true, 0, ycc}, {"\x01\x02\x03", false, -1, ycc}, {"RGB", false, -1, rgb},
		{"RGX", false, -1, ycc}, {"RXB", false, -1, ycc}, {"XGB", false, -1, ycc}, {"RGB", false, 1, ycc}, {"\x01\x02\x03", false, 0, rgb}, {"\x01\x02\x03", false, 1, ycc},
		{"CMYK", false, -1, cmyk}, {"CMYK", false, 0, cmyk}, {"CMYK", false, 1, ycck}, {"CMYK", false, 2, ycck}, {"CMYK", true, -1, cmyk},
	} {
		d := &decoder{frame: frameOf(c.ids), jfif: c.jfif, adobe: c.adobe}
		require.Equal(t, c.want, d.space(), "%+v", c)
	}
	for payload, want := range map[string]bool{"JFIF\x00": true, "JFIF\x00\x01": true, "JFIF": false, "JFXX\x00": false, "": false} {
		d := &decoder{src: append([]byte{0, byte(len(payload) + 2)}, payload...)}
		require.NoError(t, d.segment(0xe0))
		require.Equal(t, want, d.jfif, "%q", payload)
		d.pos = 0
		d.src = []byte{0, 2}
		require.NoError(t, d.segment(0xe0))
		require.Equal(t, want, d.jfif, "a second APP0 takes nothing back")
	}
	for payload, want := range map[string]int{"Adobe......\x02": 2, "Adobe......\x02more": 2, "Adobe......": -1, "Adobf......\x02": -1} {
		d := &decoder{src: append([]byte{0, byte(len(payload) + 2)}, payload...), adobe: -1}
		require.NoError(t, d.segment(0xee))
		require.Equal(t, want, d.adobe, "%q", payload)
	}
}

// TestCorruptSegments: one change each to a sound file, and the fault that is named.
func TestCorruptSegments(t *testing.T) {
	set := func(marker byte, n, at int, v ...byte) func(*testing.T, []part) []part {
		return func(t *testing.T, list []part) []part {
			i := find(t, list, marker, n)
			p := bytes.Clone(list[i].payload)
			if at < 0 {
				at += len(p)
			}
			list[i].payload = slices.Concat(p[:at], v, p[min(at+len(v), len(p)):])
			return list
		}
	}
	cut := func(marker byte, n, size int) func(*testing.T, []part) []part {
		return func(t *testing.T, list []part) []part {
			i := find(t, list, marker, n)
			list[i].payload = list[i].payload[:size]
			return list
		}
	}
	drop := func(marker byte, n int) func(*testing.T, []part) []part {
		return func(t *testing.T, list []part) []part {
			i := find(t, list, marker, n)
			return slices.Delete(list, i, i+1)
		}
	}
	again := func(marker byte, n int) func(*testing.T, []part) []part {
		return func(t *testing.T, list []part) []part { return append(list, list[find(t, list, marker, n)]) }
	}
	insert := func(marker byte, payload string) func(*testing.T, []part) []part {
		return func(_ *testing.T, list []part) []part {
			return append([]part{{marker: marker, payload: []byte(payload)}}, list...)
		}
	}
	const sequential, progressive = "444.jpg", "420-progressive.jpg"
	for i, c := range []struct {
		file   string
		change func(*testing.T, []part) []part
		want   string
	}{
		{sequential, set(0xdb, 0, 0, 0x04), "corrupt: a quantization table of wrong length or number"},
		{sequential, set(0xdb, 0, 0, 0x20), "corrupt: a quantization table of wrong length or number"},
		{sequential, set(0xdb, 0, 0, 0x10), "corrupt: a quantization table of wrong length or number"},
		{sequential, set(0xdb, 0, 0, 0x03), "corrupt: quantization table 0 is missing"},
		{sequential, cut(0xdb, 0, 64), "corrupt: a quantization table of wrong length or number"},
		{sequential, cut(0xc4, 0, 16), "corrupt: a Huffman table of wrong length or number"},
		{sequential, cut(0xc4, 0, 28), "corrupt: a Huffman table with too many codes"},
		{sequential, set(0xc4, 0, 1, 3, 1, 2), "corrupt: a Huffman table with more codes than its lengths allow"},
		{sequential, set(0xc4, 0, 0, 0x03), "corrupt: a scan names a Huffman table that is missing"},
		{sequential, set(0xc4, 1, 0, 0x13), "corrupt: a scan names a Huffman table that is missing"},
		{sequential, insert(0xdd, "\x00"), "corrupt: a restart interval of wrong length"},
		{sequential, insert(0xdd, "\x00\x01\x02"), "corrupt: a restart interval of wrong length"},
		{sequential, insert(0xdd, "\x00\x01"), "truncated or corrupt: a restart marker is missing"},
		{sequential, insert(0xda, "\x01\x01\x00\x00\x3f\x00"), "corrupt: a scan before the frame"},
		{sequential, insert(0xdc, "\x00\x01"), "a height that comes after the data (DNL) is not read"},
		{sequential, again(0xc0, 0), "corrupt: two frames in one file"},
		{sequential, again(0xda, 0), "corrupt: a component in two scans of a sequential file"},
		{sequential, drop(0xda, 0), "truncated: the file ends before the picture does"},
		{sequential, cut(0xc0, 0, 5), "corrupt: a frame header of wrong length"},
		{sequential, set(0xc0, 0, 5, 2), "corrupt: a frame header of wrong length"},
		{sequential, func(t *testing.T, list []part) []part { return cut(0xc0, 0, 12)(t, set(0xc0, 0, 5, 2)(t, list)) }, "2 components are not read; 1, 3 and 4 are"},
		{sequential, set(0xc0, 0, 3, 0, 0), "size 0 x 37 is not read"},
		{sequential, set(0xc0, 0, 7, 0x01), "corrupt: impossible component in the frame header"},
		{sequential, set(0xc0, 0, 7, 0x10), "corrupt: impossible component in the frame header"},
		{sequential, set(0xc0, 0, 7, 0x51), "corrupt: impossible component in the frame header"},
		{sequential, set(0xc0, 0, 7, 0x15), "corrupt: impossible component in the frame header"},
		{sequential, set(0xc0, 0, 8, 4), "corrupt: impossible component in the frame header"},
		{sequential, set(0xc0, 0, 9, 1), "corrupt: impossible component in the frame header"},
		{sequential, set(0xc0, 0, 7, 0x13, 0, 2, 0x12), "sampling 1x2 beside 1x3 is not read: no whole ratio"},
		{sequential, cut(0xda, 0, 0), "corrupt: a scan header of wrong length"},
		{sequential, set(0xda, 0, 0, 0), "corrupt: a scan header of wrong length"},
		{sequential, cut(0xda, 0, 9), "corrupt: a scan header of wrong length"},
		{sequential, set(0xda, 0, 0, 4, 1, 0, 2, 0x11, 3, 0x11, 1, 0, 0, 63, 0), "corrupt: a scan header of wrong length"},
		{sequential, func(t *testing.T, list []part) []part { return cut(0xda, 0, 4)(t, set(0xda, 0, 0, 0)(t, list)) }, "corrupt: a scan header of wrong length"},
		{sequential, set(0xda, 0, 1, 9), "corrupt: a scan of a component that the frame has not"},
		{sequential, set(0xda, 0, 3, 1), "corrupt: a component twice in one scan"},
		{sequential, set(0xda, 0, 2, 0x40), "corrupt: a Huffman table number above 3"},
		{sequential, set(0xda, 0, 2, 0x04), "corrupt: a Huffman table number above 3"},
		{sequential, set(0xda, 0, 2, 0x30), "corrupt: a scan names a Huffman table that is missing"},
		{sequential, set(0xda, 0, 2, 0x03), "corrupt: a scan names a Huffman table that is missing"},
		{progressive, set(0xda, 1, -3, 1, 64), "corrupt: impossible progression in a scan header"},
		{progressive, set(0xda, 1, -3, 6, 5), "corrupt: impossible progression in a scan header"},
		{progressive, set(0xda, 1, -3, 0, 5), "corrupt: impossible progression in a scan header"},
		{progressive, set(0xda, 1, -1, 0x0e), "corrupt: impossible progression in a scan header"},
		{progressive, set(0xda, 1, -1, 0x31), "corrupt: impossible progression in a scan header"},
		{progressive, set(0xda, 1, -1, 0x11), "corrupt: impossible progression in a scan header"},
		{progressive, set(0xda, 0, -3, 1, 5), "corrupt: impossible progression in a scan header"},
		{progressive, again(0xda, 0), "corrupt: a scan refines what is not there, or brings again what is; a scan may be missing"},
		{progressive, set(0xda, 1, -1, 0x21), "corrupt: a scan refines what is not there, or brings again what is; a scan may be missing"},
		{progressive, drop(0xda, 4), "corrupt: a scan refines what is not there, or brings again what is; a scan may be missing"},
		{progressive, drop(0xda, 1), "corrupt: a scan refines what is not there, or brings again what is; a scan may be missing"},
	} {
		_, err := Decode(joined(c.change(t, parts(t, c.file))))
		require.EqualError(t, err, c.want, fmt.Sprintf("case %d", i))
	}
	for _, b := range []string{"\xff\xd8\xff\xdb", "\xff\xd8\xff\xdb\x00"} {
		_, err := Decode([]byte(b))
		require.ErrorContains(t, err, "truncated", "%q", b)
	}
	_, err := Decode([]byte("\xff\xd8\xff\xdb\x00\x01..."))
	require.EqualError(t, err, "truncated: segment 0xdb has 1 bytes, 5 are left")
	_, err = Decode([]byte("\xff\xd8\xff\xdb\x00\x06..."))
	require.EqualError(t, err, "truncated: segment 0xdb has 6 bytes, 5 are left")
	for b, want := range map[string]bool{"\xff\xd8\xff": true, "\xff\xd8": false, "\xff\xd8\xfe": false, "\xff\xd9\xff": false, "\xfe\xd8\xff": false, "": false} {
		require.Equal(t, want, Is([]byte(b)), "%q", b)
	}
}

// TestScansAreCounted: a file of very many scans is refused before they are decoded.
func TestScansAreCounted(t *testing.T) {
	d := &decoder{frame: &frame{}}
	for range maxScans {
		require.EqualError(t, d.scan(nil), "corrupt: a scan header of wrong length")
	}
	require.EqualError(t, d.scan(nil), "more than 256 scans are not read")
}
