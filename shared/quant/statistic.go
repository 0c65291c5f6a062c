package quant

import (
	"fmt"
	"math"
	"slices"

	"assay/shared/op"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// Func reduces the tensor of one sample, over all its elements or over all axes but one. Its numbers are part of the
// taps' encoding and of their digest: append, never renumber.
type Func uint8

// The reductions. Quantile and AbsQuantile interpolate linearly between the order statistics around Q*(n-1). Dims
// returns the shape. Levels returns 16 order statistics evenly spread from the smallest to the largest element: real elements,
// never interpolated. Magnitudes counts elements by magnitude, see MagnitudeBins. NaN wins everywhere, so that it is seen.
const (
	Min Func = iota
	Max
	AbsMax
	Mean
	Quantile
	AbsQuantile
	Dims
	Levels
	Magnitudes
)

var funcNames = [...]string{"min", "max", "abs_max", "mean", "quantile", "abs_quantile", "dims", "levels", "magnitudes"}

// levelCount is the width of Levels.
const levelCount = 16

// String returns the name that job files use.
func (f Func) String() string {
	if int(f) < len(funcNames) {
		return funcNames[f]
	}
	return fmt.Sprintf("func(%d)", uint8(f))
}

// Tap is one statistic to collect for every calibration sample: Func of the value Value of the float model, over
// everything (Axis -1) or per index of axis Axis, counted from the end when below -1 (-2 is the last axis). Width is
// the number of results; a sample that gives another number is an error. Q is the probability of quantiles. A Tap is
// comparable and a key: fields that its Func does not read must be zero.
type Tap struct {
	Value string
	Func  Func
	Axis  int32
	Width uint32
	Q     float64
}

// Limits of DecodeTaps: more than any model needs, little enough for any machine.
const (
	MaxTaps    = 1 << 16
	MaxWidth   = 1 << 20 // results of one statistic
	MaxResults = 1 << 22 // results of all: 32 MiB a sample
)

// EncodeTaps returns the canonical bytes of a list of statistics. A store keeps them under plan.DigestOf("Taps", taps),
// which is the Ref of a Taps cell.
func EncodeTaps(taps []Tap) []byte { return plan.Encode("Taps", taps) }

// DecodeTaps reads EncodeTaps and refuses lists that a Recorder should not begin on: unknown functions, probabilities outside 0..1,
// more than the limits. Whether the model has the values, and an axis its tensor, is seen by Collect.
func DecodeTaps(b []byte) ([]Tap, error) {
	var taps []Tap
	if err := plan.Decode("Taps", b, &taps); err != nil {
		return nil, err
	}
	if len(taps) > MaxTaps {
		return nil, fmt.Errorf("taps: %d statistics, %d are allowed", len(taps), MaxTaps)
	}
	results := 0
	for i, t := range taps {
		results += int(t.Width) // of 65,536 numbers below 2^32: no overflow
		switch {
		case int(t.Func) >= len(funcNames):
			return nil, fmt.Errorf("taps: statistic %d: function %d is unknown", i, t.Func)
		case t.Width == 0 || t.Width > MaxWidth:
			return nil, fmt.Errorf("taps: statistic %d: width %d is outside 1..%d", i, t.Width, MaxWidth)
		case !(t.Q >= 0 && t.Q <= 1):
			return nil, fmt.Errorf("taps: statistic %d: probability %g is outside 0..1", i, t.Q)
		}
	}
	if results > MaxResults {
		return nil, fmt.Errorf("taps: %d results a sample, %d are allowed", results, MaxResults)
	}
	return taps, nil
}

// RecordSize is the number of bytes of one sample's results for taps: little-endian float64s in the order of taps.
func RecordSize(taps []Tap) int {
	n := 0
	for _, t := range taps {
		n += 8 * int(t.Width)
	}
	return n
}

// Collect computes one statistic of one sample's tensor in float64, in logical element order, however v lies; v.Shape is logical
// either way. v is not changed. Zeros have no sign in it: which of two equal zeros comes first would be a matter of layout. Errors:
// a tensor that is not float32 or has no elements (but for Dims), an axis that it does not have, a number of results other than
// t.Width. It is safe for concurrent use.
func Collect(t Tap, v *tensor.Tensor, y op.Layout) ([]float64, error) {
	r, err := collect(t, v, y)
	if err == nil && len(r) != int(t.Width) {
		err = fmt.Errorf("%d results, %d are expected", len(r), t.Width)
	}
	if err != nil {
		return nil, fmt.Errorf("statistic %s of %q, shape %v: %w", t.Func, t.Value, v.Shape, err)
	}
	return r, nil
}

// Everything but Dims wants float32 and at least one element: a minimum of nothing would be no number.
func collect(t Tap, v *tensor.Tensor, y op.Layout) ([]float64, error) {
	if t.Func == Dims {
		out := make([]float64, len(v.Shape))
		for i, d := range v.Shape {
			out[i] = float64(d)
		}
		return out, nil
	}
	if v.DType != tensor.Float32 {
		return nil, fmt.Errorf("%s is not float32", v.DType)
	}
	if v.Len() == 0 {
		return nil, fmt.Errorf("no elements")
	}
	axis := int(t.Axis)
	if axis < -1 {
		axis += len(v.Shape) + 1
	}
	if axis < -1 || axis >= len(v.Shape) {
		return nil, fmt.Errorf("no axis %d", t.Axis)
	}
	x, shape := v.F32(), v.Shape
	if y == op.ChannelsLast && len(shape) >= 3 {
		switch {
		case t.Func == Mean && axis == channelAxis:
			return columnMeans(x, shape[axis]), nil
		case t.Func == Mean:
			x = channelsFirst(x, shape)
		default:
			shape, axis = lastShape(shape), lastAxis(axis, len(shape))
		}
	}
	if axis == -1 {
		return reduce(t, x), nil
	}
	var out []float64
	for c := range shape[axis] {
		out = append(out, reduce(t, channel(x, shape, axis, c))...)
	}
	return out, nil
}

// channel gathers the elements of index c along axis, in element order.
func channel(x []float32, shape []int, axis, c int) []float32 {
	inner := tensor.Count(shape[axis+1:])
	step := inner * shape[axis]
	out := make([]float32, 0, len(x)/shape[axis])
	for at := c * inner; at < len(x); at += step {
		out = append(out, x[at:at+inner]...)
	}
	return out
}

// The sum of Mean is one chain in element order in float64. Quantiles sort a copy; NaN anywhere gives NaN.
func reduce(t Tap, x []float32) []float64 {
	switch t.Func {
	case Min, Max, AbsMax:
		return []float64{extreme(t.Func, x)}
	case Mean:
		sum := 0.0
		for _, v := range x {
			sum += float64(v)
		}
		return []float64{sum / float64(len(x))}
	case Magnitudes:
		return magnitudes(x)
	}
	s, ok := ascending(x, t.Func == AbsQuantile)
	if !ok {
		return slices.Repeat([]float64{math.NaN()}, int(t.Width))
	}
	if t.Func == Levels {
		out := make([]float64, levelCount)
		for i := range out {
			out[i] = s[i*(len(s)-1)/(levelCount-1)]
		}
		return out
	}
	return []float64{quantile(s, t.Q)}
}

// extreme is the smallest, largest or, in magnitude, largest of x, +0 for any zero, and NaN if there is one. All
// activations of a calibration pass through it.
func extreme(f Func, x []float32) float64 {
	if len(x) == 0 {
		return 0
	}
	lo, hi, ok := op.Extremes(x)
	switch {
	case !ok:
		return math.NaN() // not the one that comes first: which that is depends on layout
	case f == Min:
		return float64(lo) + 0
	case f == AbsMax:
		return max(math.Abs(float64(lo)), math.Abs(float64(hi)))
	}
	return float64(hi) + 0
}

// quantile interpolates in sorted s, which is not empty and holds no NaN. Position q*(n-1), linear between neighbours
// (pot-spec 3.3): 0..7 at 0.01 is 0.07.
func quantile(s []float64, q float64) float64 {
	pos := float64(q * float64(len(s)-1))
	i := int(math.Floor(pos))
	if i >= len(s)-1 {
		return s[len(s)-1]
	}
	return s[i] + float64((s[i+1]-s[i])*(pos-float64(i)))
}
