package run

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
)

// tableAsker answers from hits of 100 samples, less what each INT8 group costs.
type tableAsker struct {
	watch *watcher
	cost  []int64
	clash int64 // what groups 0 and 1 cost when both are float and a third is not
}

type noRecords struct{}

func (noRecords) Sample(int, int) float64 { return 0 }

func (a *tableAsker) Ask(_ context.Context, r search.Round) ([]search.Answer, error) {
	inferences := 0
	var out []search.Answer
	for _, t := range r.Need {
		n := int64(len(t.View.Samples))
		inferences += int(n)
		hits := n * 9 / 10
		if !t.Plan.Params.IsZero() {
			if a.clash > 0 && t.Plan.Has(0) && t.Plan.Has(1) && !t.Plan.Has(2) {
				hits -= a.clash
			}
			for g, c := range a.cost {
				if !t.Plan.Has(g) {
					hits -= c
				}
			}
		}
		v := []search.Value{metric.Count(hits, n)}
		out = append(out, search.Answer{Trial: t, Lo: v, Hi: v, Seen: int(n), Records: noRecords{}})
	}
	a.watch.round(r.Name, len(r.Need), inferences)
	return out, nil
}

// watched runs POT's loop over a table and returns what a user would hear.
func watched(t *testing.T, cost []int64, clash int64, chance *search.Value) (phases []Phase, steps []Measured, w *watcher, err error) {
	t.Helper()
	limit, err := metric.ParseLimit("0.01", false)
	require.NoError(t, err)
	p := search.Problem{
		Params: plan.Digest{1}, Groups: len(cost), Limit: limit, Subset: 100, Iterations: search.Unlimited,
		Metrics: []search.Metric{{Name: "accuracy@top1", Direction: metric.HigherBetter, Chance: chance}},
	}
	for i := range 100 {
		p.View.Samples = append(p.View.Samples, uint32(i))
	}
	w = &watcher{gauge: &meterOfWork{slots: func() int { return 1 }}}
	w.begin(p)
	w.gauge.expect(map[string]int64{PhaseStart: 200, PhaseVerify: 100})
	w.events = Events{Phase: func(p Phase) { phases = append(phases, p) }, Step: func(m Measured) { steps = append(steps, m) }}
	for g := range cost {
		w.groups = append(w.groups, []string{string(rune('a' + g))})
	}
	w.asker = &tableAsker{w, cost, clash}
	_, err = search.POT(t.Context(), p, w)
	return phases, steps, w, err
}

// TestWatch: the user hears which operations go to float, what every model measured, and how much is likely to come.
func TestWatch(t *testing.T) {
	phases, steps, w, err := watched(t, []int64{0, 3, 2, 0}, 0, nil)
	require.NoError(t, err)
	require.False(t, w.gauge.unsure, "INT8 is measured")
	var names []string
	for _, p := range phases {
		names = append(names, p.Name)
	}
	require.Equal(t, []string{PhaseStart, PhaseRank, PhaseRevert, PhaseRevert}, names)
	require.True(t, phases[1].Over)
	require.Equal(t, int64(400+100), phases[1].Remaining, "the ranking, which answers a revert as well, and the verification of the file")
	require.Equal(t, []string{"b"}, phases[2].Subject)
	require.Equal(t, []string{"c"}, phases[3].Subject)
	require.Equal(t, int64(2*100+100), phases[2].Remaining, "the ranking says that two groups must go; verification")
	kinds := []string{MeasuredFloat, MeasuredINT8, MeasuredRevert, MeasuredRevert}
	for i, m := range steps {
		require.Equal(t, kinds[i], m.Kind)
	}
	require.InDelta(t, 0.05, steps[1].Drop, 1e-12)
	require.False(t, steps[1].Met)
	require.True(t, steps[3].Met)
	require.Equal(t, []string{"c"}, steps[3].Operations)
}

// TestWatchIsUnsure: until INT8 is measured it is open whether there is a search, unless the job allows none.
func TestWatchIsUnsure(t *testing.T) {
	limit, err := metric.ParseLimit("0.01", false)
	require.NoError(t, err)
	for iterations, unsure := range map[int]bool{search.Unlimited: true, 3: true, 0: false} {
		var last Progress
		w := &watcher{gauge: &meterOfWork{slots: func() int { return 1 }, report: func(p Progress) { last = p }}}
		p := search.Problem{Params: plan.Digest{1}, Groups: 2, Subset: 5, Limit: limit, Iterations: iterations, View: viewOf(10), Metrics: []search.Metric{{Direction: metric.HigherBetter}}}
		w.begin(p)
		w.round(PhaseBaseline, 1, 10)
		require.Equal(t, unsure, last.Unsure)
		w.outlook.bases = []plan.Plan{{Params: p.Params}}
		w.begin(p)
		w.round(PhaseRank, 2, 10)
		require.Equal(t, unsure, last.Unsure, "settled by answers only")
		w.round(PhaseVerify, 1, 10)
		require.False(t, last.Unsure)
	}
}

