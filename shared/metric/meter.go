package metric

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"assay/shared/tensor"
)

// Meter says how outputs become numbers: which outputs, which metrics, which annotations. The SHA-256 of its encoding is
// plan.Problem.Meter. Annotations are those of every sample of the data set, by its index: Labels has classes (or is empty: then
// records hold the predicted class and accuracy cannot be valued), Scores has numbers. Methods take metrics by their index in
// Metrics, change nothing, and are safe for concurrent use on a meter that nobody changes.
type Meter struct {
	Adapter string
	Output  string   // "" under Outputs and Rows
	Outputs []string // Outputs, Rows: all that are compared
	Mask    string   // Similarity: the model input that is not 0 where a position of the output counts; "": all count
	Metrics []Spec
	Labels  []int32
	Scores  []float64
	Boxes   []Box // Rows: where the rows of an output hold boxes; one entry for an output at most, in the order of outputs
}

// Box says that four neighbouring columns of an output's rows are a box, which whoever makes the meter reads off the model's graph:
// numbers alone do not tell a box from four others.
type Box struct {
	Output uint32 // index into Outputs
	At     int32  // the first of the four columns; below 0 it counts from the end of the row: -4 is the last four
	Center bool   // x, y of the centre, width and height; else two opposite corners
}

// Spec is one metric as the job asks for it. Name is what reports print; Type is a name of the table; TopK is 1 or more.
type Spec struct {
	Name string
	Type string
	TopK uint32
}

// Bounds of a meter that comes from outside.
const (
	maxSpecs   = 64
	maxOutputs = 64
)

// Check reports a meter that cannot be obeyed; the other methods rely on it. Whether the model has the outputs, and one class for
// each label, is seen by PerSample.
func (m Meter) Check() error {
	if _, err := m.adapter(); err != nil {
		return err
	}
	if len(m.Metrics) > maxSpecs {
		return fmt.Errorf("meter: %d metrics, at most %d are allowed", len(m.Metrics), maxSpecs)
	}
	for i, s := range m.Metrics {
		k, err := find(s.Type)
		if err != nil {
			return fmt.Errorf("meter: metric %q: %w", s.Name, err)
		}
		if !slices.Contains(k.adapters, m.Adapter) {
			return fmt.Errorf("meter: metric %q is of type %s, which measures %s and not %s", s.Name, s.Type, strings.Join(k.adapters, " and "), m.Adapter)
		}
		if s.TopK < 1 || s.TopK > math.MaxInt32 {
			return fmt.Errorf("meter: metric %q: top_k %d: 1 or more is needed", s.Name, s.TopK)
		}
		if len(m.Labels)+len(m.Scores) == 0 && s.Type != agreement && !m.whole() {
			return fmt.Errorf("meter: metric %q needs labels", s.Name)
		}
		if slices.ContainsFunc(m.Metrics[:i], func(o Spec) bool { return o.Name == s.Name }) {
			return fmt.Errorf("meter: two metrics are called %q", s.Name)
		}
	}
	if m.whole() != (len(m.Outputs) > 0) || len(m.Outputs) > maxOutputs {
		return fmt.Errorf("meter: %s does not go with %d outputs (at most %d are compared)", m.Adapter, len(m.Outputs), maxOutputs)
	}
	if err := m.checkBoxes(); err != nil {
		return err
	}
	return m.checkAnnotations()
}

// checkBoxes refuses boxes of no output, twice of one, and outside of any row.
func (m Meter) checkBoxes() error {
	for i, b := range m.Boxes {
		if m.Adapter != Rows || int(b.Output) >= len(m.Outputs) || i > 0 && b.Output <= m.Boxes[i-1].Output || b.At > comparedAtMost-4 || b.At < 0 && (b.At > -4 || b.At < -comparedAtMost) {
			return fmt.Errorf("meter: box %d at column %d of output %d is none: %s compares %d outputs", i, b.At, b.Output, m.Adapter, len(m.Outputs))
		}
	}
	return nil
}

// checkAnnotations refuses annotations that the adapter does not read, classes below 0 and scores that are not finite, the
// latter two with the number of their sample.
func (m Meter) checkAnnotations() error {
	if len(m.Labels) > 0 && len(m.Scores) > 0 || m.Adapter == Classification && len(m.Scores) > 0 || m.Adapter != Classification && len(m.Labels) > 0 {
		return fmt.Errorf("meter: %s does not go with %d classes and %d scores", m.Adapter, len(m.Labels), len(m.Scores))
	}
	for i, l := range m.Labels {
		if l < 0 {
			return fmt.Errorf("meter: label %d of sample %d: classes begin at 0", l, i)
		}
	}
	for i, x := range m.Scores {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("meter: score of sample %d is %v: a finite number is needed", i, x)
		}
	}
	return nil
}

