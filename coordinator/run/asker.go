package run

import (
	"context"
	"fmt"
	"slices"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// cells computes cells; dispatcher does it on JetStream, and a replay refuses to. maybe are those that a later call is likely
// to ask, likeliest first; computing them is its choice. do returns a result for each request or an error; it is called
// by one goroutine at a time.
type cells interface {
	do(ctx context.Context, requests, maybe []request) (map[plan.Digest]wire.Result, error)
}

// asker answers the search's rounds about one problem. Records are kept per sample: a trial whose samples are all known
// under the same effective plan costs nothing, whatever view they were computed in. Not safe for concurrent use.
// Invariant: records in known depend on nothing but plan and sample for this problem, what and ref, so ledgers may be
// filled from any view.
type asker struct {
	cells   cells
	objects store.Store
	problem plan.Problem
	digest  plan.Digest // of problem
	meter   metric.Meter
	what    plan.What    // Records, or Distance to ref
	ref     plan.Digest  // the float model's answers, metric.Reference; zero when records are by annotation
	base    plan.View    // the view of full evaluations; its cells are looked for before a subset is computed
	params  *plan.Params // nil until the model is quantized
	lookup  func(ctx context.Context, r []request) (map[plan.Digest]wire.Result, error)
	onRound func(name string, trials, samples int)

	known map[plan.Digest]*ledger // by effective plan
	views map[plan.Digest]bool    // views that are in the store
}

// ledger holds the records of one plan by sample index of the data set. Records are meter.RecordSize() bytes each and
// share the results' memory.
type ledger struct {
	records map[uint32][]byte
}

// newAsker makes an asker for records without a reference, before quantization and without a memory of earlier jobs: params,
// what, ref, lookup and onRound are set by who knows them, before the first question.
func newAsker(c cells, objects store.Store, problem plan.Problem, meter metric.Meter, base plan.View) *asker {
	return &asker{
		cells: c, objects: objects, problem: problem, digest: problem.Digest(), meter: meter, base: base,
		onRound: func(string, int, int) {}, known: map[plan.Digest]*ledger{}, views: map[plan.Digest]bool{},
	}
}

// Ask implements search.Asker. Need is computed as one round of cells unless Until is set; then trial by trial, so that what
// lies behind the end costs nothing but what idle slots have to give. Maybe is offered to those, too, and enters no
// ledger. Until is asked after every trial in order (the lowest index rule of design.md 4.4): an answer that came early
// is not shown to it.
func (a *asker) Ask(ctx context.Context, r search.Round) ([]search.Answer, error) {
	step := len(r.Need)
	if r.Until != nil {
		step = 1
	}
	var out []search.Answer
	for at := 0; at < len(r.Need); at += step {
		end := min(at+step, len(r.Need))
		answers, err := a.askAll(ctx, r.Name, r.Need[at:end], slices.Concat(r.Need[end:], r.Maybe))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		out = append(out, answers...)
		if r.Until != nil && r.Until(out) {
			break
		}
	}
	return out, nil
}

// askAll answers trials with all their cells in one round. Two trials that need one cell share it; a trial whose
// samples are all known asks nothing, which is how a search that is run again costs no inference.
func (a *asker) askAll(ctx context.Context, name string, trials, later []search.Trial) ([]search.Answer, error) {
	plans := make([]plan.Digest, len(trials))
	var requests []request
	queued := map[plan.Digest]bool{}
	samples := 0
	for i, t := range trials {
		if t.What != plan.Records {
			return nil, fmt.Errorf("trial %d asks for %d: a search asks for records only", i, t.What)
		}
		plans[i] = plan.EffectiveDigest(a.params, t.Plan)
		if err := a.recall(ctx, plans[i], t); err != nil {
			return nil, err
		}
		rs, err := a.requests(ctx, t.Plan, plans[i], t.View)
		if err != nil {
			return nil, err
		}
		for _, r := range rs {
			if !queued[r.digest] {
				queued[r.digest] = true
				samples += len(r.block)
				requests = append(requests, r)
			}
		}
	}
	a.onRound(name, len(trials), samples)
	var maybe []request
	if len(requests) > 0 {
		var err error
		if maybe, err = a.ahead(ctx, later, queued); err != nil {
			return nil, err
		}
	}
	results, err := a.cells.do(ctx, requests, maybe)
	if err != nil {
		return nil, err
	}
	if err := a.learn(requests, results); err != nil {
		return nil, err
	}
	out := make([]search.Answer, len(trials))
	for i, t := range trials {
		if out[i], err = a.answer(plans[i], t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ahead lists unknown cells of trials that may be asked later and are not queued now, in that order.
func (a *asker) ahead(ctx context.Context, later []search.Trial, queued map[plan.Digest]bool) ([]request, error) {
	var out []request
	for _, t := range later {
		if len(out) >= enough {
			break
		}
		rs, err := a.requests(ctx, t.Plan, plan.EffectiveDigest(a.params, t.Plan), t.View)
		if err != nil {
			return nil, err
		}
		for _, r := range rs {
			if !queued[r.digest] {
				queued[r.digest] = true
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// enough cells ahead for every cluster.
const enough = 1024

// block is the samples of block index of v.
func (a *asker) block(v plan.View, index uint32) []uint32 {
	from := int(index) * int(a.problem.Block)
	return v.Samples[from:min(from+int(a.problem.Block), len(v.Samples))]
}

// requests lists the cells of a plan on a view that hold at least one unknown sample, and stores the view if it is new.
// The view is stored before any cell of it can be published, since evaluators fetch it by digest.
func (a *asker) requests(ctx context.Context, p plan.Plan, effective plan.Digest, v plan.View) ([]request, error) {
	l := a.known[effective]
	var out []request
	d := v.Digest()
	for at := 0; at < len(v.Samples); at += int(a.problem.Block) {
		index := uint32(at / int(a.problem.Block))
		block := a.block(v, index)
		if l != nil && l.all(block) {
			continue
		}
		c := plan.Cell{Problem: a.digest, Plan: effective, View: d, Index: index, What: a.what, Ref: a.ref}
		out = append(out, request{cell: c, digest: c.Digest(), plan: p, block: block})
	}
	if len(out) > 0 && !a.views[d] {
		if _, err := a.objects.Put(ctx, plan.EncodeView(v)); err != nil {
			return nil, err
		}
		a.views[d] = true
	}
	return out, nil
}

// recall looks for stored cells of the base view that hold the samples of a trial on another view. It is what makes another
// limit, or another subset size, answer from memory. It asks the stream only and computes nothing. Without lookup (a
// result stream that was empty when the job began) it does nothing.
func (a *asker) recall(ctx context.Context, effective plan.Digest, t search.Trial) error {
	if a.lookup == nil || t.View.Digest() == a.base.Digest() {
		return nil
	}
	if l := a.known[effective]; l != nil && l.all(t.View.Samples) {
		return nil
	}
	rs, err := a.requests(ctx, t.Plan, effective, a.base)
	if err != nil {
		return err
	}
	results, err := a.lookup(ctx, rs)
	if err != nil {
		return err
	}
	var found []request
	for _, r := range rs {
		if _, ok := results[r.digest]; ok {
			found = append(found, r)
		}
	}
	return a.learn(found, results)
}

// learn enters results into the ledgers. A record of the wrong size is an error here and not a shift of all that
// follow.
func (a *asker) learn(requests []request, results map[plan.Digest]wire.Result) error {
	size := a.meter.RecordSize()
	for _, r := range requests {
		res, ok := results[r.digest]
		if !ok {
			return fmt.Errorf("cell %s has no result", r.digest.Short())
		}
		if len(res.Records) != size*len(r.block) {
			return fmt.Errorf("cell %s: %d bytes of records for %d samples of %d bytes", r.digest.Short(), len(res.Records), len(r.block), size)
		}
		l := a.known[r.cell.Plan]
		if l == nil {
			l = &ledger{map[uint32][]byte{}}
			a.known[r.cell.Plan] = l
		}
		for i, s := range r.block {
			l.records[s] = res.Records[i*size : (i+1)*size]
		}
	}
	return nil
}

// all reports whether every one of samples has a record.
func (l *ledger) all(samples []uint32) bool {
	for _, s := range samples {
		if _, ok := l.records[s]; !ok {
			return false
		}
	}
	return true
}

// join concatenates the records of samples in order.
func (l *ledger) join(samples []uint32) []byte {
	var out []byte
	for _, s := range samples {
		out = append(out, l.records[s]...)
	}
	return out
}

// answer makes a complete answer from the ledger. Lo equals Hi: this asker never answers in part.
func (a *asker) answer(effective plan.Digest, t search.Trial) (search.Answer, error) {
	l := a.known[effective]
	if l == nil || !l.all(t.View.Samples) {
		return search.Answer{}, fmt.Errorf("plan %s: not every sample of the view has a record", effective.Short())
	}
	records := l.join(t.View.Samples)
	out := search.Answer{Trial: t, Seen: len(t.View.Samples), Records: &samples{meter: a.meter, records: records}}
	for m := range a.meter.Metrics {
		v := a.meter.Value(m, records)
		out.Lo = append(out.Lo, search.Value(v))
		out.Hi = append(out.Hi, search.Value(v))
	}
	return out, nil
}

// samples gives the search its per-sample values. What a sample has of a metric may depend on the others, so the values of
// all are worked out together, on the first question. Not safe for concurrent use.
type samples struct {
	meter   metric.Meter
	records []byte
	each    [][]float64 // by metric
}

// Sample implements search.Records.
func (s *samples) Sample(m, i int) float64 {
	if s.each == nil {
		s.each = make([][]float64, len(s.meter.Metrics))
	}
	if s.each[m] == nil {
		s.each[m] = s.meter.Each(m, s.records)
	}
	return s.each[m][i]
}

var _ search.Asker = (*asker)(nil)
