package run

import (
	"encoding/binary"
	"math"
	"slices"

	"assay/coordinator/search"
	"assay/kernels/numeric"
	"assay/shared/metric"
	"assay/shared/plan"
)

// outlook guesses how many inferences a search will still ask. It plays the search to its end some times, with what is known
// so far as it is and with imagined answers to everything else, so that rankings, steps that are undone, limits of
// iterations and answers that are known already come out as the search itself has them. It decides nothing: it may look
// at every answer that has arrived, also at parts of one. Not safe for concurrent use.
//
// What is imagined. The drop of a plan is shared out among its INT8 groups: by the newest scores where a ranking has spoken, else
// by lot, exponentially, so that few have most of it. Reverting a group takes its share off, and then chance moves the
// result: samples flip both ways, each group its part of those that separate INT8 from float. So a gap that is wide compared
// with the flips closes steadily, and one of a few samples by luck, with steps undone and new rankings on the way.
// The drop itself is known when everything INT8 is measured. Before, its part so far says what it is within its standard error, and
// before that firstDrop.
//
// Metrics that compare with the float model have it as their bound: no plan exceeds it. There reverts take the difference off in
// proportion (measured by distance), or as its square root (measured by decisions): noise of several groups adds up in
// power, and the part of samples that it pushes over a border grows with its amplitude. So half of the groups may have to go to
// float for a difference that a label would not see.
type outlook struct {
	problem search.Problem
	against yardstick
	known   map[string][]search.Value // answers by key, on the whole view and on ranking subsets
	paid    map[string]bool           // asked in the present round: their cost is no more to come
	bases   []plan.Plan               // full evaluations that are known, in order
	score   map[int]float64           // of groups: how far above the middle of the newest ranking that had it
	from    plan.Plan                 // what the newest ranking started from; no plan of the search while there was none
	middle  float64                   // of the newest ranking's values, NaN while there is none
	spread  float64                   // standard deviation, over samples, of float less INT8; 0 while unknown
	drop    float64                   // of everything INT8 in the part of the view that was seen, in the first metric's unit
	seen    int                       // samples of that part
}

// yardstick is what the metrics of a problem compare a plan with.
type yardstick uint8

const (
	byLabels    yardstick = iota // a plan may be better than the float model
	byDecisions                  // the float model's classes or rows: each is the same or is not
	byDistance                   // its outputs: how much power the difference has
)

// yardstickOf is the yardstick of a meter, whose metrics are of one kind.
func yardstickOf(m metric.Meter) yardstick {
	switch {
	case !unlabelled(m):
		return byLabels
	case m.Adapter == metric.Outputs:
		return byDistance
	}
	return byDecisions
}

// Plays of an outlook, and the trials after which one is broken off: what lies behind is too far off to matter.
const (
	plays     = 16
	mostAsked = 3000
)

// unseenSpread stands for spread while nothing is known: two samples of a hundred turn out otherwise in INT8.
const unseenSpread = 0.14

// prospect is what a play asked that was not asked before. slow is those inferences, and those of the written file, each times the part of the
// groups that its plan has in float beyond what the plans of now have: they take longer by as much of what float takes longer.
type prospect struct {
	rank, revert int64
	slow         float64
}

func (p prospect) sum() int64 { return p.rank + p.revert }

// newOutlook is the outlook of a search of which nothing is known. Its problem's groups may be a guess.
func newOutlook(p search.Problem) *outlook {
	return &outlook{problem: p, known: map[string][]search.Value{}, score: map[int]float64{}, middle: math.NaN()}
}

