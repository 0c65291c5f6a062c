package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"assay/coordinator/report"
	"assay/shared/plan"
)

// The written model is timed for speedBudget, and if it does not come out faster than the float one, again, speedPasses times in
// all: then it may be said, at a level of speedAlpha, that it is not.
const (
	speedBudget = 1200 * time.Millisecond
	speedPasses = 3
	speedAlpha  = 0.01
)

// speed measures the float, the all-INT8 and the final model on this machine, by turns.
func (w *work) speed(ctx context.Context) (*report.Speed, error) {
	w.events.phase(Phase{Name: PhaseSpeed, Models: 3, Samples: 1})
	digest, sample := w.problem.Digest(), w.data.searchView.Samples[0]
	plans := []plan.Plan{{}, plan.All(w.params), w.outcome.Plan}
	speed, err := timed(func() ([][]float64, error) {
		return w.seat.cells.Times(ctx, digest, plans, sample, speedBudget)
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("speed: %w", err)
	}
	return speed, nil
}

// timed judges turns of the float, the all-INT8 and the final model, and asks for more of them as long as the final one is not
// clearly faster.
func timed(measure func() ([][]float64, error)) (*report.Speed, error) {
	var turns [][]float64
	for pass := 1; ; pass++ {
		more, err := measure()
		if err != nil {
			return nil, err
		}
		turns = append(turns, more...)
		s := judged(turns)
		faster := s.Final < s.Float && !s.NotFaster
		if faster || pass == speedPasses {
			return s, nil
		}
	}
}

// judged is what turns say: medians, and whether the final model is slower in so many turns that it is no accident. Turns in
// which both took the same decide nothing.
func judged(turns [][]float64) *report.Speed {
	slower, faster := 0, 0
	columns := make([][]float64, 3)
	for _, t := range turns {
		switch float, final := t[0], t[2]; {
		case final > float:
			slower++
		case final < float:
			faster++
		}
		for i := range columns {
			columns[i] = append(columns[i], t[i])
		}
	}
	s := &report.Speed{Float: middle(columns[0]), Int8: middle(columns[1]), Final: middle(columns[2]), Turns: len(turns)}
	s.NotFaster = s.Final >= s.Float && signTest(slower, faster) < speedAlpha
	return s
}

// middle is the median, the lower of two.
func middle(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[(len(s)-1)/2]
}
