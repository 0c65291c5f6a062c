package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"

	"golang.org/x/image/bmp"

	"assay/shared/dataset/jpeg"
)

// decodePicture decodes a picture to bytes: grey (C = 1) or RGB (C = 3), with the values of Pillow's convert("RGB") or
// convert("L"): palettes resolved, alpha dropped without blending, 16-bit colour cut to its high byte. The format is what
// the first bytes say, whatever the file is called. reader is that of Prep. OpenCV gives the same bytes, but for CMYK,
// which it rounds otherwise by one level.
func decodePicture(b []byte, reader string) (*jpeg.Image, error) {
	switch {
	case jpeg.Is(b):
		return jpeg.Decode(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return decodePNG(b, reader)
	case bytes.HasPrefix(b, []byte("BM")):
		return decodeBMP(b)
	case bytes.HasPrefix(b, []byte("GIF8")):
		return decodeGIF(b)
	case len(b) == 0:
		return nil, errors.New("the file is empty")
	}
	for _, f := range formats {
		if len(b) >= f.at+len(f.magic) && string(b[f.at:f.at+len(f.magic)]) == f.magic {
			return nil, fmt.Errorf("it is a %s file, which is not read: convert it to PNG or JPEG", f.name)
		}
	}
	return nil, errors.New("its first bytes are no JPEG, PNG, GIF or BMP: convert it to one of them")
}

// formats are pictures that are known and not read: WebP and AVIF since their colours are up-sampled as each decoder
// likes, the others since they are rare here.
var formats = []struct {
	at          int
	magic, name string
}{
	{8, "WEBP", "WebP"}, {0, "II*\x00", "TIFF"}, {0, "MM\x00*", "TIFF"}, {4, "ftypavif", "AVIF"}, {4, "ftypheic", "HEIC"}, {4, "ftypmif1", "HEIF"},
	{0, "\x00\x00\x00\x0cjP  ", "JPEG 2000"}, {0, "\xff\x4f\xff\x51", "JPEG 2000"}, {0, "\x00\x00\x00\x0cJXL ", "JPEG XL"}, {0, "\xff\x0a", "JPEG XL"},
	{0, "P5", "PGM"}, {0, "P6", "PPM"}, {0, "8BPS", "Photoshop"}, {0, "%PDF", "PDF"}, {0, "<svg", "SVG"},
}

// decodePNG bounds the picture by what deflate can expand before it decodes.
func decodePNG(b []byte, reader string) (*jpeg.Image, error) {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, explain(err)
	}
	// A row has at least a bit a pixel and a filter byte.
	if err := bound(c, int64(len(b))*ratio*8); err != nil {
		return nil, err
	}
	depth, kind := b[24], b[25]
	if depth == 16 && kind == 0 && reader != OpenCVReader {
		return nil, errors.New("16-bit grey PNG is not read: Pillow clips it at 255 and OpenCV divides by 256; save it with 8 bits, or name the reader opencv_imread")
	}
	im, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, explain(err)
	}
	out, err := flatten(im)
	if err == nil {
		out.Orientation = pngOrientation(b)
	}
	return out, err
}

// explain puts the words of truncation before an error of a decoder that only says that bytes are missing.
func explain(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("truncated: the file ends before the picture does (%w)", err)
	}
	return err
}

// pngOrientation looks for an eXIf chunk: OpenCV obeys it, as it does in JPEG.
func pngOrientation(b []byte) int {
	for at := uint64(8); at+12 <= uint64(len(b)); {
		n := uint64(binary.BigEndian.Uint32(b[at:]))
		if n > uint64(len(b))-at-12 {
			break
		}
		if string(b[at+4:at+8]) == "eXIf" {
			return jpeg.Orientation(b[at+8 : at+8+n])
		}
		at += 12 + n
	}
	return 1
}

// decodeBMP reads what package bmp does: up to 8 bits with a palette, 24 and 32 bits, not compressed.
func decodeBMP(b []byte) (*jpeg.Image, error) {
	c, err := bmp.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: convert it to PNG", explain(err))
	}
	if err := bound(c, int64(len(b))*8); err != nil {
		return nil, err
	}
	im, err := bmp.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, explain(err)
	}
	return flatten(im)
}

// decodeGIF decodes the first frame.
func decodeGIF(b []byte) (*jpeg.Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, explain(err)
	}
	// An LZW code has at least 3 bits and stands for at most 4096 pixels.
	if err := bound(c, int64(len(b))*8*4096/3); err != nil {
		return nil, err
	}
	im, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, explain(err)
	}
	if im.Bounds() != image.Rect(0, 0, c.Width, c.Height) {
		return nil, errors.New("a GIF whose first frame does not fill its canvas is not read: convert it to PNG")
	}
	if p, ok := im.(*image.Paletted); ok {
		if err := opaque(p, c.ColorModel); err != nil {
			return nil, err
		}
	}
	return flatten(im)
}

