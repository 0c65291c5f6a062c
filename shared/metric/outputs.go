package metric

import (
	"encoding/binary"
	"fmt"
	"math"

	"assay/shared/tensor"
)

// keptSize is the size of what the record of Outputs holds for each output: its kept share, a float64.
const keptSize = 8

// comparedAtMost is how many elements of an output of one sample are compared; of more, that many are picked, one out of
// each of equal runs. A segmenter's output of one picture has millions, and the float model's are stored for every sample.
const comparedAtMost = 1 << 16

func appendKept(b []byte, kept float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(kept))
}

// picked is the index of the i-th of n compared elements out of total: within run i of total/n, at a place that is spread
// over the runs, so that no axis of the output is seen at one position only.
func picked(i, n, total int) int {
	from := int(int64(i) * int64(total) / int64(n))
	run := int(int64(i+1)*int64(total)/int64(n)) - from
	z := (uint64(i) + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z ^= z >> 27
	return from + int(z%uint64(run))
}

// An answer of Outputs holds for each output: the total number of elements, the number of those compared, the bytes of one
// (uint32 each), and these as floats of 4 bytes where that loses nothing, else of 8; little-endian.
const answerHead = 12

// outputAnswers encodes the outputs of each sample.
func (m Meter) outputAnswers(values map[string]*tensor.Tensor, n int) ([][]byte, error) {
	out := make([][]byte, n)
	err := m.eachOutput(values, n, func(i, _ int, v []float64, _ bool) error {
		out[i] = appendOutput(out[i], v)
		return nil
	})
	return out, err
}

func appendOutput(b []byte, v []float64) []byte {
	k, width := min(len(v), comparedAtMost), 4
	for e := range k {
		if x := v[picked(e, k, len(v))]; x != float64(float32(x)) && !math.IsNaN(x) {
			width = 8
		}
	}
	for _, n := range [...]int{len(v), k, width} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	for e := range k {
		if x := v[picked(e, k, len(v))]; width == 4 {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
		} else {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
	}
	return b
}

// eachOutput calls f with the elements of every output of every sample; exact says that they are no measurements but
// integers or truth values.
func (m Meter) eachOutput(values map[string]*tensor.Tensor, n int, f func(sample, output int, v []float64, exact bool) error) error {
	for k, name := range m.Outputs {
		t, v, err := m.value(values, name)
		if err != nil {
			return err
		}
		if n > 1 && (len(t.Shape) == 0 || t.Shape[0]%n != 0) {
			return fmt.Errorf("meter: output %q has shape %v: a first axis of %d samples is needed", name, t.Shape, n)
		}
		exact := integers(t.DType)
		size := len(v) / n
		for i := range n {
			if err := f(i, k, v[i*size:(i+1)*size], exact); err != nil {
				return err
			}
		}
	}
	return nil
}

// outputsAgainst makes the records of Outputs: the kept share of every output.
func (m Meter) outputsAgainst(out []byte, values map[string]*tensor.Tensor, answers [][]byte) ([]byte, error) {
	return m.recordsAgainst(out, answers, func(found func(sample, output int, share func(float []float64, total int) float64) error) error {
		return m.eachOutput(values, len(answers), func(i, k int, v []float64, exact bool) error {
			return found(i, k, func(float []float64, total int) float64 { return keptShare(float, v, total, exact) })
		})
	})
}

// recordsAgainst appends the records of all samples to out. each calls found for every output of every sample, outputs in
// order, with what compares it with the float model's elements of the answer.
func (m Meter) recordsAgainst(out []byte, answers [][]byte, each func(found func(sample, output int, share func(float []float64, total int) float64) error) error) ([]byte, error) {
	kept := make([]float64, len(answers)*len(m.Outputs))
	rest := append([][]byte{}, answers...)
	err := each(func(i, k int, share func([]float64, int) float64) (err error) {
		var float []float64
		var total int
		if float, total, rest[i], err = nextOutput(rest[i]); err != nil {
			return fmt.Errorf("meter: answer %d, output %q: %w", i, m.Outputs[k], err)
		}
		kept[i*len(m.Outputs)+k] = share(float, total)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, b := range rest {
		if len(b) > 0 {
			return nil, fmt.Errorf("meter: answer %d has %d bytes behind its outputs", i, len(b))
		}
	}
	for _, x := range kept {
		out = appendKept(out, x)
	}
	return out, nil
}

// nextOutput reads one output of an answer.
func nextOutput(b []byte) (v []float64, total int, rest []byte, err error) {
	if len(b) < answerHead {
		return nil, 0, nil, fmt.Errorf("%d bytes are no answer", len(b))
	}
	total, n, width := int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:])), int(binary.LittleEndian.Uint32(b[8:]))
	b = b[answerHead:]
	if n != min(total, comparedAtMost) || width != 4 && width != 8 || n > len(b)/width {
		return nil, 0, nil, fmt.Errorf("%d of %d elements of %d bytes in %d bytes are no answer", n, total, width, len(b))
	}
	v = make([]float64, n)
	for i := range v {
		if width == 4 {
			v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[i*4:])))
		} else {
			v[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[i*8:]))
		}
	}
	return v, total, b[n*width:], nil
}

// keptShare is the share of an output's energy that is no noise, E/(E+N) with E the sum of squares of the float model's
// elements and N that of the differences: 1 where both are equal, 1/2 at 0 dB, 0 where the shapes or what is no number
// differ. Of integers and truth values it is the share of equal ones.
func keptShare(float, v []float64, total int, exact bool) float64 {
	if total != len(v) {
		return 0
	}
	var energy, noise float64
	equal := 0
	for i, x := range float {
		y := v[picked(i, len(float), total)]
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			equal++
		} else {
			d := x - y
			noise += float64(d * d)
		}
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			energy += float64(x * x)
		}
	}
	switch {
	case equal == len(float):
		return 1
	case exact:
		return float64(equal) / float64(len(float))
	case math.IsNaN(noise) || math.IsInf(noise, 0):
		return 0
	}
	return energy / (energy + noise)
}

// keptOf is the mean kept share over the outputs of each record.
func keptOf(outputs int, records []byte) []float64 {
	size := keptSize * outputs
	out := make([]float64, len(records)/size)
	for i := range out {
		var sum float64
		for k := range outputs {
			sum += math.Float64frombits(binary.LittleEndian.Uint64(records[i*size+k*keptSize:]))
		}
		out[i] = sum / float64(outputs)
	}
	return out
}

// meanKept is the mean share over outputs and samples that the adapter's records hold. Its bounds take every sample not seen as
// lost, or as kept.
func meanKept(name, adapter, what string) kind {
	value := func(m Meter, _ Spec, records []byte, lost, whole int) Value {
		each := keptOf(len(m.Outputs), records)
		var sum float64
		for _, x := range each {
			sum += x
		}
		for range whole {
			sum++
		}
		return Float(sum / float64(len(each)+lost+whole))
	}
	return kind{
		name: name, what: what, direction: HigherBetter, adapters: []string{adapter},
		value: func(m Meter, s Spec, records []byte) Value { return value(m, s, records, 0, 0) },
		each:  func(m Meter, _ Spec, records []byte) []float64 { return keptOf(len(m.Outputs), records) },
		bounds: func(m Meter, s Spec, seen, rest []byte) (lo, hi Value) {
			left := len(rest) / (keptSize * len(m.Outputs))
			return value(m, s, seen, left, 0), value(m, s, seen, 0, left)
		},
	}
}
