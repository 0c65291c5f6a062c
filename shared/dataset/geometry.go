package dataset

import (
	"fmt"
	"math"

	"assay/shared/dataset/jpeg"
	"assay/shared/dataset/resample"
	"assay/shared/tensor"
)

// Size is a width and a height in pixels.
type Size struct{ W, H int }

// Resize is a target size and a filter. Either Short is set, and the shorter side becomes Short, the longer one
// floor(Short*longer/shorter) as torchvision computes it; or Size is, which Keep interprets. The zero Resize is none given.
type Resize struct {
	Short  int
	Size   Size
	Keep   Aspect
	Filter resample.Filter
}

func (r Resize) none() bool { return r.Short == 0 && r.Size == Size{} }

// Aspect says how Size is meant, in Accuracy Checker's words (aspect_ratio_scale). Lengths are rounded down.
type Aspect string

// The aspects. The zero one stretches the picture to Size.
const (
	KeepGreater Aspect = "greater"                // the shorter side becomes its length, the longer one follows
	KeepWidth   Aspect = "width"                  // the height becomes Size.H, the width follows
	KeepHeight  Aspect = "height"                 // the width becomes Size.W, the height follows
	KeepFit     Aspect = "fit_to_window"          // the largest that fits
	KeepEAST    Aspect = "east_keep_aspect_ratio" // no side longer than the longer of Size, then multiples of the shorter
)

// Aspects are the words, for those who read them.
func Aspects() []string {
	return []string{string(KeepGreater), string(KeepWidth), string(KeepHeight), string(KeepFit), string(KeepEAST)}
}

// of is the size that a picture of size s becomes.
func (r Resize) of(s Size) Size {
	to := r.Size
	wide := Size{int(float64(to.H*s.W) / float64(s.H)), to.H}
	high := Size{to.W, int(float64(to.W*s.H) / float64(s.W))}
	switch {
	case r.Short > 0 && s.W <= s.H:
		return Size{r.Short, int(float64(r.Short*s.H) / float64(s.W))}
	case r.Short > 0:
		return Size{int(float64(r.Short*s.W) / float64(s.H)), r.Short}
	case r.Keep == KeepWidth, r.Keep == KeepGreater && s.H <= s.W:
		return wide
	case r.Keep == KeepHeight, r.Keep == KeepGreater:
		return high
	case r.Keep == KeepFit:
		k := min(float64(to.H)/float64(s.H), float64(to.W)/float64(s.W))
		return Size{int(float64(k * float64(s.W))), int(float64(k * float64(s.H)))}
	case r.Keep == KeepEAST:
		return east(to, s)
	}
	return to
}

// east limits the longer side; a side that is then no multiple of the shorter of to loses the rest and one multiple more,
// down to 32.
func east(to, s Size) Size {
	limit, step := max(to.W, to.H), min(to.W, to.H)
	k := 1.0
	if longer := max(s.W, s.H); longer > limit {
		k = float64(limit) / float64(longer)
	}
	side := func(n int) int {
		n = int(float64(float64(n) * k))
		if n%step != 0 {
			n = (n/step - 1) * step
		}
		return max(n, 32)
	}
	return Size{side(s.W), side(s.H)}
}

// Pad fills a picture up to Size, or to the next multiples of Stride, or both. The zero Pad is none.
type Pad struct {
	Size   Size
	Stride int
	At     string  // where the new pixels are: "" (half on each side, the odd one right and below), left_top, right_bottom
	Value  [3]byte // red, green, blue of the new pixels; grey takes the first
}

// padPlaces are the words for At. center is the empty one.
var padPlaces = []string{"center", "left_top", "right_bottom"}

func (p Pad) none() bool { return p.Size == Size{} && p.Stride == 0 }

// of is the size that a picture of size s becomes; it is smaller than s in a side that does not fit.
func (p Pad) of(s Size) Size {
	to := s
	if p.Size != (Size{}) {
		to = p.Size
	}
	if n := p.Stride; n > 0 {
		to = Size{(to.W + n - 1) / n * n, (to.H + n - 1) / n * n}
	}
	return to
}