// opaque gives the transparent colour of a GIF, which package gif makes black, its own value again: Pillow's RGB has it. It
// stands in the file's palette; the one of a frame alone is gone, and then no pixel may need it.
func opaque(im *image.Paletted, file color.Model) error {
	all, _ := file.(color.Palette)
	for i, c := range im.Palette {
		if _, _, _, a := c.RGBA(); a != 0 {
			continue
		}
		same := len(all) == len(im.Palette)
		for k := range im.Palette {
			same = same && (k == i || all[k] == im.Palette[k])
		}
		switch {
		case same:
			im.Palette[i] = all[i]
		case bytes.IndexByte(im.Pix, byte(i)) >= 0:
			return errors.New("a GIF with transparent pixels and a palette of the frame's own is not read: convert it to PNG")
		}
	}
	return nil
}

// bound refuses a picture by its header alone, before memory is taken for it: one above jpeg.MaxPixels, or of more than pixels,
// the most that a file of its size can hold.
func bound(c image.Config, pixels int64) error {
	n := int64(c.Width) * int64(c.Height)
	if c.Width < 1 || c.Height < 1 || n > jpeg.MaxPixels {
		return fmt.Errorf("%d x %d pixels: at most %d are read", c.Width, c.Height, jpeg.MaxPixels)
	}
	if n > pixels {
		return fmt.Errorf("truncated: %d x %d pixels cannot come from a file of this size", c.Width, c.Height)
	}
	return nil
}

// flatten turns what the standard decoders give into grey or RGB bytes.
func flatten(src image.Image) (*jpeg.Image, error) {
	r := src.Bounds()
	out := &jpeg.Image{W: r.Dx(), H: r.Dy(), C: 3, Orientation: 1}
	var at func(x, y int) (r, g, b byte)
	switch im := src.(type) {
	case *image.Gray:
		out.C, out.Pix = 1, make([]byte, 0, r.Dx()*r.Dy())
		for y := range r.Dy() {
			out.Pix = append(out.Pix, im.Pix[y*im.Stride:y*im.Stride+r.Dx()]...)
		}
		return out, nil
	case *image.Paletted:
		table := make([][3]byte, 256)
		for i, c := range im.Palette {
			table[i] = unblended(c)
		}
		at = func(x, y int) (r, g, b byte) {
			c := table[im.Pix[y*im.Stride+x]]
			return c[0], c[1], c[2]
		}
	case *image.Gray16:
		out.C, out.Pix = 1, make([]byte, 0, r.Dx()*r.Dy())
		for y := range r.Dy() {
			for x := range r.Dx() {
				out.Pix = append(out.Pix, im.Pix[y*im.Stride+2*x])
			}
		}
		return out, nil
	case *image.RGBA: // opaque here
		at = func(x, y int) (r, g, b byte) { p := im.Pix[y*im.Stride+4*x:]; return p[0], p[1], p[2] }
	case *image.NRGBA:
		at = func(x, y int) (r, g, b byte) { p := im.Pix[y*im.Stride+4*x:]; return p[0], p[1], p[2] }
	case *image.RGBA64:
		at = func(x, y int) (r, g, b byte) { p := im.Pix[y*im.Stride+8*x:]; return p[0], p[2], p[4] }
	case *image.NRGBA64:
		at = func(x, y int) (r, g, b byte) { p := im.Pix[y*im.Stride+8*x:]; return p[0], p[2], p[4] }
	default:
		return nil, fmt.Errorf("colour model %T is not read", src)
	}
	out.Pix = make([]byte, 0, 3*r.Dx()*r.Dy())
	for y := range r.Dy() {
		for x := range r.Dx() {
			r, g, b := at(x, y)
			out.Pix = append(out.Pix, r, g, b)
		}
	}
	return out, nil
}

// unblended is a palette entry without its alpha.
func unblended(c color.Color) [3]byte {
	switch c := c.(type) {
	case color.NRGBA:
		return [3]byte{c.R, c.G, c.B}
	case color.RGBA:
		return [3]byte{c.R, c.G, c.B}
	}
	r, g, b, _ := c.RGBA()
	return [3]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}
}

// toChannels gives im with c channels: grey repeated, or colours weighted as ITU-R 601 does, in Pillow's 16-bit fixed
// point, or in OpenCV's of 15 bits.
func toChannels(im *jpeg.Image, c int, reader string) *jpeg.Image {
	if im.C == c {
		return im
	}
	red, green, blue, bits := uint32(19595), uint32(38470), uint32(7471), 16
	if reader == OpenCVReader {
		red, green, blue, bits = 9798, 19235, 3735, 15
	}
	out := &jpeg.Image{W: im.W, H: im.H, C: c, Orientation: im.Orientation, Pix: make([]byte, 0, im.W*im.H*c)}
	for i := 0; i < len(im.Pix); i += im.C {
		if c == 3 {
			out.Pix = append(out.Pix, im.Pix[i], im.Pix[i], im.Pix[i])
			continue
		}
		r, g, b := uint32(im.Pix[i]), uint32(im.Pix[i+1]), uint32(im.Pix[i+2])
		out.Pix = append(out.Pix, byte((r*red+g*green+b*blue+1<<(bits-1))>>bits))
	}
	return out
}
