package run

import (
	"context"
	"math"
	"time"

	"assay/coordinator/search"
	"assay/kernels/numeric"
	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/quant"
)

// trialAfter is how long samples are decoded before the float model is tried on the first of them, to say how long the job will
// take: where data is read at once, or was decoded before, the first cells say it as soon and better.
const trialAfter = 300 * time.Millisecond

// reading is what hears of samples that are decoded since begun. After trialAfter it says what the job asks in any case, and where this process
// has evaluators and no cell has told the model's pace yet, it tries the model; the samples that are decoded meanwhile wait.
// What is wrong with model or data is told when it counts, with all samples at hand.
func (w *work) reading(ctx context.Context, set *dataset.Set, begun time.Time) func(done, total int) {
	tried := false
	return func(done, total int) {
		if !tried && done < total && time.Since(begun) >= trialAfter {
			tried = true
			certain := w.certain(set.Len(), total-set.Len())
			w.gauge.expect(certain)
			if w.stop == nil && slots(w.job) > 0 {
				if took, err := w.trial(ctx, set, int(certain[PhaseStart])); err == nil {
					w.gauge.tried(took)
				}
			}
		}
		w.onRead(done, total)
	}
}

// certain is the inferences that a job asks in any case, by phase, of so many samples to search and others that are for calibration only.
func (w *work) certain(samples, apart int) map[string]int64 {
	calibration, n := int64(apart), int64(samples)
	if apart == 0 {
		own, rest, err := w.job.Calibration.Split(samples)
		if err != nil {
			return nil
		}
		calibration, n = int64(len(own)), int64(len(rest))
	}
	return map[string]int64{PhaseBaseline: n, PhaseStatistics: calibration, PhaseStart: n, PhaseVerify: n}
}

// trial is the time of one sample through the float model in this process, by a problem of its own. The model is compiled once a process, so that
// is not lost. It foresees the search on so many samples.
func (w *work) trial(ctx context.Context, set *dataset.Set, samples int) (time.Duration, error) {
	first := set.Select([]int{0})
	in, _, err := first.Build(ctx, func(b []byte) (plan.Digest, error) { return w.seat.objects.Put(ctx, b) }, nil)
	if err != nil {
		return 0, err
	}
	if err := w.begin(ctx, in); err != nil {
		return 0, err
	}
	meter, err := meterOf(w.job, w.model, first, func(string) {})
	if err != nil {
		return 0, err
	}
	if err := w.foresee(in, meter, samples); err != nil {
		return 0, err
	}
	p := plan.Problem{Numerics: numeric.Version, Model: digestOf(w.model.bytes), Inputs: in.Digest(), Meter: meter.Digest(), Block: block(w.model.macs)}
	if err := w.put(ctx, w.model.bytes, in.Encode(), meter.Encode(), plan.Encode("Problem", p)); err != nil {
		return 0, err
	}
	return w.seat.cells.Once(ctx, p.Digest(), plan.Plan{}, 0)
}

// foresee looks for the ends of a search on so many samples of which nothing but the limit and the model's groups is known: they are told while
// samples are decoded.
func (w *work) foresee(in dataset.Inputs, meter metric.Meter, samples int) error {
	shapes := map[string][]int{}
	for name, info := range w.model.fed(in) {
		shapes[name] = info.Shape
	}
	groups, err := quant.CountGroups(w.model.graph, quantConfig(w.job, shapes).For(w.model.graph.Graph))
	if err != nil {
		return err
	}
	view := plan.View{Samples: config.Calibration{Count: math.MaxInt}.Pick(samples)}
	o := newOutlook(w.guessed(search.Problem{View: view, Limit: w.limit, Metrics: w.sought(meter)}, groups))
	o.against = yardstickOf(meter)
	w.gauge.foresee(o.ends())
	return nil
}
