package run

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"assay/coordinator/search"
	"assay/kernels/numeric"
	"assay/shared/metric"
	"assay/shared/plan"
)

// ending is one imagined end of a search.
type ending struct {
	*outlook
	order  int // which play of all, from 0
	lot    *rand.Rand
	share  []float64 // of what is lost, by group, in proportion
	values map[string][]search.Value
	lucky  map[string]float64   // what chance does to a plan, in standard deviations
	means  map[string][]float64 // what plans lose but for chance, by metric
	bases  []plan.Plan
	whole  int // samples that stand for the whole view
	asked  int
	more   prospect
}

// end plays the search once. Two samples stand for the view and one for the ranking subset, or one for both: answers are
// imagined as a whole.
func (o *outlook) end(order int) prospect {
	p := o.ending(order)
	small := o.problem
	small.View, small.Subset = plan.View{Samples: []uint32{0, 1}[:p.whole]}, 1
	p.shareOut()
	_, _ = search.POT(context.Background(), small, p) // an end by ErrStop is an end; other errors mean that nothing is to come
	if n := len(p.bases); n > 0 {
		p.more.slow += float64(len(p.problem.View.Samples)) * p.inFloat(p.bases[n-1])
	}
	return p.more
}

// ending is play order before it begins.
func (o *outlook) ending(order int) *ending {
	p := &ending{
		outlook: o, order: order, lot: rand.New(rand.NewPCG(uint64(order), 17)), bases: slices.Clone(o.bases), whole: 1,
		values: map[string][]search.Value{}, lucky: map[string]float64{}, means: map[string][]float64{},
	}
	if o.problem.Subset < len(o.problem.View.Samples) {
		p.whole = 2
	}
	return p
}

// shareOut draws what each group is to blame for. Before a ranking: exponentially in every third play, by the third power of that in the others,
// and in half of these one group has most of it: in the first rankings of the models that the project is tested with, the best group
// took off half of the loss or more as often as a tenth or less. Afterwards a group has what its plan gained above the middle of the
// ranking, less what is chance there, and all share the rest.
func (p *ending) shareOut() {
	p.share = make([]float64, p.problem.Groups)
	sum := 0.0
	for g := range p.share {
		p.share[g] = p.lot.ExpFloat64()
		if p.order%3 > 0 && len(p.score) == 0 {
			p.share[g] *= p.share[g] * p.share[g]
		}
		sum += p.share[g]
	}
	if p.order%3 == 2 && len(p.score) == 0 && len(p.share) > 0 {
		most := 0.5 + 0.48*p.lot.Float64()
		p.share[p.lot.IntN(len(p.share))] += sum * most / (1 - most)
	}
	if len(p.score) == 0 || math.IsNaN(p.middle) {
		return
	}
	gains, all := p.gains()
	for g := range p.share {
		p.share[g] = gains[g]/max(1, all) + max(leastShared, 1-all)*p.share[g]/sum
	}
}

// leastShared is the part of the blame that all groups share, whatever a ranking says.
const leastShared = 0.1

// gains is what groups take off what is lost, as parts of it, by the ranking that is known, and their sum.
func (p *ending) gains() (gains []float64, sum float64) {
	gains = make([]float64, p.problem.Groups)
	base := math.Abs(p.baseline(0).F)
	if p.at(p.from) == nil {
		return gains, 0
	}
	lost := p.mean(p.from)[0]
	if lost <= 0 {
		return gains, 0
	}
	chance := math.Abs(lost - p.lost(lost, base, 0, 1))
	part := p.seenPart()
	power, below := p.scatter()
	trust := max(0, 1-max(chance*chance, below*part*part)/max(power*part*part, math.SmallestNonzeroFloat64))
	if there := p.lostThere(); there > 0 {
		lost, part = there, 1
	}
	for _, g := range slices.Sorted(maps.Keys(p.score)) {
		if s := p.score[g]; g < len(gains) && s > 0 {
			gains[g] = min(1, trust*s*part/lost)
			if p.against == byDecisions {
				gains[g] = 1 - (1-gains[g])*(1-gains[g])
			}
			sum += gains[g]
		}
	}
	return gains, sum
}

