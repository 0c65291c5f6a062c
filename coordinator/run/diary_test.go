package run

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/config"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/wire"
)

// A diary is all that the estimate of one job learns, with the moments: a job is carried out once, and its estimate is made again from
// the diary as often as the model of time or of the search changes, on a clock of its own. One entry a line.
type diary []entry

// entry is one thing that the estimate learned. Which fields count depends on Kind:
//
//	read      Samples decoded, of Models in all; Took by one sample of them through the float model, where it was tried before
//	problem   Problem; again when the groups are known
//	expect    Later
//	ask       Name and Plans of a round of the search
//	round     Name, Models, Samples that have to be asked
//	cell      Plan, Name of its question, Known, Samples, Took, Slots
//	part      Value: the drop of everything INT8 in Samples; Spread
//	answers   Values of the plans asked, with Spread after the first round
//	float     Values of the float model
//	mark      Name of a step of the job that ends
type entry struct {
	At      float64 // seconds since the job began
	CPU     float64 // of them, what this process had of the CPUs
	Kind    string
	Name    string           `json:",omitempty"`
	Problem *searched        `json:",omitempty"`
	Later   map[string]int64 `json:",omitempty"`
	Plans   []asking         `json:",omitempty"`
	Plan    string           `json:",omitempty"`
	Known   bool             `json:",omitempty"`
	Models  int              `json:",omitempty"`
	Samples int              `json:",omitempty"`
	Slots   int              `json:",omitempty"`
	Took    float64          `json:",omitempty"`
	Value   float64          `json:",omitempty"`
	Spread  float64          `json:",omitempty"`
	Values  [][]metric.Value `json:",omitempty"`
}

// searched is a search.Problem whose samples are numbered anew.
type searched struct {
	Samples, Groups, Subset, Iterations int
	KeepWorse, Relative                 bool
	MACs                                int64 // of one sample
	Limit                               string
	Metrics                             []search.Metric
}

// asking is a trial: on the whole view if Full, the float model without params if Float.
type asking struct {
	Float  bool  `json:",omitempty"`
	Full   bool  `json:",omitempty"`
	Groups []int `json:",omitempty"`
}

// writer writes the diary of a job in progress. Safe for concurrent use.
type writer struct {
	t       *testing.T
	mu      sync.Mutex
	w       *work
	used    float64 // of the CPUs, when the job began
	entries diary
	groups  int
	seen    int
}

func (d *writer) note(e entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.At, e.CPU = time.Since(d.w.start).Seconds(), used(d.t)-d.used
	d.entries = append(d.entries, e)
}

