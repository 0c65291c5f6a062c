package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"assay/kernels/numeric"
	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/metric"
	"assay/shared/plan"
)

// How much the probe runs, and when it believes a winner: each of the others must lose against it in a sign test so clearly
// that the chance of all of them together to lose by accident is below probeAlpha.
const (
	probeFew   = 64
	probeMany  = 256
	probeAlpha = 0.05
)

// Probe is what the usual preprocessings give on some samples. Like is the one that is taken, "" when none is clearly best.
type Probe struct {
	Samples int     // each was tried on
	Tried   []Tried // by right answers, most first; those that do not fit among them with none
	Like    string
	Flags   string // that say the same in single steps
}

// Tried is one preprocessing. Chance is how likely its answers are to be so much poorer than the best one's by accident: the one-sided
// sign test over samples on which the two differ. The best has 1. Misfit says why it cannot be for this model; the other fields are zero then.
type Tried struct {
	Like    string
	Correct int // samples whose label is the model's answer
	Chance  float64
	Best    bool
	Misfit  string
}

// candidate is a preprocessing in the race. records are the newest race's.
type candidate struct {
	like    string
	prep    dataset.Prep
	misfit  string
	records []metric.Record
	flags   string // single steps that say the same
	problem plan.Problem
}

// probe finds how images become inputs when the user did not say: the float model answers some labelled samples, evenly
// taken from the data, under each of the usual preprocessings. Where few samples leave more than one possible, these run
// on more. The clear winner becomes part of the job; without one the error says what to do. It needs labels: without
// them no number says which answers are right.
func (w *work) probe(ctx context.Context, set *dataset.Set) error {
	if len(set.Labels) == 0 {
		return &InputError{fmt.Errorf("data: %s holds images, how the model wants them is not known, and without labels it cannot be found (a model that is fed wrongly is often the more certain of its answers): give --like with one of %s, or single steps by --resize, --crop, --scale, --mean, --std, --channels", w.job.Data.Source, strings.Join(dataset.Conventions(), ", "))}
	}
	var all []*candidate
	for _, name := range dataset.Conventions() {
		p, err := dataset.Like(name)
		if err != nil {
			return err
		}
		p.Layout, p.Reader = w.job.Data.Prep.Layout, w.job.Data.Prep.Reader
		all = append(all, &candidate{like: name, prep: p})
	}
	few := evenly(set.Len(), probeFew)
	if err := w.race(ctx, set, few, all); err != nil {
		return err
	}
	best, left := leaders(all)
	result := tabulate(all, best, len(few))
	if best != nil && len(left) > 1 && set.Len() > len(few) {
		w.events.probed(result)
		more := evenly(set.Len(), probeMany)
		if err := w.race(ctx, set, more, left); err != nil {
			return err
		}
		all = left
		best, left = leaders(all)
		result = tabulate(all, best, len(more))
	}
	err := w.judge(best, left)
	if err == nil {
		result.Like, result.Flags = best.like, best.flags
	}
	w.events.probed(result)
	return err
}

// judge takes the only candidate that is left, or says why there is none.
func (w *work) judge(best *candidate, left []*candidate) error {
	const see = "look up the model's training or its model card, then give --like, or --mean, --std, --scale and --channels"
	if best == nil {
		return &InputError{fmt.Errorf("data: the model takes none of the usual preprocessings of images: give --resize, --crop, --scale, --mean, --std, --channels or --layout")}
	}
	rank := metric.Meter{Adapter: metric.Classification, Metrics: []metric.Spec{{Name: "accuracy@top1", Type: "accuracy", TopK: 1}}}
	value := metric.Count(int64(correct(best.records)), int64(len(best.records)))
	if c := chance(rank.Metrics[0], w.model.classes); c != nil && guessing(value, *c) {
		return &InputError{fmt.Errorf("data: under none of the usual preprocessings does the float model do better than guessing (best is %s with %d of %d): do the labels count classes as the model does, from 0 and in its order? Else %s", best.like, value.Num, value.Den, see)}
	}
	if len(left) > 1 {
		var names []string
		for _, c := range left {
			names = append(names, c.like)
		}
		return &InputError{fmt.Errorf("data: how the model wants images is not clear: %s cannot be told apart on %d samples: %s", strings.Join(names, " and "), len(best.records), see)}
	}
	job := *w.job
	job.Data.Like, job.Data.Prep, job.Data.Prepared = best.like, best.prep, true
	w.job = &job
	return nil
}

// evenly is at most n of the indices below total, evenly spread: data is often sorted by class.
func evenly(total, n int) []int {
	n = min(n, total)
	out := make([]int, n)
	for i := range out {
		out[i] = int(int64(i) * int64(total) / int64(n))
	}
	return out
}

