package run

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
)

// TestWorst: groups that are float, whatever they brought, then those that cost most; 24 at most, and none that cost nothing.
func TestWorst(t *testing.T) {
	d := &report.Decisions{}
	for g := range 40 {
		gain := report.Number(g - 10)
		d.Groups = append(d.Groups, report.Group{Index: g, Gain: &gain})
	}
	d.Groups[39].Gain = nil // it was not asked
	d.Groups[3].Float, d.Groups[12].Float = true, true
	want := []int{3, 12}
	for g := 38; len(want) < explainGroups; g-- {
		want = append(want, g)
	}
	slices.Sort(want)
	require.Equal(t, want, worst(d))
	d.Groups = d.Groups[:12]
	require.Equal(t, []int{3, 11}, worst(d), "a gain of 0 is none")
	require.Empty(t, worst(&report.Decisions{}))
}

// TestTies: a group that went back to float is judged by the ranking that it was taken from when it went for good, any other by
// the first one.
func TestTies(t *testing.T) {
	ranking := func(before int, scores map[int]float64) report.Ranking {
		r := report.Ranking{Before: before}
		for g := range 5 {
			if v, ok := scores[g]; ok {
				n := report.Number(v)
				r.Scores = append(r.Scores, report.Score{Group: g, Value: &n})
			}
		}
		return r
	}
	d := &report.Decisions{
		Rankings: []report.Ranking{
			ranking(0, map[int]float64{0: 0.5, 1: 0.25, 2: 0.25, 3: 0.75, 4: 0.5}),
			ranking(2, map[int]float64{1: 0.8, 2: 0.7, 4: 0.8}),
			{Before: 4, Scores: []report.Score{{Group: 4}}}, // the last group is not asked
		},
		Steps:       []report.Step{{Group: 3}, {Group: 1}, {Group: 1}, {Group: 2}, {Group: 4}},
		FloatGroups: []report.FloatGroup{{Index: 3}, {Index: 1}, {Index: 2}, {Index: 4}},
	}
	tied := ties(d)
	require.Len(t, tied, 2)
	require.Contains(t, tied[0].Text, "1 of the 4 other groups has the same score in the first ranking, 0.5000")
	require.Contains(t, tied[1].Text, "1 of the 2 other groups has the same score in ranking 2, from which it was taken, 0.8000")
	require.Empty(t, ties(&report.Decisions{}))
}
