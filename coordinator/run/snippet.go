package run

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"assay/shared/dataset"
	"assay/shared/dataset/resample"
	"assay/shared/metric"
	"assay/shared/tensor"
)

// numpyTypes are numpy's names of the types that inputs have.
var numpyTypes = map[tensor.DType]string{
	tensor.Float32: "float32", tensor.Float64: "float64", tensor.Float16: "float16", tensor.Int8: "int8", tensor.Int16: "int16", tensor.Int32: "int32",
	tensor.Int64: "int64", tensor.Uint8: "uint8", tensor.Uint16: "uint16", tensor.Uint32: "uint32", tensor.Uint64: "uint64", tensor.Bool: "bool",
}

// program is a Python program that checks the written file in ONNX Runtime: it measures it on the job's samples where they are
// arrays or pictures of a usual preprocessing, and else runs it once on inputs of the right shapes.
func (w *work) program() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("import numpy as np\nimport onnxruntime")
	sample := w.sampleCode()
	if sample != "" && w.data.pictures {
		line("from PIL import Image")
	}
	line("\nsession = onnxruntime.InferenceSession(%s, providers=[\"CPUExecutionProvider\"])", quotePython(filepath.Join(w.job.OutputDir, w.output.File)))
	if sample == "" {
		w.onceCode(line)
		return b.String()
	}
	line("%s", sample)
	skip := ""
	if k := w.job.Calibration.Every; k > 0 {
		skip = fmt.Sprintf("    if i %% %d == 0:\n        continue  # calibration\n", k)
	}
	top := int(w.meter.Metrics[0].TopK)
	line("\nright = count = 0\nfor i, (x, label) in enumerate(samples()):\n%s    scores = session.run([%s], {%s: x})[0].ravel()\n    right += label in (-scores).argsort(kind=\"stable\")[:%d]\n    count += 1", skip, quotePython(w.meter.Output), quotePython(w.data.search.Streams[0].Input), top)
	line("print(right, \"of\", count, \"right; measured by Assay:\", %s)", quotePython(w.outcome.Metrics[0].Final.String()))
	return b.String()
}

// onceCode runs the file on made-up inputs.
func (w *work) onceCode(line func(string, ...any)) {
	line("feed = {")
	for _, s := range w.data.search.Streams {
		line("    %s: np.ones(%s, np.%s),", quotePython(s.Input), pythonShape(s.FedShape(w.model.group)), numpyTypes[s.Want])
	}
	line("}\nfor output, value in zip(session.get_outputs(), session.run(None, feed)):\n    print(output.name, value.dtype, value.shape)")
}

