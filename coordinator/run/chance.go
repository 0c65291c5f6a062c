package run

import (
	"fmt"
	"math"

	"assay/coordinator/search"
	"assay/shared/metric"
)

// fewClasses is the number of classes from which a float model that guesses is taken for a mistake in the data. With
// fewer, an honest model may be as poor.
const fewClasses = 10

// chance is what guessing gives in metric s among so many classes; nil when that is not known.
func chance(s metric.Spec, classes int) *search.Value {
	if s.Type != "accuracy" && s.Type != typeAgreement || classes < 2 || int(s.TopK) >= classes {
		return nil
	}
	v := metric.Count(int64(s.TopK), int64(classes))
	return &v
}

// guessing reports whether v hits of n samples cannot be told from guessing: within two standard deviations, or two hits.
// Nobody guesses right every time, and the float model agrees with itself on however few samples. v counts hits, chance
// is a share: guessing is hits <= n*p + max(2, 2*sqrt(n*p*(1-p))).
func guessing(v, chance search.Value) bool {
	if v.Num == v.Den {
		return false
	}
	n, p := float64(v.Den), chance.F
	return float64(v.Num) <= n*p+max(2, 2*math.Sqrt(n*p*(1-p)))
}

// checkBaseline refuses a float model that guesses: labels in another order, or another preprocessing, are nearly
// always the cause, and every model is within the limit then. For correlations the bound is 2/sqrt(n), two standard
// errors of a correlation that is none.
func (w *watcher) checkBaseline(samples int) error {
	for k, m := range w.search.Metrics {
		if w.scored && math.Abs(w.baseline[k].F) <= 2/math.Sqrt(float64(samples)) {
			return &InputError{fmt.Errorf("the float model has %v in %s over %d samples, which is no correlation: nothing could be lost. Are scores and rows in the same order, is --output the right output, and engine.mask the right mask?", w.baseline[k], m.Name, samples)}
		}
		if m.Chance == nil || !guessing(w.baseline[k], *m.Chance) {
			continue
		}
		text := fmt.Sprintf("the float model has %v in %s, and guessing gives %.4f", w.baseline[k], m.Name, m.Chance.F)
		if m.Chance.F > 1.0/fewClasses {
			w.events.note(text + ": do the labels and the preprocessing fit the model?")
			continue
		}
		return &InputError{fmt.Errorf("%s: nothing could be lost. Do the labels count classes as the model does (from 0, in its order)? Is the preprocessing (--like, --mean, --std, --scale, --channels) that of its training?", text)}
	}
	return nil
}
