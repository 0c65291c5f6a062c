package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"assay/shared/dataset"
	"assay/shared/metric"
)

// Flags are the flags of run that stand for keys of the job file. A zero field was not given; pointers are used where
// zero is an answer. The tags are kong's.
type Flags struct {
	Model      string  `short:"m" placeholder:"FILE" help:"The float model, an ONNX file."`
	Data       string  `placeholder:"PATH" help:"Samples: a folder of images, a pattern, a .txt list, .npy, .npz or MNIST idx."`
	Labels     string  `placeholder:"FILE" help:"Labels: a text file (name and class a line), .npy or idx. Not needed where each class has a folder of its own."`
	Metric     string  `placeholder:"NAME" help:"What may not drop: accuracy@top1 (default with labels), accuracy@top5, pearson, spearman; against the float model: agreement, sqnr, rows. Several with commas between."`
	Output     string  `placeholder:"NAME" help:"The model's output that is measured (default: its first; sqnr, rows: all)."`
	Like       string  `placeholder:"NAME" help:"A usual preprocessing: imagenet-torch, imagenet-tf, imagenet-caffe, raw255 or unit."`
	Mean       string  `placeholder:"M,M,M" help:"Per channel: (x/scale - mean)/std."`
	Std        string  `placeholder:"S,S,S" help:"Per channel: (x/scale - mean)/std."`
	Scale      string  `placeholder:"N" help:"Divisor: (x/scale - mean)/std."`
	Resize     string  `placeholder:"SIZE" help:"256: the shorter side; 320x240: width and height; 256,bicubic names a filter."`
	Crop       string  `placeholder:"SIZE" help:"Centre crop: 224 or 320x240."`
	Pad        string  `placeholder:"SIZE" help:"Padding: 300x300, stride:32; right_bottom, value:114 behind commas."`
	Fraction   string  `name:"central-fraction" placeholder:"F" help:"Keep the middle of the picture before the resize: 0.875 of both sides."`
	Reader     string  `placeholder:"NAME" help:"opencv_imread (EXIF orientation, BGR unless --channels says otherwise), pillow_imread or numpy_reader."`
	Layout     string  `placeholder:"NCHW" help:"Layout of the model's image input: NCHW or NHWC."`
	Channels   string  `placeholder:"rgb" help:"Order of the colours: rgb, bgr or grey."`
	MaxDrop    string  `placeholder:"D" help:"Allowed drop of the metric, inclusive (default 0.01)."`
	DropType   string  `placeholder:"TYPE" help:"absolute, or relative to the float model's value."`
	Preset     string  `placeholder:"NAME" help:"performance (symmetric activations) or mixed (asymmetric); absent: as the model's activation functions ask."`
	Placement  string  `placeholder:"NAME" help:"Where quantizers go: regions or pot."`
	Calib      string  `placeholder:"N|every:K|PATH" help:"Calibration: the first N samples; every K-th, the others are searched; or data of its own."`
	Seed       *uint64 `placeholder:"N" help:"Draw the calibration samples with this seed instead of taking the first."`
	MaxIter    *int    `name:"max-iter" placeholder:"N" help:"Reverts that are tried at most."`
	OutputDir  string  `name:"output-dir" env:"ASSAY_OUTPUT_DIR" placeholder:"DIR" help:"Receives the model and the reports (default results)."`
	StateDir   string  `name:"state-dir" env:"ASSAY_STATE_DIR" placeholder:"DIR" help:"Keeps measured results (default: the user's cache directory)."`
	Evaluators *int    `env:"ASSAY_EVALUATORS" placeholder:"N" help:"In-process evaluators (default: the CPUs)."`
	NATS       string  `name:"nats" env:"ASSAY_NATS" placeholder:"URL" help:"A NATS server with JetStream instead of the one inside the process."`
	Memory     string  `env:"ASSAY_MEMORY" placeholder:"SIZE" help:"Memory of an evaluator process, such as 4GiB (default: half of the machine's)."`
	JSON       bool    `name:"json" help:"One event a line, as JSON."`
}

