package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"

	"assay/shared/dataset/jpeg"
)

// decodePicture decodes a picture to bytes: grey (C = 1) or RGB (C = 3), with the values of Pillow's convert("RGB") or
// convert("L"): palettes resolved, alpha dropped without blending, 16-bit colour cut to its high byte. The format is what
// the first bytes say, whatever the file is called.
func decodePicture(b []byte) (*jpeg.Image, error) {
	switch {
	case jpeg.Is(b):
		return jpeg.Decode(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return decodePNG(b)
	case bytes.HasPrefix(b, []byte("GIF8")):
		return decodeGIF(b)
	case len(b) == 0:
		return nil, errors.New("the file is empty")
	}
	return nil, errors.New("its first bytes are no JPEG, PNG or GIF: convert it to one of them")
}

// decodePNG bounds the picture by what deflate can expand before it decodes.
func decodePNG(b []byte) (*jpeg.Image, error) {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	// A row has at least a bit a pixel and a filter byte.
	if err := bound(c, int64(len(b))*ratio*8); err != nil {
		return nil, err
	}
	if depth, kind := b[24], b[25]; depth == 16 && kind == 0 {
		return nil, errors.New("16-bit grey PNG is not read: Pillow clips it at 255 and OpenCV divides by 256; save it with 8 bits")
	}
	im, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return flatten(im)
}

// decodeGIF decodes the first frame.
func decodeGIF(b []byte) (*jpeg.Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	// An LZW code has at least 3 bits and stands for at most 4096 pixels.
	if err := bound(c, int64(len(b))*8*4096/3); err != nil {
		return nil, err
	}
	im, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if im.Bounds() != image.Rect(0, 0, c.Width, c.Height) {
		return nil, errors.New("a GIF whose first frame does not fill its canvas is not read: convert it to PNG")
	}
	return flatten(im)
}

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
// point.
func toChannels(im *jpeg.Image, c int) *jpeg.Image {
	if im.C == c {
		return im
	}
	out := &jpeg.Image{W: im.W, H: im.H, C: c, Orientation: im.Orientation, Pix: make([]byte, 0, im.W*im.H*c)}
	for i := 0; i < len(im.Pix); i += im.C {
		if c == 3 {
			out.Pix = append(out.Pix, im.Pix[i], im.Pix[i], im.Pix[i])
			continue
		}
		r, g, b := uint32(im.Pix[i]), uint32(im.Pix[i+1]), uint32(im.Pix[i+2])
		out.Pix = append(out.Pix, byte((r*19595+g*38470+b*7471+1<<15)>>16))
	}
	return out
}
