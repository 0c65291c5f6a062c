package search

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"

	"assay/shared/plan"
)

// Metric describes one metric to the search. Chance, if known, is the value of a model that guesses; it decides nothing and
// only lets the outcome say that a model has collapsed.
type Metric struct {
	Name          string
	LowerIsBetter bool
	Chance        *Value
}

// Drop returns how much worse v is than baseline in the metric's own unit, exactly: above 0 is worse, whatever the
// direction. It is nil when v is no finite number; a baseline that is none is refused before any drop is taken.
func (m Metric) Drop(baseline, v Value) *big.Rat {
	b, ok := baseline.rat()
	w, finite := v.rat()
	if !ok || !finite {
		return nil
	}
	if m.LowerIsBetter {
		return w.Sub(w, b)
	}
	return b.Sub(b, w)
}

// better compares two values of m: negative when a is better. A value that is no number is worst.
func (m Metric) better(a, b Value) int {
	x, okX := a.rat()
	y, okY := b.rat()
	switch {
	case !okX && !okY:
		return 0
	case !okX:
		return 1
	case !okY:
		return -1
	case m.LowerIsBetter:
		return x.Cmp(y)
	}
	return y.Cmp(x)
}

// Unlimited is the value of Problem.Iterations that sets no limit.
const Unlimited = -1

// Problem is one search. All of it is known before the first question.
type Problem struct {
	Params     plan.Digest // everything INT8
	Groups     int         // groups of Params, numbered in topological order
	View       plan.View   // the samples of full evaluations, in data order
	Metrics    []Metric    // every one must hold; ties between them go to the first
	Limit      Limit
	Subset     int  // ranking_subset_size: samples that score a group; more than the view holds means all
	Iterations int  // max_iter_num: reverts tried, each a full evaluation; Unlimited, or 0 and more
	KeepWorse  bool // use_prev_if_drop_increase false: a revert that made it worse stays
}

// Check reports what makes p no search at all.
func (p Problem) Check() error {
	var bad []string
	add := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if p.Groups < 0 {
		add("groups: %d, want 0 or more", p.Groups)
	}
	if len(p.View.Samples) == 0 {
		add("samples: none, so no metric has a value; give data with labels or let labels come from the float model")
	}
	if len(p.View.Samples) > math.MaxInt32 {
		add("samples: %d, at most %d", len(p.View.Samples), math.MaxInt32)
	}
	if len(p.Metrics) == 0 {
		add("metrics: none, so no drop can be measured; name at least one")
	}
	if p.Limit.Drop == nil || p.Limit.Drop.Sign() < 0 {
		add("maximal_drop: unset or below 0, want 0 or more")
	}
	if p.Subset < 1 {
		add("ranking_subset_size: %d, want 1 or more", p.Subset)
	}
	if p.Iterations < Unlimited {
		add("max_iter_num: %d, want 0 or more", p.Iterations)
	}
	if len(bad) > 0 {
		return errors.New("search: " + strings.Join(bad, "; "))
	}
	return nil
}
