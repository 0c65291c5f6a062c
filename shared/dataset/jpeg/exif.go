package jpeg

import "encoding/binary"

// tagOrientation is the EXIF tag of the orientation.
const tagOrientation = 0x0112

// orientation reads the orientation from an APP1 segment: 1 to 8, or 1 where there is none that makes sense.
func orientation(p []byte) int {
	if len(p) < 14 || string(p[:6]) != "Exif\x00\x00" {
		return 1
	}
	return Orientation(p[6:])
}

// Orientation reads the orientation from EXIF data that begins with its byte order, as PNG's eXIf chunk holds it: 1 to 8,
// or 1 where there is none that makes sense. It is TIFF 6.0's layout: byte order, 42, offset of the first directory,
// there 2 bytes of count and entries of 12 bytes (tag, type, count, value). The entry must be of type 3 (SHORT).
// Offsets count from the byte order.
func Orientation(p []byte) int {
	if len(p) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(p[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(p[4:]))
	if at+2 > uint64(len(p)) {
		return 1
	}
	n := int(order.Uint16(p[at:]))
	for e := p[at+2:]; n > 0 && len(e) >= 12; e, n = e[12:], n-1 {
		if order.Uint16(e) == tagOrientation && order.Uint16(e[2:]) == 3 {
			if v := int(order.Uint16(e[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// Upright gives the picture turned as its orientation says, with orientation 1. It is im itself where nothing is to
// turn. Values 2 to 8: mirrored, turned by 180, mirrored and turned by 180, transposed, turned right (90), transversed,
// turned left (270).
func (im *Image) Upright() *Image {
	o := im.Orientation
	if o <= 1 || o > 8 {
		return im
	}
	out := &Image{W: im.W, H: im.H, C: im.C, Orientation: 1, Pix: make([]byte, len(im.Pix))}
	if o >= 5 {
		out.W, out.H = im.H, im.W
	}
	for y := range out.H {
		for x := range out.W {
			sx, sy := source(o, x, y, im.W, im.H)
			copy(out.Pix[(y*out.W+x)*im.C:][:im.C], im.Pix[(sy*im.W+sx)*im.C:])
		}
	}
	return out
}

// source is where pixel (x, y) of the upright picture stands in the stored one, of w x h pixels.
func source(o, x, y, w, h int) (sx, sy int) {
	if o >= 5 { // rows and columns change places
		x, y = y, x
	}
	switch o {
	case 2, 8:
		return w - 1 - x, y
	case 3, 7:
		return w - 1 - x, h - 1 - y
	case 4, 6:
		return x, h - 1 - y
	}
	return x, y
}
