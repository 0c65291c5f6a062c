package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"assay/shared/dataset"
	"assay/shared/dataset/resample"
)

// checker reads Accuracy Checker's entry: the steps of preprocessing, here or in a dataset, and what else a dataset says.
func (b builder) checker(j *Job) {
	d := &j.Data
	if b.has("engine.preprocessing") {
		b.steps("engine", d)
	}
	list, ok := b.entries["engine.datasets"]
	if !ok {
		return
	}
	if list.length != 1 {
		if !b.failed("engine.datasets.optimization") && !b.failed("engine.datasets.evaluation") && !b.failed("engine.datasets.preprocessing") {
			b.fail(list.pos, "engine.datasets", "%d entries; want exactly one", list.length)
		}
		return
	}
	const at = "engine.datasets[0]"
	d.Source = b.path(at+".data_source", d.Source)
	d.Labels = b.path(at+".annotation_conversion.annotation_file", d.Labels)
	d.Background = b.truth(at+".annotation_conversion.has_background", d.Background)
	for from, to := range map[string]string{".data_source": "engine.data_source", ".annotation_conversion.annotation_file": "engine.labels", ".reader": "engine.reader", ".preprocessing": "engine.preprocessing"} {
		if b.has(at+from) && b.has(to) {
			b.fail(b.entries[at+from].pos, at+from, "%s says it already; keep one", to)
		}
	}
	if b.has(at+".preprocessing") || b.has(at+".reader") || !d.Prepared {
		b.steps(at, d)
	}
	metrics := b.entries[at+".metrics"].length
	if metrics > 0 && b.has(here+".metrics") {
		b.fail(b.entries[at+".metrics"].pos, at+".metrics", "params.metrics says it already; keep one")
		return
	}
	for i := range metrics {
		b.metric(j, at+".metrics["+strconv.Itoa(i)+"]")
	}
}

// steps makes the preprocessing that the reader and the list of steps at say; other keys may not say it too.
func (b builder) steps(at string, d *Data) {
	for _, k := range prepKeys {
		if e, ok := b.entries["engine."+k]; ok {
			b.fail(e.pos, "engine."+k, "%s.preprocessing says all of it; keep one", at)
		}
	}
	p := dataset.Prep{Layout: d.Prep.Layout, Reader: b.reader(at + ".reader")}
	if p.Reader == "" {
		p.Reader = b.reader("engine.reader")
	}
	if p.Reader == "" {
		p.Reader = dataset.OpenCVReader
	}
	setReader(&p, p.Reader, false)
	if p.Channels == "" {
		p.Channels = "rgb"
	}
	s := stepper{builder: b, p: &p}
	for i := range b.entries[at+".preprocessing"].length {
		s.step(at + ".preprocessing[" + strconv.Itoa(i) + "]")
	}
	d.Prep, d.Prepared = p, true
}

// stepper follows a list of steps. p.Channels is the order of the channels so far.
type stepper struct {
	builder
	p     *dataset.Prep
	stage int // index in order of the last step
}

// order is the order of steps that change pixels; nothing may stand before what precedes it here.
var order = []string{"", "central crop", "resize", "crop", "padding", "normalization"}

// step adds one step. The schema has checked types and words.
func (s *stepper) step(at string) {
	e, ok := s.entries[at]
	name := s.text(at+".type", "")
	if !ok || name == "" {
		if ok && !s.failed(at+".type") {
			s.fail(e.pos, at+".type", "missing")
		}
		return
	}
	s.parameters(at, name)
	switch name {
	case "resize":
		s.resize(at)
	case "crop":
		s.crop(at)
	case "padding":
		s.padding(at)
	case "normalization":
		s.normalization(at)
	case "bgr_to_rgb", "rgb_to_bgr":
		s.swap(at)
	default:
		s.grey(at, name)
	}
}

// parameters refuses those of other steps.
func (s *stepper) parameters(at, name string) {
	for _, k := range steps {
		if k.name == name {
			continue
		}
		for _, param := range k.params {
			if e, ok := s.entries[at+"."+param]; ok && !slices.Contains(paramsOf(name), param) && !s.failed(at+"."+param) {
				s.fail(e.pos, at+"."+param, "no parameter of %s%s", name, known(paramsOf(name)))
			}
		}
	}
}