// key names a plan on the whole view or on a ranking subset.
func key(p plan.Plan, full bool) string {
	if p.Params.IsZero() {
		return "float"
	}
	b := make([]byte, 1, 1+8*len(p.Float))
	if full {
		b[0] = 1
	}
	for _, w := range p.Float {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return string(b)
}

// asks enters a round that begins.
func (o *outlook) asks(r search.Round) {
	o.paid = map[string]bool{}
	for _, t := range r.Need {
		o.paid[key(t.Plan, o.full(t))] = true
	}
}

// hears enters the answers of a round.
func (o *outlook) hears(r search.Round, answers []search.Answer) {
	if r.Name == PhaseStart && len(answers) == 2 {
		o.measured(answers[0], answers[1])
	}
	values := make([][]search.Value, len(r.Need))
	for i, a := range answers {
		values[i] = a.Hi
		if t := r.Need[i]; r.Name != PhaseRank {
			o.known[key(t.Plan, o.full(t))] = a.Hi
			if !t.Plan.Params.IsZero() {
				o.bases = append(o.bases, t.Plan)
			}
		}
	}
	if r.Name == PhaseRank {
		o.places(r.Need, values)
	}
}

// places enters what plans of a ranking measured, nil for those that have not yet; again when more of them have.
func (o *outlook) places(ranked []search.Trial, values [][]search.Value) {
	var groups []int
	var scores []float64
	for i, v := range values {
		if v == nil {
			continue
		}
		t, g := ranked[i], added(ranked, i)
		o.known[key(t.Plan, o.full(t))] = v
		groups, scores = append(groups, g), append(scores, v[0].F)
		o.from = without(t.Plan, g)
	}
	o.ranked(groups, scores)
}

// measured enters how samples differ between the float model and everything INT8.
func (o *outlook) measured(float, int8 search.Answer) {
	differences := make([]float64, min(float.Seen, int8.Seen))
	for i := range differences {
		differences[i] = float.Records.Sample(0, i) - int8.Records.Sample(0, i)
	}
	o.spread = deviation(differences)
}

// partly enters the drop of everything INT8 in the first metric over a part of the samples, and by how much each of them is
// better in the float model.
func (o *outlook) partly(drop float64, differences []float64) {
	o.parted(drop, len(differences), deviation(differences))
}

// parted is partly of so many samples whose differences have a known standard deviation.
func (o *outlook) parted(drop float64, seen int, spread float64) {
	o.drop, o.seen, o.spread = drop, seen, spread
}

// deviation is the standard deviation of v, 0 if it is no number.
func deviation(v []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range v {
		sum += x
		squares += float64(x * x)
	}
	n := float64(len(v))
	d := math.Sqrt(max(0, squares/n-float64(sum/n)*float64(sum/n)))
	if math.IsNaN(d) || math.IsInf(d, 0) {
		return 0
	}
	return d
}

// ranked enters what groups score, some of them or all. Most groups have little part in what is lost, so the middle is what a plan with one group
// more in float measures but for the blame of that group.
func (o *outlook) ranked(groups []int, scores []float64) {
	sign := o.sign(0)
	var known []float64
	for _, s := range scores {
		if !math.IsNaN(s) && !math.IsInf(s, 0) {
			known = append(known, sign*s)
		}
	}
	if len(known) == 0 {
		return
	}
	slices.Sort(known)
	middle := (known[(len(known)-1)/2] + known[len(known)/2]) / 2
	o.middle = sign * middle
	for i, g := range groups {
		if s := sign*scores[i] - middle; g >= 0 && !math.IsNaN(s) && !math.IsInf(s, 0) {
			o.score[g] = s
		}
	}
}

// added is the group that trial i of a ranking has in float and the others have not; -1 if there is none.
func added(ranked []search.Trial, i int) int {
	other := ranked[(i+1)%len(ranked)].Plan
	for _, g := range ranked[i].Plan.FloatGroups() {
		if !other.Has(g) {
			return g
		}
	}
	return -1
}

// without is p with a group back in INT8.
func without(p plan.Plan, group int) plan.Plan {
	out := plan.Plan{Params: p.Params}
	for _, g := range p.FloatGroups() {
		if g == group {
			continue
		}
		if with, err := out.Revert(g, g+1); err == nil {
			out = with
		}
	}
	return out
}

func (o *outlook) full(t search.Trial) bool {
	return len(t.View.Samples) == len(o.problem.View.Samples)
}

// sign is 1 where higher is better, else -1.
func (o *outlook) sign(m int) float64 {
	if o.problem.Metrics[m].Direction == metric.HigherWorse {
		return -1
	}
	return 1
}

// ends plays the search: the inferences that each play asks from now on, ascending.
func (o *outlook) ends() []prospect {
	out := make([]prospect, plays)
	for i := range out {
		out[i] = o.end(i)
	}
	slices.SortFunc(out, func(a, b prospect) int { return int(a.sum() - b.sum()) })
	return out
}

// farAhead times what is done is as far as an estimate looks.
const farAhead = 30

// fair is the factor that a told number may be off by at no cost. The promise is two; the rest is for rounding and for what
// changes until the next word.
const fair = 1.9

// likely is what a search is likely to ask: the number that, with the rest of the job, is least wrong over the ends of the plays.
// An end costs nothing that is told within a factor of fair, and beyond it the logarithm of what is missing: where half of the
// ends say that all is over soon and the others that much is to come, the number stands between them, and on the edge of the
// larger half where they are not even. Ends of which less than one part in farAhead is done are left out, as long as the nearest
// quarter remains: their turn comes. standing says what is done and what the job takes without what is to come of the search.
func likely(ends []prospect, standing func() (done, certain int64)) prospect {
	done, certain := standing()
	n := len(ends) / 8
	for n < len(ends) && certain+ends[n].sum() <= farAhead*done {
		n++
	}
	var logs []float64
	rank, all, slow := int64(0), int64(0), 0.0
	for _, e := range ends[:n] {
		logs = append(logs, numeric.Log64(float64(max(1, certain+e.sum()))))
		rank, all, slow = rank+e.rank, all+e.sum(), slow+e.slow
	}
	if all == 0 {
		return prospect{}
	}
	more := max(0, numeric.Exp64(leastWrong(logs, numeric.Log64(fair)))-float64(certain))
	part := float64(rank) / float64(all)
	return prospect{int64(math.Round(more * part)), int64(math.Round(more * (1 - part))), more * slow / float64(all)}
}

// apart are ends that an eighth of the plays comes before, and an eighth behind.
func apart(ends []prospect) (early, late prospect) {
	n := len(ends) / 8
	return ends[n], ends[len(ends)-1-n]
}

// leastWrong is the number whose distances from v, each less free where it is more, have the smallest sum; the middle of all such
// numbers. That sum is convex and bends at v plus and minus free only.
func leastWrong(v []float64, free float64) float64 {
	wrong := func(x float64) (sum float64) {
		for _, y := range v {
			sum += max(0, math.Abs(x-y)-free)
		}
		return sum
	}
	least, from, to := math.Inf(1), 0.0, 0.0
	for _, y := range v {
		for _, x := range []float64{y - free, y, y + free} {
			switch w := wrong(x); {
			case w < least-1e-9:
				least, from, to = w, x, x
			case w <= least+1e-9:
				from, to = min(from, x), max(to, x)
			}
		}
	}
	return (from + to) / 2
}
