package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strings"
)

//go:embed page.html.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"fix":   func(n any) string { return four(n) },
	"sign":  func(n Number) string { return signed(n) },
	"pct":   func(f float64) string { return fmt.Sprintf("%.1f%%", 100*f) },
	"ms":    func(f float64) string { return fmt.Sprintf("%.2f ms", f) },
	"join":  func(s []string) string { return strings.Join(s, ", ") },
	"short": func(s string) string { return s[:min(len(s), 12)] },
	"mb":    func(n int) string { return fmt.Sprintf("%.2f MB", float64(n)/1e6) },
}).Parse(pageText))

func four(n any) string {
	switch v := n.(type) {
	case Number:
		return fixed(v)
	case *Number:
		return fixed(*v)
	}
	return ""
}

// pageData is what the page shows beyond the report itself.
type pageData struct {
	R          *Report
	D          *Decisions
	Headline   string
	LimitText  string
	FloatShare float64
	Chart      template.HTML
	Steps      []pageStep
	Rankings   []pageRanking
}

type pageStep struct {
	Number      int
	Operations  string
	Value, Drop Number
	Verdict     string
	Best        bool
}

type pageRanking struct {
	Number  int
	Explain string
	Rows    []pageScore
}

type pageScore struct {
	Group      int
	Text       string
	Width      string
	Operations string
	Float      bool
}

// HTML is report.html: one page that needs nothing else.
func (r *Report) HTML() ([]byte, error) {
	d := &r.Decisions
	if len(d.Metrics) == 0 {
		return nil, fmt.Errorf("report.html: the report holds no metric")
	}
	data := pageData{R: r, D: d, Headline: headline(d), LimitText: fixed(d.Metrics[0].Limit), FloatShare: 1 - d.MACShare, Chart: chart(d)}
	for i, s := range d.Steps {
		data.Steps = append(data.Steps, pageStep{i + 1, strings.Join(d.operations(s.Group), ", "), first(s.Values), first(s.Drops), verdictText(s.Verdict), s.Best})
	}
	for i, k := range d.Rankings {
		data.Rankings = append(data.Rankings, rankingRows(d, i, k))
	}
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("report.html: %w", err)
	}
	return b.Bytes(), nil
}

func first(v []Number) Number {
	if len(v) == 0 {
		return Number(math.NaN())
	}
	return v[0]
}

// headline is the result in one sentence.
func headline(d *Decisions) string {
	m := d.Metrics[0]
	switch {
	case d.Model.Groups == 0:
		return "The model has no operation that can be INT8; the written file is the float model."
	case d.Met && len(d.FloatGroups) == 0:
		return fmt.Sprintf("Everything that can be INT8 is INT8, and %s changed by %+.4f: nothing had to go back to float.", m.Name, -float64(m.Drop))
	case d.Met:
		return fmt.Sprintf("%d of %d groups went back to float; the drop of %s fell from %.4f to %.4f.", len(d.FloatGroups), d.Model.Groups, m.Name, fall(m), float64(m.Drop))
	}
	return fmt.Sprintf("The best model found drops %s by %.4f, more than the %.4f allowed (%s).", m.Name, float64(m.Drop), float64(m.Limit), d.Reason)
}

// fall is the drop of the all-INT8 model.
func fall(m Metric) float64 {
	d := float64(m.Float - m.Int8)
	if m.Direction != "higher-better" {
		d = -d
	}
	return d
}

// verdictText says in words what a step led to.
func verdictText(v string) string {
	if t, ok := map[string]string{
		"within": "within the limit: done", "all-float": "no group is left", "kept": "kept, next of the same ranking", "forgiven": "worse, kept once",
		"rolled-back": "worse: undone, ranked again", "kept-worse": "worse, kept, ranked again", "other-metric": "this metric holds, another does not",
	}[v]; ok {
		return t
	}
	return v
}

// rankingRows lays a ranking out as bars from the worst score of the ranking to the best.
func rankingRows(d *Decisions, i int, k Ranking) pageRanking {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range k.Scores {
		if s.Value != nil {
			lo, hi = min(lo, float64(*s.Value)), max(hi, float64(*s.Value))
		}
	}
	out := pageRanking{Number: i + 1, Explain: fmt.Sprintf("Scored on the %d samples that lost most; on %d of them the model was worse than float. The best group goes first.", k.Samples, k.Worse)}
	if k.Tied {
		out.Explain += " All scores are equal, so the order below is only that of the graph."
	}
	for _, s := range k.Scores {
		row := pageScore{Group: s.Group, Operations: shorten(d.operations(s.Group), 6), Text: "not asked", Width: "0%"}
		row.Float = s.Group < len(d.Groups) && d.Groups[s.Group].Float
		if s.Value != nil {
			share := 1.0
			if hi > lo {
				share = (float64(*s.Value) - lo) / (hi - lo)
			}
			row.Text, row.Width = fixed(*s.Value), fmt.Sprintf("%.1f%%", 3+97*share)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}
