package report

import (
	"fmt"
	"math"
)

// shownRows is how many rows of a ranking are open; the others are one click away, unless they are no more than fewRows.
const (
	shownRows = 20
	fewRows   = 2
)

type pageRanking struct {
	Number  int
	Explain string
	Rows    []pageScore
	More    []pageScore
}

// pageScore is one group of a ranking. Bars grow from Zero, the model's own value: to the right what gains.
type pageScore struct {
	Group             int
	Gain, Score       string
	Known             bool
	Class             string
	Zero, From, Width string
	Operations        []string
}

// gain is what score s adds to the metric of the model that r ranked, positive for better; ok is false when unknown.
func (r Ranking) gain(s Score, m Metric) (v float64, ok bool) {
	if s.Value == nil || r.Current == nil {
		return 0, false
	}
	v = float64(*s.Value - *r.Current)
	if m.Direction != higherBetter {
		v = -v
	}
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}

// metric is the one that r ranks by.
func (d *Decisions) metric(r Ranking) Metric {
	if r.Metric < 0 || r.Metric >= len(d.Metrics) {
		return d.Metrics[0]
	}
	return d.Metrics[r.Metric]
}

// Gains enters into the groups what they bring in the first ranking, as Group.Gain has it. It needs Groups, the rankings of Fill, and the first
// one's Current; groups without a score, and all where Current is nil, stay without.
func (d *Decisions) Gains() {
	if len(d.Rankings) == 0 {
		return
	}
	r := d.Rankings[0]
	for _, s := range r.Scores {
		if v, ok := r.gain(s, d.metric(r)); ok && s.Group < len(d.Groups) {
			n := Number(v)
			d.Groups[s.Group].Gain = &n
		}
	}
}

// firstGains is the gain of each group in the first ranking, as text.
func firstGains(d *Decisions) map[int]string {
	out := map[int]string{}
	if len(d.Rankings) == 0 {
		return out
	}
	r := d.Rankings[0]
	for _, s := range r.Scores {
		if v, ok := r.gain(s, d.metric(r)); ok {
			out[s.Group] = signed(Number(v))
		}
	}
	return out
}

// latestGain is the gain of a group in the last ranking that scored it, the one that let it go.
func latestGain(d *Decisions, group int) string {
	out := ""
	for _, r := range d.Rankings {
		for _, s := range r.Scores {
			if v, ok := r.gain(s, d.metric(r)); ok && s.Group == group {
				out = signed(Number(v))
			}
		}
	}
	return out
}

// rankingRows lays a ranking out as bars around the value of the model that was ranked.
func rankingRows(d *Decisions, i int, r Ranking) pageRanking {
	m := d.metric(r)
	out := pageRanking{Number: i + 1, Explain: explain(r, d.Samples.Search)}
	lo, hi := 0.0, 0.0
	for _, s := range r.Scores {
		if v, ok := r.gain(s, m); ok {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	at := func(v float64) float64 {
		if hi == lo {
			return 0
		}
		return 100 * (v - lo) / (hi - lo)
	}
	for n, s := range r.Scores {
		row := pageScore{Group: s.Group, Operations: d.operations(s.Group), Score: "not asked", Zero: fmt.Sprintf("%.1f%%", at(0))}
		if s.Value != nil {
			row.Score = fixed(*s.Value)
		}
		if v, ok := r.gain(s, m); ok {
			row.Known, row.Class, row.Gain = true, "int8", signed(Number(v))
			if s.Group < len(d.Groups) && d.Groups[s.Group].Float {
				row.Class = "float"
			}
			if v < 0 {
				row.Class = "follows"
			}
			row.From, row.Width = fmt.Sprintf("%.1f%%", min(at(0), at(v))), fmt.Sprintf("%.1f%%", math.Abs(at(v)-at(0)))
		}
		if n < shownRows || len(r.Scores) <= shownRows+fewRows {
			out.Rows = append(out.Rows, row)
		} else {
			out.More = append(out.More, row)
		}
	}
	return out
}

// explain says what a ranking measured; all is the number of samples that there are.
func explain(r Ranking, all int) string {
	if r.Samples == 0 {
		return "Only one group was left, so nothing had to be measured."
	}
	text := fmt.Sprintf("Measured on the %s samples that lost most", count(int64(r.Samples)))
	if r.Samples >= all {
		text = fmt.Sprintf("Measured on all %s samples", count(int64(r.Samples)))
	}
	if r.Worse > 0 {
		text += fmt.Sprintf(" (on %s of them the model was worse than float)", count(int64(r.Worse)))
	} else {
		text += " (on none of them was the model worse than float)"
	}
	if r.Current != nil {
		text += fmt.Sprintf(", where the model that was to be mended has %s", fixed(*r.Current))
	}
	text += ". The group that gains most is given back first; orange ones are float in the result, grey ones would lose."
	if r.Tied {
		text += " All gains are equal here, so the order is only that of the graph."
	}
	return text
}
