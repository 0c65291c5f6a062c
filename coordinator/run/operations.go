package run

import (
	"fmt"
	"slices"

	"assay/coordinator/cause"
	"assay/coordinator/report"
	"assay/coordinator/search"
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// operations enters what the model consists of into d: groups and their operations, where every operation runs under the final
// plan, and the multiply-adds of each.
func (w *work) operations(d *report.Decisions) error {
	g := w.model.graph.Graph
	macs, err := op.MACs(g, w.fed())
	if err != nil {
		return fmt.Errorf("multiply-adds: %w", err)
	}
	info, err := op.InferShapes(g, w.fed())
	if err != nil {
		return fmt.Errorf("shapes: %w", err)
	}
	d.Model.Nodes, d.Model.MACs, d.Model.Bytes = len(g.Nodes), 0, len(w.model.bytes)
	for _, n := range macs {
		d.Model.MACs += n
	}
	share := func(n int64) float64 { return float64(n) / float64(max(d.Model.MACs, 1)) }

	member := map[string][]int{}
	d.Groups = []report.Group{}
	for i, ops := range quant.GroupOps(w.model.graph, w.params) {
		group := report.Group{Index: i, Operations: append([]string{}, ops...), Causes: []cause.Cause{}}
		for _, name := range ops {
			member[name] = append(member[name], i)
			group.MACs += macs[name]
		}
		group.MACShare = share(group.MACs)
		d.Groups = append(d.Groups, group)
	}
	d.Model.Operations = len(member)
	never := map[string]string{}
	for _, r := range w.built.Float {
		never[r.Node] = r.Why
	}
	d.Operations, d.AlwaysFloat = []report.Placed{}, []report.Operation{}
	x := graph.NewIndex(g)
	for _, n := range g.Nodes {
		o := report.Placed{
			Name: n.Name, Type: n.Op, Groups: append([]int{}, member[n.Name]...), MACs: macs[n.Name], MACShare: share(macs[n.Name]),
			After: sources(x, n),
		}
		why, float := never[n.Name]
		switch {
		case len(o.Groups) > 0:
			o.Precision = precision(o.Groups, w.outcome.Plan)
		case float || o.MACs > 0:
			o.Precision = report.Float
			if why == "" {
				why = "this operator, and what its nested graphs hold, runs in float always"
			}
			d.AlwaysFloat = append(d.AlwaysFloat, report.Operation{Name: n.Name, Type: n.Op, MACs: o.MACs, MACShare: o.MACShare, Reason: why})
		case w.computes(n, info):
			o.Precision = report.Float
		default:
			o.Precision = report.Follows
		}
		d.Operations = append(d.Operations, o)
	}
	return nil
}

// sources are the positions of the nodes whose results n reads, each once, in the order of its inputs.
func sources(x *graph.Index, n *graph.Node) []int {
	out := []int{}
	for _, in := range n.Inputs {
		if p := x.Producer[in]; p != nil && !slices.Contains(out, x.Position[p]) {
			out = append(out, x.Position[p])
		}
	}
	return out
}

// computes reports whether n, which no group holds, computes floats: it does not merely move them, and is no arithmetic on
// shapes.
func (w *work) computes(n *graph.Node, info map[string]op.Info) bool {
	return len(n.Outputs) > 0 && info[n.Outputs[0]].DType == tensor.Float32 && !quant.Moves(n)
}

// distinct counts the operations of all groups.
func distinct(groups [][]string) int {
	seen := map[string]bool{}
	for _, ops := range groups {
		for _, name := range ops {
			seen[name] = true
		}
	}
	return len(seen)
}

// precision is INT8 unless one of an operation's groups is float.
func precision(groups []int, p plan.Plan) string {
	for _, g := range groups {
		if p.Has(g) {
			return report.Float
		}
	}
	return report.INT8
}

// currents gives each ranking of d the metric of the model that it was made for, on the samples that scored.
func (w *work) currents(d *report.Decisions) error {
	for i, r := range w.outcome.Rankings {
		now, err := planBefore(r, w.outcome.Steps, plan.All(w.params), len(w.params.Groups))
		if err != nil {
			return err
		}
		l := w.asker.known[plan.EffectiveDigest(w.params, now)]
		if l == nil || len(r.Samples) == 0 || !l.all(r.Samples) {
			continue
		}
		v := report.Number(w.meter.Value(r.Metric, l.join(r.Samples)).F)
		d.Rankings[i].Current = &v
	}
	return nil
}

// planBefore is the plan that a ranking was made for: all INT8 with the steps before it that were not undone.
func planBefore(r search.Ranking, steps []search.Step, all plan.Plan, groups int) (plan.Plan, error) {
	now := all
	for _, s := range steps[:min(r.Before, len(steps))] {
		if s.Verdict == search.RolledBack {
			continue
		}
		now = all
		for _, g := range s.Float {
			var err error
			if now, err = now.Revert(g, groups); err != nil {
				return plan.Plan{}, err
			}
		}
	}
	return now, nil
}
