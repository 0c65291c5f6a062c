package search

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"assay/shared/plan"
)

// POT runs the loop of POT's AccuracyAwareQuantization: float and INT8 models, and while a limit is missed, rank groups and
// give them back to float one by one (pot-spec 2.2, 2.6, 2.7). The package comment lists the differences. For G groups it tries at most
// 2G reverts, since the one after a roll-back is always accepted, and asks at most one ranking before each.
//
// An error means that the problem is none, that the float model has a value that is no number, or that an answer is missing or breaks the
// contract; the Outcome is empty then. It wraps what the Asker said. A missed limit is an Outcome. ctx is only handed to the Asker.
func POT(ctx context.Context, p Problem, ask Asker) (Outcome, error) {
	if err := p.Check(); err != nil {
		return Outcome{}, err
	}
	s := &session{p: p, ask: ask}
	if err := s.start(ctx); err != nil {
		return Outcome{}, err
	}
	s.out.Reason = s.first()
	if s.out.Reason == "" {
		err := s.revert(ctx)
		if err != nil && !errors.Is(err, ErrStop) {
			return Outcome{}, err
		}
		if err != nil {
			s.out.Reason = Stopped
		}
	}
	s.finish()
	return s.out, nil
}

// start measures the float model and everything INT8 on the whole view, in one round: neither answer decides whether the
// other is needed.
func (s *session) start(ctx context.Context) error {
	need := []Trial{trial(plan.Plan{}, s.p.View), trial(plan.Plan{Params: s.p.Params}, s.p.View)}
	answers, err := s.round(ctx, Round{Name: "start", Need: need})
	if err != nil {
		return err
	}
	s.baseline, s.float = answers[0].Hi, answers[0].Records
	for m, metric := range s.p.Metrics {
		if rat(s.baseline[m]) == nil {
			return fmt.Errorf("search: metric %s of the float model is %v; look for NaN in its outputs or for a metric that does not fit it",
				metric.Name, s.baseline[m])
		}
	}
	s.int8 = s.measure(answers[1], nil)
	s.best = s.int8
	return nil
}

// first says whether the search is over before any revert; "" if not.
func (s *session) first() Reason {
	switch {
	case s.p.Groups == 0:
		s.note("the model has no quantizable layer: nothing is INT8")
		return Nothing
	case s.within(s.int8):
		return Met
	}
	for m, metric := range s.p.Metrics {
		if s.collapsed(m) {
			s.note("the INT8 model has collapsed: %s is %v where float has %v and guessing gives %v; the first rankings say little",
				metric.Name, s.int8.values[m], s.baseline[m], *metric.Chance)
		}
	}
	return ""
}

// collapsed reports whether the INT8 model keeps less than a twentieth of what float has over guessing in metric m. An INT8 value that is no
// number has kept nothing.
func (s *session) collapsed(m int) bool {
	metric := s.p.Metrics[m]
	if metric.Chance == nil {
		return false
	}
	float, int8, chance := rat(s.baseline[m]), rat(s.int8.values[m]), rat(*metric.Chance)
	if int8 == nil || chance == nil {
		return int8 == nil
	}
	over, kept := float.Sub(float, chance), int8.Sub(int8, chance)
	if metric.better(s.baseline[m], *metric.Chance) >= 0 {
		return false // float itself does not beat guessing
	}
	if over.Sign() < 0 {
		over.Neg(over)
		kept.Neg(kept)
	}
	return kept.Mul(kept, twenty).Cmp(over) < 0
}

// finish fills the outcome from the best plan.
func (s *session) finish() {
	s.out.Plan, s.out.Float, s.out.Met = s.best.plan, s.best.lineage, s.within(s.best)
	if s.out.Float == nil {
		s.out.Float = []Revert{}
	}
	if s.p.Groups > 0 && s.best.plan.Count() == s.p.Groups {
		s.note("the best plan is the float model: no group is INT8")
	}
	for m, metric := range s.p.Metrics {
		s.out.Metrics = append(s.out.Metrics, Result{
			Metric: metric, Baseline: s.baseline[m], Int8: s.int8.values[m], Final: s.best.values[m],
			Drop: s.best.drops[m], Met: s.holds(s.best, m),
		})
	}
}

// twenty divides what float has over guessing into the part below which a model has collapsed.
var twenty = big.NewRat(20, 1)

func (s *session) note(format string, args ...any) {
	s.out.Notes = append(s.out.Notes, fmt.Sprintf(format, args...))
}
