package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"math"
	"strings"
)

//go:embed page.html.tmpl chart.svg.tmpl page.css
var files embed.FS

var page = template.Must(template.New("page.html.tmpl").Funcs(template.FuncMap{
	"fix": fixed, "sign": signed, "pct": percent, "ms": milliseconds, "size": bytesText,
	"join":  func(s []string) string { return strings.Join(s, ", ") },
	"short": func(s string) string { return s[:min(len(s), 12)] },
	"part": func(macs int64, share float64) string {
		if macs == 0 {
			return ""
		}
		return percent(share)
	},
}).ParseFS(files, "page.html.tmpl", "chart.svg.tmpl"))

// pageData is what the page shows beyond the report itself.
type pageData struct {
	R          *Report
	D          *Decisions
	Style      template.CSS
	Headline   string
	FloatShare float64
	Chart      chart
	Sky        []column
	Reverted   []pageRevert
	Steps      []pageStep
	Rankings   []pageRanking
	Operations []pageOperation
	Passing    int // operations that follow their neighbours
}

// column is one operation of the picture of the network.
type column struct {
	Class, Height, Title string
}

type pageRevert struct {
	Operations []string
	Group      int
	Share      float64
	Ranked     string
	Gain       Number
}

type pageStep struct {
	Number      int
	Operations  string
	Value, Drop Number
	Verdict     string
	Best        bool
	Within      bool
}

type pageOperation struct {
	Placed
	Gain string
}

// HTML is report.html: one page that needs nothing else.
func (r *Report) HTML() ([]byte, error) {
	d := &r.Decisions
	if len(d.Metrics) == 0 {
		return nil, fmt.Errorf("report.html: the report holds no metric")
	}
	style, err := files.ReadFile("page.css")
	if err != nil {
		return nil, fmt.Errorf("report.html: %w", err)
	}
	data := pageData{
		R: r, D: d, Style: template.CSS(style), Headline: headline(d), FloatShare: 1 - d.MACShare, Chart: newChart(d), //nolint:gosec // the style is a file of this package
		Sky: sky(d), Reverted: reverted(d),
	}
	for i, s := range d.Steps {
		data.Steps = append(data.Steps, pageStep{i + 1, strings.Join(d.operations(s.Group), ", "), first(s.Values), first(s.Drops), verdictText(s.Verdict), s.Best, s.holds(d.Metrics[0])})
	}
	for i, k := range d.Rankings {
		data.Rankings = append(data.Rankings, rankingRows(d, i, k))
	}
	gains := firstGains(d)
	for _, o := range d.Operations {
		if o.Precision == Follows {
			data.Passing++
			continue
		}
		row := pageOperation{Placed: o}
		if len(o.Groups) > 0 {
			row.Gain = gains[o.Groups[0]]
		}
		data.Operations = append(data.Operations, row)
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

// sky draws the network from input to output. Heights are square roots, so that small operations stay visible.
func sky(d *Decisions) []column {
	var most float64
	for _, o := range d.Operations {
		most = max(most, o.MACShare)
	}
	var out []column
	for _, o := range d.Operations {
		h := 4.0
		if most > 0 {
			h += 96 * math.Sqrt(o.MACShare/most)
		}
		title := fmt.Sprintf("%s (%s)", o.Name, o.Type)
		if o.MACs > 0 {
			title += fmt.Sprintf(": %s of the multiply-adds", percent(o.MACShare))
		}
		out = append(out, column{o.Precision, fmt.Sprintf("%.1f%%", h), title})
	}
	return out
}

// reverted lists the groups that are float, in the order in which they went.
func reverted(d *Decisions) []pageRevert {
	var out []pageRevert
	for _, g := range d.FloatGroups {
		row := pageRevert{Operations: g.Operations, Group: g.Index, Gain: g.Gain, Ranked: latestGain(d, g.Index)}
		if g.Index < len(d.Groups) {
			row.Share = d.Groups[g.Index].MACShare
		}
		out = append(out, row)
	}
	return out
}
