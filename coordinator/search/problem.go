package search

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"assay/shared/metric"
	"assay/shared/plan"
)

// Metric describes one metric to the search. Chance is the value of a model that guesses, nil where it is not known; it decides
// nothing and only lets the outcome say that a model has collapsed.
type Metric struct {
	Name      string // for notes and errors; need not be unique
	Direction metric.Direction
	Chance    *Value
}

// better orders two values of m: below 0 when a is the better one. A value that is no finite number is worst.
func (m Metric) better(a, b Value) int {
	switch x, y := finite(a), finite(b); {
	case !x && !y:
		return 0
	case !x:
		return 1
	case !y:
		return -1
	case m.Direction == metric.HigherWorse:
		return a.Compare(b)
	default:
		return b.Compare(a)
	}
}

// finite says that v is a number.
func finite(v Value) bool { return v.Exact() || !math.IsNaN(v.F) && !math.IsInf(v.F, 0) }

// Unlimited is the value of Problem.Iterations that sets no limit.
const Unlimited = -1

// Problem is one search. All of it is known before the first question. The outcome shares View and Metrics with it. Names in
// comments are POT's parameters (pot-spec 1.2).
type Problem struct {
	Params     plan.Digest  // of everything INT8; the zero digest would be the float model
	Groups     int          // groups of Params, numbered from 0 in topological order
	View       plan.View    // the samples of full evaluations, in data order
	Metrics    []Metric     // every one must hold; ties between them go to the first
	Limit      metric.Limit // maximal_drop and drop_type, for every metric alike
	Subset     int          // ranking_subset_size: samples that score a group; more than the view holds means all
	Iterations int          // max_iter_num: reverts tried, each a full evaluation; Unlimited, or 0 and more
	KeepWorse  bool         // use_prev_if_drop_increase false: a revert that made it worse stays
}

// Check reports everything that makes p no search at all, in one error of one line.
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
	for _, m := range p.Metrics {
		if m.Direction != metric.HigherBetter && m.Direction != metric.HigherWorse {
			add("metric %s: direction %d, want %v or %v", m.Name, m.Direction, metric.HigherBetter, metric.HigherWorse)
		}
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
