package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"assay/coordinator/report"
	"assay/coordinator/search"
	"assay/kernels/numeric"
	"assay/kernels/tier"
	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/quant"
)

// Result is what a job leaves: the report, and where the files went: model, report.json and report.html, as paths below the output directory.
type Result struct {
	Report *report.Report
	Files  []string
}

// Job carries out j: it prepares, searches, writes the model and the reports into j.OutputDir, which it makes if needed. A limit that is
// missed is a result like any other (Report.Decisions.Met), with the same files. command is the line that repeats it, for the report. j is
// only read. The error is an *InputError for bad input, also for a full disk or a state directory that another process holds; the cause of
// ctx after an interruption (results so far are kept); ErrPoison, wrapped; else internal. The result counts without an error only. ev's
// functions are not called after it has returned, and no goroutine is left.
func Job(ctx context.Context, j *config.Job, command string, ev Events) (res *Result, err error) {
	w := &work{job: j, events: ev, command: command, start: time.Now()}
	if err := w.prepare(ctx); err != nil {
		return nil, err
	}
	outside := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	unguard := func() {}
	if w.seat.broker.Embedded() {
		unguard = guardState(w.seat.state.Dir, free, cancel)
	}
	defer func() {
		if e := w.seat.leave(); err == nil && e != nil {
			err = e
		}
		unguard()
		if outside.Err() == nil {
			err = explainState(err, context.Cause(ctx), w.seat.state.Dir, w.seat.broker.Embedded())
		}
		cancel(nil)
	}()
	defer func() {
		if w.stop != nil {
			w.stop()
		}
	}()
	if err := w.decode(ctx); err != nil {
		return nil, err
	}
	if err := w.search(ctx); err != nil {
		return nil, err
	}
	if err := w.export(ctx); err != nil {
		return nil, err
	}
	return w.report(ctx)
}

// work is a job in progress. Fields are filled in the order of the phases: model and limit by check, seat and gauge by prepare,
// cells and stop by begin, data, meter, problem, asker and watch by decode, params and outcome by search, output
// by export.
type work struct {
	job     *config.Job
	events  Events
	command string
	start   time.Time

	model  *model
	data   *data
	seat   *seat
	limit  metric.Limit
	gauge  *meterOfWork
	onRead func(done, total int) // as samples are decoded; nil for nothing
	cells  *dispatcher
	stop   func() // ends cells; nil before listen
	asker  *asker
	watch  *watcher
	groups int // that are likely, before calibration
	params *plan.Params
	built  *quant.Report
	cfg    quant.Config

	problem plan.Problem
	meter   metric.Meter
	wanted  search.Problem
	outcome search.Outcome
	output  report.Output
	counts  struct{ computed, reused int64 }
}

// check reads the job and its model: every mistake that can be seen in them is seen here, and nothing is written.
func (w *work) check() error {
	if err := tier.Check(); err != nil {
		return &InputError{err}
	}
	if err := w.job.Check(); err != nil {
		return &InputError{err}
	}
	if err := checkMetrics(w.job); err != nil {
		return err
	}
	limit, err := w.job.Limit()
	if err != nil {
		return &InputError{err}
	}
	w.limit = limit
	if w.model, err = loadModel(w.job.Model); err != nil {
		return err
	}
	if err := quant.CheckFloat(w.model.graph); err != nil {
		return &InputError{fmt.Errorf("%s: %w", w.job.Model, err)}
	}
	if err := w.model.chooseOutputs(w.job.Data.Output); err != nil {
		return err
	}
	return checkIgnored(w.job, w.model.graph, w.events.note)
}

// prepare does what needs no sample to be decoded.
func (w *work) prepare(ctx context.Context) error {
	if err := w.check(); err != nil {
		return err
	}
	if err := writable(w.job.OutputDir); err != nil {
		return &InputError{err}
	}
	var err error
	dir := w.job.StateDir
	if dir == "" {
		if dir, err = DefaultStateDir(w.job.Model, w.model.file); err != nil {
			return &InputError{err}
		}
	}
	if w.seat, err = takeSeat(ctx, w.job, dir); err != nil {
		return err
	}
	w.gauge = &meterOfWork{begin: w.start, report: w.events.Progress, slots: func() int { return slots(w.job) }, coda: speedBudget, unsure: w.iterations() != 0}
	w.onRead = w.gauge.read
	return nil
}

