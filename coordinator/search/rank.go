package search

import (
	"context"
	"slices"

	"assay/shared/plan"
)

// rank orders the INT8 groups of l.now for metric l.metric: each is scored by the metric over the ranking subset with that
// group in float as well (pot-spec 2.7).
func (s *session) rank(ctx context.Context, l *loop) error {
	groups := s.candidates(l)
	r := Ranking{Before: len(s.out.Steps), Metric: l.metric}
	if len(groups) == 1 {
		r.Scores = []Score{{Group: groups[0]}}
	} else if err := s.score(ctx, l, groups, &r); err != nil {
		return err
	}
	s.out.Rankings = append(s.out.Rankings, r)
	l.queue = l.queue[:0:0]
	for _, x := range r.Scores {
		l.queue = append(l.queue, x.Group)
	}
	l.ranked = true
	return nil
}

// candidates are the INT8 groups of l.now without the rejected one, unless that is the last. Never empty: the loop ends when
// no group is left.
func (s *session) candidates(l *loop) []int {
	var open []int
	for g := range s.p.Groups {
		if !l.now.plan.Has(g) && g != l.rejected {
			open = append(open, g)
		}
	}
	if len(open) == 0 {
		return []int{l.rejected}
	}
	return open
}

// score asks one trial a group on the ranking subset and sorts: best value first, ties by index.
func (s *session) score(ctx context.Context, l *loop, groups []int, r *Ranking) error {
	metric := s.p.Metrics[l.metric]
	positions, worse := rankingSubset(l.metric, metric, s.float, l.now.records, len(s.p.View.Samples), s.p.Subset)
	r.Worse = worse
	for _, i := range positions {
		r.Samples = append(r.Samples, s.p.View.Samples[i])
	}
	round := Round{Name: "rank"}
	view := plan.View{Samples: r.Samples}
	for _, g := range groups {
		pl, err := l.now.plan.Revert(g, s.p.Groups)
		if err != nil {
			return err
		}
		round.Need = append(round.Need, trial(pl, view))
	}
	answers, err := s.round(ctx, round)
	if err != nil {
		return err
	}
	for i, g := range groups {
		r.Scores = append(r.Scores, Score{Group: g, Value: answers[i].Hi[l.metric], Known: true})
	}
	slices.SortStableFunc(r.Scores, func(a, b Score) int { return metric.better(a.Value, b.Value) })
	if metric.better(r.Scores[0].Value, r.Scores[len(r.Scores)-1].Value) == 0 {
		r.Tied = true
		s.note("ranking %d tells nothing: all %d groups score %v in %s on %d samples, so they are tried in graph order",
			len(s.out.Rankings), len(groups), r.Scores[0].Value, metric.Name, len(r.Samples))
	}
	return nil
}
