package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"assay/coordinator/report"
	"assay/shared/plan"
)

// The written model is timed in passes of speedBudget until it is, in so many turns that it is no accident, faster than the float one
// or slower. Looking after every pass is looking speedPasses times: each look has its share of speedAlpha. After speedEnough passes
// the medians are believed if they say faster.
const (
	speedBudget = 300 * time.Millisecond
	speedEnough = 4
	speedPasses = 12
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

// timed judges turns of the float, the all-INT8 and the final model, and asks for more of them as long as it is open whether the final
// one is faster.
func timed(measure func() ([][]float64, error)) (*report.Speed, error) {
	var turns [][]float64
	for pass := 1; ; pass++ {
		more, err := measure()
		if err != nil {
			return nil, err
		}
		turns = append(turns, more...)
		s, sure := judged(turns)
		if sure || s.Final < s.Float && pass >= speedEnough || pass == speedPasses {
			return s, nil
		}
	}
}

// judged is what turns say: medians, and whether the final model is slower. It is sure where medians and turns agree, in so many turns
// that it is no accident. Turns in which both took the same decide nothing. A turn is one time of each model in
// seconds, taken next to each other, so load that lasts longer than a turn falls on all three.
func judged(turns [][]float64) (s *report.Speed, sure bool) {
	lost, won := 0, 0
	columns := make([][]float64, 3)
	for _, t := range turns {
		switch float, final := t[0], t[2]; {
		case final > float:
			lost++
		case final < float:
			won++
		}
		for i := range columns {
			columns[i] = append(columns[i], t[i])
		}
	}
	s = &report.Speed{Float: middle(columns[0]), Int8: middle(columns[1]), Final: middle(columns[2]), Turns: len(turns)}
	beyond := signTest(max(lost, won), min(lost, won)) < speedAlpha/speedPasses
	s.NotFaster = beyond && lost > won && s.Final >= s.Float
	return s, s.NotFaster || beyond && won > lost && s.Final < s.Float
}

// middle is the median, the lower of two.
func middle(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[(len(s)-1)/2]
}