// TestWatchUndone: a ranking after a revert that made it worse names the operations that are INT8 again.
func TestWatchUndone(t *testing.T) {
	phases, _, _, err := watched(t, []int64{4, 3, 3, 3}, 9, nil)
	require.NoError(t, err)
	var undone [][]string
	for _, p := range phases {
		if len(p.Undone) > 0 {
			require.Equal(t, PhaseRank, p.Name)
			undone = append(undone, p.Undone)
		}
	}
	require.Equal(t, [][]string{{"b"}}, undone)
}

// TestGuessingBaseline: a float model that guesses among many classes stops the job; among few it is a note.
func TestGuessingBaseline(t *testing.T) {
	thousand := chance(metric.Spec{Type: "accuracy", TopK: 1}, 1000)
	_, _, _, err := watched(t, []int64{1}, 0, thousand)
	require.NoError(t, err, "0.9 is no guess")
	for _, c := range []struct {
		hits, of, classes int64
		want              bool
	}{{2, 250, 1000, true}, {2, 2, 1000, false}, {1, 2, 1000, true}, {0, 0, 1000, false}, {5, 250, 1000, false}, {118, 1000, 10, true}, {130, 1000, 10, false}, {16, 100, 10, true}, {17, 100, 10, false}, {9, 10, 2, false}, {55, 100, 2, true}} {
		require.Equal(t, c.want, guessing(metric.Count(c.hits, c.of), metric.Count(1, c.classes)), "%v", c)
	}
	for k, classes := range map[uint32]int{5: 5, 6: 5, 1: 1, 0: 0} {
		require.Nil(t, chance(metric.Spec{Type: "accuracy", TopK: k}, classes), "%d of %d", k, classes)
	}
	require.Equal(t, metric.Count(4, 5), *chance(metric.Spec{Type: typeAgreement, TopK: 4}, 5))
	require.Nil(t, chance(metric.Spec{Type: typeSQNR, TopK: 1}, 5), "nobody guesses outputs")
	for classes, want := range map[int64]string{9: "", 10: "nothing could be lost"} {
		guess := metric.Count(1, classes)
		var notes []string
		w := &watcher{baseline: []search.Value{metric.Count(1, classes)}, search: search.Problem{Metrics: []search.Metric{{Name: "accuracy@top1", Chance: &guess}}}}
		w.events.Note = func(text string) { notes = append(notes, text) }
		err := w.checkBaseline(100)
		if want == "" {
			require.NoError(t, err)
			require.Len(t, notes, 1)
			continue
		}
		var input *InputError
		require.ErrorAs(t, err, &input)
		require.ErrorContains(t, err, want)
		require.Empty(t, notes)
	}
}

// TestEveryMetricCounts: a plan is within the limit when each metric is; the drop that is told is the first one's.
func TestEveryMetricCounts(t *testing.T) {
	limit, err := metric.ParseLimit("0.01", false)
	require.NoError(t, err)
	for _, c := range []struct {
		hits []int64
		met  bool
	}{{[]int64{99, 100}, true}, {[]int64{99, 90}, false}, {[]int64{90, 100}, false}} {
		var step Measured
		w := &watcher{events: Events{Step: func(m Measured) { step = m }}, baseline: []search.Value{metric.Count(100, 100), metric.Count(100, 100)}}
		w.search = search.Problem{Limit: limit, Metrics: []search.Metric{{Direction: metric.HigherBetter}, {Direction: metric.HigherBetter}}}
		w.heard(search.Round{Name: PhaseRevert, Need: []search.Trial{{}}}, 0, search.Answer{Hi: []search.Value{metric.Count(c.hits[0], 100), metric.Count(c.hits[1], 100)}})
		require.Equal(t, c.met, step.Met, "%v", c.hits)
		require.InDelta(t, 1-float64(c.hits[0])/100, step.Drop, 1e-12)
	}
}

// TestFloatIsToldOnce: what the float model measured is told before the search, and not again by its first round.
func TestFloatIsToldOnce(t *testing.T) {
	limit, err := metric.ParseLimit("0.01", false)
	require.NoError(t, err)
	for told, want := range map[bool][]string{true: {MeasuredINT8}, false: {MeasuredFloat, MeasuredINT8}} {
		var kinds []string
		w := &watcher{events: Events{Step: func(m Measured) { kinds = append(kinds, m.Kind) }}, baseline: []search.Value{metric.Count(9, 10)}, told: told}
		w.search = search.Problem{Limit: limit, Metrics: []search.Metric{{Direction: metric.HigherBetter}}}
		r := search.Round{Name: PhaseStart, Need: []search.Trial{{}, {Plan: plan.Plan{Params: plan.Digest{1}}}}}
		for i := range r.Need {
			w.heard(r, i, search.Answer{Hi: []search.Value{metric.Count(9, 10)}})
		}
		require.Equal(t, want, kinds)
		w.heard(search.Round{Name: PhaseRank, Need: r.Need}, 1, search.Answer{Hi: []search.Value{metric.Count(9, 10)}})
		require.Equal(t, want, kinds, "rankings are no full evaluations")
	}
}