// paramsOf lists the parameters of a step, in the order of the table; nil for a step without any.
func paramsOf(step string) []string {
	for _, k := range steps {
		if k.name == step {
			return k.params
		}
	}
	return nil
}

// known is the end of a message that refuses a parameter: which ones there are.
func known(params []string) string {
	if len(params) == 0 {
		return ", which has none"
	}
	return ", which has " + strings.Join(params, ", ")
}

// enter checks that a step of this stage may stand here.
func (s *stepper) enter(at, stage string) {
	i := slices.Index(order, stage)
	switch {
	case i < s.stage:
		s.fail(s.entries[at].pos, at, "%s after %s is not supported; the order is %s", stage, order[s.stage], strings.Join(order[1:], ", "))
	case i == s.stage:
		s.fail(s.entries[at].pos, at, "a second %s is not supported", stage)
	}
	s.stage = max(s.stage, i)
}

// size is a step's size, zero when none is given.
func (s *stepper) size(at string) dataset.Size {
	n := s.whole(at+".size", 0)
	w, h := s.whole(at+".dst_width", 0), s.whole(at+".dst_height", 0)
	if n != 0 && w+h != 0 || (w == 0) != (h == 0) {
		s.fail(s.entries[at].pos, at, "give size, or both dst_width and dst_height")
	}
	if n != 0 {
		return dataset.Size{W: n, H: n}
	}
	return dataset.Size{W: w, H: h}
}

// interpolations are the filters by library, in Accuracy Checker's words.
var interpolations = map[bool]map[string]resample.Filter{
	false: {"LINEAR": resample.OpenCVLinear, "BILINEAR": resample.OpenCVLinear, "NEAREST": resample.OpenCVNearest},
	true: {"LINEAR": resample.Bilinear, "BILINEAR": resample.Bilinear, "CUBIC": resample.Bicubic, "BICUBIC": resample.Bicubic,
		"BOX": resample.Box, "NEAREST": resample.Nearest, "NONE": resample.Nearest},
}

// resize needs a size. Accuracy Checker's greater with equal sides is the flag's --resize N, and is written so: one
// preprocessing has one spelling, since it becomes part of the inputs' name.
func (s *stepper) resize(at string) {
	s.enter(at, "resize")
	r := &s.p.Resize
	pillow := s.truth(at+".use_pillow", false)
	if s.has(at + ".resize_realization") {
		pillow = s.text(at+".resize_realization", "") == "pillow"
	}
	word := s.text(at+".interpolation", "LINEAR")
	filter, ok := interpolations[pillow][strings.ToUpper(word)]
	if !ok {
		var words []string
		for w := range interpolations[pillow] {
			words = append(words, w)
		}
		slices.Sort(words)
		s.fail(s.entries[at+".interpolation"].pos, at+".interpolation", "%q is not supported; want %s%s", word, alternatives(words), suggest(word, words))
	}
	r.Filter = filter
	if r.Size = s.size(at); r.Size == (dataset.Size{}) {
		s.fail(s.entries[at].pos, at, "resize needs size, or dst_width and dst_height")
		return
	}
	r.Keep = dataset.Aspect(s.text(at+".aspect_ratio_scale", ""))
	if r.Keep == dataset.KeepGreater && r.Size.W == r.Size.H { // the same, as the flag spells it
		r.Short, r.Size, r.Keep = r.Size.W, dataset.Size{}, ""
	}
}

// crop is a central crop, as a share, before the resize or a crop to a size behind it. Where the rest is odd OpenCV's users
// begin at floor(rest/2) and Pillow's at round(rest/2): use_pillow decides.
func (s *stepper) crop(at string) {
	size := s.size(at)
	if s.has(at + ".central_fraction") {
		s.enter(at, "central crop")
		s.p.Fraction = s.number(at+".central_fraction", 1)
		if size != (dataset.Size{}) || s.truth(at+".use_pillow", false) {
			s.fail(s.entries[at].pos, at, "central_fraction excludes a size and use_pillow")
		}
		return
	}
	s.enter(at, "crop")
	if size == (dataset.Size{}) {
		s.fail(s.entries[at].pos, at, "crop needs size, dst_width and dst_height, or central_fraction")
	}
	s.p.Crop, s.p.CropFloor = size, !s.truth(at+".use_pillow", false)
}

