// Package cause says why INT8 costs accuracy in a group: it looks for known patterns in the group's points, constants and
// statistics. Each pattern is a rule with a number that is exceeded or not, and a finding carries the number that was
// measured. It measures nothing itself and decides nothing: what goes back to float is the search's business, and a group
// without a finding may cost as much as one with.
package cause

import (
	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/quant"
)

// Cause is one finding: the rule, the value or constant of the graph that it was found on ("" for TiedScores, "NODE bias" for a bias without
// a constant of its own), the measured number, and a sentence. Figure's unit is the rule's, so figures of two kinds do not compare.
type Cause struct {
	Kind   string  `json:"kind"`
	Value  string  `json:"value"`
	Figure float64 `json:"figure"`
	Text   string  `json:"text"`
}

// The rules, each with what Figure is. Everything about activations is measured on the float model; a value that is exactly zero is no
// value there. Levels are steps of INT8, of which a range has 256 at most.
const (
	MaskValue        = "mask-value"         // the constant, with its sign, in the value's own unit
	RangeOutlier     = "range-outlier"      // farther end of the range by what 99 % of the values stay below: a ratio, 8 and more
	RoundedToZero    = "rounded-to-zero"    // share of the values, 0.25 to 1
	SmallDifference  = "small-difference"   // share of the results, 0.25 to 1
	ChannelImbalance = "channel-imbalance"  // largest channel by the median one: a ratio, 8 and more
	ClippedZeroPoint = "clipped-zero-point" // levels that the values use, up to 64
	UnusedLevels     = "unused-levels"      // the same
	OverflowingBias  = "overflowing-bias"   // the largest bias in steps of input scale times weight scale
	TiedScores       = "tied-scores"        // other groups that have the score
)

// The limits of the rules. One that is reached exactly is a finding.
const (
	maskSize     = 1000.0  // smallest constant that can be a mask
	maskGap      = 100.0   // a mask is so many times as large as 99 % of the values below a quarter of it
	outlierRatio = 8.0     // range to 99 % of the values: three bits of eight
	zeroShare    = 0.25    // of the values, or results
	channelRatio = 8.0     // largest channel to the median one: three bits of eight
	fewLevels    = 64.0    // of 256: two bits of eight
	biasLevels   = 1 << 30 // what a bias may take of int32
)

// Rule is a rule in words: its kind, what people call it, and when it is a finding, with the limits as numbers.
type Rule struct{ Kind, Name, Text string }

// Rules lists all rules, in the order in which findings are reported. The list is the caller's.
func Rules() []Rule {
	return []Rule{
		{MaskValue, "mask value in the range", "a constant of 1,000 or more is added or selected into the tensor, the end of the range lies within a factor of two of it, and 99 % of the values below a quarter of it are at least 100 times smaller"},
		{RangeOutlier, "range outlier", "the range reaches at least 8 times as far as 99 % of the values: three bits of eight serve fewer than one value in a hundred"},
		{RoundedToZero, "small values round to zero", "at least a quarter of the values are smaller than half a level, so that INT8 cannot tell them from zero"},
		{SmallDifference, "small difference of large values", "at least a quarter of an Add's or Sub's results are smaller than one level of an operand, so that rounding the operands decides about them"},
		{ChannelImbalance, "channel imbalance", "the largest channel reaches at least 8 times as far as the median one, and all share one scale"},
		{ClippedZeroPoint, "clipped zero point", "all values lie on one side of zero, which the range must include: the zero point is clipped to its end, and the values use at most 64 of 256 levels"},
		{UnusedLevels, "unused levels", "the values lie on both sides of zero and use at most 64 of 256 levels of a range that is symmetric; preset mixed has none such"},
		{OverflowingBias, "overflowing bias", "a bias in units of input scale times weight scale takes more than 2^30 levels, so that the weight scale of its channel was raised"},
		{TiedScores, "tied scores", "other groups have the very same score in the ranking, which cannot tell them apart: their order is that of the graph"},
	}
}

// Name is the name of a rule for people; a kind that is none is its own name.
func Name(kind string) string {
	for _, r := range Rules() {
		if r.Kind == kind {
			return r.Name
		}
	}
	return kind
}

// Model is what findings are read from; NewModel makes one. Shapes are those of one sample, by value; a value that is missing there is not
// looked at by channel. Nothing changes it, so it may be used by several goroutines.
type Model struct {
	Graph  *graph.Graph
	Params *plan.Params
	Shapes map[string][]int

	index *graph.Index
	nodes map[string]*graph.Node
	ops   [][]string // of each group
}

// NewModel indexes a model. It keeps its arguments: the graph that params were made for, normalised, with a name for each node.
func NewModel(g *graph.Graph, params *plan.Params, shapes map[string][]int) *Model {
	m := &Model{Graph: g, Params: params, Shapes: shapes, index: graph.NewIndex(g), nodes: map[string]*graph.Node{}, ops: quant.GroupOps(&graph.Model{Graph: g}, params)}
	for _, n := range g.Nodes {
		m.nodes[n.Name] = n
	}
	return m
}

// most is how many findings of a group are kept: the first in the order of Rules say most.
const most = 4

// Find looks at one group, by its index in Params.Groups, and returns at most four findings, one of a rule and value, in the order of Rules. st
// holds what Taps asked for with this group among its groups, else a missing statistic is an error; without st (nil) only constants are
// looked at. Ties are not found here, see Ties.
func (m *Model) Find(group int, st *quant.Stats) ([]Cause, error) {
	var out []Cause
	for _, i := range m.Params.Groups[group] {
		p := m.Params.Points[i]
		switch {
		case p.Kind == plan.Weight:
			out = append(out, m.weight(p)...)
		case p.Kind == plan.Bias:
			out = append(out, m.bias(p)...)
		case st != nil:
			found, err := m.activation(p, st)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	if st != nil {
		found, err := m.differences(group, st)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return inOrder(out), nil
}

// inOrder sorts findings by rule, keeps one of a rule and value, and at most most of them.
func inOrder(found []Cause) []Cause {
	var out []Cause
	seen := map[[2]string]bool{}
	for _, r := range Rules() {
		for _, c := range found {
			at := [2]string{c.Kind, c.Value}
			if c.Kind == r.Kind && !seen[at] && len(out) < most {
				seen[at] = true
				out = append(out, c)
			}
		}
	}
	return out
}
