package search

import (
	"context"
	"errors"

	"assay/shared/plan"
)

// ErrStop is what an Asker returns, wrapped or not, to end a search in good order: time is up, or the user asked. The search
// then returns its best plan so far, if it has measured the INT8 model; else the error.
var ErrStop = errors.New("the search was asked to stop")

// Asker answers rounds: from memory, a cluster, stored results, or a table. An error ends the search.
type Asker interface {
	Ask(context.Context, Round) ([]Answer, error)
}

// Trial is one question: what does Plan yield on the samples of View. Metric and Stop describe an early end: only the side of
// each threshold on which the value of metric Metric lies matters, so the answer may stop at the smallest prefix of the
// view whose bounds decide all of them. No Stop means the whole view.
type Trial struct {
	Plan   plan.Plan
	View   plan.View
	What   plan.What
	Metric int
	Stop   []Value
}

// Round is what the search must know before its next decision. Until, if set, is asked with growing prefixes of the answers
// (lowest index first) and ends the round when true; answers behind that prefix stay invisible. Maybe holds trials that a
// later round is likely to need, most likely first; computing them is the Asker's choice.
type Round struct {
	Name  string
	Need  []Trial
	Until func([]Answer) bool
	Maybe []Trial
}

// Answer holds, for every metric of the problem, the exact interval of its value over the view after the first Seen samples.
// Lo equals Hi in each when all are seen.
type Answer struct {
	Trial   Trial
	Lo, Hi  []Value
	Seen    int
	Records Records
}

// Records gives the metrics' own values per sample: 0 or 1 for top-1 accuracy, for example. Metrics without a per-sample
// value give a distance to the float model's output, with the metric's own direction kept: better samples have better values.
// It is safe to keep; a search reads it only for full evaluations.
type Records interface {
	// Sample returns metric m's value for sample i of the trial's view, 0 <= i < Seen. NaN is worse than every number.
	Sample(m, i int) float64
}
