package config

import (
	"assay/shared/dataset"
)

// prepKeys are the keys of engine that say single parts of the preprocessing.
var prepKeys = []string{"like", "central_fraction", "resize", "crop", "pad", "scale", "mean", "std", "channels", "orient"}

// data reads where samples come from and how they become inputs: a convention's name, then single keys over it. The list
// preprocessing, which says all of it, is read by checker.
func (b builder) data(d *Data) {
	d.Source = b.path("engine.data_source", "")
	d.Labels = b.path("engine.labels", "")
	d.Output = b.text("engine.output", "")
	d.Mask = b.text("engine.mask", "")
	d.Background = b.truth("engine.has_background", false)
	if d.Like = b.text("engine.like", ""); d.Like != "" {
		p, err := dataset.Like(d.Like)
		b.note("engine.like", err)
		if err != nil {
			b.errors[len(b.errors)-1].Text += suggest(d.Like, dataset.Conventions())
		}
		d.Prep = p
	}
	p := &d.Prep
	if r := b.reader("engine.reader"); r != "" {
		setReader(p, r, d.Like != "")
	}
	b.geometry(p)
	if b.has("engine.scale") {
		p.Scale = float32(b.number("engine.scale", 1))
	}
	if b.has("engine.mean") {
		p.Mean = b.numbers("engine.mean")
	}
	if b.has("engine.std") {
		p.Std = b.numbers("engine.std")
	}
	p.Channels = b.text("engine.channels", p.Channels)
	p.Orient = b.truth("engine.orient", p.Orient)
	p.Layout = fullLayout(b.text("engine.layout", p.Layout))
	d.Prepared = b.has("engine.reader")
	for _, key := range prepKeys {
		d.Prepared = d.Prepared || key != "orient" && b.has("engine."+key)
	}
}

// geometry reads the keys that change the size of pictures.
func (b builder) geometry(p *dataset.Prep) {
	var err error
	p.Fraction = b.number("engine.central_fraction", 0)
	if s := b.spelled("engine.resize"); s != "" {
		p.Resize, err = dataset.ParseResize(s)
		b.note("engine.resize", err)
	}
	if s := b.spelled("engine.crop"); s != "" {
		p.Crop, p.CropFloor, err = dataset.ParseCrop(s)
		b.note("engine.crop", err)
	}
	if s := b.spelled("engine.pad"); s != "" {
		p.Pad, err = dataset.ParsePad(s)
		b.note("engine.pad", err)
	}
}

// reader is the name of a reader, which stands at path or, as an object, below it in type.
func (b builder) reader(path string) string { return b.text(path, b.text(path+".type", "")) }

// setReader sets the reader and what comes with it: OpenCV turns pictures as EXIF says and gives BGR, unless the order of
// the channels is known already.
func setReader(p *dataset.Prep, name string, ordered bool) {
	p.Reader = name
	p.Orient = name == dataset.OpenCVReader
	if p.Orient && !ordered {
		p.Channels = "bgr"
	}
}

// fullLayout writes a layout with its batch axis.
func fullLayout(s string) string {
	if len(s) == 3 {
		return "N" + s
	}
	return s
}

// spelled is a text or a number as it is written.
func (b builder) spelled(path string) string {
	e := b.entries[path]
	if e.literal != nil && e.literal.Kind() == '0' {
		return string(e.literal)
	}
	return b.text(path, "")
}
