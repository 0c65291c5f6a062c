// Package cell computes the value of a cell: it fetches what the cell names by digest, applies the plan, runs the samples
// and measures. A value depends on nothing but the cell, so any process, tier, batch size and order gives the same bytes. A
// subject, a task queue or a retry may not enter (package worker), nor a decision.
package cell

import (
	"context"
	"fmt"

	"assay/evaluator/engine"
	"assay/evaluator/worker"
	"assay/kernels/numeric"
	"assay/shared/dataset"
	"assay/shared/graph"
	"assay/shared/metric"
	"assay/shared/onnx"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/store"
	"assay/shared/wire"
)

// Evaluator computes cells: it fetches what a task names by digest and runs models. One serves all slots of a process: it is
// safe for concurrent use, and slots that need the same object or compiled model share one.
type Evaluator struct {
	engine     *engine.Engine
	objects    store.Store
	feeds      *feeds
	problems   *memo[plan.Digest, *problem]
	params     *memo[plan.Digest, *plan.Params]
	views      *memo[plan.Digest, plan.View]
	taps       *memo[plan.Digest, []quant.Tap]
	references *memo[plan.Digest, *answers]
	plans      *memo[plansKey, *quant.Plans]
	effective  *memo[effectiveKey, plan.Digest]
	programs   *memo[programKey, *engine.Program]
}

// problem is a problem with everything that it names.
type problem struct {
	plan.Problem
	model  *graph.Model
	inputs dataset.Inputs
	meter  metric.Meter
}

// plansKey names the plans of a model under its params.
type plansKey struct {
	model, params plan.Digest
}

// effectiveKey names a plan: float prints the words of Plan.Float.
type effectiveKey struct {
	params plan.Digest
	float  string
}

// programKey names a compiled model: what it computes and which values it gives.
type programKey struct {
	model, plan, want plan.Digest
}

// inline is the most bytes of records that travel in a message; more go through the object store.
const inline = 64 << 10

// How many things an evaluator remembers; each can be fetched or made again.
const (
	keepProblems = 8
	keepViews    = 256
	keepPrograms = 512
)

// New makes an evaluator that fetches from objects, which should be cached in memory: it asks for an object anew whenever it has
// forgotten what it made of it. Samples that wait for the next plan of a task take a thirty-second part of o.Memory beside what the
// engine holds, 256 MiB at most.
func New(objects store.Store, o engine.Options) *Evaluator {
	return &Evaluator{
		engine: engine.New(o), objects: objects, feeds: newFeeds(engine.DefaultMemory(o.Memory), o.Slots),
		problems:   newMemo[plan.Digest, *problem](keepProblems),
		params:     newMemo[plan.Digest, *plan.Params](keepProblems),
		views:      newMemo[plan.Digest, plan.View](keepViews),
		taps:       newMemo[plan.Digest, []quant.Tap](keepProblems),
		references: newMemo[plan.Digest, *answers](keepProblems),
		plans:      newMemo[plansKey, *quant.Plans](keepProblems),
		effective:  newMemo[effectiveKey, plan.Digest](keepPrograms),
		programs:   newMemo[programKey, *engine.Program](keepPrograms),
	}
}

// Numerics is the version of the canonical forms that this program computes; tasks of another one are not for it.
func (e *Evaluator) Numerics() string { return numeric.Version }

// Cell names the cell of a task's plan on one block. Plans that compute the same have the same name. It fetches the params; a plan
// that does not fit them is an error, whether the block exists is not looked at. Errors are otherwise the store's.
func (e *Evaluator) Cell(ctx context.Context, t wire.Task, p plan.Plan, block uint32) (plan.Cell, error) {
	_, effective, err := e.effectiveOf(ctx, p)
	if err != nil {
		return plan.Cell{}, err
	}
	return plan.Cell{Problem: t.Problem, Plan: effective, View: t.View, Index: block, What: t.What, Ref: t.Ref}, nil
}

// Compute computes one cell: the records of the samples of t.View from block*B to (block+1)*B, B being the problem's block size, in
// that order. More than inline bytes of them are stored as an object, whose digest is returned in their place. progress is called
// after every batch of samples, on the calling goroutine. Errors: what the store says of an object that t names
// (store.ErrAbsent, store.ErrUnavailable), an Input() error when the memory given does not do, ctx's, and anything else for good: a
// problem of another numerics version, a block behind the view's end, a What it does not know, a model or a sample that cannot be
// computed. The Cell of the result is the caller's to fill in.
func (e *Evaluator) Compute(ctx context.Context, t wire.Task, p plan.Plan, block uint32, progress func()) (worker.Value, error) {
	pr, err := e.problemOf(ctx, t.Problem)
	if err != nil {
		return worker.Value{}, err
	}
	if pr.Numerics != e.Numerics() {
		return worker.Value{}, fmt.Errorf("problem %s is of numerics %s, this evaluator computes %s", t.Problem.Short(), pr.Numerics, e.Numerics())
	}
	samples, all, err := e.samples(ctx, pr, t.View, block)
	if err != nil {
		return worker.Value{}, err
	}
	q, err := e.question(ctx, pr, t)
	if err != nil {
		return worker.Value{}, err
	}
	q.several, q.view = len(t.Plans) > 1, all
	program, err := e.program(ctx, pr, p, q.want)
	if err != nil {
		return worker.Value{}, err
	}
	records, err := e.run(ctx, pr, program, p, samples, q, progress)
	if err != nil {
		return worker.Value{}, err
	}
	value := worker.Value{Result: wire.Result{V: wire.ResultVersion, Records: records}, Samples: len(samples)}
	if len(records) > inline {
		value.Records = nil
		if value.Object, err = e.objects.Put(ctx, records); err != nil {
			return worker.Value{}, err
		}
	}
	return value, nil
}

