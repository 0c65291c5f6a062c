package quant

import "fmt"

// Estimator says how a range follows from values. Preset names a row of the table below; fields given in Min and Max
// overwrite its fields one by one. The empty preset is "extremes" with the regions placement and "default" with pot.
//
// "default" is POT's: the mean of the samples' maxima. It was measured to clip too much where Relu and Clip end every
// layer: all-INT8 MobileNetV1-0.25 keeps 53 % of 63 with it and 62 with the largest maximum, SqueezeNet 43.5 of 64 and
// 65.5.
//
// No estimator of the table does better for all with the regions placement. Everything INT8, extremes / the mean of maxima /
// hl_estimator / quantile at 1e-5 / at 1e-4: a vision transformer 341 / 319 / 317 / 321 / 317 of 600 (float 337),
// MobileNetV1-0.25 124 / 122 / 124 / 124 / 122 of 200 (126), SqueezeNet 132 / 127 / 129 / 128 / 128 of 200 (129), ResNet-8
// 452 / 454 / 453 / 455 / 453 of 600 (451). A text detector's heat map over 8 pages has 11.8 / 11.3 / 10.7 / 11.7 / 11.7 %
// noise, and 13.0 % with symmetric activations: what clips a little less noise there costs the transformer four points.
type Estimator struct {
	Preset string
	Min    Side
	Max    Side
}

// Side is one end of a range: Type reduces a sample's tensor, Aggregator folds the samples (activations only),
// OutlierProb is the probability cut off by quantile types (the upper side uses 1 - p), Clipping bounds the finished
// range. Nil and empty fields keep the preset's values.
type Side struct {
	Type        string
	Aggregator  string
	OutlierProb *float64
	Clipping    *float64
}

// end is a Side without open fields. aggregator is empty for weights, which have one value; q is the probability of
// quantile functions and 0 for the others, so that equal taps compare equal.
type end struct {
	fn         Func
	aggregator string
	q          float64
}

// rule is a resolved Estimator. clipLow and clipTop are nil where nothing is clipped.
type rule struct {
	min, max         end
	clipLow, clipTop *float64
}

// outlierProb is POT's default share cut off by a quantile, on each side.
const outlierProb = 1e-4

// presets is the table of estimators for per-tensor activations and for weights: kind/mode/preset.
var presets = map[string]rule{
	"activations/symmetric/extremes":  {min: end{Min, "min", 0}, max: end{AbsMax, "max", 0}},
	"activations/asymmetric/extremes": {min: end{Min, "min", 0}, max: end{Max, "max", 0}},
	"activations/symmetric/default":   {min: end{Min, "min", 0}, max: end{AbsMax, "mean", 0}},
	"activations/symmetric/quantile":  {min: end{Min, "min", 0}, max: end{AbsQuantile, "mean", 1 - outlierProb}},
	"activations/asymmetric/default":  {min: end{Min, "mean", 0}, max: end{Max, "mean", 0}},
	"activations/asymmetric/quantile": {min: end{Quantile, "mean", outlierProb}, max: end{Quantile, "mean", 1 - outlierProb}},
	"weights/symmetric/extremes":      {max: end{AbsMax, "", 0}},
	"weights/symmetric/default":       {max: end{AbsMax, "", 0}},
	"weights/symmetric/quantile":      {max: end{AbsQuantile, "", 1 - outlierProb}},
}

var minTypes = map[string]Func{"min": Min, "quantile": Quantile}
var maxTypes = map[string]Func{"max": Max, "abs_max": AbsMax, "quantile": Quantile, "abs_quantile": AbsQuantile}

// resolve finds the preset of kind and mode and lays the given fields over it. The error begins with the key, for the
// job file's path in front.
func (e Estimator) resolve(weights bool, mode, fallback string) (rule, error) {
	kind := "activations"
	if weights {
		kind = "weights"
	}
	preset := e.Preset
	def(&preset, fallback)
	r, ok := presets[kind+"/"+mode+"/"+preset]
	if !ok {
		return rule{}, fmt.Errorf("preset: %q is not possible, use extremes, default or quantile", e.Preset)
	}
	if weights && (e.Min.Type != "" || e.Min.Aggregator != "" || e.Min.OutlierProb != nil || e.Max.Aggregator != "") {
		return rule{}, fmt.Errorf("weights are symmetric and have one value: only max.type, max.outlier_prob and clipping_value are possible")
	}
	if err := e.Min.overwrite(&r.min, minTypes, false); err != nil {
		return rule{}, fmt.Errorf("min.%w", err)
	}
	if err := e.Max.overwrite(&r.max, maxTypes, true); err != nil {
		return rule{}, fmt.Errorf("max.%w", err)
	}
	r.clipLow, r.clipTop = e.Min.Clipping, e.Max.Clipping
	return r, nil
}

// A type that becomes a quantile takes POT's probability unless one is given. outlier_prob on a side that is no
// quantile has no effect, as in POT.
func (s Side) overwrite(e *end, types map[string]Func, upper bool) error {
	if s.Type != "" {
		fn, ok := types[s.Type]
		if !ok {
			return fmt.Errorf("type: %q is not possible here", s.Type)
		}
		if wasQuantile := e.fn == Quantile || e.fn == AbsQuantile; !wasQuantile {
			e.q = outlierProb
			if upper {
				e.q = 1 - outlierProb
			}
		}
		e.fn = fn
	}
	if s.Aggregator != "" {
		if aggregators[s.Aggregator] == nil {
			return fmt.Errorf("aggregator: %q is unknown", s.Aggregator)
		}
		e.aggregator = s.Aggregator
	}
	if p := s.OutlierProb; p != nil {
		if !(*p >= 0 && *p < 0.5) {
			return fmt.Errorf("outlier_prob: %g is not possible, use a number from 0 to below 0.5", *p)
		}
		e.q = *p
		if upper {
			e.q = 1 - *p
		}
	}
	if e.fn != Quantile && e.fn != AbsQuantile {
		e.q = 0
	}
	return nil
}

// clip bounds a finished range by clipping_value. Zero stays inside. The zero point may then lie between levels by
// rounding; u8 moves it onto one again.
func (r rule) clip(s span) span {
	if r.clipLow != nil {
		s.lo = max(s.lo, min(*r.clipLow, 0))
	}
	if r.clipTop != nil {
		s.hi = min(s.hi, max(*r.clipTop, 0))
	}
	return s
}
