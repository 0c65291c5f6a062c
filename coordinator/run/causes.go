package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"assay/coordinator/cause"
	"assay/coordinator/report"
	"assay/shared/op"
	"assay/shared/plan"
	"assay/shared/quant"
)

// What is looked at to find causes: the first calibration samples, and the groups that cost most.
const (
	explainSamples = 16
	explainGroups  = 24
)

// causes enters into d what each group brought in the first ranking and what may be the cause. Constants are looked at in
// every group; activations only in those that are float or cost something, which takes one more round on a few samples.
func (w *work) causes(ctx context.Context, d *report.Decisions) error {
	d.Gains()
	groups := worst(d)
	shapes, err := w.shapes()
	if err != nil {
		return err
	}
	m := cause.NewModel(w.model.graph.Graph, w.params, shapes)
	st, err := w.observe(ctx, m.Taps(groups), len(groups))
	if err != nil {
		return err
	}
	tied := ties(d)
	for g := range d.Groups {
		s := st
		if !slices.Contains(groups, g) {
			s = nil
		}
		found, err := m.Find(g, s)
		if err != nil {
			return err
		}
		if tie, ok := tied[g]; ok && slices.Contains(groups, g) {
			found = append(found, tie)
		}
		d.Groups[g].Causes = append(d.Groups[g].Causes, found...)
	}
	return nil
}

// worst lists the groups that are float in the result and those that cost most in the first ranking, ascending. At most
// explainGroups of them: float ones first, then by gain.
func worst(d *report.Decisions) []int {
	var costly []report.Group
	for _, g := range d.Groups {
		if g.Float || g.Gain != nil && *g.Gain > 0 {
			costly = append(costly, g)
		}
	}
	slices.SortStableFunc(costly, func(a, b report.Group) int {
		switch {
		case a.Float != b.Float && a.Float:
			return -1
		case a.Float != b.Float:
			return 1
		}
		return cmp.Compare(gain(b), gain(a))
	})
	var out []int
	for _, g := range costly[:min(len(costly), explainGroups)] {
		out = append(out, g.Index)
	}
	slices.Sort(out)
	return out
}

// gain is 0 for a group that no ranking measured.
func gain(g report.Group) float64 {
	if g.Gain == nil {
		return 0
	}
	return float64(*g.Gain)
}

// ties finds groups that a ranking could not tell apart: the one that a group was taken from when it went back to float for good,
// the first one for the others.
func ties(d *report.Decisions) map[int]cause.Cause {
	out := map[int]cause.Cause{}
	for i, r := range d.Rankings {
		name := "the first ranking"
		if i > 0 {
			name = fmt.Sprintf("ranking %d, from which it was taken", i+1)
		}
		for g, tie := range tiesOf(name, r) {
			if i == takenFrom(d, g) {
				out[g] = tie
			}
		}
	}
	return out
}

// Groups without a value in the ranking are left out.
func tiesOf(name string, r report.Ranking) map[int]cause.Cause {
	var groups []int
	var scores []float64
	for _, s := range r.Scores {
		if s.Value != nil {
			groups, scores = append(groups, s.Group), append(scores, float64(*s.Value))
		}
	}
	return cause.Ties(name, groups, scores)
}

// takenFrom is the ranking whose order a group followed at its last step, if that step is part of the result; else the first.
func takenFrom(d *report.Decisions, group int) int {
	if !slices.ContainsFunc(d.FloatGroups, func(f report.FloatGroup) bool { return f.Index == group }) {
		return 0
	}
	ranking := 0
	for k, s := range d.Steps {
		if s.Group != group {
			continue
		}
		for i, r := range d.Rankings {
			if r.Before <= k {
				ranking = i
			}
		}
	}
	return ranking
}

// observe collects statistics of the float model on the first calibration samples; nil when there is nothing to collect.
func (w *work) observe(ctx context.Context, taps []quant.Tap, groups int) (*quant.Stats, error) {
	if len(taps) == 0 {
		return nil, nil
	}
	view := plan.View{Samples: w.data.calibView.Samples[:min(len(w.data.calibView.Samples), explainSamples)]}
	problem := w.problem
	problem.Inputs = w.data.calibration.Digest()
	w.watch.about(len(view.Samples))
	return w.asker.statistics(ctx, PhaseExplain, groups, problem, view, w.data.calibNames, taps)
}

// shapes are those of every value for one sample.
func (w *work) shapes() (map[string][]int, error) {
	info, err := op.InferShapes(w.model.graph.Graph, w.fed())
	if err != nil {
		return nil, err
	}
	out := make(map[string][]int, len(info))
	for name, x := range info {
		out[name] = x.Shape
	}
	return out, nil
}

// fed is type and shape of what goes into each model input at once.
func (w *work) fed() map[string]op.Info { return w.model.fed(w.data.search) }