// padding fills up to a size, to a multiple of stride, or to both; behind a resize that fits into a window its size is the
// window's.
func (s *stepper) padding(at string) {
	s.enter(at, "padding")
	p := &s.p.Pad
	p.Size, p.Stride = s.size(at), s.whole(at+".stride", 0)
	if p.Size == (dataset.Size{}) && s.p.Resize.Keep == dataset.KeepFit {
		p.Size = s.p.Resize.Size
	}
	if p.Size == (dataset.Size{}) && p.Stride == 0 {
		s.fail(s.entries[at].pos, at, "padding needs size, dst_width and dst_height, or stride")
	}
	if p.At = s.text(at+".pad_type", ""); p.At == "center" {
		p.At = ""
	}
	if !s.has(at + ".pad_value") {
		return
	}
	v := strings.Split(s.spelled(at+".pad_value"), ",")
	for i := range p.Value {
		n, err := strconv.ParseUint(strings.TrimSpace(v[i%len(v)]), 10, 8)
		if err != nil || len(v) != 1 && len(v) != 3 {
			s.fail(s.entries[at+".pad_value"].pos, at+".pad_value", "%q; want one whole number of 0 to 255, or three between commas", strings.Join(v, ","))
			return
		}
		p.Value[i] = byte(n)
	}
	if s.p.Channels == "bgr" {
		p.Value[0], p.Value[2] = p.Value[2], p.Value[0]
	}
}

// precomputed are the means that can be named; POT's checker has the same numbers for std. They are in BGR order.
var precomputed = map[string][]float32{"imagenet": {104.00698793, 116.66876762, 122.67891434}, "cifar10": {125.307, 122.961, 113.8575}}

// normalization is (x - mean)/std on pixels of 0 to 255, one number or one a channel in the order that the channels have at
// this step; later swaps turn them.
func (s *stepper) normalization(at string) {
	s.enter(at, "normalization")
	s.p.Mean, s.p.Std = s.values(at+".mean", false), s.values(at+".std", true)
	if s.p.Mean == nil && s.p.Std == nil && !s.failed(at+".mean") && !s.failed(at+".std") {
		s.fail(s.entries[at].pos, at, "normalization needs mean or std")
	}
}

// values is a list of numbers, one number, a text with commas, or a name.
func (s *stepper) values(path string, positive bool) []float32 {
	e, ok := s.entries[path]
	if !ok || e.literal == nil || e.literal.Kind() != '"' {
		return s.numbers(path)
	}
	text := e.literal.String()
	if v, ok := precomputed[text]; ok {
		return slices.Clone(v)
	}
	var out []float32
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 32)
		if err != nil || positive && v <= 0 || v != v || v > 1e30 || v < -1e30 {
			s.fail(e.pos, path, "%q; want numbers between commas, imagenet or cifar10%s", text, suggest(text, []string{"imagenet", "cifar10"}))
			return nil
		}
		out = append(out, float32(v))
	}
	return out
}

// swap reverses the channels, and what was said of them before.
func (s *stepper) swap(at string) {
	switch s.p.Channels {
	case "grey":
		s.fail(s.entries[at].pos, at, "grey has no channels to swap")
	case "bgr":
		s.p.Channels = "rgb"
	default:
		s.p.Channels = "bgr"
	}
	slices.Reverse(s.p.Mean)
	slices.Reverse(s.p.Std)
}

// grey makes one channel of three, whose order must be the one that the step's name says.
func (s *stepper) grey(at, name string) {
	want := strings.TrimSuffix(name, "_to_gray")
	if s.p.Channels != want {
		s.fail(s.entries[at].pos, at, "%s, but the channels are %s here", name, fmt.Sprint(s.p.Channels))
	}
	if s.stage == slices.Index(order, "normalization") {
		s.fail(s.entries[at].pos, at, "%s after normalization is not supported", name)
	}
	s.p.Channels = "grey"
}
