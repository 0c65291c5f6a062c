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
	bases  []plan.Plan
	whole  int // samples that stand for the whole view
	asked  int
	more   prospect
}

// end plays the search once. Two samples stand for the view and one for the ranking subset, or one for both: answers are
// imagined as a whole.
func (o *outlook) end(order int) prospect {
	p := &ending{outlook: o, order: order, lot: rand.New(rand.NewPCG(uint64(order), 17)), values: map[string][]search.Value{}, bases: slices.Clone(o.bases), whole: 1}
	if o.problem.Subset < len(o.problem.View.Samples) {
		p.whole = 2
	}
	small := o.problem
	small.View, small.Subset = plan.View{Samples: []uint32{0, 1}[:p.whole]}, 1
	p.shareOut()
	_, _ = search.POT(context.Background(), small, p) // an end by ErrStop is an end; other errors mean that nothing is to come
	return p.more
}

// shareOut draws what each group is to blame for. A group's score counts with a tenth of the best one's by chance.
func (p *ending) shareOut() {
	best, sum := 0.0, 0.0
	for _, s := range p.score {
		best, sum = max(best, s), sum+s
	}
	p.share = make([]float64, p.problem.Groups)
	for g := range p.share {
		chance := p.lot.ExpFloat64()
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
			v = p.imagine(t.Plan)
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
func (p *ending) imagine(pl plan.Plan) []search.Value {
	from, group := p.parent(pl)
	out := make([]search.Value, len(p.problem.Metrics))
	for m := range out {
		base := p.baseline(m)
		switch {
		case pl.Params.IsZero() || pl.Count() == p.problem.Groups:
			out[m] = base
		case group < 0:
			out[m] = like(base, base.F-p.sign(m)*p.firstDrop(base), len(p.problem.View.Samples))
		default:
			gain := p.gain(m, base, from, group)
			out[m] = like(base, p.at(from)[m].F+p.sign(m)*gain, len(p.problem.View.Samples))
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

// gain imagines by how much the drop of metric m falls from a plan when a group goes to float as well.
func (p *ending) gain(m int, base search.Value, from plan.Plan, group int) float64 {
	rest := 0.0
	for g, s := range p.share {
		if !from.Has(g) {
			rest += s
		}
	}
	lost := p.sign(m) * (base.F - p.at(from)[m].F)
	if rest > 0 {
		lost *= p.share[group] / rest
	}
	return lost + p.lot.NormFloat64()*p.wobble()
}

// wobble is the standard deviation of what chance adds to a revert: the spread of the whole view's mean, a group's part of it.
func (p *ending) wobble() float64 {
	spread := p.spread
	if spread == 0 {
		spread = unseenSpread
	}
	return spread / math.Sqrt(float64(len(p.problem.View.Samples)*max(1, p.problem.Groups)))
}

// unmoved samples, which are the same in INT8, are added to a part of the view where samples are counted, and one at least differs:
// most models lose little, and few samples say more than they know.
const unmoved = 100

// firstDrop imagines what everything in INT8 loses, before it is known: play by play from little to much. Where a part of the
// samples is seen, their drop give or take its standard error; before, nothing in a quarter of the plays, and in the others
// as often a ten-thousandth to a thousandth as a thousandth to a hundredth, and so on, to three tenths of the float model's value.
func (p *ending) firstDrop(base search.Value) float64 {
	u := (float64(p.order) + 0.5) / plays
	if p.seen > 0 {
		n, all := float64(p.seen), float64(len(p.problem.View.Samples))
		z := 0.55 * numeric.Log64(u/(1-u))
		drop, spread := p.drop, p.spread
		if base.Exact() {
			drop, spread = drop*n/(n+unmoved), max(spread, 1/math.Sqrt(n))
		}
		return drop + z*spread*math.Sqrt(max(0, 1/n-1/all))
	}
	if u < 0.25 {
		return 0
	}
	return math.Abs(base.F) * 1e-4 * numeric.Exp64((u-0.25)/0.75*numeric.Log64(3000))
}

var _ search.Asker = (*ending)(nil)