// Apply writes the given flags over j: --like over all of the file's preprocessing, --data without --labels over the file's
// labels too, --model over its model_name, --preset over activations.mode, --max-drop also over DefaultQuantization. Paths are
// relative to the working directory and are not looked at. The error is an Errors with every flag that is wrong; j is then as
// it was.
func (f Flags) Apply(j *Job) error {
	changed := *j
	if err := f.write(&changed); err != nil {
		return err
	}
	*j = changed
	return nil
}

// write replaces fields of j and no element of a list or what a pointer leads to: those are shared with the job that was.
func (f Flags) write(j *Job) error {
	a := &applier{f: f, j: j}
	for _, s := range []struct {
		value string
		to    *string
	}{
		{f.Model, &j.Model}, {f.Data, &j.Data.Source}, {f.Labels, &j.Data.Labels}, {f.Output, &j.Data.Output},
		{f.OutputDir, &j.OutputDir}, {f.StateDir, &j.StateDir}, {f.NATS, &j.NATS},
	} {
		if s.value != "" {
			*s.to = s.value
		}
	}
	if f.Data != "" && f.Labels == "" && j.File != "" {
		j.Data.Labels = "" // labels of the file belong to the file's data
	}
	if f.Model != "" {
		j.Name = "" // so does the name to the file's model
	}
	a.prep()
	a.search()
	a.machine()
	if len(a.errors) > 0 {
		return a.errors
	}
	return nil
}

// applier collects the errors of Apply.
type applier struct {
	f      Flags
	j      *Job
	errors Errors
}

// note adds an error of flag, which is its name without dashes; a nil err adds nothing.
func (a *applier) note(flag string, err error) {
	if err != nil {
		a.errors = append(a.errors, &Error{Key: "--" + flag, Text: err.Error()})
	}
}

// word sets to when value is given and one of words.
func (a *applier) word(flag, value string, words []string, to func(string)) {
	switch {
	case value == "":
	case slices.Contains(words, value):
		to(value)
	default:
		a.note(flag, fmt.Errorf("%q; want %s%s", value, alternatives(words), suggest(value, words)))
	}
}

// prep applies the preprocessing. A convention replaces everything that the file says; single flags then change parts.
func (a *applier) prep() {
	f, d := a.f, &a.j.Data
	a.word("like", f.Like, dataset.Conventions(), func(s string) {
		d.Like = s
		d.Prep, _ = dataset.Like(s)
	})
	a.word("layout", f.Layout, []string{"NCHW", "NHWC", "CHW", "HWC"}, func(s string) { d.Prep.Layout = fullLayout(s) })
	a.word("reader", f.Reader, dataset.Readers(), func(s string) { setReader(&d.Prep, s, d.Like != "" || d.Prep.Channels != "") })
	a.word("channels", f.Channels, []string{"rgb", "bgr", "grey"}, func(s string) { d.Prep.Channels = s })
	var err error
	if f.Fraction != "" {
		v := a.numbers("central-fraction", f.Fraction, "0")
		if v != nil && (len(v) != 1 || v[0] > 1) {
			a.note("central-fraction", fmt.Errorf("%q; want one number above 0, up to 1", f.Fraction))
		} else if v != nil {
			d.Prep.Fraction, _ = strconv.ParseFloat(f.Fraction, 64)
		}
	}
	if f.Pad != "" {
		d.Prep.Pad, err = dataset.ParsePad(f.Pad)
		a.note("pad", err)
	}
	if f.Resize != "" {
		d.Prep.Resize, err = dataset.ParseResize(f.Resize)
		a.note("resize", err)
	}
	if f.Crop != "" {
		d.Prep.Crop, d.Prep.CropFloor, err = dataset.ParseCrop(f.Crop)
		a.note("crop", err)
	}
	if f.Scale != "" {
		v := a.numbers("scale", f.Scale, "1")
		if len(v) > 1 {
			a.note("scale", fmt.Errorf("%q; want one number", f.Scale))
		} else if len(v) == 1 {
			d.Prep.Scale = v[0]
		}
	}
	if f.Mean != "" {
		d.Prep.Mean = a.numbers("mean", f.Mean, "")
	}
	if f.Std != "" {
		d.Prep.Std = a.numbers("std", f.Std, "0")
	}
	d.Prepared = d.Prepared || f.Like+f.Resize+f.Crop+f.Pad+f.Fraction+f.Reader+f.Scale+f.Mean+f.Std+f.Channels != ""
}