// seenPart is the part of the view that a ranking sees. What separates plans lies in it: it holds the samples that INT8 gets wrong.
func (p *ending) seenPart() float64 {
	return min(1, float64(p.problem.Subset)/float64(max(1, len(p.problem.View.Samples))))
}

// Ask implements search.Asker.
func (p *ending) Ask(_ context.Context, r search.Round) ([]search.Answer, error) {
	if p.asked += len(r.Need); p.asked > mostAsked {
		return nil, search.ErrStop
	}
	out := make([]search.Answer, len(r.Need))
	for i, t := range r.Need {
		full := len(t.View.Samples) == p.whole
		k := key(t.Plan, full)
		v, ok := p.known[k]
		if !ok {
			v, ok = p.values[k]
		}
		if !ok {
			v = p.imagine(t.Plan, full)
			p.values[k] = v
			p.pay(r.Name, k, p.inFloat(t.Plan))
		}
		out[i] = search.Answer{Trial: t, Lo: v, Hi: v, Seen: len(t.View.Samples), Records: alike{}}
		if r.Name == PhaseRevert {
			p.bases = append(p.bases, t.Plan)
		}
	}
	return out, nil
}

// pay counts what an unknown answer costs.
func (p *ending) pay(phase, k string, float float64) {
	n := int64(len(p.problem.View.Samples))
	switch {
	case p.paid[k] || phase == PhaseStart:
		return
	case phase == PhaseRank:
		n = min(n, int64(p.problem.Subset))
		p.more.rank += n
	default:
		p.more.revert += n
	}
	p.more.slow += float64(n) * float
}

// inFloat is the part of the groups that a plan has in float beyond the newest plan that was evaluated.
func (p *ending) inFloat(pl plan.Plan) float64 {
	now := 0
	if n := len(p.outlook.bases); n > 0 {
		now = p.outlook.bases[n-1].Count()
	}
	return max(0, float64(pl.Count()-now)/float64(max(1, p.problem.Groups)))
}

// alike is records of which no sample differs from another.
type alike struct{}

func (alike) Sample(int, int) float64 { return 0 }

// baseline is what the float model measured, 1 while that is unknown.
func (p *ending) baseline(m int) search.Value {
	if v, ok := p.known["float"]; ok {
		return v[m]
	}
	return metric.Float(1)
}

// imagine makes up what a plan measures.
func (p *ending) imagine(pl plan.Plan, full bool) []search.Value {
	from, group := p.parent(pl)
	luck := p.luck(pl, full)
	out := make([]search.Value, len(p.problem.Metrics))
	for m := range out {
		base := p.baseline(m)
		switch {
		case pl.Params.IsZero() || pl.Count() == p.problem.Groups:
			out[m] = base
		case group < 0:
			out[m] = like(base, base.F-p.sign(m)*p.firstDrop(base), len(p.problem.View.Samples))
		default:
			lost := p.lost(p.mean(from)[m], math.Abs(base.F), p.part(from, group), luck)
			if v, ok := p.known[key(pl, false)]; ok && full && m == 0 && from.Equal(p.from) {
				lost = p.ranked(v[0].F, base, luck)
			}
			out[m] = like(base, base.F-p.sign(m)*lost, len(p.problem.View.Samples))
		}
	}
	return out
}

// mean is what a plan that was evaluated loses but for chance, by metric. The search goes on from plans that were lucky, and the luck of a plan is not
// that of the next: what everything INT8 loses, and how groups take part in it, says what is to be expected, and what a plan
// measured corrects that where chance does not explain the difference.
func (p *ending) mean(pl plan.Plan) []float64 {
	k := key(pl, true)
	if v, ok := p.means[k]; ok {
		return v
	}
	from, group := p.parent(pl)
	v := make([]float64, len(p.problem.Metrics))
	for m := range v {
		base := p.baseline(m)
		v[m] = p.sign(m) * (base.F - p.at(pl)[m].F)
		if around, ok := p.around(pl); ok && m == 0 {
			v[m] = around(v[m])
			continue
		}
		if group < 0 {
			continue
		}
		before, whole, part := p.mean(from)[m], math.Abs(base.F), p.part(from, group)
		expected := p.lost(before, whole, part, 0)
		chance := mostLuck * math.Abs(expected-p.lost(before, whole, part, 1))
		v[m] += max(-chance, min(chance, expected-v[m]))
	}
	p.means[k] = v
	return v
}

