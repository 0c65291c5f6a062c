package search

import (
	"context"
	"slices"
)

// loop is the state of the revert loop (pot-spec 2.6).
type loop struct {
	now      measured // the plan that the next revert starts from
	metric   int      // the one optimised
	last     Value    // the drop to beat in it
	forgive  bool     // one worsening may pass: POT's step_back
	ranked   bool     // queue is current
	queue    []int    // groups to try, best first
	rejected int      // the group just rolled back, -1 if none
}

// revert gives groups back to float until all limits hold, no group is left or the iterations are used up.
func (s *session) revert(ctx context.Context) error {
	w := s.worst(s.int8)
	l := &loop{now: s.int8, metric: w, last: s.int8.drops[w], forgive: true, rejected: -1}
	for len(s.out.Steps) != s.p.Iterations { // never equal when Unlimited
		if !l.ranked || len(l.queue) == 0 {
			if err := s.rank(ctx, l); err != nil {
				return err
			}
		}
		over, err := s.step(ctx, l)
		if err != nil {
			return err
		}
		if over != "" {
			s.out.Reason = over
			return nil
		}
	}
	s.out.Reason = Iterations
	return nil
}

// step tries the first group of the queue and decides by its full evaluation. A reason ends the loop.
func (s *session) step(ctx context.Context, l *loop) (Reason, error) {
	g := l.queue[0]
	l.queue = l.queue[1:]
	next, err := s.evaluate(ctx, l, g)
	if err != nil {
		return "", err
	}
	verdict := s.verdict(l, next)
	s.record(l, g, next, verdict)
	switch verdict {
	case Within:
		return Met, nil
	case Gone:
		return AllFloat, nil
	case RolledBack:
		// The next revert is accepted whatever it does, so one rejected group is all there is to remember.
		l.rejected, l.forgive, l.ranked = g, true, false
		return "", nil
	}
	// Kept, whatever it did: what was rejected before may be tried again, on another plan. A roll-back has left last alone (Q15).
	l.rejected = -1
	l.now, l.last = next, next.drops[l.metric]
	switch verdict {
	case Improved, Forgiven:
		l.forgive = false
	case Switched:
		l.metric = s.worst(next)
		l.last = s.int8.drops[l.metric] // POT: the value to beat in the new metric is the fully quantized model's
		l.forgive, l.ranked = false, false
	case KeptWorse:
		l.ranked = false
	}
	return "", nil
}

// verdict judges next against the state before it, in POT's order. Where the optimised metric holds, another does not (else the
// verdict was Within), which is worth a new ranking even if the step has made the first one worse.
func (s *session) verdict(l *loop, next measured) Verdict {
	worse := compareDrops(next.drops[l.metric], l.last) > 0
	switch {
	case next.plan.Count() == s.p.Groups && !s.within(next): // whatever the step did: there is nothing to rank
		return Gone
	case s.within(next):
		return Within
	case worse && l.forgive:
		return Forgiven
	case worse && !s.p.KeepWorse:
		return RolledBack
	case s.holds(next, l.metric):
		return Switched
	case worse:
		return KeptWorse
	}
	return Improved
}

// foresight is how many reverts after the present one are named as likely questions. Each guess
// rests on the one before, so more would seldom be right.
const foresight = 4

// evaluate asks the plan with g float as well on the whole view. What is likely to come is that this helps and is not enough,
// and the next group of the queue follows, and so on.
func (s *session) evaluate(ctx context.Context, l *loop, g int) (measured, error) {
	pl, err := l.now.plan.Revert(g, s.p.Groups)
	if err != nil {
		return measured{}, err
	}
	r := Round{Name: "revert", Need: []Trial{trial(pl, s.p.View)}}
	then := pl
	for _, next := range l.queue[:min(foresight, len(l.queue))] {
		if then, err = then.Revert(next, s.p.Groups); err != nil {
			return measured{}, err
		}
		r.Maybe = append(r.Maybe, trial(then, s.p.View))
	}
	answers, err := s.round(ctx, r)
	if err != nil {
		return measured{}, err
	}
	next := s.measure(answers[0], nil)
	gain := Revert{Group: g, Metric: l.metric, Gain: less(l.now.drops[l.metric], next.drops[l.metric])}
	next.lineage = append(slices.Clone(l.now.lineage), gain)
	return next, nil
}

// record appends the step and moves the best plan.
func (s *session) record(l *loop, g int, next measured, v Verdict) {
	best := s.beats(next, s.best)
	if best {
		s.best = next
	}
	s.out.Steps = append(s.out.Steps, Step{
		Group: g, Metric: l.metric, Ranking: len(s.out.Rankings) - 1, Float: next.plan.FloatGroups(),
		Values: next.values, Drops: next.drops, Verdict: v, Best: best,
	})
}