// numbers reads numbers between commas. above is a bound that each must exceed, except 1, which is allowed itself; "" is none. It
// notes the first that is wrong and then gives nil.
func (a *applier) numbers(flag, s, above string) []float32 {
	var out []float32
	k := key{kind: number, min: above, over: above == "0"}
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		v, err := strconv.ParseFloat(part, 32)
		if err != nil || !inRange(k, part) {
			a.note(flag, fmt.Errorf("%q; want %s", part, wanted(k)))
			return nil
		}
		out = append(out, float32(v))
	}
	return out
}

// search applies what decides about the result.
func (a *applier) search() {
	f, j := a.f, a.j
	a.metrics()
	if f.MaxDrop != "" {
		k := key{kind: number, min: "0"}
		if inRange(k, f.MaxDrop) {
			j.Drop, j.Aware = f.MaxDrop, true
		} else {
			a.note("max-drop", fmt.Errorf("%s; want %s", f.MaxDrop, wanted(k)))
		}
	}
	a.word("drop-type", f.DropType, []string{"absolute", "relative"}, func(s string) { j.Relative = s == "relative" })
	a.word("preset", f.Preset, []string{Performance, Mixed}, func(s string) {
		j.Quantize.Preset, j.Quantize.Mode = s, ""
	})
	a.word("placement", f.Placement, []string{PlaceRegions, PlacePOT}, func(s string) { j.Quantize.Placement = s })
	if f.Calib != "" {
		c, err := ParseCalibration(f.Calib, j.Calibration)
		a.note("calib", err)
		j.Calibration = c
	}
	if f.Seed != nil {
		j.Calibration.Shuffle, j.Calibration.Seed = true, *f.Seed
	}
	if f.MaxIter != nil {
		if *f.MaxIter < 0 {
			a.note("max-iter", fmt.Errorf("%d; want 0 or more", *f.MaxIter))
		}
		j.Iterations = *f.MaxIter
	}
}

// metrics replaces the file's metrics by those of --metric.
func (a *applier) metrics() {
	if a.f.Metric == "" {
		return
	}
	a.j.Metrics = nil
	for name := range strings.SplitSeq(a.f.Metric, ",") {
		m, ok := named(strings.TrimSpace(name))
		switch {
		case !ok:
			a.note("metric", fmt.Errorf("%q; want %s%s", name, alternatives(metricTypes()), suggest(name, metricTypes())))
		case slices.ContainsFunc(a.j.Metrics, func(o metric.Spec) bool { return o.Name == m.Name }):
			a.note("metric", fmt.Errorf("%q stands there twice", name))
		default:
			m.TopK = max(m.TopK, 1)
			a.j.Metrics = append(a.j.Metrics, m)
		}
	}
}

// machine applies what decides about speed only.
func (a *applier) machine() {
	f, j := a.f, a.j
	if f.Evaluators != nil {
		if *f.Evaluators < 0 || *f.Evaluators > 4096 {
			a.note("evaluators", fmt.Errorf("%d; want 0 to 4096", *f.Evaluators))
		}
		j.Evaluators = *f.Evaluators
	}
	if f.Memory != "" {
		n, err := ParseBytes(f.Memory)
		a.note("memory", err)
		j.Memory = n
	}
	j.JSON = j.JSON || f.JSON
}
