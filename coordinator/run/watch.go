package run

import (
	"context"
	"slices"
	"time"

	"assay/coordinator/search"
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
	ranked   []search.Trial // of it, if it is a ranking
	ended    int            // cells of it that the outlook knows
	undone   []string       // operations of the last revert, if the ranking that is being asked leaves them in INT8
	samples  int
	scored   bool // metrics are correlations
	noise    bool // the first metric is a ratio of signal to noise
	told     bool // what the float model measured
	over     bool // a ranking was announced
	outlook  *outlook
	ends     []prospect // that the outlook found last
	played   time.Time  // when it had
	took     time.Duration
}

// Ask implements search.Asker.
func (w *watcher) Ask(ctx context.Context, r search.Round) ([]search.Answer, error) {
	w.subject, w.undone, w.samples, w.ranked, w.ended = nil, nil, 0, nil, 0
	if len(r.Need) > 0 {
		w.samples = len(r.Need[0].View.Samples)
	}
	if r.Name == PhaseRevert && len(r.Need) == 1 {
		w.subject = w.operations(w.newest(r.Need[0].Plan.FloatGroups()))
	}
	if r.Name == PhaseRank {
		w.undone, w.ranked = w.operations(w.dropped(r.Need)), r.Need
	}
	w.outlook.asks(r)
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
	w.outlook.hears(r, answers)
	if len(w.outlook.bases) > 0 {
		w.gauge.settle(false)
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
	w.gauge.enter(name, p.Inferences)
	w.foretell(name)
	p.Remaining, p.Left = w.gauge.remaining(name, p.Inferences)
	w.events.phase(p)
	w.gauge.tell()
}

// begin prepares for a search of which a part is known: groups, for example, may be a guess.
func (w *watcher) begin(p search.Problem) {
	w.search = p
	if w.outlook == nil {
		w.outlook = newOutlook(p)
	}
	w.outlook.problem = p
	w.gauge.asks(min(p.Subset, len(p.View.Samples)), len(p.View.Samples))
	if len(w.outlook.bases) == 0 {
		w.gauge.settle(p.Iterations != 0 && p.Groups > 0)
	}
}

// foretell says how much of a search is to come after the round that begins; nothing once it is over.
func (w *watcher) foretell(phase string) {
	if w.outlook == nil || phase == PhaseVerify || phase == PhaseExplain {
		w.outlook, w.ends = nil, nil
		return
	}
	w.play()
	w.expect()
}

// expect takes the likely one of the ends that are known, which depends on how much is done.
func (w *watcher) expect() {
	if w.ends == nil {
		return
	}
	w.gauge.foresee(w.ends)
}

// play lets the outlook look for the ends of the search by what is known now.
func (w *watcher) play() {
	begin := w.gauge.clock()
	w.ends = w.outlook.ends()
	w.played = w.gauge.clock()
	w.took = w.played.Sub(begin)
}

// costly is the part of the time that looking ahead in the middle of a ranking may take: the CPUs have evaluators to serve.
const costly = 0.01

// pays reports whether looking ahead again is worth what it took last.
func (w *watcher) pays() bool {
	return costly*w.gauge.clock().Sub(w.played).Seconds() >= w.took.Seconds()
}

// part takes in what is known of everything INT8 while it is being measured: its drop and the differences of single samples.
func (w *watcher) part(drop float64, differences []float64) {
	w.outlook.partly(drop, differences)
	w.play()
	w.expect()
}

// places takes in what plans of the ranking that is being asked measured, nil for those that have not yet.
func (w *watcher) places(values [][]search.Value) {
	w.outlook.places(w.ranked, values)
	w.play()
	w.expect()
}

// float tells what the float model measured, once; before a search, if it is called.
func (w *watcher) float(values []search.Value) {
	w.baseline = values
	w.told = true
	w.outlook.known["float"] = values
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
// it came from was asked before, and no other with one group less lies between. float is ascending, as plans list their
// groups.
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

// operations is nil for a group that is not known.
func (w *watcher) operations(group int) []string {
	if group < 0 || group >= len(w.groups) {
		return nil
	}
	return w.groups[group]
}

var _ search.Asker = (*watcher)(nil)