// samples are those of one block of a view, and how many all of it has; the last block may be shorter, none is empty.
func (e *Evaluator) samples(ctx context.Context, pr *problem, view plan.Digest, block uint32) (samples []uint32, all int, err error) {
	v, err := e.views.get(ctx, view, func() (plan.View, error) {
		b, err := e.objects.Get(ctx, view)
		if err != nil {
			return plan.View{}, err
		}
		return plan.DecodeView(b)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("view %s: %w", view.Short(), err)
	}
	from := int(block) * int(pr.Block)
	if from >= len(v.Samples) {
		return nil, 0, fmt.Errorf("view %s has %d samples: there is no block %d of %d", view.Short(), len(v.Samples), block, pr.Block)
	}
	return v.Samples[from:min(from+int(pr.Block), len(v.Samples))], len(v.Samples), nil
}

// problemOf fetches a problem with the model, inputs and meter that it names.
func (e *Evaluator) problemOf(ctx context.Context, d plan.Digest) (*problem, error) {
	return e.problems.get(ctx, d, func() (*problem, error) {
		b, err := e.objects.Get(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("problem %s: %w", d.Short(), err)
		}
		pr := &problem{}
		if err = plan.Decode("Problem", b, &pr.Problem); err != nil {
			return nil, fmt.Errorf("problem %s: %w", d.Short(), err)
		}
		parts := []struct {
			what   string
			digest plan.Digest
			decode func([]byte) error
		}{
			{"model", pr.Model, func(b []byte) (err error) { pr.model, err = onnx.Decode(b, ""); return }},
			{"inputs", pr.Inputs, func(b []byte) (err error) { pr.inputs, err = dataset.Decode(b); return }},
			{"meter", pr.Meter, func(b []byte) (err error) { pr.meter, err = metric.Decode(b); return }},
		}
		for _, part := range parts {
			b, err := e.objects.Get(ctx, part.digest)
			if err == nil {
				err = part.decode(b)
			}
			if err != nil {
				return nil, fmt.Errorf("problem %s: %s %s: %w", d.Short(), part.what, part.digest.Short(), err)
			}
		}
		return pr, nil
	})
}

// paramsOf fetches the params of a plan and checks that the plan fits them; nil for the float model, which has none.
func (e *Evaluator) paramsOf(ctx context.Context, p plan.Plan) (*plan.Params, error) {
	if p.Params.IsZero() {
		return nil, nil
	}
	params, err := e.params.get(ctx, p.Params, func() (*plan.Params, error) {
		b, err := e.objects.Get(ctx, p.Params)
		if err != nil {
			return nil, err
		}
		return plan.DecodeParams(b)
	})
	if err == nil {
		err = p.Check(len(params.Groups))
	}
	if err != nil {
		return nil, fmt.Errorf("params %s: %w", p.Params.Short(), err)
	}
	return params, nil
}

// effectiveOf fetches the params of a plan, as paramsOf does, and names what it computes. Encoding all points of a plan takes longer
// than looking it up, and every cell asks.
func (e *Evaluator) effectiveOf(ctx context.Context, p plan.Plan) (*plan.Params, plan.Digest, error) {
	params, err := e.paramsOf(ctx, p)
	if err != nil {
		return nil, plan.Digest{}, err
	}
	key := effectiveKey{p.Params, fmt.Sprint(p.Float)}
	d, err := e.effective.get(ctx, key, func() (plan.Digest, error) { return plan.EffectiveDigest(params, p), nil })
	return params, d, err
}

// tapsOf fetches the list of statistics that a task of What Taps names by Ref.
func (e *Evaluator) tapsOf(ctx context.Context, d plan.Digest) ([]quant.Tap, error) {
	return e.taps.get(ctx, d, func() ([]quant.Tap, error) {
		b, err := e.objects.Get(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("statistics %s: %w", d.Short(), err)
		}
		return quant.DecodeTaps(b)
	})
}

// program compiles a plan for the wanted values, once per process.
func (e *Evaluator) program(ctx context.Context, pr *problem, p plan.Plan, want []string) (*engine.Program, error) {
	params, effective, err := e.effectiveOf(ctx, p)
	if err != nil {
		return nil, err
	}
	key := programKey{pr.Model, effective, plan.DigestOf("Want", want)}
	return e.programs.get(ctx, key, func() (*engine.Program, error) {
		m := pr.model
		if !effective.IsZero() {
			plans, err := e.plans.get(ctx, plansKey{pr.Model, p.Params}, func() (*quant.Plans, error) { return quant.NewPlans(m, params), nil })
			if err != nil {
				return nil, err
			}
			if m, err = plans.Apply(p); err != nil {
				return nil, fmt.Errorf("plan %s: %w", effective.Short(), err)
			}
		}
		return e.engine.Compile(m, want)
	})
}