// around says what a ranking that started from a plan tells of it: its plans are as good as that one but for chance, in the middle. On a subset
// that holds what the plan gets wrong they only can be worse than they should.
func (p *ending) around(pl plan.Plan) (mean func(own float64) float64, ok bool) {
	if math.IsNaN(p.middle) || !pl.Equal(p.from) || p.from.Params.IsZero() {
		return nil, false
	}
	switch part := p.seenPart(); {
	case part == 1:
		return func(float64) float64 { return p.sign(0) * (p.baseline(0).F - p.middle) }, true
	case p.against == byDecisions:
		return func(own float64) float64 { return max(own, part*(p.baseline(0).F-p.middle)) }, true
	}
	return nil, false
}

// scatter is the mean square of the scores of a ranking, and of those that are not above its middle: no group does better in INT8, so
// they are chance, and as much of those above is.
func (p *ending) scatter() (all, below float64) {
	n := 0
	for _, g := range slices.Sorted(maps.Keys(p.score)) {
		s := p.score[g]
		all += float64(s * s)
		if s <= 0 {
			below, n = below+float64(s*s), n+1
		}
	}
	return all / float64(max(1, len(p.score))), below / float64(max(1, n))
}

// lostThere is what the middle of the newest ranking loses on its subset, where the float model is the bound; 0 elsewhere.
func (p *ending) lostThere() float64 {
	if p.against == byLabels || math.IsNaN(p.middle) {
		return 0
	}
	return max(0, p.sign(0)*(p.baseline(0).F-p.middle))
}

// ranked imagines what a plan loses that measured so much on the newest ranking's subset: there it is better than the middle by
// what is known, and what lies outside is as in any plan that far. Where the float model is the bound, less noise spoils fewer samples outside
// as well, so the whole is lost in the proportion that shows on the subset.
func (p *ending) ranked(value float64, base search.Value, luck float64) float64 {
	part, lost := p.seenPart(), p.mean(p.from)[0]
	chance := lost - p.lost(lost, math.Abs(base.F), 0, 1)
	out := lost - part*p.sign(0)*(value-p.middle)
	if there := p.lostThere(); there > 0 {
		out = lost * p.sign(0) * (base.F - value) / there
	}
	out -= luck * chance * math.Sqrt(1-part)
	if p.against != byLabels {
		out = max(0, out)
	}
	return out
}

// mostLuck is the standard deviations that chance explains.
const mostLuck = 1.0

// like is f in the form of v: a count of so many samples, or a float.
func like(v search.Value, f float64, samples int) search.Value {
	if hits := math.Round(f * float64(samples)); v.Exact() && hits >= 0 && hits <= float64(samples) {
		return metric.Count(int64(hits), int64(samples))
	}
	return metric.Float(f)
}

// at is the full evaluation of a plan that was asked, nil of one that was not.
func (p *ending) at(pl plan.Plan) []search.Value {
	k := key(pl, true)
	if v, ok := p.known[k]; ok {
		return v
	}
	return p.values[k]
}

// parent is the newest full evaluation of a plan that has one group less in float, and that group; -1 if there is none.
func (p *ending) parent(pl plan.Plan) (from plan.Plan, group int) {
	float := pl.FloatGroups()
	for _, b := range slices.Backward(p.bases) {
		more := -1
		for _, g := range float {
			if !b.Has(g) {
				more = g
			}
		}
		if more >= 0 && b.Count() == len(float)-1 {
			if u, err := b.Revert(more, p.problem.Groups); err == nil && u.Equal(pl) {
				return b, more
			}
		}
	}
	return plan.Plan{}, -1
}

// part is what a group has of the blame that the INT8 groups of a plan share; all of it where none has any.
func (p *ending) part(from plan.Plan, group int) float64 {
	rest := 0.0
	for g, s := range p.share {
		if !from.Has(g) {
			rest += s
		}
	}
	if rest > 0 {
		return p.share[group] / rest
	}
	return 1
}

