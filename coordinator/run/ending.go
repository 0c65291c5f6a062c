package run

import (
	"context"
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
	lucky  map[string]float64 // what chance does to a plan, in standard deviations
	bases  []plan.Plan
	whole  int // samples that stand for the whole view
	asked  int
	more   prospect
}

// end plays the search once. Two samples stand for the view and one for the ranking subset, or one for both: answers are
// imagined as a whole.
func (o *outlook) end(order int) prospect {
	p := &ending{outlook: o, order: order, lot: rand.New(rand.NewPCG(uint64(order), 17)), values: map[string][]search.Value{}, lucky: map[string]float64{}, bases: slices.Clone(o.bases), whole: 1}
	if o.problem.Subset < len(o.problem.View.Samples) {
		p.whole = 2
	}
	small := o.problem
	small.View, small.Subset = plan.View{Samples: []uint32{0, 1}[:p.whole]}, 1
	p.shareOut()
	_, _ = search.POT(context.Background(), small, p) // an end by ErrStop is an end; other errors mean that nothing is to come
	return p.more
}

// shareOut draws what each group is to blame for: exponentially in every other play, by the third power of that in the others, as often
// one group or two have it nearly all. A group's score counts with a tenth of the best one's by chance.
func (p *ending) shareOut() {
	best, sum := 0.0, 0.0
	for _, s := range p.score {
		best, sum = max(best, s), sum+s
	}
	p.share = make([]float64, p.problem.Groups)
	for g := range p.share {
		chance := p.lot.ExpFloat64()
		if p.order%2 == 1 && best == 0 {
			chance *= chance * chance
		}
		s, ok := p.score[g]
		switch {
		case best == 0:
			p.share[g] = chance
		case ok:
			p.share[g] = s + best/10*chance
		default:
			p.share[g] = sum / float64(len(p.score)) * chance
		}
	}
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
			p.pay(r.Name, k)
		}
		out[i] = search.Answer{Trial: t, Lo: v, Hi: v, Seen: len(t.View.Samples), Records: alike{}}
		if r.Name == PhaseRevert {
			p.bases = append(p.bases, t.Plan)
		}
	}
	return out, nil
}

// pay counts what an unknown answer costs.
func (p *ending) pay(phase, k string) {
	n := int64(len(p.problem.View.Samples))
	switch {
	case p.paid[k] || phase == PhaseStart:
	case phase == PhaseRank:
		p.more.rank += min(n, int64(p.problem.Subset))
	default:
		p.more.revert += n
	}
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
			lost := p.lost(p.sign(m)*(base.F-p.at(from)[m].F), math.Abs(base.F), p.part(from, group), luck)
			out[m] = like(base, base.F-p.sign(m)*lost, len(p.problem.View.Samples))
		}
	}
	return out
}

// like is f in the form of v: a count of so many samples, or a float.
func like(v search.Value, f float64, samples int) search.Value {
	if hits := math.Round(f * float64(samples)); v.Exact() && hits >= 0 && hits <= float64(samples) {
		return metric.Count(int64(hits), int64(samples))
	}
	return metric.Float(f)
}

// at is the full evaluation of a plan that was asked.
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
	byDecisions: {0.1, 3e-3, 0.25},
	byDistance:  {0, 3e-4, 0.1},
}

var _ search.Asker = (*ending)(nil)
