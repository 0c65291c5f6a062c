package run

import (
	"assay/coordinator/report"
	"assay/shared/metric"
	"assay/shared/plan"
)

// listedFlips is how many samples are listed; all are counted.
const listedFlips = 200

// flips enters the samples whose outcome differs between the float and the final model: first those that became wrong, then
// those that became right, each in data order. None for a metric that does not count samples. Direction makes a loss
// negative whatever the metric.
func (w *work) flips(d *report.Decisions) {
	d.Flips.Samples = []report.Flip{}
	float, final := w.asker.known[plan.Digest{}], w.asker.known[plan.EffectiveDigest(w.params, w.outcome.Plan)]
	if float == nil || final == nil || !w.meter.Counts(0) {
		return
	}
	view := w.data.searchView.Samples
	a, b := float.join(view), final.join(view)
	d.Flips.Wrong, d.Flips.Right = w.meter.Flips(0, a, b)
	first, second := w.meter.Each(0, a), w.meter.Each(0, b)
	sign := float64(w.meter.Direction(0))
	for _, wrong := range []bool{true, false} {
		for i, s := range view {
			change := float64(sign * (second[i] - first[i]))
			if change == 0 || (change < 0) != wrong || len(d.Flips.Samples) == listedFlips {
				continue
			}
			d.Flips.Samples = append(d.Flips.Samples, w.flip(s, wrong, float.records[s], final.records[s]))
		}
	}
}

// flip describes one sample; classes only where records hold some.
func (w *work) flip(sample uint32, wrong bool, float, final []byte) report.Flip {
	f := report.Flip{Sample: int(sample), Wrong: wrong}
	if int(sample) < len(w.data.names) {
		f.Name = w.data.names[sample]
	}
	if w.meter.Adapter != metric.Classification {
		return f
	}
	if int(sample) < len(w.meter.Labels) && !unlabelled(w.meter) {
		f.Label = number(int(w.meter.Labels[sample]))
	}
	if r, err := metric.Records(float); err == nil && len(r) == 1 {
		f.Float = number(int(r[0].Class))
	}
	if r, err := metric.Records(final); err == nil && len(r) == 1 {
		f.Final = number(int(r[0].Class))
	}
	return f
}

func number(n int) *int { return &n }
