package search

import (
	"context"
	"errors"

	"assay/shared/plan"
)

// ErrStop is what an Asker returns, wrapped or not, to end a search in good order: time is up, or the user asked. The search
// then returns its best plan so far, if it has measured the INT8 model; else the error. The error of a context that ended is
// none of these: it ends a search without an Outcome.
var ErrStop = errors.New("the search was asked to stop")

// Asker answers rounds: from memory, a cluster, stored results, or a table. It returns one answer a trial of Round.Need, in that
// order; with Until it may end early. The search owns the returned slice and writes the trial that was asked into each answer; see
// Answer for what else it keeps. An error other than ErrStop ends the search without an Outcome.
type Asker interface {
	Ask(context.Context, Round) ([]Answer, error)
}

// Trial is one question: what does Plan yield on the samples of View. The zero Plan is the float model. Metric and Stop describe
// an early end: only the side of each threshold on which the value of metric Metric lies matters, so the answer may stop at the
// smallest prefix of the view whose bounds decide all of them. No Stop means the whole view. POT sets neither: it takes nothing
// but full answers.
type Trial struct {
	Plan   plan.Plan
	View   plan.View
	What   plan.What
	Metric int
	Stop   []Value
}

// Round is what the search must know before its next decision. Until, if set, is asked with growing prefixes of the answers
// (lowest index first) and ends the round when true; answers behind that prefix stay invisible. Maybe holds trials that a
// later round is likely to need, most likely first; computing them is the Asker's choice. POT's rounds are "start" (float, then
// everything INT8), "rank" (a trial for each open group, on one view) and "revert" (one trial); it never sets Until.
type Round struct {
	Name  string // for progress, logs and the report; decides nothing
	Need  []Trial
	Until func([]Answer) bool
	Maybe []Trial
}

// Answer holds, for every metric of the problem in its order, the exact interval of its value over the view after the first Seen
// samples. Lo equals Hi in each when all are seen. Hi stays in the Outcome and Records may be read until the search returns, so the
// Asker gives both away. Trial is filled in by the search.
type Answer struct {
	Trial   Trial
	Lo, Hi  []Value
	Seen    int
	Records Records
}

// Records gives the metrics' own values per sample: 0 or 1 for top-1 accuracy, for example. Metrics without a per-sample
// value give a distance to the float model's output, with the metric's own direction kept: better samples have better values.
// Every answer needs one, but a search reads it of full evaluations only, in its own goroutine: those of float and of the model
// that a ranking starts from.
type Records interface {
	// Sample returns metric m's value for sample i of the trial's view (a position in it, no index of the data set), 0 <= i < Seen.
	// NaN is worse than every number; where float has NaN the sample counts as unchanged.
	Sample(m, i int) float64
}
