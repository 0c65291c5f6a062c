package dataset

import (
	"fmt"
	"slices"
	"strings"

	"assay/shared/dataset/resample"
)

// Prep is what is done to pictures before the model sees them. The zero Prep resizes to the model's size where the size
// differs and changes no value.
//
// Order: decode, orientation (only when Orient), colour, resize, crop; then, when fed, channel order, layout, affine.
type Prep struct {
	Resize Resize
	Crop   Size // centre crop; zero: none
	Affine
	Layout   string // of the model's input: NCHW, NHWC, or "" to read it from the model's shape
	Channels string // rgb, bgr or grey; "" means rgb, or grey where the model wants one channel
	Orient   bool   // apply the EXIF orientation, as OpenCV does and Pillow and PyTorch do not
	Usual    bool   // where neither Resize nor Crop is given: ImageNet's usual evaluation geometry, see At
}

// Size is a width and a height in pixels.
type Size struct{ W, H int }

// Resize is a target size and a filter. Either Short is set, and the shorter side becomes Short, the longer one
// floor(Short*longer/shorter) as torchvision computes it; or Size is, and the aspect is not kept. The zero Resize is
// none given.
type Resize struct {
	Short  int
	Size   Size
	Filter resample.Filter
}

func (r Resize) none() bool { return r.Short == 0 && r.Size == Size{} }

// maxSide bounds what a user may ask for, so that one picture stays below maxSample.
const maxSide = 16384

// Check reports a preprocessing that cannot be meant.
func (p Prep) Check() error {
	for _, n := range []int{p.Resize.Short, p.Resize.Size.W, p.Resize.Size.H, p.Crop.W, p.Crop.H} {
		if n < 0 || n > maxSide {
			return fmt.Errorf("preprocessing: size %d is outside 1..%d", n, maxSide)
		}
	}
	if p.Layout != "" && !layout(p.Layout) {
		return fmt.Errorf("preprocessing: layout %q: NCHW or NHWC is needed", p.Layout)
	}
	if !slices.Contains([]string{"", "rgb", "bgr", "grey"}, p.Channels) {
		return fmt.Errorf("preprocessing: channels %q: rgb, bgr or grey is needed", p.Channels)
	}
	if p.Scale > 0 && p.Scale < 1 {
		return fmt.Errorf("preprocessing: scale %v is a divisor (x/scale - mean)/std: 1/255 is written 255", p.Scale)
	}
	if err := p.Affine.check(max(len(p.Mean), len(p.Std))); err != nil {
		return fmt.Errorf("preprocessing: %w", err)
	}
	return nil
}

// At resolves Usual for a model of the given size: shorter side to 8/7 of it (256 for 224), rounded down, and a centre
// crop. Models of fewer than usualFrom pixels were not trained so; for them, and where the size is unknown or not square,
// nothing is set, and pictures are resized only if they differ.
func (p Prep) At(model Size) Prep {
	if p.Usual && p.Resize.none() && p.Crop == (Size{}) && model.W == model.H && model.W >= usualFrom {
		p.Resize.Short, p.Crop = model.W*8/7, model
	}
	p.Usual = false
	return p
}

const usualFrom = 128

// A convention is a preprocessing that many models share, by the name that --like takes.
type convention struct {
	name, what string
	prep       Prep
}

// conventions in the order in which they are tried and printed.
var conventions = []convention{
	{"imagenet-torch", "shorter side to 256 bilinear, centre crop 224, (x/255 - mean)/std with mean .485 .456 .406, std .229 .224 .225",
		Prep{Usual: true, Affine: Affine{255, []float32{0.485, 0.456, 0.406}, []float32{0.229, 0.224, 0.225}}}},
	{"imagenet-tf", "shorter side to 256 bilinear, centre crop 224, x/127.5 - 1",
		Prep{Usual: true, Affine: Affine{127.5, []float32{1}, nil}}},
	{"imagenet-caffe", "shorter side to 256 bilinear, centre crop 224, BGR, x - mean with mean 103.939 116.779 123.68",
		Prep{Usual: true, Channels: "bgr", Affine: Affine{0, []float32{103.939, 116.779, 123.68}, nil}}},
	{"raw255", "x as it is, 0..255; resized to the model's size where it differs", Prep{}},
	{"unit", "x/255; resized to the model's size where it differs", Prep{Affine: Affine{Scale: 255}}},
}

// Conventions are the names that Like knows, in the order in which they should be tried.
func Conventions() []string {
	out := make([]string, len(conventions))
	for i, c := range conventions {
		out[i] = c.name
	}
	return out
}

// Like is the preprocessing of a convention. For models of another size than 224 see At.
func Like(name string) (Prep, error) {
	for _, c := range conventions {
		if c.name == name {
			p := c.prep
			p.Mean, p.Std = slices.Clone(p.Mean), slices.Clone(p.Std)
			return p, nil
		}
	}
	return Prep{}, fmt.Errorf("preprocessing %q is unknown; known are %s", name, strings.Join(Conventions(), ", "))
}
