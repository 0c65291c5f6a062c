package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"assay/shared/tensor"
)

// Classification is the only adapter so far: Output holds one score per class and sample, on any axes after the first.
const Classification = "classification"

// Meter says how outputs become numbers: which output, which metrics, which annotations. The SHA-256 of its encoding is
// plan.Problem.Meter. Labels has the class of every sample of the data set, or is empty: then records hold the predicted
// class and no metric can be valued.
type Meter struct {
	Adapter string
	Output  string
	Metrics []Spec
	Labels  []int32
}

// Spec is one metric as the job asks for it. Name is what reports print; Type is a name of the table; TopK is 1 or more.
type Spec struct {
	Name string
	Type string
	TopK uint32
}

// maxSpecs bounds a meter that comes from outside.
const maxSpecs = 64

// Check reports a meter that cannot be obeyed.
func (m Meter) Check() error {
	if m.Adapter != Classification {
		return fmt.Errorf("meter: adapter %q is unknown; known is %s", m.Adapter, Classification)
	}
	if len(m.Metrics) > maxSpecs {
		return fmt.Errorf("meter: %d metrics, at most %d are allowed", len(m.Metrics), maxSpecs)
	}
	for i, s := range m.Metrics {
		if _, err := find(s.Type); err != nil {
			return fmt.Errorf("meter: metric %q: %w", s.Name, err)
		}
		if s.TopK < 1 || s.TopK > math.MaxInt32 {
			return fmt.Errorf("meter: metric %q: top_k %d: 1 or more is needed", s.Name, s.TopK)
		}
		if len(m.Labels) == 0 {
			return fmt.Errorf("meter: metric %q needs labels", s.Name)
		}
		if slices.ContainsFunc(m.Metrics[:i], func(o Spec) bool { return o.Name == s.Name }) {
			return fmt.Errorf("meter: two metrics are called %q", s.Name)
		}
	}
	for i, l := range m.Labels {
		if l < 0 {
			return fmt.Errorf("meter: label %d of sample %d: classes begin at 0", l, i)
		}
	}
	return nil
}

// RecordSize is the number of bytes of one record.
func (m Meter) RecordSize() int { return recordSize }

// PerSample gives the records of the samples in order. outputs are those of one batch: the first axis of Output holds
// the samples, or has length 1 for a single sample, or is absent for it. samples are indices into Labels.
func (m Meter) PerSample(outputs map[string]*tensor.Tensor, samples []uint32) ([]byte, error) {
	t := outputs[m.Output]
	if t == nil {
		return nil, fmt.Errorf("meter: the model gives no output %q", m.Output)
	}
	n := len(samples)
	if n == 0 {
		return nil, nil
	}
	scores, err := scores(t)
	if err != nil {
		return nil, fmt.Errorf("meter: output %q: %w", m.Output, err)
	}
	if n > 1 && (len(t.Shape) == 0 || t.Shape[0] != n) {
		return nil, fmt.Errorf("meter: output %q has shape %v: a first axis of %d samples is needed", m.Output, t.Shape, n)
	}
	classes := len(scores) / n
	if classes < 2 {
		return nil, fmt.Errorf("meter: output %q has shape %v: %d scores a sample are no classification", m.Output, t.Shape, classes)
	}
	out := make([]byte, 0, n*recordSize)
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

// scores are the elements of an output as float64, which keeps the order of every type that it accepts (int64 beyond
// 2^53 excepted).
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
	case tensor.Float16:
		v := tensor.View[uint16](t)
		out = make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(tensor.HalfToFloat(x))
		}
	default:
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

// Agreement is the meter that asks how often a model's answer is the float model's: its labels are the classes in
// records, which are the float model's under m, one for every sample in data order.
func (m Meter) Agreement(records []byte) (Meter, error) {
	rs, err := Records(records)
	if err != nil {
		return Meter{}, err
	}
	if len(rs) == 0 {
		return Meter{}, errors.New("meter: agreement needs the float model's records")
	}
	m.Metrics = []Spec{{Name: agreement, Type: agreement, TopK: 1}}
	m.Labels = make([]int32, len(rs))
	for i, r := range rs {
		m.Labels[i] = int32(r.Class)
	}
	return m, nil
}
