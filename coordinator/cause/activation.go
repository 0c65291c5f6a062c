package cause

import (
	"fmt"
	"math"
	"slices"

	"assay/shared/plan"
	"assay/shared/quant"
)

// maxChannels bounds a statistic by channel.
const maxChannels = 4096

// Taps lists what Find wants to know of the given groups' activations, each once, in the order of the groups and of their points; nil where
// no group has any. Groups are indices of Params.Groups.
func (m *Model) Taps(groups []int) []quant.Tap {
	var out []quant.Tap
	seen := map[string]bool{}
	for _, g := range groups {
		for _, i := range m.Params.Groups[g] {
			p := m.Params.Points[i]
			if p.Kind != plan.Activation || seen[p.Value] {
				continue
			}
			seen[p.Value] = true
			ends := extremes(p.Value)
			out = append(out, ends[0], ends[1])
			out = append(out, histogram(p.Value))
			if t, ok := m.channels(p.Value); ok {
				out = append(out, t)
			}
		}
		for _, n := range m.sums(g) {
			out = append(out, histogram(n.Outputs[0]))
		}
	}
	return once(out)
}

// once drops statistics that are asked twice.
func once(taps []quant.Tap) []quant.Tap {
	var out []quant.Tap
	for _, t := range taps {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// extremes are the smallest and the largest element of v, a number each a sample.
func extremes(v string) [2]quant.Tap {
	return [2]quant.Tap{{Value: v, Func: quant.Min, Axis: -1, Width: 1}, {Value: v, Func: quant.Max, Axis: -1, Width: 1}}
}

// histogram counts the elements of v by magnitude, quant.MagnitudeBins numbers a sample.
func histogram(v string) quant.Tap {
	return quant.Tap{Value: v, Func: quant.Magnitudes, Axis: -1, Width: quant.MagnitudeBins}
}

// channels is the statistic by channel: axis 1 of pictures and sequences of pictures, the last axis of what has fewer axes.
func (m *Model) channels(v string) (quant.Tap, bool) {
	shape := m.Shapes[v]
	axis := 1
	if len(shape) < 4 {
		axis = len(shape) - 1
	}
	if len(shape) < 2 || shape[axis] < 2 || shape[axis] > maxChannels {
		return quant.Tap{}, false
	}
	return quant.Tap{Value: v, Func: quant.AbsMax, Axis: int32(axis), Width: uint32(shape[axis])}, true
}

// seen is what the statistics say of one activation, all samples together.
type seen struct {
	lo, hi   float64
	count    []float64 // by magnitude
	values   float64   // elements that are not zero
	channels []float64 // largest magnitude of each, nil when not asked
}

// look reads what st has of v, over all samples: extremes folded by min and max, counts added up, channel maxima by max. A
// statistic that was not collected is an error.
func (m *Model) look(v string, st *quant.Stats) (s seen, err error) {
	ends := extremes(v)
	fold := func(t quant.Tap, aggregator string) []float64 {
		var rows [][]float64
		if rows, err = st.Rows(t); err != nil {
			return []float64{0}
		}
		var out []float64
		out, err = quant.Aggregate(aggregator, rows)
		return out
	}
	if s.lo = fold(ends[0], "min")[0]; err != nil {
		return s, err
	}
	if s.hi = fold(ends[1], "max")[0]; err != nil {
		return s, err
	}
	if err := s.counted(v, st); err != nil {
		return s, err
	}
	if t, ok := m.channels(v); ok {
		s.channels = fold(t, "max")
	}
	return s, err
}

// counted reads the histogram of v.
func (s *seen) counted(v string, st *quant.Stats) error {
	rows, err := st.Rows(histogram(v))
	if err != nil {
		return err
	}
	s.count = make([]float64, quant.MagnitudeBins)
	for _, r := range rows {
		for i, n := range r {
			s.count[i] += n
		}
	}
	for _, n := range s.count[1:] {
		s.values += n
	}
	return nil
}

// below is the share of the values in bins that end at or below v: never more than the true share.
func (s seen) below(v float64) float64 {
	n := 0.0
	for i := 1; i < len(s.count)-1 && quant.MagnitudeEdge(i+1) <= v; i++ {
		n += s.count[i]
	}
	return n / max(s.values, 1)
}

// magnitude below which a share q of the values under limit lies; the end of its bin, so never too small.
func (s seen) magnitude(q, limit float64) float64 {
	all, n := 0.0, 0.0
	for i := 1; i < len(s.count) && quant.MagnitudeEdge(i) < limit; i++ {
		all += s.count[i]
	}
	for i := 1; i < len(s.count)-1; i++ {
		if n += s.count[i]; n >= q*all {
			return quant.MagnitudeEdge(i + 1)
		}
	}
	return math.Inf(1)
}

// activation applies the rules for activations to a point.
func (m *Model) activation(p plan.Point, st *quant.Stats) ([]Cause, error) {
	s, err := m.look(p.Value, st)
	if err != nil || s.values == 0 {
		return nil, err
	}
	scale, zero := float64(p.Scale[0]), float64(p.Zero[0])
	lowest, highest := plan.Range(p.DType)
	bottom, top := (float64(lowest)-zero)*scale, (float64(highest)-zero)*scale
	end := max(-bottom, top)
	var out []Cause
	add := func(kind string, figure float64, format string, args ...any) {
		out = append(out, Cause{kind, p.Value, figure, fmt.Sprintf(format, args...)})
	}
	if c, ok := m.mask(p.Value, bottom, top, s); ok {
		out = append(out, c)
	}
	most := s.magnitude(0.99, math.Inf(1)) // +Inf where they lie in the last bin, so that the ratio is 0
	if ratio := end / most; ratio >= outlierRatio {
		add(RangeOutlier, ratio, "the range reaches to %v, %v times as far as 99 %% of the values, which stay below %v", digits(end), digits(ratio), digits(most))
	}
	if share := s.below(scale / 2); share >= zeroShare {
		add(RoundedToZero, share, "%.0f %% of the values are smaller than half a level (%v; the range is %v to %v) and round to zero", math.Floor(100*share), digits(scale/2), digits(bottom), digits(top))
	}
	if ratio, median, largest := imbalance(s.channels); ratio >= channelRatio {
		add(ChannelImbalance, ratio, "the largest of %d channels reaches to %v, the median one to %v, %v times less, and all share one scale", len(s.channels), digits(largest), digits(median), digits(ratio))
	}
	levels := (min(s.hi, top) - max(s.lo, bottom)) / scale
	switch {
	case levels > fewLevels || s.hi <= s.lo:
	case s.lo > 0 || s.hi < 0:
		add(ClippedZeroPoint, levels, "the values lie between %v and %v, the range must include zero, and they use %.0f of 256 levels", digits(s.lo), digits(s.hi), math.Ceil(levels))
	default:
		add(UnusedLevels, levels, "the values lie between %v and %v and use %.0f of 256 levels of the range %v to %v", digits(s.lo), digits(s.hi), math.Ceil(levels), digits(bottom), digits(top))
	}
	return out, nil
}

// imbalance compares the largest channel with the median of those that are not zero.
func imbalance(channels []float64) (ratio, median, largest float64) {
	var alive []float64
	for _, v := range channels {
		if v > 0 {
			alive = append(alive, v)
		}
	}
	if len(alive) < 2 {
		return 0, 0, 0
	}
	slices.Sort(alive)
	median, largest = alive[len(alive)/2], alive[len(alive)-1]
	return largest / median, median, largest
}