// sampleCode defines samples(), which gives input and label of every sample in the order of the data; "" where that takes more
// than a few lines.
func (w *work) sampleCode() string {
	d, streams := w.job.Data, w.data.search.Streams
	if w.meter.Adapter != metric.Classification || unlabelled(w.meter) || len(w.meter.Labels) == 0 || len(streams) != 1 || w.job.Data.Labels == "" || streams[0].Rows != 1 || w.model.group > 1 {
		return ""
	}
	s := streams[0]
	shape, dtype := pythonShape(s.FedShape(1)), numpyTypes[s.Want]
	named := filepath.Ext(d.Labels) != ".npy"
	shift := ""
	if d.Background {
		shift = " + 1"
	}
	switch {
	case w.data.pictures && named:
		return w.pictureCode(shift)
	case w.data.pictures, !s.Affine.None(), s.From != s.To, s.Swap:
		return ""
	case filepath.Ext(d.Source) == ".npy" && !named:
		return fmt.Sprintf("\n\ndef samples():\n    for x, label in zip(np.load(%s), np.load(%s)):\n        yield x.astype(np.%s).reshape(%s), int(label)%s\n", quotePython(d.Source), quotePython(d.Labels), dtype, shape, shift)
	case named && strings.HasSuffix(first(w.data.names), ".npy"):
		return fmt.Sprintf("\n\ndef samples():\n    for line in open(%s, encoding=\"utf-8\").read().splitlines():\n        name, label = line.rsplit(maxsplit=1)\n        yield np.load(%s + name).astype(np.%s).reshape(%s), int(label)%s\n", quotePython(d.Labels), quotePython(folder(d.Source)), dtype, shape, shift)
	}
	return ""
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// pictureCode reads pictures with Pillow, for resize, crop and normalisation; "" for what else a Prep may ask.
func (w *work) pictureCode(shift string) string {
	s := w.data.search.Streams[0]
	in := s.FedShape(1)
	if len(in) != 4 || s.Want != tensor.Float32 {
		return ""
	}
	h, wide := in[2], in[3]
	if s.To == dataset.NHWC {
		h, wide = in[1], in[2]
	}
	p := w.job.Data.Prep.At(dataset.Size{W: wide, H: h})
	if p.Reader == dataset.OpenCVReader || p.Fraction != 0 || p.Orient || p.Pad != (dataset.Pad{}) || p.Resize.Keep != "" || p.Resize.Filter != resample.Bilinear {
		return ""
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	channels := 3
	if in[1] == 1 || in[3] == 1 {
		channels = 1
	}
	line("\n\ndef sample(path):\n    image = Image.open(path).convert(%q)", map[int]string{1: "L", 3: "RGB"}[channels])
	switch short, size := p.Resize.Short, p.Resize.Size; {
	case short > 0:
		line("    w, h = image.size\n    image = image.resize((max(%[1]d, %[1]d * w // h), max(%[1]d, %[1]d * h // w)), Image.BILINEAR)", short)
	case size != dataset.Size{}:
		line("    image = image.resize((%d, %d), Image.BILINEAR)", size.W, size.H)
	case p.Crop == dataset.Size{}:
		line("    image = image.resize((%d, %d), Image.BILINEAR)", wide, h)
	}
	if c := p.Crop; c != (dataset.Size{}) {
		line("    left, top = round((image.width - %d) / 2), round((image.height - %d) / 2)\n    image = image.crop((left, top, left + %d, top + %d))", c.W, c.H, c.W, c.H)
	}
	line("    x = np.asarray(image, np.float32).reshape(%d, %d, %d)", h, wide, channels)
	if s.Swap {
		line("    x = x[:, :, ::-1]")
	}
	if !s.Affine.None() {
		line("    x = (x / np.float32(%s) - np.float32(%s)) / np.float32(%s)", number32(max(p.Scale, 0), 1), numbers32(p.Mean, "0"), numbers32(p.Std, "1"))
	}
	if s.To == dataset.NHWC {
		line("    return np.ascontiguousarray(x)[None]")
	} else {
		line("    return np.ascontiguousarray(x.transpose(2, 0, 1))[None]")
	}
	line("\n\ndef samples():\n    for line in open(%s, encoding=\"utf-8\").read().splitlines():\n        name, label = line.rsplit(maxsplit=1)\n        yield sample(%s + name), int(label)%s", quotePython(w.job.Data.Labels), quotePython(folder(w.job.Data.Source)), shift)
	return b.String()
}

// number32 writes v, or other for 0.
func number32(v float32, other float32) string {
	if v == 0 {
		v = other
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 32)
}

// numbers32 writes a list, or other for an empty one.
func numbers32(v []float32, other string) string {
	if len(v) == 0 {
		return other
	}
	out := make([]string, len(v))
	for i, x := range v {
		out[i] = strconv.FormatFloat(float64(x), 'g', -1, 32)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// folder is a directory as names are put behind it: with one slash, however it was given.
func folder(path string) string { return strings.TrimRight(path, "/") + "/" }

// quotePython writes a string literal: Go's ASCII escapes are Python's too.
func quotePython(s string) string { return strconv.QuoteToASCII(s) }

func pythonShape(shape []int) string {
	out := make([]string, len(shape))
	for i, d := range shape {
		out[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
