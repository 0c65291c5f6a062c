package jpeg

import (
	"errors"
	"fmt"
)

// MaxPixels bounds a picture: about twice what the largest phone cameras make. Width times height, before up-sampling
// and colours.
const MaxPixels = 1 << 27

// maxScans bounds the time that a hostile progressive file can ask for; real ones have about ten scans.
const maxScans = 256

// Image is a decoded picture: rows of W pixels of C interleaved bytes, C = 1 (grey) or 3 (R, G, B). Orientation is the
// EXIF orientation, 1 to 8; 1 where the file has none. It has not been applied.
type Image struct {
	W, H, C     int
	Pix         []byte
	Orientation int
}

// decoder is the state between segments. pos is behind the last segment read. Tables are those in force now; a scan and
// a component bind theirs when they begin, so later ones do not reach back (T.81 B.2.4).
type decoder struct {
	src         []byte
	pos         int
	frame       *frame
	quantizers  [4]*[64]int32
	dc, ac      [4]*huffman
	interval    int
	jfif        bool
	adobe       int // colour transform of the Adobe segment, -1 without one
	orientation int
	scans       int
}

// Is says that b begins as a JPEG file does.
func Is(b []byte) bool { return len(b) >= 3 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff }

// Decode decodes one file. Bytes behind the picture are ignored; a missing end marker is no error when all of the picture
// is there. Errors begin with "truncated", "corrupt", or say what is not read. Markers by T.81 table B.1: 0xd8 SOI,
// 0xd9 EOI, 0xd0 to 0xd7 RST, 0x01 TEM, of which the last two have no length and are passed over here.
func Decode(b []byte) (*Image, error) {
	if !Is(b) {
		return nil, errors.New("it is no JPEG file")
	}
	d := &decoder{src: b, pos: 2, adobe: -1, orientation: 1}
	for {
		m, err := d.marker()
		if err != nil {
			return nil, err
		}
		if m == 0xd9 {
			return d.finish()
		}
		if m == 0x01 || m >= 0xd0 && m <= 0xd7 {
			continue
		}
		if err := d.segment(m); err != nil {
			return nil, err
		}
	}
}

// marker finds the next marker; other bytes before it are skipped, as libjpeg does. The end of the file counts as the end
// marker once every component has been seen. Any number of 0xff may stand in front of a marker's code (T.81 B.1.1.2).
func (d *decoder) marker() (byte, error) {
	for ; d.pos+1 < len(d.src); d.pos++ {
		if m := d.src[d.pos+1]; d.src[d.pos] == 0xff && m != 0 && m != 0xff {
			d.pos += 2
			return m, nil
		}
	}
	if d.complete() && !d.frame.progressive {
		return 0xd9, nil
	}
	return 0, errors.New("truncated: the file ends before the picture does")
}

// complete reports whether every component of the frame had a scan with its DC values. A progressive file may lack refinements
// all the same.
func (d *decoder) complete() bool {
	if d.frame == nil {
		return false
	}
	for _, c := range d.frame.comps {
		if !c.scanned {
			return false
		}
	}
	return true
}

// segment reads the segment of marker m. Segments are SOF0 to SOF2 (0xc0 to 0xc2), DHT 0xc4, DQT 0xdb, DRI 0xdd
// (B.2.4.4), SOS 0xda, APP0, APP1, APP14; other APPn and COM are passed over. The length counts its own two bytes.
func (d *decoder) segment(m byte) error {
	if len(d.src)-d.pos < 2 {
		return errors.New("truncated within a segment's length")
	}
	n := int(d.src[d.pos])<<8 | int(d.src[d.pos+1])
	if n < 2 || n > len(d.src)-d.pos {
		return fmt.Errorf("truncated: segment %#x has %d bytes, %d are left", m, n, len(d.src)-d.pos)
	}
	p := d.src[d.pos+2 : d.pos+n]
	d.pos += n
	switch m {
	case 0xc0, 0xc1, 0xc2:
		return d.start(p, m == 0xc2)
	case 0xc4:
		return d.huffmanTables(p)
	case 0xdb:
		return d.quantizerTables(p)
	case 0xdd:
		if len(p) != 2 {
			return errors.New("corrupt: a restart interval of wrong length")
		}
		d.interval = int(p[0])<<8 | int(p[1])
	case 0xda:
		return d.scan(p)
	case 0xe0:
		d.jfif = d.jfif || len(p) >= 5 && string(p[:5]) == "JFIF\x00"
	case 0xe1:
		d.orientation = max(orientation(p), d.orientation)
	case 0xee:
		if len(p) >= 12 && string(p[:5]) == "Adobe" {
			d.adobe = int(p[11])
		}
	case 0xdc:
		return errors.New("a height that comes after the data (DNL) is not read")
	case 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf:
		return errors.New("arithmetic coding is not read")
	case 0xc3, 0xc5, 0xc6, 0xc7:
		return errors.New("lossless and hierarchical JPEG are not read")
	}
	return nil
}

