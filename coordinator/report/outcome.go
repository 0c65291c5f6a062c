package report

import (
	"assay/coordinator/search"
	"assay/shared/metric"
)

// Fill enters what a search found into d: metrics, limits, float groups, trials, steps, rankings and notes, in place of what was there. Groups
// must hold the names of their operations already, by index; Fill adds the scores of the first ranking and marks the float ones. What
// a search does not know is left to its caller: Ranking.Current stays nil, and with it Group.Gain until Gains. Notes of the caller's come
// after Fill. It keeps nothing of o.
func (d *Decisions) Fill(o search.Outcome, limit metric.Limit) {
	d.Met, d.Reason, d.Notes = o.Met, string(o.Reason), append([]string{}, o.Notes...)
	d.Metrics = []Metric{}
	for _, m := range o.Metrics {
		d.Metrics = append(d.Metrics, Metric{
			Name: m.Metric.Name, Direction: m.Metric.Direction.String(), Float: Number(m.Baseline.F), Int8: Number(m.Int8.F), Final: Number(m.Final.F),
			Drop: Number(m.Drop.F), Limit: Number(limit.Float()), Met: m.Met,
			Exact: []string{m.Baseline.String(), m.Int8.String(), m.Final.String()},
		})
	}
	d.FloatGroups = []FloatGroup{}
	for _, r := range o.Float {
		d.FloatGroups = append(d.FloatGroups, FloatGroup{Index: r.Group, Operations: d.operations(r.Group), Gain: Number(r.Gain.F)})
		if r.Group < len(d.Groups) {
			d.Groups[r.Group].Float = true
		}
	}
	d.Trials = []Trial{}
	for _, t := range o.Trials {
		d.Trials = append(d.Trials, Trial{Round: t.Round, Float: list(t.Float), Samples: t.Samples, Values: numbers(t.Values)})
	}
	d.Steps = []Step{}
	for _, s := range o.Steps {
		d.Steps = append(d.Steps, Step{Group: s.Group, Float: list(s.Float), Values: numbers(s.Values), Drops: numbers(s.Drops), Verdict: string(s.Verdict), Best: s.Best})
	}
	d.Rankings = []Ranking{}
	for i, r := range o.Rankings {
		out := Ranking{Before: r.Before, Metric: r.Metric, Samples: len(r.Samples), Worse: r.Worse, Tied: r.Tied, Scores: []Score{}}
		for _, s := range r.Scores {
			score := Score{Group: s.Group}
			if s.Known {
				v := Number(s.Value.F)
				score.Value = &v
				if i == 0 && s.Group < len(d.Groups) {
					d.Groups[s.Group].Score = &v
				}
			}
			out.Scores = append(out.Scores, score)
		}
		d.Rankings = append(d.Rankings, out)
	}
}

func (d *Decisions) operations(group int) []string {
	if group < len(d.Groups) {
		return d.Groups[group].Operations
	}
	return []string{}
}

// list keeps an empty list an empty list in JSON.
func list(v []int) []int { return append([]int{}, v...) }

func numbers(vs []metric.Value) []Number {
	out := make([]Number, len(vs))
	for i, v := range vs {
		out[i] = Number(v.F)
	}
	return out
}