// apply fills im up to size to, which is not smaller.
func (p Pad) apply(im *jpeg.Image, to Size) *jpeg.Image {
	if to == (Size{im.W, im.H}) {
		return im
	}
	x, y := (to.W-im.W)/2, (to.H-im.H)/2
	switch p.At {
	case "left_top":
		x, y = to.W-im.W, to.H-im.H
	case "right_bottom":
		x, y = 0, 0
	}
	out := &jpeg.Image{W: to.W, H: to.H, C: im.C, Orientation: im.Orientation, Pix: make([]byte, to.W*to.H*im.C)}
	for i := range out.Pix {
		out.Pix[i] = p.Value[i%im.C]
	}
	for row := range im.H {
		copy(out.Pix[((y+row)*to.W+x)*im.C:], im.Pix[row*im.W*im.C:(row+1)*im.W*im.C])
	}
	return out
}

// result is the size of every picture after p, zero where it depends on the picture.
func (p Prep) result() Size {
	s := p.Crop
	if s == (Size{}) && p.Resize.Keep == "" {
		s = p.Resize.Size
	}
	if p.Pad.Size != (Size{}) {
		return p.Pad.of(p.Pad.Size)
	}
	if s == (Size{}) {
		return s
	}
	return p.Pad.of(s)
}

// place resizes, crops and pads a picture; the result has the canvas' size where that is fixed.
func (p Prep) place(im *jpeg.Image, c canvas) (*jpeg.Image, error) {
	im = p.middle(im)
	was := Size{im.W, im.H}
	size := was
	switch {
	case !p.Resize.none():
		size = p.Resize.of(was)
	case !p.shaped() && c.size != Size{}:
		size = c.size
	}
	crop := p.Crop
	if crop == (Size{}) {
		crop = size
	}
	padded := p.Pad.of(crop)
	if err := p.placed(was, size, crop, padded, c); err != nil {
		return nil, err
	}
	r := resample.Rect{X: p.centre(size.W, crop.W), Y: p.centre(size.H, crop.H), W: crop.W, H: crop.H}
	pix := resample.Resize(im.Pix, im.W, im.H, im.C, p.Resize.Filter, size.W, size.H, r)
	return p.Pad.apply(&jpeg.Image{W: crop.W, H: crop.H, C: im.C, Pix: pix, Orientation: im.Orientation}, padded), nil
}

// placed refuses sizes that do not follow from each other.
func (p Prep) placed(was, size, crop, padded Size, c canvas) error {
	switch {
	case size.W < 1 || size.H < 1 || int64(size.W)*int64(size.H) > jpeg.MaxPixels:
		return fmt.Errorf("%d x %d pixels cannot become %d x %d", was.W, was.H, size.W, size.H)
	case crop.W > size.W || crop.H > size.H:
		return fmt.Errorf("%d x %d pixels are resized to %d x %d, less than the crop of %d x %d", was.W, was.H, size.W, size.H, crop.W, crop.H)
	case padded.W < crop.W || padded.H < crop.H:
		return fmt.Errorf("%d x %d pixels become %d x %d, more than the padding's %d x %d", was.W, was.H, crop.W, crop.H, padded.W, padded.H)
	case int64(padded.W)*int64(padded.H) > jpeg.MaxPixels:
		return fmt.Errorf("padding to %d x %d pixels is more than is read", padded.W, padded.H)
	case c.size != Size{} && padded != c.size:
		return fmt.Errorf("%d x %d pixels become %d x %d, the model wants %d x %d (give --crop)", was.W, was.H, padded.W, padded.H, c.size.W, c.size.H)
	case c.flat != nil && padded.W*padded.H != sizes(c.flat, tensor.Uint8):
		return fmt.Errorf("%d x %d pixels do not fill shape %v", padded.W, padded.H, c.flat)
	}
	return nil
}

// middle keeps Fraction of a picture, at least a pixel, from floor(rest/2) on.
func (p Prep) middle(im *jpeg.Image) *jpeg.Image {
	if p.Fraction == 0 || p.Fraction == 1 {
		return im
	}
	part := func(n int) int { return max(int(math.Floor(float64(float64(n)*p.Fraction))), 1) }
	s := Size{part(im.W), part(im.H)}
	x, y := (im.W-s.W)/2, (im.H-s.H)/2
	out := &jpeg.Image{W: s.W, H: s.H, C: im.C, Orientation: im.Orientation, Pix: make([]byte, 0, s.W*s.H*im.C)}
	for row := range s.H {
		at := ((y+row)*im.W + x) * im.C
		out.Pix = append(out.Pix, im.Pix[at:at+s.W*im.C]...)
	}
	return out
}

// centre is where a centred part of length n begins, see CropFloor.
func (p Prep) centre(length, n int) int {
	d := length - n
	if d%4 == 3 && !p.CropFloor {
		return d/2 + 1
	}
	return d / 2
}
