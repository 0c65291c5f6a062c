package cell

import (
	"context"
	"runtime"
	"time"

	"assay/evaluator/clock"
	"assay/evaluator/engine"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// Turns are measured in at least fewTurns and at most manyTurns rounds. A run shorter than a turn's quantum is repeated until it
// is as long, so that the clock's own cost does not show.
const (
	fewTurns, manyTurns = 3, 25
	quantum             = 100 * time.Microsecond
	manyRuns            = 100
)

// Times runs plans of a problem by turns, one sample at a time, on one core of this machine, for about budget of its time. It
// returns the milliseconds of one run: a row each turn, a column each plan. They are CPU time of the thread where the system
// tells it, so that a busy machine changes them little and all plans alike. Plans that stand for the same computation run once and
// have equal numbers. There are 3 turns at least, however small the budget, and 25 at most, after two runs of each plan that do
// not count. A model with a fixed batch runs the whole batch that the sample belongs to. Errors are those of Compute. It decides
// nothing.
func (e *Evaluator) Times(ctx context.Context, d plan.Digest, plans []plan.Plan, sample uint32, budget time.Duration) ([][]float64, error) {
	runners, column, err := e.runners(ctx, d, plans, sample)
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, r := range runners {
		if err := r.warm(ctx); err != nil {
			return nil, err
		}
	}
	var turns [][]float64
	for start := clock.Thread(); len(turns) < fewTurns || len(turns) < manyTurns && clock.Thread()-start < budget; {
		took, err := turn(ctx, runners, len(turns)%2 == 1)
		if err != nil {
			return nil, err
		}
		row := make([]float64, len(plans))
		for i, k := range column {
			row[i] = took[k]
		}
		turns = append(turns, row)
	}
	return turns, nil
}

// runner is a program with the data of one sample; it runs times times a turn.
type runner struct {
	program *engine.Program
	in      map[string]*tensor.Tensor
	times   int
}

// runners compiles the plans, each program once. column says which runner a plan has.
func (e *Evaluator) runners(ctx context.Context, d plan.Digest, plans []plan.Plan, sample uint32) (runners []*runner, column []int, err error) {
	pr, err := e.problemOf(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	at := map[*engine.Program]int{}
	for _, p := range plans {
		program, err := e.program(ctx, pr, p, pr.meter.Wants())
		if err != nil {
			return nil, nil, err
		}
		k, ok := at[program]
		if !ok {
			in, err := pr.inputs.Feed(ctx, e.objects.Get, next(pr.inputs, program, []uint32{sample}, 1).fed)
			if err != nil {
				return nil, nil, err
			}
			k = len(runners)
			at[program], runners = k, append(runners, &runner{program: program, in: in, times: 1})
		}
		column = append(column, k)
	}
	return runners, column, nil
}

// warm runs a program until its memory is there, and sets how often it runs a turn.
func (r *runner) warm(ctx context.Context) error {
	if _, err := r.run(ctx); err != nil {
		return err
	}
	took, err := r.run(ctx)
	if err != nil {
		return err
	}
	r.times = min(manyRuns, 1+int(quantum/max(took, 1)))
	return nil
}

// run is the time of one run, of as many as a turn has.
func (r *runner) run(ctx context.Context) (time.Duration, error) {
	start := clock.Thread()
	for range r.times {
		out, err := r.program.Run(ctx, r.in, plan.Digest{})
		if err != nil {
			return 0, err
		}
		r.program.Reuse(out)
	}
	return (clock.Thread() - start) / time.Duration(r.times), nil
}

// turn runs every program once, the other way round in every other turn: what one leaves in the caches helps no neighbour
// more than another.
func turn(ctx context.Context, runners []*runner, back bool) ([]float64, error) {
	took := make([]float64, len(runners))
	for i := range runners {
		if back {
			i = len(runners) - 1 - i
		}
		d, err := runners[i].run(ctx)
		if err != nil {
			return nil, err
		}
		took[i] = d.Seconds() * 1e3
	}
	return took, nil
}

// Once is about how long one sample takes through a plan of a problem on one core of this machine: of two runs the second, whose memory
// is there, or the first where that took longer than onceLong. It is CPU time and has the errors of Times, and decides nothing.
func (e *Evaluator) Once(ctx context.Context, d plan.Digest, p plan.Plan, sample uint32) (time.Duration, error) {
	runners, _, err := e.runners(ctx, d, []plan.Plan{p}, sample)
	if err != nil {
		return 0, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took, err := runners[0].run(ctx)
	if err != nil || took > onceLong {
		return took, err
	}
	return runners[0].run(ctx)
}

// onceLong is a run that is not repeated.
const onceLong = time.Second
