package search

import "assay/shared/plan"

// Reason says why a search ended.
type Reason string

// The reasons. Outcome.Met is true with Met, may be with Nothing, and is false with the others.
const (
	Met        Reason = "met"                 // a plan is within every limit
	AllFloat   Reason = "all-float"           // every group went back to float and a limit is missed all the same
	Iterations Reason = "iterations"          // max_iter_num reverts were tried
	Nothing    Reason = "nothing-to-quantize" // the model has no group
	Stopped    Reason = "stopped"             // the Asker said ErrStop
)

// Verdict says what a step's answer led to.
type Verdict string

// The verdicts. Worse is about the metric that is optimised, against the drop to beat (pot-spec 2.6).
const (
	Within     Verdict = "within"       // all limits hold: the end
	Gone       Verdict = "all-float"    // no group is left: the end
	Improved   Verdict = "kept"         // not worse, if only equal: go on with the same ranking
	Forgiven   Verdict = "forgiven"     // worse, but the first revert after a start or a roll-back may be
	RolledBack Verdict = "rolled-back"  // worse: the revert is undone, rank again
	KeptWorse  Verdict = "kept-worse"   // worse, kept as KeepWorse wants: rank again
	Switched   Verdict = "other-metric" // this metric holds now, another does not: rank again for that one
)

// Outcome is everything that a search found and why. It is a pure function of the problem and the answers. Lists that are empty may be
// nil, but for Float.
type Outcome struct {
	Plan     plan.Plan // the best plan seen, which need not be the last
	Float    []Revert  // its float groups in the order of their revert
	Met      bool      // Plan is within every limit
	Reason   Reason
	Metrics  []Result  // in the problem's order
	Steps    []Step    // in the order of their trial, those that were undone included
	Rankings []Ranking // in the order in which they were followed
	Trials   []Asked
	Notes    []string // what a reader must know to judge the result, in plain words
}

// Result is one metric at the end. Drop is that of Final, positive for worse, in the unit of the limit: the metric's own, or a share of
// the baseline's magnitude (pot-spec 2.1).
type Result struct {
	Metric                Metric
	Baseline, Int8, Final Value
	Drop                  Value
	Met                   bool
}

// Revert is a group that is float in the end. Gain is how much its step lowered the drop of metric Metric (below 0: raised)
// against the plan that it was added to, in the unit of the limit; NaN when a value of that step was no number.
type Revert struct {
	Group  int
	Metric int // index in Problem.Metrics, as in what follows
	Gain   Value
}

// Step is one revert that was tried: Group went to float on top of what was float then, giving Float. Drops holds one drop per
// metric in the unit of the limit, NaN for a value that is no number. Metric is the one optimised before the step, Ranking the index of
// the ranking followed. Best marks a new best plan.
type Step struct {
	Group   int
	Metric  int
	Ranking int
	Float   []int // ascending
	Values  []Value
	Drops   []Value
	Verdict Verdict
	Best    bool
}

// Ranking is one order of groups, best first, equal ones by index (pot-spec 2.7). Before is the number of steps made before it. Tied says
// that all scores are equal, so the order is only that of the graph. Samples are those that scored, as the data set numbers them, in the
// view's order; with the only group left nothing is asked, and there are none.
type Ranking struct {
	Before  int
	Metric  int
	Samples []uint32
	Scores  []Score
	Worse   int // of Samples: those on which the model that was ranked is worse than float
	Tied    bool
}

// Score is the metric on the ranking subset with Group in float on top of the current plan: the metric's value, no difference to the
// current model's. Known is false, and Value zero, when the group was the only one left and was not asked.
type Score struct {
	Group int
	Value Value
	Known bool
}

// Asked is one trial whose answer the search used, in order. Float is empty for everything INT8 and for the float model, which is the
// first trial of all.
type Asked struct {
	Round   string
	Float   []int // groups, ascending
	Samples int
	Values  []Value
}
