package search

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/metric"
	"assay/shared/plan"
)

// TestImpossibleProblemsAskNothing: each flaw is named, all at once, before any question.
func TestImpossibleProblemsAskNothing(t *testing.T) {
	sound := Problem{
		Groups: 1, View: plan.View{Samples: []uint32{0}}, Subset: 1, Iterations: Unlimited,
		Metrics: []Metric{{Name: "accuracy", Direction: metric.HigherBetter}},
	}
	require.NoError(t, sound.Check())
	for want, spoil := range map[string]func(*Problem){
		"groups: -1":              func(p *Problem) { p.Groups = -1 },
		"samples: none":           func(p *Problem) { p.View.Samples = nil },
		"metrics: none":           func(p *Problem) { p.Metrics = nil },
		"metric accuracy: direct": func(p *Problem) { p.Metrics = []Metric{{Name: "accuracy"}} },
		"ranking_subset_size: 0":  func(p *Problem) { p.Subset = 0 },
		"max_iter_num: -2":        func(p *Problem) { p.Iterations = -2 },
	} {
		t.Run(want, func(t *testing.T) {
			p := sound
			spoil(&p)
			tab := &table{}
			_, err := POT(context.Background(), p, tab)
			require.ErrorContains(t, err, want)
			require.Empty(t, tab.rounds)
		})
	}
	_, err := POT(context.Background(), Problem{Groups: -1}, &table{})
	require.ErrorContains(t, err, "samples: none")
	require.ErrorContains(t, err, "groups: -1")
}

// TestWrongNumberOfAnswersIsAnError, whichever way.
func TestWrongNumberOfAnswersIsAnError(t *testing.T) {
	p := Problem{
		Groups: 1, View: plan.View{Samples: []uint32{0}}, Subset: 1, Iterations: Unlimited,
		Metrics: []Metric{{Name: "accuracy", Direction: metric.HigherBetter}},
	}
	for _, n := range []int{0, 1, 3} {
		_, err := POT(context.Background(), p, deaf(n))
		require.ErrorContains(t, err, "answers to 2 trials")
	}
}

// deaf gives so many empty answers to every round.
type deaf int

func (n deaf) Ask(context.Context, Round) ([]Answer, error) { return make([]Answer, n), nil }
