package search

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/metric"
	"assay/shared/plan"
)

// drawTable makes a table of up to 5 groups. Tame samples are wrong while some INT8 groups act together; wild ones also
// depend on groups being float, so that reverts can hurt. Every plan of all groups in float equals the float model.
func drawTable(t *rapid.T, wild bool) *table {
	tab := &table{groups: rapid.IntRange(1, 5).Draw(t, "groups")}
	kinds := rapid.IntRange(1, 8).Draw(t, "kinds")
	for k := range kinds {
		var c condition
		for range rapid.IntRange(0, 2).Draw(t, fmt.Sprint("terms", k)) {
			all := []literal{{group: rapid.IntRange(0, tab.groups-1).Draw(t, "group")}}
			for range rapid.IntRange(0, 2).Draw(t, "more") {
				all = append(all, literal{
					group: rapid.IntRange(0, tab.groups-1).Draw(t, "group"),
					float: wild && rapid.Bool().Draw(t, "float"),
				})
			}
			c = append(c, all)
		}
		for range rapid.IntRange(1, 6).Draw(t, fmt.Sprint("count", k)) {
			tab.samples = append(tab.samples, c)
		}
	}
	return tab
}

// drawProblem makes a problem over tab.
func drawProblem(t *rapid.T, tab *table) Problem {
	limit, err := metric.ParseLimit(rapid.SampledFrom([]string{"0", "0.01", "0.1", "0.25"}).Draw(t, "drop"), false)
	if err != nil {
		t.Fatal(err)
	}
	p := Problem{
		Params: plan.Digest{1}, Groups: tab.groups, Metrics: []Metric{{Name: "accuracy", Direction: metric.HigherBetter}}, Limit: limit,
		Subset:     rapid.IntRange(1, len(tab.samples)+1).Draw(t, "subset"),
		Iterations: rapid.SampledFrom([]int{Unlimited, 0, 1, 3}).Draw(t, "iterations"),
		KeepWorse:  rapid.Bool().Draw(t, "keep worse"),
	}
	for i := range tab.samples {
		p.View.Samples = append(p.View.Samples, uint32(i))
	}
	return p
}

// TestPOTKeepsItsPromises checks over random tables: bounds on the work, the best plan seen is the one returned, met means
// met, and without a limit on iterations a plan within the limit is always found (float is one).
func TestPOTKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t, rapid.Bool().Draw(t, "wild"))
		p := drawProblem(t, tab)
		out, err := POT(context.Background(), p, tab)
		require.NoError(t, err)
		require.LessOrEqual(t, len(out.Steps), 2*p.Groups)
		require.LessOrEqual(t, len(out.Rankings), len(out.Steps)+1)
		if p.Iterations != Unlimited {
			require.LessOrEqual(t, len(out.Steps), p.Iterations)
		} else {
			require.True(t, out.Met)
		}
		r := out.Metrics[0]
		again := tab.answer(trial(out.Plan, p.View)).Hi[0]
		require.True(t, again.Compare(r.Final) == 0, "the value returned is the plan's")
		require.Equal(t, out.Met, p.Limit.Allows(r.Metric.Direction, r.Baseline, again))
		require.LessOrEqual(t, compareDrops(r.Drop, p.Limit.Drop(r.Metric.Direction, r.Baseline, r.Int8)), 0, "never worse than plain INT8")
		for _, s := range out.Steps {
			require.LessOrEqual(t, compareDrops(r.Drop, s.Drops[0]), 0, "a better plan was seen at %v", s.Float)
		}
		require.Len(t, out.Float, out.Plan.Count(), "every float group has its story")
		require.NotNil(t, out.Float, "a report writes a list, empty or not")
		for i, s := range out.Steps {
			ranking := out.Rankings[s.Ranking]
			require.LessOrEqual(t, ranking.Before, i, "a step follows its ranking")
			require.True(t, slices.ContainsFunc(ranking.Scores, func(g Score) bool { return g.Group == s.Group }), "a step takes its group from its ranking")
		}
	})
}

// TestPOTAgainstExhaustive compares with the naive twin: POT never claims a limit that no plan meets, and its drop is never
// below the best there is.
func TestPOTAgainstExhaustive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t, true)
		p := drawProblem(t, tab)
		out, err := POT(context.Background(), p, tab)
		require.NoError(t, err)
		best, met := exhaustive(p, tab)
		bestDrop := p.Limit.Drop(metric.HigherBetter, out.Metrics[0].Baseline, tab.answer(trial(best, p.View)).Hi[0])
		require.GreaterOrEqual(t, compareDrops(out.Metrics[0].Drop, bestDrop), 0)
		require.True(t, met || !out.Met)
	})
}

// TestPOTFindsIndependentCulprits: where every sample depends on one group only and the subset is everything, POT reverts
// exactly the most harmful groups, as many as are needed.
func TestPOTFindsIndependentCulprits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := &table{groups: rapid.IntRange(1, 6).Draw(t, "groups")}
		for g := range tab.groups {
			for range rapid.IntRange(0, 9).Draw(t, "harm") {
				tab.samples = append(tab.samples, condition{{{group: g}}})
			}
		}
		tab.samples = append(tab.samples, make([]condition, 20)...)
		p := drawProblem(t, tab)
		p.Subset, p.Iterations = len(tab.samples), Unlimited
		out, err := POT(context.Background(), p, tab)
		require.NoError(t, err)
		require.True(t, out.Met)
		require.Len(t, out.Float, fewest(p, tab), "the twin needs as many")
	})
}

// fewest is the size of the smallest float set within the limit, by trying all.
func fewest(p Problem, tab *table) int {
	base := tab.answer(trial(plan.Plan{}, p.View)).Hi[0]
	least := p.Groups
	for bits := range uint64(1) << p.Groups {
		pl := plan.Plan{Params: p.Params}
		if bits != 0 {
			pl.Float = []uint64{bits}
		}
		if p.Limit.Allows(metric.HigherBetter, base, tab.answer(trial(pl, p.View)).Hi[0]) {
			least = min(least, pl.Count())
		}
	}
	return least
}

// TestSpeculationIsInvisible: dropping or keeping Maybe, and asking twice, gives one outcome.
func TestSpeculationIsInvisible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t, true)
		p := drawProblem(t, tab)
		first, err := POT(context.Background(), p, tab)
		require.NoError(t, err)
		second, err := POT(context.Background(), p, eager{tab})
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}

// eager computes speculation first, as an idle cluster would.
type eager struct{ *table }

func (e eager) Ask(ctx context.Context, r Round) ([]Answer, error) {
	for _, q := range r.Maybe {
		e.answer(q)
	}
	return e.table.Ask(ctx, Round{Name: r.Name, Need: r.Need})
}