// race runs the float model on the same samples under each candidate that fits the model.
func (w *work) race(ctx context.Context, set *dataset.Set, samples []int, all []*candidate) error {
	var requests []request
	var running []*candidate
	for _, c := range all {
		rs, err := w.enter(ctx, set.Select(samples), c)
		if err != nil {
			return err
		}
		if c.misfit == "" {
			running, requests = append(running, c), append(requests, rs...)
		}
	}
	if len(running) == 0 {
		return nil
	}
	w.events.phase(Phase{Name: PhaseProbe, Models: len(running), Samples: len(samples), Inferences: int64(len(running) * len(samples))})
	w.gauge.round(PhaseProbe, int64(len(running)*len(samples)))
	results, err := w.cells.do(ctx, requests, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", PhaseProbe, err)
	}
	for _, c := range running {
		c.records = nil
		d := c.problem.Digest()
		for _, r := range requests {
			if r.cell.Problem != d {
				continue
			}
			rs, err := metric.Records(results[r.digest].Records)
			if err != nil || len(rs) != len(r.block) {
				return fmt.Errorf("%s: %d records for %d samples: %w", PhaseProbe, len(rs), len(r.block), errors.Join(err))
			}
			c.records = append(c.records, rs...)
		}
	}
	return nil
}

// enter stores what a candidate's cells name, and lists these. A preprocessing that the model's input cannot take is no
// candidate; a file that cannot be read is the user's to mend.
func (w *work) enter(ctx context.Context, set *dataset.Set, c *candidate) ([]request, error) {
	src := sourceOf(w.job, w.model)
	src.Prep = c.prep
	set, err := set.With(src)
	if err != nil {
		c.misfit = err.Error()
		return nil, nil
	}
	in, faults, err := set.Build(ctx, func(b []byte) (plan.Digest, error) { return w.seat.objects.Put(ctx, b) }, nil)
	if err == nil {
		err = faults.Err()
	}
	if err != nil {
		return nil, inputUnless(ctx, err)
	}
	w.data = &data{names: set.Names}
	if err := w.begin(ctx, in); err != nil {
		return nil, err
	}
	if err := w.checkClasses(set); err != nil {
		return nil, err
	}
	meter := metric.Meter{Adapter: metric.Classification, Output: w.model.outputs[0], Labels: set.Labels}
	view := plan.View{Samples: config.Calibration{Count: math.MaxInt}.Pick(set.Len())}
	c.flags = c.prep.At(sizeOf(in)).Flags()
	c.problem = plan.Problem{Numerics: numeric.Version, Model: digestOf(w.model.bytes), Inputs: in.Digest(), Meter: meter.Digest(), Block: block(w.model.macs)}
	if err := w.put(ctx, w.model.bytes, in.Encode(), meter.Encode(), plan.EncodeView(view), plan.Encode("Problem", c.problem)); err != nil {
		return nil, err
	}
	a := newAsker(w.cells, w.seat.objects, c.problem, meter, view)
	return a.requests(ctx, plan.Plan{}, plan.Digest{}, view)
}

// sizeOf is the size of stored pictures, zero where they have several or no size.
func sizeOf(in dataset.Inputs) dataset.Size {
	var out dataset.Size
	for _, p := range in.Streams[0].Pieces {
		if len(p.Shape) != 3 {
			return dataset.Size{}
		}
		s := dataset.Size{W: int(p.Shape[1]), H: int(p.Shape[0])}
		if out != (dataset.Size{}) && s != out {
			return dataset.Size{}
		}
		out = s
	}
	return out
}

// leaders are the candidate with the most right answers (the first of equals, by lead then) and those that it does not
// clearly beat, itself included; nil when none fits. The bound is Bonferroni's: probeAlpha shared among the other
// conventions.
func leaders(all []*candidate) (best *candidate, left []*candidate) {
	for _, c := range all {
		if c.misfit == "" && (best == nil || better(c, best)) {
			best = c
		}
	}
	for _, c := range all {
		if c.misfit == "" && (c == best || against(best, c) >= probeAlpha/float64(len(dataset.Conventions())-1)) {
			left = append(left, c)
		}
	}
	return best, left
}

// better orders by right answers, then by leads won.
func better(a, b *candidate) bool {
	if x, y := correct(a.records), correct(b.records); x != y {
		return x > y
	}
	wins, losses := duel(a, b)
	return wins > losses
}

// correct counts samples whose best class is the label.
func correct(rs []metric.Record) int {
	n := 0
	for _, r := range rs {
		if r.Correct(1) {
			n++
		}
	}
	return n
}

// duel compares two candidates sample by sample: how far the label's score leads the others, as a share of their span, so
// that it does not count how large scores are. Equal leads are left out.
func duel(a, b *candidate) (wins, losses int) {
	for i := range a.records {
		x, y := lead(a.records[i]), lead(b.records[i])
		switch {
		case x > y:
			wins++
		case x < y:
			losses++
		}
	}
	return wins, losses
}

// lead is a record's lead; a sample whose scores say nothing counts as lost.
func lead(r metric.Record) float64 {
	if l := r.Lead(); !math.IsNaN(l) {
		return l
	}
	return -1
}

// against is the probability that best wins so often against c by accident.
func against(best, c *candidate) float64 {
	wins, losses := duel(best, c)
	return signTest(wins, losses)
}

// tabulate is what the user sees of a race, best first.
func tabulate(all []*candidate, best *candidate, samples int) Probe {
	out := Probe{Samples: samples}
	for _, c := range all {
		t := Tried{Like: c.like, Misfit: c.misfit}
		if c.misfit == "" {
			t.Correct, t.Best, t.Chance = correct(c.records), c == best, 1
			if c != best {
				t.Chance = against(best, c)
			}
		}
		out.Tried = append(out.Tried, t)
	}
	slices.SortStableFunc(out.Tried, func(a, b Tried) int { return b.Correct - a.Correct })
	return out
}
