package search

import "assay/shared/plan"

// Reason says why a search ended.
type Reason string

// The reasons.
const (
	Met        Reason = "met"                 // a plan is within every limit
	AllFloat   Reason = "all-float"           // every group went back to float
	Iterations Reason = "iterations"          // max_iter_num reverts were tried
	Nothing    Reason = "nothing-to-quantize" // the model has no group
	Stopped    Reason = "stopped"             // the Asker said ErrStop
)

// Verdict says what a step's answer led to.
type Verdict string

// The verdicts.
const (
	Within     Verdict = "within"       // all limits hold: the end
	Gone       Verdict = "all-float"    // no group is left: the end
	Improved   Verdict = "kept"         // not worse: go on with the same ranking
	Forgiven   Verdict = "forgiven"     // worse, but the first revert after a start or a roll-back may be
	RolledBack Verdict = "rolled-back"  // worse: the revert is undone, rank again
	KeptWorse  Verdict = "kept-worse"   // worse, kept as KeepWorse wants: rank again
	Switched   Verdict = "other-metric" // this metric holds now, another does not: rank again for that one
)

// Outcome is everything that a search found and why. It is a pure function of the problem and the answers.
type Outcome struct {
	Plan     plan.Plan // the best plan seen
	Float    []Revert  // its float groups in the order of their revert
	Met      bool      // Plan is within every limit
	Reason   Reason
	Metrics  []Result
	Steps    []Step
	Rankings []Ranking
	Trials   []Asked
	Notes    []string // what a reader must know to judge the result, in plain words
}

// Result is one metric at the end. Drop is in the unit of the limit: the metric's own, or a share of the baseline's magnitude.
type Result struct {
	Metric                Metric
	Baseline, Int8, Final Value
	Drop                  Value
	Met                   bool
}

// Revert is a group that is float in the end. Gain is how much its step lowered the drop of metric Metric (below 0: raised),
// in the unit of the limit; NaN when a value of that step was no number.
type Revert struct {
	Group  int
	Metric int
	Gain   Value
}

// Step is one revert that was tried: Group went to float on top of what was float then, giving Float. Drops holds one drop per
// metric in the unit of the limit, NaN for a value that is no number. Metric is the one optimised, Ranking the index of the ranking followed.
// Best marks a new best plan.
type Step struct {
	Group   int
	Metric  int
	Ranking int
	Float   []int
	Values  []Value
	Drops   []Value
	Verdict Verdict
	Best    bool
}

// Ranking is one order of groups, best first. Before is the number of steps made before it. Tied says that all scores are
// equal, so the order is only that of the graph. Samples are the view indices that scored.
type Ranking struct {
	Before  int
	Metric  int
	Samples []uint32
	Scores  []Score
	Worse   int // samples of the subset on which the current model is worse than float
	Tied    bool
}

// Score is the metric on the ranking subset with Group in float on top of the current plan. Known is false when the group was the
// only one left and was not asked.
type Score struct {
	Group int
	Value Value
	Known bool
}

// Asked is one trial whose answer the search used, in order.
type Asked struct {
	Round   string
	Float   []int
	Samples int
	Values  []Value
}
