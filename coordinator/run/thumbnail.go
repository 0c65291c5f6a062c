package run

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"

	"assay/coordinator/report"
	"assay/shared/dataset"
	"assay/shared/tensor"
)

// Bounds of the pictures in a report: they are for recognising a sample, and the page is one file.
const (
	thumbnailSide  = 96
	thumbnailCount = 60
	thumbnailBytes = 300 << 10
)

// thumbnails makes small JPEGs of the samples that are listed as flips, by sample, from the pixels that the model was fed.
// What is no picture has none.
func (w *work) thumbnails(ctx context.Context, flips []report.Flip) (map[int][]byte, error) {
	out := map[int][]byte{}
	total := 0
	for _, f := range flips {
		if !w.data.pictures || len(out) == thumbnailCount {
			break
		}
		m, err := w.picture(ctx, f.Sample)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, shrink(m, thumbnailSide), &jpeg.Options{Quality: 80}); err != nil {
			return nil, err
		}
		if total += b.Len(); total > thumbnailBytes {
			break
		}
		out[f.Sample] = b.Bytes()
	}
	return out, nil
}

// pixels is a stored picture: c values a pixel, 1 or 3, at any strides.
type pixels struct {
	data             []byte
	w, h, c          int
	row, pixel, tint int
}

func (p *pixels) ColorModel() color.Model { return color.RGBAModel }
func (p *pixels) Bounds() image.Rectangle { return image.Rect(0, 0, p.w, p.h) }
func (p *pixels) At(x, y int) color.Color {
	at := func(c int) uint8 { return p.data[y*p.row+x*p.pixel+min(c, p.c-1)*p.tint] }
	return color.RGBA{at(0), at(1), at(2), 255}
}

// picture is the stored form of a sample of the first stream, nil when it is none of pixels.
func (w *work) picture(ctx context.Context, sample int) (image.Image, error) {
	s := w.data.search.Streams[0]
	at := sample
	for _, p := range s.Pieces {
		if at >= int(p.Count) {
			at -= int(p.Count)
			continue
		}
		if s.DType != tensor.Uint8 || len(p.Shape) < 2 {
			return nil, nil
		}
		b, err := w.seat.objects.Get(ctx, p.Digest)
		if err != nil {
			return nil, err
		}
		size := len(b) / int(p.Count)
		return pixelsOf(b[at*size:(at+1)*size], p.Shape, s.From), nil
	}
	return nil, nil
}

// pixelsOf reads a sample of shape h x w, h x w x c or c x h x w.
func pixelsOf(b []byte, shape []uint32, layout string) image.Image {
	d := make([]int, len(shape))
	for i, n := range shape {
		d[i] = int(n)
	}
	var p *pixels
	switch {
	case len(d) == 2:
		p = &pixels{data: b, h: d[0], w: d[1], c: 1, row: d[1], pixel: 1}
	case len(d) != 3:
		return nil
	case layout == dataset.NCHW:
		p = &pixels{data: b, h: d[1], w: d[2], c: d[0], row: d[2], pixel: 1, tint: d[1] * d[2]}
	default:
		p = &pixels{data: b, h: d[0], w: d[1], c: d[2], row: d[1] * d[2], pixel: d[2], tint: 1}
	}
	if p.w < 1 || p.h < 1 || p.c != 1 && p.c != 3 || len(b) != p.w*p.h*p.c {
		return nil
	}
	return p
}

// shrink averages blocks of pixels so that the longer side is at most side; smaller pictures stay as they are.
func shrink(m image.Image, side int) image.Image {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	long := max(w, h)
	if long <= side {
		return m
	}
	tw, th := max(1, w*side/long), max(1, h*side/long)
	out := image.NewRGBA(image.Rect(0, 0, tw, th))
	for y := range th {
		for x := range tw {
			out.SetRGBA(x, y, average(m, image.Rect(x*w/tw, y*h/th, (x+1)*w/tw, (y+1)*h/th)))
		}
	}
	return out
}

func average(m image.Image, r image.Rectangle) color.RGBA {
	var sum [3]int
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
			sum[0], sum[1], sum[2] = sum[0]+int(c.R), sum[1]+int(c.G), sum[2]+int(c.B)
		}
	}
	n := max(1, r.Dx()*r.Dy())
	return color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255}
}