// writable makes the output directory and tries to write there, so that a job does not end after hours with nothing.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("output directory: %w (choose another with --output-dir)", err)
	}
	f, err := os.CreateTemp(dir, ".assay-*")
	if err != nil {
		return fmt.Errorf("output directory: %w (choose another with --output-dir)", err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// decode reads the samples and names the problem. With pictures of unknown preprocessing the probe comes first and may
// replace w.job; the data is then opened again under the new one.
func (w *work) decode(ctx context.Context) error {
	search, calibration, err := openData(ctx, w.job, w.model)
	if err != nil {
		return err
	}
	if err := checkLabels(w.job, search); err != nil {
		return err
	}
	if search.Pictures() && !w.job.Data.Prepared {
		if err := w.probe(ctx, search); err != nil {
			return err
		}
		if search, calibration, err = openData(ctx, w.job, w.model); err != nil {
			return err
		}
	}
	for _, n := range search.Notes {
		w.events.note("data: " + n)
	}
	w.events.phase(Phase{Name: PhaseDecode, Subject: []string{w.job.Data.Source}, Samples: search.Len()})
	if w.data, err = decode(ctx, w.job, search, calibration, shelf{w.seat.state.Decoded(), w.seat.objects}, w.reading(ctx, search, time.Now())); err != nil {
		return err
	}
	if err := w.begin(ctx, w.data.search); err != nil {
		return err
	}
	if err := w.checkClasses(search); err != nil {
		return err
	}
	if w.meter, err = meterOf(w.job, w.model, search, w.events.note); err != nil {
		return err
	}
	w.problem = plan.Problem{Numerics: numeric.Version, Model: digestOf(w.model.bytes), Inputs: w.data.search.Digest(), Meter: w.meter.Digest(), Block: block(w.model.macs)}
	if err := w.put(ctx, w.model.bytes, w.data.search.Encode(), w.meter.Encode(), plan.Encode("Problem", w.problem)); err != nil {
		return err
	}
	w.asker = newAsker(w.cells, w.seat.objects, w.problem, w.meter, w.data.searchView)
	w.watch = &watcher{asker: w.asker, events: w.events, gauge: w.gauge}
	w.asker.onRound = w.watch.round
	w.cells.onPart = w.partly
	if !w.cells.fresh {
		w.asker.lookup = w.cells.lookup
	}
	return nil
}

// checkClasses refuses labels that are none of the model's classes.
func (w *work) checkClasses(set *dataset.Set) error {
	if w.model.classes == 0 || len(set.Labels) == 0 {
		return nil
	}
	err := set.CheckLabels(w.model.classes)
	if err == nil {
		return nil
	}
	if slices.Min(set.Labels) == 1 && int(slices.Max(set.Labels)) == w.model.classes {
		err = fmt.Errorf("%w (do the labels count from 1? classes count from 0: take one off every label)", err)
	}
	return &InputError{err}
}

// begin measures the model on the first data there is, and starts evaluators and the dispatcher, once. The probe and the trial
// may call it before the data proper is there.
func (w *work) begin(ctx context.Context, in dataset.Inputs) error {
	if err := w.model.measure(in); err != nil || w.stop != nil {
		return err
	}
	return w.listen(ctx)
}

// put stores objects under their digests.
func (w *work) put(ctx context.Context, objects ...[]byte) error {
	for _, b := range objects {
		if _, err := w.seat.objects.Put(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// listen starts evaluators and the dispatcher. The id of the job has a clock in it, so a job that is run again does not
// take the tasks of its predecessor for its own.
func (w *work) listen(ctx context.Context) error {
	n := slots(w.job)
	w.seat.hire(ctx, n)
	id := fmt.Sprintf("%x-%d", w.model.file[:6], time.Now().UnixNano())
	d, stop, err := listen(ctx, w.seat.broker, id, numeric.Version, w.model.macs)
	if err != nil {
		return err
	}
	w.cells, w.stop = d, stop
	w.gauge.countSlots(d.nodes.slots)
	d.onCell = func(e ended) {
		w.gauge.cell(e)
		if e.known {
			w.counts.reused++
		} else {
			w.counts.computed++
		}
	}
	d.onNote, d.describe = w.events.note, w.cellName
	waited := false
	d.onWait = func(nobody bool) {
		if nobody && !waited {
			w.events.note(fmt.Sprintf("waiting for an evaluator of numerics %s (start one with: assay-evaluator --nats %s)", numeric.Version, w.seat.broker.URL()))
		}
		waited = nobody
	}
	return nil
}

// announce says what was loaded and what the job needs at least: calibration, float, all INT8, and the written file.
func (w *work) announce() {
	calibration, n := len(w.data.calibView.Samples), len(w.data.searchView.Samples)
	w.gauge.causes = int64(min(calibration, explainSamples))
	w.gauge.expect(map[string]int64{PhaseBaseline: int64(n), PhaseStatistics: int64(calibration), PhaseStart: int64(n), PhaseVerify: int64(n)})
	w.events.loaded(Loaded{
		Model: w.job.Model, Nodes: len(w.model.graph.Graph.Nodes), Opset: w.model.graph.FileOpset, MACs: w.model.macs,
		Data: w.job.Data.Source, Calibration: calibration, Search: n, Inferences: int64(calibration + 3*n),
	})
}

// search calibrates, builds params and runs the algorithm. After it no speculation is left in work.
func (w *work) search(ctx context.Context) error {
	shapes := map[string][]int{}
	for name, info := range w.fed() {
		shapes[name] = info.Shape
	}
	w.cfg = quantConfig(w.job, shapes).For(w.model.graph.Graph)
	taps, err := quant.Taps(w.model.graph, w.cfg)
	if err != nil {
		return &InputError{err}
	}
	if w.groups, err = quant.CountGroups(w.model.graph, w.cfg); err != nil {
		return &InputError{err}
	}
	calibration := w.problem
	if w.data.calibration.Digest() != w.data.search.Digest() {
		calibration.Inputs = w.data.calibration.Digest()
		if err := w.put(ctx, w.data.calibration.Encode(), plan.Encode("Problem", calibration)); err != nil {
			return err
		}
	}
	w.announce()
	if err := w.baseline(ctx); err != nil {
		return err
	}
	w.watch.about(len(w.data.calibView.Samples))
	stats, err := w.asker.statistics(ctx, PhaseStatistics, 1, calibration, w.data.calibView, w.data.calibNames, taps)
	if err != nil {
		return err
	}
	if w.params, w.built, err = quant.Build(w.model.graph, w.cfg, stats); err != nil {
		return &InputError{err}
	}
	groups := quant.GroupOps(w.model.graph, w.params)
	w.events.quantizable(Quantizable{Operations: distinct(groups), Groups: len(groups), AlwaysFloat: len(w.built.Float)})
	for _, s := range w.built.Warnings {
		w.events.note(s)
	}
	if err := w.put(ctx, w.params.Encode()); err != nil {
		return err
	}
	w.asker.params = w.params
	p := &w.wanted
	p.Params, p.Groups, p.Subset, p.Iterations, p.KeepWorse = w.params.Digest(), len(w.params.Groups), w.job.Subset, w.iterations(), w.job.KeepWorse
	if err := w.remember(); err != nil {
		return err
	}
	w.watch.begin(w.wanted)
	w.watch.groups = groups
	w.outcome, err = search.POT(ctx, w.wanted, w.watch)
	w.cells.abandon(ctx)
	return err
}

// iterations is how many reverts are tried at most.
func (w *work) iterations() int {
	if !w.job.Aware {
		return 0
	}
	return w.job.Iterations
}

// report writes report.json and report.html.
func (w *work) report(ctx context.Context) (*Result, error) {
	r, err := w.describe(ctx)
	if err != nil {
		return nil, err
	}
	res := &Result{Report: r, Files: []string{filepath.Join(w.job.OutputDir, w.output.File)}}
	text, err := r.JSON()
	if err != nil {
		return nil, err
	}
	pictures, err := w.thumbnails(ctx, r.Decisions.Flips.Samples)
	if err != nil {
		return nil, err
	}
	page, err := r.HTML(pictures)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"report.json", text}, {"report.html", page}} {
		path := filepath.Join(w.job.OutputDir, f.name)
		if err := writeOutput(path, f.text); err != nil {
			return nil, err
		}
		res.Files = append(res.Files, path)
	}
	return res, nil
}
