package run

import (
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
)

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