// used is the seconds that this process had of the CPUs.
func used(t *testing.T) float64 {
	var r syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// problem notes the search's problem when it is new.
func (d *writer) problem() {
	o := d.w.watch.outlook
	if o == nil || o.problem.Groups == d.groups && d.groups > 0 {
		return
	}
	p := o.problem
	d.groups = p.Groups
	d.note(entry{Kind: "problem", Problem: &searched{
		Samples: len(p.View.Samples), Groups: p.Groups, Subset: p.Subset, Iterations: p.Iterations, KeepWorse: p.KeepWorse,
		Relative: d.w.job.Relative, Limit: d.w.job.Drop, Metrics: p.Metrics, MACs: d.w.model.macs,
	}})
}

// readings is how many entries of the decoding of samples a diary has, about.
const readings = 64

// read begins a diary of w before its samples are decoded.
func read(t *testing.T, w *work, before float64) *writer {
	d := &writer{t: t, w: w, used: before}
	next, last := w.onRead, 0
	w.onRead = func(done, total int) {
		next(done, total)
		if done == total || (done-last)*readings >= total {
			last = done
			d.note(entry{Kind: "read", Samples: done, Models: total, Took: w.gauge.pace.trial})
		}
	}
	return d
}

// keep goes on with the diary when the samples are decoded.
func (d *writer) keep() {
	w := d.w
	d.note(entry{Kind: "mark", Name: PhaseDecode})
	cell, part := w.cells.onCell, w.cells.onPart
	w.cells.onCell = func(e ended) {
		what := "records"
		if e.cell.What == plan.Taps {
			what = "taps"
		}
		d.note(entry{Kind: "cell", Name: what, Plan: e.cell.Problem.Short() + e.cell.Plan.Short(), Known: e.known, Samples: e.runs, Took: e.took.Seconds(), Slots: w.cells.nodes.slots()})
		cell(e)
	}
	w.cells.onPart = func(r []request, known map[plan.Digest]wire.Result) {
		part(r, known)
		if o := w.watch.outlook; o != nil && o.seen != d.seen {
			d.seen = o.seen
			d.note(entry{Kind: "part", Value: finite(o.drop), Samples: o.seen, Spread: o.spread})
		}
	}
	w.asker.onRound = func(name string, models, samples int) {
		d.problem()
		if name == PhaseBaseline {
			n := int64(len(w.data.searchView.Samples))
			d.note(entry{Kind: "expect", Later: map[string]int64{PhaseBaseline: n, PhaseStatistics: int64(len(w.data.calibView.Samples)), PhaseStart: n, PhaseVerify: n}})
		}
		d.note(entry{Kind: "round", Name: name, Models: models, Samples: samples})
		w.watch.round(name, models, samples)
	}
	w.watch.asker = &listening{w.watch.asker, d}
	step := w.events.Step
	w.watch.events.Step = func(m Measured) {
		if m.Kind == MeasuredFloat && w.watch.told {
			d.note(entry{Kind: "float", Values: [][]metric.Value{w.watch.baseline}})
		}
		if step != nil {
			step(m)
		}
	}
}

// listening notes what a search asks and hears.
type listening struct {
	search.Asker
	d *writer
}

// Ask implements search.Asker.
func (l *listening) Ask(ctx context.Context, r search.Round) ([]search.Answer, error) {
	l.d.problem()
	e := entry{Kind: "ask", Name: r.Name}
	for _, t := range r.Need {
		e.Plans = append(e.Plans, asking{Float: t.Plan.Params.IsZero(), Full: l.d.w.watch.outlook.full(t), Groups: t.Plan.FloatGroups()})
	}
	l.d.note(e)
	answers, err := l.Asker.Ask(ctx, r)
	if err != nil {
		return nil, err
	}
	e = entry{Kind: "answers", Name: r.Name}
	for _, a := range answers {
		e.Values = append(e.Values, a.Hi)
	}
	if r.Name == PhaseStart && len(answers) == 2 {
		var o outlook
		o.measured(answers[0], answers[1])
		e.Spread = o.spread
	}
	l.d.note(e)
	return answers, nil
}

// finite is x, or 0 where JSON has no word for it.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// recorded carries out a job as Job does, and returns its diary.
func recorded(t *testing.T, j *config.Job) diary {
	ctx, before := t.Context(), used(t)
	w := &work{job: j, events: Events{Progress: func(Progress) {}}, start: time.Now()}
	require.NoError(t, w.prepare(ctx))
	defer func() { require.NoError(t, w.seat.leave()) }()
	d := read(t, w, before)
	require.NoError(t, w.decode(ctx))
	defer w.stop()
	d.keep()
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"search", func() error { return w.search(ctx) }},
		{"export", func() error { return w.export(ctx) }},
		{"report", func() error { _, err := w.report(ctx); return err }},
	} {
		require.NoError(t, step.do())
		d.note(entry{Kind: "mark", Name: step.name})
	}
	return d.entries
}

// write keeps a diary in a file.
func (d diary) write(t *testing.T, path string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	e := json.NewEncoder(z)
	for _, one := range d {
		one.At, one.CPU, one.Took = round(one.At), round(one.CPU), round(one.Took)
		require.NoError(t, e.Encode(one))
	}
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
}

// round keeps ten microseconds.
func round(seconds float64) float64 { return math.Round(seconds*1e5) / 1e5 }

// diaryAt reads what write wrote.
func diaryAt(t *testing.T, path string) (out diary) {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	require.NoError(t, err)
	for d := json.NewDecoder(z); ; {
		var e entry
		if err := d.Decode(&e); err == io.EOF {
			return out
		}
		require.NoError(t, err)
		out = append(out, e)
	}
}
