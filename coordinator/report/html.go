package report

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"assay/coordinator/cause"
)

//go:embed page.html.tmpl parts.html.tmpl chart.svg.tmpl netmap.svg.tmpl page.css
var files embed.FS

var page = template.Must(template.New("page.html.tmpl").Funcs(template.FuncMap{
	"fix": fixed, "sign": signed, "pct": percent, "ms": milliseconds, "size": bytesText, "count": count, "cause": cause.Name,
	"short": func(s string) string { return s[:min(len(s), 12)] },
	"part": func(macs int64, share float64) string {
		if macs == 0 {
			return ""
		}
		return percent(share)
	},
	"name": shortName(""), "names": shorten, "list": shorten, "plural": plural, "shell": func(s string) string { return Quoted(s) },
}).ParseFS(files, "page.html.tmpl", "parts.html.tmpl", "chart.svg.tmpl", "netmap.svg.tmpl"))

// pageData is what the page shows beyond the report itself.
type pageData struct {
	R          *Report
	D          *Decisions
	Style      template.CSS
	Headline   string
	Prefix     string // that names are shown without
	FloatShare float64
	Chart      chart
	Drops      *chart
	Map        *netmap
	Slower     []string
	Reverted   []pageRevert
	Idle       int     // of Reverted: those whose step lowered nothing
	Costly     []Group // INT8 all the same
	Rules      []cause.Rule
	Flips      []pageFlip
	Steps      []pageStep
	Rankings   []pageRanking
	Operations []pageOperation
	Passing    int      // operations that follow their neighbours
	Beside     []string // types of the operations that are float without a reason of their own, each once
	Besides    int      // how many operations these are
}

type pageRevert struct {
	Operations []string
	Group      int
	Share      float64
	Ranked     string
	Gain       Number
	Causes     []cause.Cause
}

type pageFlip struct {
	Flip
	Picture template.URL // "" without one
}

type pageStep struct {
	Number      int
	Operations  []string
	Value, Drop Number
	Verdict     string
	Best        bool
	Within      bool
}

type pageOperation struct {
	Placed
	Gain string
}

// HTML is report.html: one page that needs nothing else, and no network. pictures are small JPEGs by sample index; the page shows those of the
// samples in Flips, and a missing one is left out. Names and texts are escaped, whatever is in them. A report without a metric is an
// error.
func (r *Report) HTML(pictures map[int][]byte) ([]byte, error) {
	d := &r.Decisions
	if len(d.Metrics) == 0 {
		return nil, fmt.Errorf("report.html: the report holds no metric")
	}
	style, err := files.ReadFile("page.css")
	if err != nil {
		return nil, fmt.Errorf("report.html: %w", err)
	}
	prefix := namePrefix(d)
	name := shortName(prefix)
	data := pageData{
		R: r, D: d, Style: template.CSS(style), Headline: headline(d), Prefix: prefix, FloatShare: 1 - d.MACShare, Chart: newChart(d), Drops: dropChart(d), //nolint:gosec // the style is a file of this package
		Map: newMap(d, name), Slower: r.slower(name), Reverted: reverted(d), Costly: costly(d), Rules: applied(d), Flips: flips(d, pictures),
	}
	for i, s := range d.Steps {
		data.Steps = append(data.Steps, pageStep{i + 1, d.operations(s.Group), first(s.Values), first(s.Drops), verdictText(s.Verdict, !d.Met && i == len(d.Steps)-1), s.Best, s.holds(d.Metrics[0])})
	}
	for _, g := range data.Reverted {
		if g.Gain <= 0 {
			data.Idle++
		}
	}
	for i, k := range d.Rankings {
		data.Rankings = append(data.Rankings, rankingRows(d, i, k))
	}
	gains := firstGains(d)
	listed := map[string]bool{}
	for _, o := range d.AlwaysFloat {
		listed[o.Name] = true
	}
	for _, o := range d.Operations {
		if o.Precision == Follows {
			data.Passing++
			continue
		}
		if o.class() == "never" && !listed[o.Name] {
			data.Besides++
			if !slices.Contains(data.Beside, o.Type) {
				data.Beside = append(data.Beside, o.Type)
			}
		}
		row := pageOperation{Placed: o}
		if len(o.Groups) > 0 {
			row.Gain = gains[o.Groups[0]]
		}
		data.Operations = append(data.Operations, row)
	}
	t, err := page.Clone()
	if err != nil {
		return nil, fmt.Errorf("report.html: %w", err)
	}
	names := func(list []string, n int) string {
		return shorten(each(list, name), n)
	}
	var b bytes.Buffer
	if err := t.Funcs(template.FuncMap{"name": name, "names": names}).Execute(&b, data); err != nil {
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

// reverted lists the groups that are float, in the order in which they went.
func reverted(d *Decisions) []pageRevert {
	var out []pageRevert
	for _, g := range d.FloatGroups {
		row := pageRevert{Operations: g.Operations, Group: g.Index, Gain: g.Gain, Ranked: latestGain(d, g.Index)}
		if g.Index < len(d.Groups) {
			row.Share, row.Causes = d.Groups[g.Index].MACShare, d.Groups[g.Index].Causes
		}
		out = append(out, row)
	}
	return out
}

// costly lists the groups that are INT8 and have a finding.
func costly(d *Decisions) []Group {
	var out []Group
	for _, g := range d.Groups {
		if !g.Float && len(g.Causes) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// applied lists the rules that have findings.
func applied(d *Decisions) []cause.Rule {
	kinds := map[string]bool{}
	for _, g := range d.Groups {
		for _, c := range g.Causes {
			kinds[c.Kind] = true
		}
	}
	var out []cause.Rule
	for _, r := range cause.Rules() {
		if kinds[r.Kind] {
			out = append(out, r)
		}
	}
	return out
}

// flips joins the listed samples with their pictures.
func flips(d *Decisions, pictures map[int][]byte) []pageFlip {
	var out []pageFlip
	for _, f := range d.Flips.Samples {
		row := pageFlip{Flip: f}
		if b := pictures[f.Sample]; len(b) > 0 {
			row.Picture = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b)) //nolint:gosec // base64 of bytes that this program encoded
		}
		out = append(out, row)
	}
	return out
}

// Searched is the number of samples, as count prints it.
func (p pageData) Searched() int64 { return int64(p.D.Samples.Search) }

// Counts says that single samples turn wrong or right under the first metric.
func (p pageData) Counts() bool { return p.D.counts() }

// Metric is the metric of the headline.
func (p pageData) Metric() Metric { return telling(p.D) }

// Undone reports whether the chart of drops has points beside its line.
func (p pageData) Undone() bool {
	return slices.ContainsFunc(p.D.Steps, Step.undone)
}

// Changes says in a sentence how many samples changed.
func (p pageData) Changes() string { return changes(p.D) }

// Beneath is the line under the listed flips: what their numbers are, and how many more there are.
func (p pageData) Beneath() string {
	var out []string
	if f := p.Flips[0]; f.Final != nil {
		text := "The float model's answer → the final model's."
		if f.Label != nil {
			text = "First the class that is right, then the float model's answer → the final model's."
		}
		out = append(out, text)
	}
	if n := p.D.Flips.Wrong + p.D.Flips.Right - len(p.Flips); n > 0 {
		out = append(out, fmt.Sprintf("%s more %s not listed.", count(int64(n)), verb(n, "is", "are")))
	}
	return strings.Join(out, " ")
}
