package run

import (
	"context"
	"fmt"

	"assay/coordinator/search"
	"assay/kernels/numeric"
	"assay/shared/metric"
	"assay/shared/plan"
)

// baseline measures the float model before anything is quantized: a model that guesses, or labels that count otherwise than
// the model, end the job here. Without labels it collects what the float model says instead, which then is the right
// answer. It fills w.wanted, the search's problem, as far as it can be known before calibration.
func (w *work) baseline(ctx context.Context) error {
	w.wanted = search.Problem{View: w.data.searchView, Limit: w.limit, Metrics: w.sought(w.meter)}
	w.watch.begin(w.guessed(w.wanted, w.groups))
	w.watch.outlook.against = yardstickOf(w.meter)
	w.watch.scored, w.watch.noise = scored(w.job), w.meter.Adapter == metric.Outputs
	w.watch.about(len(w.data.searchView.Samples))
	samples := w.data.searchView.Samples
	if unlabelled(w.meter) {
		if err := w.asker.answers(ctx); err != nil {
			return err
		}
	} else if _, err := w.asker.Ask(ctx, search.Round{Name: PhaseBaseline, Need: []search.Trial{{View: w.data.searchView}}}); err != nil {
		return err
	}
	records := w.asker.known[plan.Digest{}].join(samples)
	if err := shifted(w.meter, samples, records); err != nil {
		return err
	}
	if text, err := noNumbers(w.meter, samples, records, w.data.names); err != nil {
		return err
	} else if text != "" {
		w.events.note(text)
	}
	var values []search.Value
	for i := range w.meter.Metrics {
		values = append(values, w.meter.Value(i, records))
	}
	w.watch.float(values)
	for i, v := range values {
		if text := tooFine(w.limit, v); text != "" {
			w.events.note(w.meter.Metrics[i].Name + " " + text)
		}
	}
	return w.watch.checkBaseline(len(samples))
}

// sought is what a search compares by a meter.
func (w *work) sought(m metric.Meter) (out []search.Metric) {
	for i, s := range m.Metrics {
		out = append(out, search.Metric{Name: s.Name, Direction: m.Direction(i), Chance: chance(s, w.model.classes)})
	}
	return out
}

// guessed is a problem as it will be of a model with so many groups, whose params are not known yet.
func (w *work) guessed(p search.Problem, groups int) search.Problem {
	p.Params, p.Groups, p.Subset, p.Iterations, p.KeepWorse = plan.Digest{1}, groups, w.job.Subset, w.iterations(), w.job.KeepWorse
	return p
}

// tooFine says that a limit is below one sample of a metric that counts samples: no answer may then be lost at all, though
// another number is asked for. It is empty where one may be lost, where none was to be, and for metrics that do not count.
func tooFine(limit metric.Limit, float metric.Value) string {
	lost, enough, ok := limit.Parts(float)
	if !ok || lost > 0 || limit.Float() == 0 {
		return ""
	}
	text := fmt.Sprintf("counts whole samples, and one of %d is %.2g: a drop of %g means that none may be lost", float.Den, 1/float64(float.Den), limit.Float())
	if enough > 0 {
		text += fmt.Sprintf("; to allow one, give %d samples or more", enough)
	}
	return text
}

// noiseNotes says the values of sqnr as decibels, for the report.
func noiseNotes(o search.Outcome, limit metric.Limit, m metric.Meter) []string {
	var out []string
	for i, r := range o.Metrics {
		if m.Metrics[i].Type == typeSQNR {
			out = append(out, fmt.Sprintf("%s in decibels: everything INT8 %s, the final model %s, the limit %s", r.Metric.Name, decibels(r.Int8.F), decibels(r.Final.F), decibels(1-limit.Float())))
		}
	}
	return out
}

// noNumbers says on which samples a classifier's scores are NaN, "" for none. names are the data set's and may be shorter than it.
func noNumbers(m metric.Meter, samples []uint32, records []byte, names []string) (string, error) {
	if m.Adapter != metric.Classification {
		return "", nil
	}
	rs, err := metric.Records(records)
	if err != nil {
		return "", err
	}
	first, count := "", 0
	for i, r := range rs {
		if !r.NaN {
			continue
		}
		if count++; count > 1 {
			continue
		}
		if first = fmt.Sprintf("sample %d", samples[i]); int(samples[i]) < len(names) {
			first = names[samples[i]]
		}
	}
	if count == 0 {
		return "", nil
	}
	return fmt.Sprintf("the float model's scores are no numbers (NaN) for %d of %d samples, %s the first: it has no answer there; leave them out or repair them", count, len(rs), first), nil
}

// shiftedAt is the chance below which answers that fit another count of the labels are no accident.
const shiftedAt = 1e-3

// shifted refuses labels that are off by one: the model's answers fit the labels plus or minus one far better. With
// hits at d = -1 and 0 paired sample by sample, the sign test is McNemar's exact one on the samples where the two
// differ.
func shifted(m metric.Meter, samples []uint32, records []byte) error {
	if m.Adapter != metric.Classification || len(m.Labels) == 0 {
		return nil
	}
	rs, err := metric.Records(records)
	if err != nil {
		return err
	}
	var hits [3]int // with the labels less one, as they are, plus one
	for i, r := range rs {
		if d := int64(r.Class) - int64(m.Labels[samples[i]]); d >= -1 && d <= 1 {
			hits[d+1]++
		}
	}
	for _, by := range []struct {
		hits   int
		what   string
		advice string
	}{
		{hits[2], "the label plus one", "the model has a class for the background in front that the labels do not count: set engine.has_background in a job file, or add one to every label"},
		{hits[0], "the label less one", "the labels count from 1, and classes count from 0: take one off every label"},
	} {
		if by.hits > hits[1] && signTest(by.hits, hits[1]) < shiftedAt {
			return &InputError{fmt.Errorf("labels are off by one: the float model's answer is the label in %d of %d samples, and %s in %d: %s", hits[1], len(rs), by.what, by.hits, by.advice)}
		}
	}
	return nil
}

// signTest is the probability that of wins + losses fair tosses at least wins are won: the one-sided exact sign test, which is
// McNemar's for paired answers. Terms are added as logarithms, binomial(n, k) / 2^n by recurrence, so n of many
// thousands does not underflow.
func signTest(wins, losses int) float64 {
	n := wins + losses
	if n == 0 {
		return 1
	}
	var p float64
	term := -float64(n) * numeric.Log64(2) // logarithm of the probability of k wins
	for k := 0; k <= n; k++ {
		if k >= wins {
			p += numeric.Exp64(term)
		}
		if k < n {
			term += numeric.Log64(float64(n-k) / float64(k+1))
		}
	}
	return min(p, 1)
}

// decibels says a kept share as a ratio of signal to noise. It is 10*log10(kept / (1-kept)).
func decibels(kept float64) string {
	switch {
	case kept >= 1:
		return "no noise"
	case kept <= 0:
		return "nothing but noise"
	}
	return fmt.Sprintf("%.1f dB", 10*(numeric.Log64(kept)-numeric.Log64(1-kept))/numeric.Log64(10))
}
