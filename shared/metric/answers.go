package metric

import (
	"errors"
	"fmt"

	"assay/shared/tensor"
)

// ErrAnnotated says that a meter's adapter compares with annotations, and not with another model.
var ErrAnnotated = errors.New("compares with annotations and not with another model")

// Answers gives what the outputs of a batch say, one text of bytes for each of its n samples: what Against compares with. What
// stands in them is this package's business. values are as PerSample takes them; an adapter with annotations is ErrAnnotated.
func (m Meter) Answers(values map[string]*tensor.Tensor, n int) ([][]byte, error) {
	a, err := m.adapter()
	switch {
	case err != nil || n == 0:
		return nil, err
	case a.answers == nil:
		return nil, fmt.Errorf("meter: %s %w", m.Adapter, ErrAnnotated)
	}
	return a.answers(m, values, n)
}

// Against gives the records of a batch, RecordSize bytes each, against the answers of another model, the float one, to the same
// samples in the same order. values are as PerSample takes them; an adapter with annotations is ErrAnnotated.
func (m Meter) Against(values map[string]*tensor.Tensor, answers [][]byte) ([]byte, error) {
	a, err := m.adapter()
	switch {
	case err != nil || len(answers) == 0:
		return nil, err
	case a.against == nil:
		return nil, fmt.Errorf("meter: %s %w", m.Adapter, ErrAnnotated)
	}
	return a.against(m, make([]byte, 0, len(answers)*a.size(m)), values, answers)
}

// Own gives the records of the model that gave the answers, against itself, as Against would: nothing has to be computed for them.
func (m Meter) Own(answers [][]byte) ([]byte, error) {
	var out []byte
	for i, a := range answers {
		if m.whole() {
			for range m.Outputs {
				out = appendKept(out, 1)
			}
			continue
		}
		rs, err := Records(a)
		if err != nil || len(rs) != 1 {
			return nil, fmt.Errorf("meter: answer %d is no record of a class: %w", i, err)
		}
		rs[0].Rank = 0
		out = rs[0].append(out)
	}
	return out, nil
}

// classAnswers is the record of each sample without a label.
func (m Meter) classAnswers(values map[string]*tensor.Tensor, n int) ([][]byte, error) {
	m.Labels = nil
	b, err := m.classes(nil, values, make([]uint32, n))
	if err != nil {
		return nil, err
	}
	out := make([][]byte, n)
	for i := range out {
		out[i] = b[i*recordSize : (i+1)*recordSize]
	}
	return out, nil
}

// classesAgainst makes the records that the float model's classes as labels give.
func (m Meter) classesAgainst(out []byte, values map[string]*tensor.Tensor, answers [][]byte) ([]byte, error) {
	m.Labels = make([]int32, len(answers))
	samples := make([]uint32, len(answers))
	for i, a := range answers {
		rs, err := Records(a)
		if err != nil || len(rs) != 1 {
			return nil, fmt.Errorf("meter: answer %d is no record of a class: %w", i, err)
		}
		m.Labels[i], samples[i] = int32(rs[0].Class), uint32(i)
	}
	return m.classes(out, values, samples)
}

// whole: records compare outputs with the float model's outputs.
func (m Meter) whole() bool { return m.Adapter == Outputs || m.Adapter == Rows }

// unlabelled is for records by annotation, which Outputs and Rows have none of.
func (m Meter) unlabelled([]byte, map[string]*tensor.Tensor, []uint32) ([]byte, error) {
	return nil, fmt.Errorf("meter: %s compares with the float model's outputs and needs them", m.Adapter)
}