// lost imagines what is still lost, of so much of a model that has whole to lose, when a group with a part of the blame goes to float.
// Blame is the power of noise. Outputs lose noise/(signal+noise). Of classes, and of what labels count, noise takes a part of
// what is left: a model that has collapsed gets little better by its first reverts, and one that lost little does in proportion. Where
// the float model is the bound, nothing is lost at best, and less is left to chance the less is lost.
func (p *ending) lost(lost, whole, part, luck float64) float64 {
	whole = max(whole, math.SmallestNonzeroFloat64)
	ratio, rest := min(lost/whole, collapsed), max(0, 1-part)
	if p.against == byDistance {
		noise := max(0, ratio) / (1 - ratio) * max(0, rest-luck*interplay)
		return whole * noise / (1 + noise)
	}
	if p.against == byDecisions {
		ratio, rest = max(0, ratio), math.Sqrt(rest)
		return max(0, whole*(1-numeric.Exp64(rest*numeric.Log64(1-ratio)))-luck*p.wobble(math.Sqrt(max(0, lost))))
	}
	spread := p.spread
	if spread == 0 {
		spread = unseenSpread
	}
	if ratio > 0 {
		lost = whole * (1 - numeric.Exp64(rest*numeric.Log64(1-ratio)))
	} else {
		lost *= rest
	}
	return lost - luck*p.wobble(spread)
}

// interplay is the standard deviation of what the noise of a group does to that of the others, which it cancels or not, as a part of all:
// in rankings of MobileNet's 28 groups by sqnr, several made it worse by 1 to 8 hundredths.
const interplay = 0.05

// collapsed is the part of all that a model is taken to lose at most: what is left then tells nothing any more.
const collapsed = 0.98

// luck is what chance adds to a plan, in standard deviations. The ranking subset is a part of the view, so a plan that was lucky there
// is, by that part, as lucky on the whole view: the best of a ranking of many is.
func (p *ending) luck(pl plan.Plan, full bool) float64 {
	k := key(pl, true)
	z, ok := p.lucky[k]
	if !ok {
		z = p.lot.NormFloat64()
		p.lucky[k] = z
	}
	if full {
		return z
	}
	common := float64(p.problem.Subset) / float64(len(p.problem.View.Samples))
	return math.Sqrt(common)*z + math.Sqrt(1-common)*p.lot.NormFloat64()
}

// wobble is the standard deviation of what chance adds to a revert, where samples differ by spread from the float model: as if a group
// had its part of them, and others took their place.
func (p *ending) wobble(spread float64) float64 {
	return 2 * spread / math.Sqrt(float64(len(p.problem.View.Samples)*max(1, p.problem.Groups)))
}

// unmoved samples, which are the same in INT8, are added to a part of the view where samples are counted, and one at least differs:
// most models lose little, and few samples say more than they know.
const unmoved = 100

// firstDrop imagines what everything in INT8 loses, before it is known: play by play from little to much. Where a part of the
// samples is seen, their drop give or take its standard error; before, what is usual.
func (p *ending) firstDrop(base search.Value) float64 {
	u := (float64(p.order) + 0.5) / plays
	if p.seen > 0 {
		n, all := float64(p.seen), float64(len(p.problem.View.Samples))
		z := 0.55 * numeric.Log64(u/(1-u))
		drop, spread := p.drop, p.spread
		if base.Exact() {
			spread = max(spread, 1/math.Sqrt(n))
		}
		if p.against != byLabels {
			return max(0, drop+z*spread*math.Sqrt(max(0, 1/n-1/all)))
		}
		if base.Exact() {
			drop *= n / (n + unmoved)
		}
		return drop + z*spread*math.Sqrt(max(0, 1/n-1/all))
	}
	w := usual[p.against]
	if u < w.nothing {
		return 0
	}
	return math.Abs(base.F) * w.least * numeric.Exp64((u-w.nothing)/(1-w.nothing)*numeric.Log64(w.most/w.least))
}

// usual is what everything in INT8 loses of the float model's value: nothing in a part of the plays, else between two bounds, each
// order of magnitude as often as the others. Labels see little of what classes and outputs show.
var usual = [...]struct{ nothing, least, most float64 }{
	byLabels:    {0.25, 1e-4, 0.3},
	byDecisions: {0.15, 1e-2, 0.15},
	byDistance:  {0, 3e-4, 0.1},
}

var _ search.Asker = (*ending)(nil)
