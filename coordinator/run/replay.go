package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"assay/coordinator/search"
	"assay/shared/broker"
	"assay/shared/metric"
	"assay/shared/onnx"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/store"
	"assay/shared/wire"
)

// memory is what a state directory keeps of its last job, so that its decisions can be made again: digests into the object
// store, and the settings of the search. Fields are JSON: a new one must have a zero value that means what its absence
// did.
type memory struct {
	Problem    plan.Problem
	Params     plan.Digest
	View       plan.Digest
	Reference  plan.Digest // of the float model's answers; zero with labels
	Drop       string
	Relative   bool
	Subset     int
	Iterations int
	KeepWorse  bool
	Classes    int
	NATS       string
}

const memoryFile = "job.json"

// remember writes what a replay needs, before the search begins.
func (w *work) remember() error {
	m := memory{
		Problem: w.problem, Params: w.params.Digest(), View: w.data.searchView.Digest(), Reference: w.asker.ref, Drop: w.job.Drop, Relative: w.job.Relative,
		Subset: w.wanted.Subset, Iterations: w.wanted.Iterations, KeepWorse: w.wanted.KeepWorse,
		Classes: w.model.classes, NATS: w.job.NATS,
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return writeFile(filepath.Join(w.seat.state.Dir, memoryFile), b)
}

// Replayed is what a replay finds.
type Replayed struct {
	Outcome search.Outcome
	Groups  [][]string // names of the operations of each group, by index
}

// Replay makes the decisions of the last job in a state directory again, from stored results alone: nothing is computed,
// and an answer that is not there is an error. It locks the state directory, so it cannot run beside a job. The
// decisions are made by the same search.POT on the same records, which is why they are the same; what other jobs have stored since
// cannot enter, since job.json names problem, params and view by digest. A job on a broker of the user's is asked for there. The error
// is an *InputError where dir is no state directory, is in use, or holds a job that was interrupted before its decisions were made,
// where parts of it are gone, and where the broker does not answer.
func Replay(ctx context.Context, dir string) (r Replayed, err error) {
	defer func() {
		if errors.Is(err, store.ErrAbsent) {
			err = &InputError{fmt.Errorf("%w (parts of the state were removed: run the job again, which makes them anew)", err)}
		}
	}()
	b, err := os.ReadFile(filepath.Join(dir, memoryFile))
	if err != nil {
		return r, &InputError{fmt.Errorf("replay: %w (is this a state directory? report.json names it under run.state)", err)}
	}
	var m memory
	if err := json.Unmarshal(b, &m); err != nil {
		return r, &InputError{fmt.Errorf("replay: %s: %w (it is damaged: run the job again, which writes it anew)", filepath.Join(dir, memoryFile), err)}
	}
	state, err := OpenState(dir)
	if err != nil {
		return r, &InputError{err}
	}
	defer state.Close()
	var br *broker.Broker
	if m.NATS == "" {
		br, err = state.embed()
	} else {
		if br, err = broker.Dial(ctx, m.NATS, 0, nil); err != nil {
			return r, &InputError{err}
		}
	}
	if err != nil {
		return r, err
	}
	defer br.Close()
	params, meter, view, err := recall(ctx, br, m)
	if err != nil {
		return r, err
	}
	a := newAsker(stored{br}, br.Objects, m.Problem, meter, view)
	a.params = params
	a.lookup = stored{br}.lookup
	if !m.Reference.IsZero() {
		if err := a.against(ctx, m.Reference); err != nil {
			return r, err
		}
	}
	limit, err := metric.ParseLimit(m.Drop, m.Relative)
	if err != nil {
		return r, err
	}
	p := search.Problem{Params: m.Params, Groups: len(params.Groups), View: view, Limit: limit, Subset: m.Subset, Iterations: m.Iterations, KeepWorse: m.KeepWorse}
	for i, s := range meter.Metrics {
		p.Metrics = append(p.Metrics, search.Metric{Name: s.Name, Direction: meter.Direction(i), Chance: chance(s, m.Classes)})
	}
	if r.Outcome, err = search.POT(ctx, p, a); errors.Is(err, errUnknown) {
		return r, &InputError{fmt.Errorf("replay: %w", errUnknown)}
	} else if err != nil {
		return r, err
	}
	modelBytes, err := br.Objects.Get(ctx, m.Problem.Model)
	if err != nil {
		return r, err
	}
	g, err := onnx.Decode(modelBytes, "")
	if err != nil {
		return r, err
	}
	r.Groups = quant.GroupOps(g, params)
	return r, nil
}

// recall fetches what m names.
func recall(ctx context.Context, b *broker.Broker, m memory) (params *plan.Params, meter metric.Meter, view plan.View, err error) {
	for _, part := range []struct {
		digest plan.Digest
		decode func([]byte) error
	}{
		{m.Params, func(b []byte) (err error) { params, err = plan.DecodeParams(b); return }},
		{m.Problem.Meter, func(b []byte) (err error) { meter, err = metric.Decode(b); return }},
		{m.View, func(b []byte) (err error) { view, err = plan.DecodeView(b); return }},
	} {
		bytes, err := b.Objects.Get(ctx, part.digest)
		if err == nil {
			err = part.decode(bytes)
		}
		if err != nil {
			return nil, metric.Meter{}, plan.View{}, fmt.Errorf("replay: %w", err)
		}
	}
	return params, meter, view, nil
}

// stored answers cells from the result stream and refuses to compute. It implements cells.
type stored struct{ b *broker.Broker }

// errUnknown says that a replay met a question that the job never answered.
var errUnknown = errors.New("the stored results end here: the job was interrupted before it got this far (run it again to go on)")

func (s stored) do(ctx context.Context, requests, _ []request) (map[plan.Digest]wire.Result, error) {
	out, err := s.lookup(ctx, requests)
	if err == nil && len(out) < len(requests) {
		err = errUnknown
	}
	return out, err
}

func (s stored) lookup(ctx context.Context, requests []request) (map[plan.Digest]wire.Result, error) {
	out := map[plan.Digest]wire.Result{}
	for _, r := range requests {
		res, _, ok, err := s.b.StoredResult(ctx, r.digest)
		if err != nil {
			return nil, err
		}
		if ok {
			out[r.digest] = res
		}
	}
	return out, nil
}
