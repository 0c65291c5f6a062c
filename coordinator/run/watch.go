package run

import (
	"context"
	"math"
	"slices"

	"assay/coordinator/search"
	"assay/shared/metric"
)

// watcher stands between a search and the asker and tells the user what passes: which plans are asked, what they measured, and
// how much is likely to come. It changes no question and no answer.
type watcher struct {
	asker  search.Asker
	events Events
	gauge  *meterOfWork
	search search.Problem
	groups [][]string // operations of each group

	baseline []search.Value // of the float model, a metric each
	last     []search.Value // of the newest full evaluation
	asked    [][]int        // float groups of the full evaluations so far
	subject  []string       // of the round that is being asked
	undone   []string       // operations of the last revert, if the ranking that is being asked leaves them in INT8
	samples  int
	scored   bool // metrics are correlations
	noise    bool // the first metric is a ratio of signal to noise
	told     bool // what the float model measured
	over     bool // a ranking was announced
}

// Ask implements search.Asker.
func (w *watcher) Ask(ctx context.Context, r search.Round) ([]search.Answer, error) {
	w.subject, w.undone, w.samples = nil, nil, 0
	if len(r.Need) > 0 {
		w.samples = len(r.Need[0].View.Samples)
	}
	if r.Name == PhaseRevert && len(r.Need) == 1 {
		w.subject = w.operations(w.newest(r.Need[0].Plan.FloatGroups()))
	}
	if r.Name == PhaseRank {
		w.undone = w.operations(w.dropped(r.Need))
	}
	if r.Name == PhaseRank && !w.over {
		w.gauge.expect(w.guess(len(r.Need), w.samples))
	}
	answers, err := w.asker.Ask(ctx, r)
	if err != nil {
		return nil, err
	}
	if r.Name == PhaseStart && len(answers) > 0 && w.baseline == nil {
		w.baseline = answers[0].Hi
	}
	for i, a := range answers {
		w.heard(r, i, a)
	}
	if r.Name == PhaseRank {
		w.gauge.expect(map[string]int64{PhaseRevert: int64(w.reverts(answers)) * int64(len(w.search.View.Samples))})
	}
	return answers, nil
}

// about prepares for a round that is none of the search's.
func (w *watcher) about(samples int) { w.subject, w.undone, w.samples = nil, nil, samples }

// round announces a round as a phase; the asker calls it when it knows what has to be asked.
func (w *watcher) round(name string, models, inferences int) {
	p := Phase{Name: name, Subject: w.subject, Models: models, Samples: w.samples, Inferences: int64(inferences), Undone: w.undone}
	if name == PhaseRank && !w.over {
		p.Over, w.over = true, true
	}
	p.Remaining, p.Left = w.gauge.remaining(name, p.Inferences)
	w.events.phase(p)
	w.gauge.round(name, int64(inferences))
}

// float tells what the float model measured, once; before a search, if it is called.
func (w *watcher) float(values []search.Value) {
	w.baseline = values
	w.told = true
	w.events.step(Measured{Kind: MeasuredFloat, Value: values[0].F, Met: true})
}

// heard tells answer i of a round of full evaluations.
func (w *watcher) heard(r search.Round, i int, a search.Answer) {
	if len(a.Hi) == 0 || r.Name != PhaseStart && r.Name != PhaseRevert {
		return
	}
	m := Measured{Kind: MeasuredRevert, Operations: w.subject, Value: a.Hi[0].F, Met: true}
	if w.noise {
		m.Noise = decibels(m.Value)
	}
	if r.Name == PhaseStart {
		m.Kind = []string{MeasuredFloat, MeasuredINT8}[min(i, 1)]
	}
	if m.Kind == MeasuredFloat && w.told {
		return
	}
	if m.Kind != MeasuredFloat {
		w.asked = append(w.asked, r.Need[i].Plan.FloatGroups())
	}
	w.last = a.Hi
	for k, x := range w.search.Metrics {
		m.Met = m.Met && w.search.Limit.Allows(x.Direction, w.baseline[k], w.last[k])
	}
	m.Drop = w.search.Limit.Drop(w.search.Metrics[0].Direction, w.baseline[0], w.last[0]).F
	w.events.step(m)
}

// newest is the group that float has and the plan that it came from has not; -1 when that cannot be told. The plan that
// it came from was asked before, and no other with one group less lies between.
func (w *watcher) newest(float []int) int {
	for _, before := range slices.Backward(w.asked) {
		if len(before) != len(float)-1 {
			continue
		}
		var more []int
		for _, g := range float {
			if !slices.Contains(before, g) {
				more = append(more, g)
			}
		}
		if len(more) == 1 {
			return more[0]
		}
	}
	return -1
}

// dropped is the group that went to float last and that the plans of a ranking do not share; -1 if they do, or none went.
func (w *watcher) dropped(ranked []search.Trial) int {
	if len(w.asked) == 0 {
		return -1
	}
	g := w.newest(w.asked[len(w.asked)-1])
	if g < 0 || !slices.ContainsFunc(ranked, func(t search.Trial) bool { return !t.Plan.Has(g) }) {
		return -1
	}
	return g
}

func (w *watcher) operations(group int) []string {
	if group < 0 || group >= len(w.groups) {
		return nil
	}
	return w.groups[group]
}

// revertShare is the part of the groups that is expected to go back to float before a ranking says more: a sixth. On the
// models of the project's tests it is 0 to a third.
const revertShare = 6

// guess is what a search of so many groups is likely to ask, its first ranking included.
func (w *watcher) guess(groups, subset int) map[string]int64 {
	reverts := (groups + revertShare - 1) / revertShare
	if w.search.Iterations != search.Unlimited {
		reverts = min(reverts, w.search.Iterations)
	}
	return map[string]int64{PhaseRank: int64(groups) * int64(subset), PhaseRevert: int64(reverts) * int64(len(w.search.View.Samples))}
}

// reverts guesses from a ranking how many groups must go: the gains of the best are added up until they cover what is missing.
// The ranking's lowest score stands for the model without any of them.
func (w *watcher) reverts(answers []search.Answer) int {
	if len(answers) == 0 {
		return 1
	}
	m := w.search.Metrics[0]
	missing := w.search.Limit.Excess(m.Direction, w.baseline[0], w.last[0])
	var scores []float64
	for _, a := range answers {
		if len(a.Hi) > 0 && !math.IsNaN(a.Hi[0].F) {
			scores = append(scores, a.Hi[0].F)
		}
	}
	if len(scores) == 0 || math.IsNaN(missing) {
		return 1
	}
	slices.Sort(scores)
	worst := scores[0]
	if m.Direction == metric.HigherBetter {
		slices.Reverse(scores)
	} else {
		worst = scores[len(scores)-1]
	}
	share := float64(w.samples) / float64(max(1, len(w.search.View.Samples)))
	n := 0
	for _, s := range scores {
		n++
		if missing -= math.Abs(s-worst) * share; missing <= 0 {
			break
		}
	}
	return n
}

var _ search.Asker = (*watcher)(nil)
