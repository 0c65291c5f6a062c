package quant

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// Taps lists the statistics that Build needs of every calibration sample, each once, in node order. The values are
// those of the float model, normalised. The list is a function of model and configuration, to the order: its digest names the
// cells that collect it. An error is a configuration that Config's Check or CheckScope refuses. m is not changed.
func Taps(m *graph.Model, cfg Config) ([]Tap, error) {
	s, err := newSketch(m, cfg)
	if err != nil {
		return nil, err
	}
	return s.taps(), nil
}

// CountGroups is how many groups Build makes, if statistics keep no point apart: placement alone says that, before calibration. Errors
// are those of Taps.
func CountGroups(m *graph.Model, cfg Config) (int, error) {
	s, err := newSketch(m, cfg)
	if err != nil {
		return 0, err
	}
	return len(s.groups(s.sites)), nil
}

func (s *sketch) taps() []Tap {
	var out []Tap
	seen := map[Tap]bool{}
	add := func(t ...Tap) {
		for _, t := range t {
			if !seen[t] {
				seen[t] = true
				out = append(out, t)
			}
		}
	}
	for _, t := range s.sites {
		switch {
		case t.kind == plan.Activation:
			r := s.estimator(t.value)
			add(r.min.tap(t.value), r.max.tap(t.value))
			if s.isInput(t.value) {
				add(levelsTap(t.value))
			}
		case t.kind == plan.Weight && !s.cfg.NoFastBias:
			for _, l := range t.layers {
				if s.correctable(l) {
					add(s.biasTaps(l)...)
				}
			}
		}
	}
	return out
}

// estimator is the rule for v's range. A result that no integer operation reads is there for the layer's sake only, and
// often the logits: clipping it would make the largest ones equal.
func (s *sketch) estimator(v string) rule {
	if s.products[v] {
		return s.cfg.products
	}
	if s.reaches(v) {
		return s.cfg.activations
	}
	return s.cfg.results
}

func (e end) tap(value string) Tap { return Tap{Value: value, Func: e.fn, Axis: -1, Width: 1, Q: e.q} }

func levelsTap(value string) Tap { return Tap{Value: value, Func: Levels, Axis: -1, Width: levelCount} }

// isInput reports whether v is a graph input, perhaps behind transparent operators.
func (s *sketch) isInput(v string) bool {
	for s.classOf(s.x.Producer[v]) == classTransparent {
		v = s.x.Producer[v].Inputs[0]
	}
	return s.x.Producer[v] == nil && !s.isConst(v)
}

// Stats are the taps' results of all calibration samples. index[taps[i]] is the sum of the widths before i. It is not
// changed after NewStats and safe for concurrent use.
type Stats struct {
	taps  []Tap
	index map[Tap]int // offset in a row
	rows  [][]float64 // in sample order
	names []string    // of the samples, for messages
}

// ErrNotFinite is a statistic that is NaN or infinite: the sample holds such a value, or the model computes one from it.
var ErrNotFinite = errors.New("leave the sample out or repair it, or list the operation that reads the value under ignored")

// NewStats reads one record (see Record) a sample, in data order; samples names them in messages and may be nil. taps and samples
// are kept and not changed any more, records are not kept. A result that is no finite number is an ErrNotFinite that names the
// sample: one such value would ruin every range behind it. No sample at all, where there are taps, is an error too.
func NewStats(taps []Tap, records [][]byte, samples []string) (*Stats, error) {
	s := &Stats{taps: taps, index: map[Tap]int{}, names: samples}
	size := RecordSize(taps)
	at := 0
	for _, t := range taps {
		s.index[t] = at
		at += int(t.Width)
	}
	for i, b := range records {
		if len(b) != size {
			return nil, fmt.Errorf("statistics of %s: %d bytes, %d statistics take %d", s.sample(i), len(b), len(taps), size)
		}
		row := make([]float64, size/8)
		for j := range row {
			row[j] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*j:]))
		}
		for _, t := range taps {
			for _, v := range row[s.index[t]:][:t.Width] {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("statistics of %s: %s of %q is %g: %w", s.sample(i), t.Func, t.Value, v, ErrNotFinite)
				}
			}
		}
		s.rows = append(s.rows, row)
	}
	if len(s.rows) == 0 && len(taps) > 0 {
		return nil, fmt.Errorf("statistics: no calibration samples")
	}
	return s, nil
}

func (s *Stats) sample(i int) string {
	if i < len(s.names) {
		return fmt.Sprintf("sample %d (%s)", i, s.names[i])
	}
	return fmt.Sprintf("sample %d", i)
}

// fold aggregates one statistic over the samples. len(result) is the tap's width.
func (s *Stats) fold(t Tap, aggregator string) ([]float64, error) {
	rows, err := s.each(t)
	if err != nil {
		return nil, err
	}
	return Aggregate(aggregator, rows)
}

// each is one statistic of every sample. The rows share the Stats' memory.
func (s *Stats) each(t Tap) ([][]float64, error) {
	at, ok := s.index[t]
	if !ok {
		return nil, fmt.Errorf("statistics: %s of %q was not collected (for another configuration?)", t.Func, t.Value)
	}
	rows := make([][]float64, len(s.rows))
	for i, r := range s.rows {
		rows[i] = r[at : at+int(t.Width)]
	}
	return rows, nil
}

// outlierRatio: a sample whose extreme is this many times the median of all samples' is reported.
const outlierRatio = 100

// Outliers names samples whose largest magnitude somewhere is 100 times that of the typical sample, one line each, at
// most one a sample: plain minimum and maximum then spend the levels on them, and the quantile presets do not.
func (s *Stats) Outliers() []string {
	var out []string
	told := map[int]bool{}
	for _, t := range s.taps {
		if t.Axis != -1 || t.Func != Max && t.Func != AbsMax || len(s.rows) < 3 {
			continue
		}
		at := s.index[t]
		x := make([]float64, len(s.rows))
		for i, r := range s.rows {
			x[i] = math.Abs(r[at])
		}
		typical := median(append([]float64(nil), x...))
		for i, v := range x {
			if v > outlierRatio*typical && typical > 0 && !told[i] {
				told[i] = true
				out = append(out, fmt.Sprintf("%s: %s of %q is %.4g, the median of all samples %.4g; consider range_estimator preset quantile", s.sample(i), t.Func, t.Value, v, typical))
			}
		}
	}
	return out
}

// constStat is a statistic of a constant, per index of axis or, with -1, of all of it. The same code measures constants
// and samples, so one estimator's words mean the same for both.
func (s *sketch) constStat(value string, axis int, e end) ([]float64, error) {
	t := s.g.Consts[value]
	width := 1
	if axis >= 0 {
		width = t.Shape[axis]
	}
	return Collect(Tap{Value: value, Func: e.fn, Axis: int32(axis), Width: uint32(width), Q: e.q}, &tensor.Tensor{DType: t.DType, Shape: t.Shape, Data: t.Data}, op.Logical)
}