// RecordSize is the number of bytes of one record, the same for all samples; the meter must be checked.
func (m Meter) RecordSize() int {
	a, err := m.adapter()
	if err != nil {
		panic("metric: an unchecked meter: " + err.Error())
	}
	return a.size(m)
}

// Wants are the outputs that records are made of, in the model's names. Mask is none of them: whoever runs the model has the
// inputs. The list may be the meter's own and is only read.
func (m Meter) Wants() []string {
	if m.whole() {
		return m.Outputs
	}
	return []string{m.Output}
}

// PerSample gives the records of the samples in order, RecordSize bytes each, in a slice of the caller's. values are those of one
// batch in logical layout: the outputs, and the inputs that the batch was fed. The first axis of each holds the samples (two rows
// each under Similarity), or has length 1 for a single sample, or is absent for it. samples are indices into Labels or Scores.
// Errors: an output that is missing, holds no real numbers or has no row for each sample, a sample without annotation, a label
// that the output has no class for. Outputs and Rows have no such records: see Against.
func (m Meter) PerSample(values map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
	a, err := m.adapter()
	if err != nil || len(samples) == 0 {
		return nil, err
	}
	return a.record(m, make([]byte, 0, len(samples)*a.size(m)), values, samples)
}

// value is one of the values of a batch with its elements.
func (m Meter) value(values map[string]*tensor.Tensor, name string) (*tensor.Tensor, []float64, error) {
	t := values[name]
	if t == nil {
		return nil, nil, fmt.Errorf("meter: the model gives no output %q", name)
	}
	v, err := scores(t)
	if err != nil {
		return nil, nil, fmt.Errorf("meter: output %q: %w", name, err)
	}
	return t, v, nil
}

// rows checks that t holds n rows.
func rows(name string, t *tensor.Tensor, n int) error {
	if n > 1 && (len(t.Shape) == 0 || t.Shape[0] != n) {
		return fmt.Errorf("meter: output %q has shape %v: a first axis of %d samples is needed", name, t.Shape, n)
	}
	return nil
}

// classes makes the records of Classification.
func (m Meter) classes(out []byte, values map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
	t, scores, err := m.value(values, m.Output)
	if err != nil {
		return nil, err
	}
	n := len(samples)
	if err := rows(m.Output, t, n); err != nil {
		return nil, err
	}
	classes := len(scores) / n
	if classes < 2 {
		return nil, fmt.Errorf("meter: output %q has shape %v: %d scores a sample are no classification", m.Output, t.Shape, classes)
	}
	for i, s := range samples {
		label := int32(-1)
		if len(m.Labels) > 0 {
			if int64(s) >= int64(len(m.Labels)) {
				return nil, fmt.Errorf("meter: sample %d: there are labels for %d samples", s, len(m.Labels))
			}
			if label = m.Labels[s]; int(label) >= classes {
				return nil, fmt.Errorf("meter: sample %d has label %d, output %q has classes 0..%d", s, label, m.Output, classes-1)
			}
		}
		out = classify(scores[i*classes:(i+1)*classes], label).append(out)
	}
	return out, nil
}

// scores are the elements of an output as float64, which keeps the order of every type that it accepts (64-bit integers beyond
// 2^53 excepted): all but complex numbers, strings and containers.
func scores(t *tensor.Tensor) ([]float64, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	var out []float64
	switch t.DType {
	case tensor.Float32:
		v := t.F32()
		out = make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
	case tensor.Float64:
		out = slices.Clone(tensor.View[float64](t))
	case tensor.Uint64:
		v := tensor.View[uint64](t)
		out = make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
	default:
		if v, err := t.Floats(); err == nil {
			out = make([]float64, len(v))
			for i, x := range v {
				out[i] = float64(x)
			}
			return out, nil
		}
		v, err := t.Ints()
		if err != nil {
			return nil, fmt.Errorf("%w: scores are needed", err)
		}
		out = make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
	}
	return out, nil
}

// integers reports whether a type holds integers or truth values.
func integers(d tensor.DType) bool {
	_, err := (&tensor.Tensor{DType: d, Shape: []int{0}}).Ints()
	return err == nil
}
