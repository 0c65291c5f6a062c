package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Prep is what is done to pictures before the model sees them. The zero Prep resizes to the model's size where the size
// differs and changes no value.
//
// Order: decode, orientation (only when Orient), colour, central part, resize, crop, pad; then, when fed, channel order,
// layout, affine. The steps that Accuracy Checker names are these in other words; package config translates them.
type Prep struct {
	Reader   string  // "", pillow_imread, opencv_imread or numpy_reader: see Readers
	Fraction float64 // of both sides, kept from the middle before the resize; 0: all
	Resize   Resize
	Crop     Size // centre crop; zero: none
	// CropFloor begins the crop at floor(rest/2), as code with // does. Otherwise halves go to the even neighbour, as
	// Python's round(rest/2) does, and torchvision with it.
	CropFloor bool
	Pad       Pad
	Affine
	Layout   string // of the model's input: NCHW, NHWC, or "" to read it from the model's shape
	Channels string // rgb, bgr or grey; "" means rgb, or grey where the model wants one channel
	Orient   bool   // apply the EXIF orientation, as OpenCV does and Pillow and PyTorch do not
	Usual    bool   // where neither Resize nor Crop is given: ImageNet's usual evaluation geometry, see At
}

// The readers that a Prep can ask for. PillowReader is what pictures are read by when none is named. OpenCVReader differs
// in this: 16-bit grey is cut to its high byte instead of being refused, and grey is made of colours by OpenCV's weights;
// whoever asks for it usually wants Orient and channels bgr too. NumpyReader insists on arrays, the others on pictures.
const (
	PillowReader = "pillow_imread"
	OpenCVReader = "opencv_imread"
	NumpyReader  = "numpy_reader"
)

// Readers are the names of all readers.
func Readers() []string { return []string{OpenCVReader, PillowReader, NumpyReader} }

// readsPictures refuses a reader that is not made for pictures; readsArrays one that is not made for arrays.
func (p Prep) readsPictures() error {
	if p.Reader == NumpyReader {
		return errors.New("data: these are pictures, and " + NumpyReader + " reads arrays: name " + OpenCVReader + " or " + PillowReader)
	}
	return nil
}

func (p Prep) readsArrays() error {
	if p.Reader != "" && p.Reader != NumpyReader {
		return fmt.Errorf("data: these are arrays, and %s reads pictures: name %s, or no reader", p.Reader, NumpyReader)
	}
	return nil
}

// maxSide bounds what a user may ask for, so that one picture stays below maxSample.
const maxSide = 16384

// Check reports a preprocessing that cannot be meant, whatever the model and the data are.
func (p Prep) Check() error {
	for _, n := range []int{p.Resize.Short, p.Resize.Size.W, p.Resize.Size.H, p.Crop.W, p.Crop.H, p.Pad.Size.W, p.Pad.Size.H, p.Pad.Stride} {
		if n < 0 || n > maxSide {
			return fmt.Errorf("preprocessing: size %d is outside 1..%d", n, maxSide)
		}
	}
	for _, s := range []Size{p.Resize.Size, p.Crop, p.Pad.Size} {
		if (s.W == 0) != (s.H == 0) {
			return fmt.Errorf("preprocessing: size %d x %d has one side only", s.W, s.H)
		}
	}
	if p.Resize.Keep != "" && (p.Resize.Size == Size{} || !slices.Contains(Aspects(), string(p.Resize.Keep))) {
		return fmt.Errorf("preprocessing: resize keeps aspect %q; known are %s, with a size", p.Resize.Keep, strings.Join(Aspects(), ", "))
	}
	if p.Pad.At != "" && !slices.Contains(padPlaces[1:], p.Pad.At) {
		return fmt.Errorf("preprocessing: padding at %q; known are %s", p.Pad.At, strings.Join(padPlaces, ", "))
	}
	if p.Fraction < 0 || p.Fraction > 1 || p.Fraction != p.Fraction {
		return fmt.Errorf("preprocessing: central fraction %v is outside 0..1", p.Fraction)
	}
	if p.Reader != "" && !slices.Contains(Readers(), p.Reader) {
		return fmt.Errorf("preprocessing: reader %q is unknown; known are %s", p.Reader, strings.Join(Readers(), ", "))
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

// shaped says that a step changes the size of pictures.
func (p Prep) shaped() bool {
	return p.Fraction != 0 || !p.Resize.none() || p.Crop != (Size{}) || !p.Pad.none()
}

// At resolves Usual for a model of the given size: shorter side to 8/7 of it (256 for 224), rounded down, and a centre
// crop. Models of fewer than 128 pixels a side were not trained so; for them, and where the size is unknown (zero) or not square,
// nothing is set, and pictures are resized only if they differ. The result is not Usual.
func (p Prep) At(model Size) Prep {
	if p.Usual && !p.shaped() && model.W == model.H && model.W >= usualFrom {
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

// Like is the preprocessing of a convention; an unknown name is an error that lists the known ones. The result, Usual where the
// convention has a geometry, and its lists are the caller's. For models of another size than 224 see At.
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