// start reads a frame header (SOF0, SOF1, SOF2; ITU-T T.81 B.2.2). Its sizes are held against the length of the file before
// memory is taken for them. A hierarchical file would have several frames.
func (d *decoder) start(p []byte, progressive bool) (err error) {
	if d.frame != nil {
		return errors.New("corrupt: two frames in one file")
	}
	d.frame, err = newFrame(p, progressive, len(d.src))
	return err
}

// scan reads a scan header (SOS; T.81 B.2.3) and the coded data behind it, up to the marker that ends it. d.pos is at
// the marker behind the data afterwards.
func (d *decoder) scan(p []byte) error {
	if d.frame == nil {
		return errors.New("corrupt: a scan before the frame")
	}
	if d.scans++; d.scans > maxScans {
		return fmt.Errorf("more than %d scans are not read", maxScans)
	}
	s, err := d.newScan(p)
	if err != nil {
		return err
	}
	return d.run(s)
}

// quantizerTables reads a DQT segment (T.81 B.2.4.1): tables of 64 divisors of 8 or 16 bits, in zigzag order in the file and in
// rows here. One that comes again counts for components whose first scan is behind it.
func (d *decoder) quantizerTables(p []byte) error {
	for len(p) > 0 {
		wide, id := p[0]>>4, p[0]&15
		size := 64 * (1 + int(wide))
		if wide > 1 || id > 3 || len(p) < 1+size {
			return errors.New("corrupt: a quantization table of wrong length or number")
		}
		t := new([64]int32)
		for k := range t {
			if wide == 1 {
				t[zigzag[k]] = int32(p[1+2*k])<<8 | int32(p[2+2*k])
			} else {
				t[zigzag[k]] = int32(p[1+k])
			}
		}
		d.quantizers[id] = t
		p = p[1+size:]
	}
	return nil
}

// huffmanTables reads a DHT segment (T.81 B.2.4.2); a number that comes again replaces its table.
func (d *decoder) huffmanTables(p []byte) error {
	for len(p) > 0 {
		if len(p) < 17 || p[0]>>4 > 1 || p[0]&15 > 3 {
			return errors.New("corrupt: a Huffman table of wrong length or number")
		}
		n := 0
		for _, c := range p[1:17] {
			n += int(c)
		}
		if n > 256 || len(p) < 17+n {
			return errors.New("corrupt: a Huffman table with too many codes")
		}
		h, err := newHuffman([16]byte(p[1:17]), p[17:17+n])
		if err != nil {
			return err
		}
		if p[0]>>4 == 0 {
			d.dc[p[0]&15] = h
		} else {
			d.ac[p[0]&15] = h
		}
		p = p[17+n:]
	}
	return nil
}

// finish makes the picture once the end marker is reached. Sequential components were rendered block by block as their
// scans were read.
func (d *decoder) finish() (*Image, error) {
	if !d.complete() {
		return nil, errors.New("truncated: the file ends before the picture does")
	}
	f := d.frame
	if f.progressive {
		for i, c := range f.comps {
			if what := c.missing(); what != "" {
				return nil, fmt.Errorf("truncated: component %d of this progressive file lacks %s", i+1, what)
			}
			c.render()
		}
	}
	s := d.space()
	im := &Image{W: f.w, H: f.h, C: 3, Pix: f.pixels(s), Orientation: d.orientation}
	if s == grey {
		im.C = 1
	}
	return im, nil
}

// space guesses the colour space as libjpeg does: JFIF says YCbCr, Adobe's segment says which, and without both the
// components' names decide.
func (d *decoder) space() space {
	c := d.frame.comps
	switch {
	case len(c) == 1:
		return grey
	case len(c) == 4 && d.adobe > 0:
		return ycck
	case len(c) == 4:
		return cmyk
	case d.jfif:
		return ycc
	case d.adobe == 0 || d.adobe < 0 && c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B':
		return rgb
	}
	return ycc
}
