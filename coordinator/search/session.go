package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"

	"assay/shared/plan"
)

// session is the memory of one search: what was asked, what was found, what is best. It is used by one goroutine.
type session struct {
	p        Problem
	ask      Asker
	baseline []Value
	float    Records
	int8     measured
	best     measured
	out      Outcome
}

// measured is a plan with its full evaluation. lineage says by which reverts it came about.
type measured struct {
	plan    plan.Plan
	values  []Value
	drops   []Value
	records Records
	lineage []Revert
}

// trial asks pl on view for everything that decisions need.
func trial(pl plan.Plan, view plan.View) Trial {
	return Trial{Plan: pl, View: view, What: plan.Records}
}

// round asks r and checks the answers against the contract. It notes every answer that it returns;
// their trials are the ones asked, whatever the Asker put there.
func (s *session) round(ctx context.Context, r Round) ([]Answer, error) {
	answers, err := s.ask.Ask(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("search: round %q: %w", r.Name, err)
	}
	if len(answers) != len(r.Need) {
		return nil, fmt.Errorf("search: round %q: %d answers to %d trials", r.Name, len(answers), len(r.Need))
	}
	for i := range answers {
		a := &answers[i]
		a.Trial = r.Need[i]
		if err := s.check(r.Need[i], *a); err != nil {
			return nil, fmt.Errorf("search: round %q, trial %d: %w", r.Name, i, err)
		}
		s.out.Trials = append(s.out.Trials, Asked{
			Round: r.Name, Float: r.Need[i].Plan.FloatGroups(), Samples: a.Seen, Values: a.Hi,
		})
	}
	return answers, nil
}

// check says where a breaks the contract as an answer to t, which has no thresholds.
func (s *session) check(t Trial, a Answer) error {
	n := len(s.p.Metrics)
	switch {
	case len(a.Lo) != n || len(a.Hi) != n:
		return fmt.Errorf("answer has %d and %d values for %d metrics", len(a.Lo), len(a.Hi), n)
	case a.Seen != len(t.View.Samples):
		return fmt.Errorf("answer saw %d of %d samples though nothing may stop it", a.Seen, len(t.View.Samples))
	case a.Records == nil:
		return errors.New("answer without records")
	}
	for m := range n {
		if a.Lo[m].Compare(a.Hi[m]) != 0 {
			return fmt.Errorf("metric %s lies between %v and %v after all samples", s.p.Metrics[m].Name, a.Lo[m], a.Hi[m])
		}
	}
	return nil
}

// measure turns a full answer into what the loop compares.
func (s *session) measure(a Answer, lineage []Revert) measured {
	out := measured{plan: a.Trial.Plan, values: a.Hi, records: a.Records, lineage: lineage}
	for m, metric := range s.p.Metrics {
		out.drops = append(out.drops, s.p.Limit.Drop(metric.Direction, s.baseline[m], a.Hi[m]))
	}
	return out
}

// within reports whether e holds every limit, and holds whether it holds that of metric m.
func (s *session) within(e measured) bool {
	for m := range s.p.Metrics {
		if !s.holds(e, m) {
			return false
		}
	}
	return true
}

func (s *session) holds(e measured, m int) bool {
	return s.p.Limit.Allows(s.p.Metrics[m].Direction, s.baseline[m], e.values[m])
}

// excess is how far e's drop of metric m lies above the limit, as a share of the baseline's magnitude (of 1 for a baseline
// of 0), so that metrics of different units compare. +Inf for a value that is no number. Rounding cannot turn an order of
// counts: they differ by far more than an ulp.
func (s *session) excess(e measured, m int) float64 {
	x := s.p.Limit.Excess(s.p.Metrics[m].Direction, s.baseline[m], e.values[m])
	if math.IsNaN(x) {
		return math.Inf(1)
	}
	if b := math.Abs(s.baseline[m].F); b != 0 {
		x /= b
	}
	return x
}

// worst returns the metric with the largest excess; ties go to the first.
func (s *session) worst(e measured) int {
	at := 0
	for m := 1; m < len(s.p.Metrics); m++ {
		if s.excess(e, m) > s.excess(e, at) {
			at = m
		}
	}
	return at
}

// beats reports whether e is a better result than f: within all limits, then the smaller worst excess, then fewer float
// groups. An equal one does not beat, so the earliest stands.
func (s *session) beats(e, f measured) bool {
	if a, b := s.within(e), s.within(f); a != b {
		return a
	}
	if c := cmp.Compare(s.excess(e, s.worst(e)), s.excess(f, s.worst(f))); c != 0 {
		return c < 0
	}
	return e.plan.Count() < f.plan.Count()
}
