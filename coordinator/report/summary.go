package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"assay/coordinator/search"
)

// Summary writes what a person wants to know at the end of a run: metrics, what is float and what it cost, speed, files.
func (r *Report) Summary(w io.Writer, files []string) error {
	d := r.Decisions
	var b strings.Builder
	t := plain("metric", "float", "all INT8", "final", "drop", "limit", "")
	for _, m := range d.Metrics {
		t.AppendRow(table.Row{m.Name, fixed(m.Float), fixed(m.Int8), fixed(m.Final), signed(m.Drop), fixed(m.Limit), met(m.Met)})
	}
	fmt.Fprintf(&b, "\n%s\n", t.Render())
	if len(d.FloatGroups) > 0 {
		t := plain("back to float", "gain", "operations")
		for _, g := range d.FloatGroups {
			t.AppendRow(table.Row{fmt.Sprintf("group %d", g.Index), signed(g.Gain), shorten(g.Operations, 4)})
		}
		fmt.Fprintf(&b, "\n%s\n", t.Render())
	}
	fmt.Fprintf(&b, "\nINT8 share    %.1f %% of the multiply-adds; %d of %d groups are float\n", 100*d.MACShare, len(d.FloatGroups), d.Model.Groups)
	fmt.Fprintf(&b, "changed       %d samples became wrong, %d became right, of %d\n", d.Flips.Wrong, d.Flips.Right, d.Samples.Search)
	if s := r.Run.Speed; s != nil {
		fmt.Fprintf(&b, "one sample    float %.2f ms, all INT8 %.2f ms, final %.2f ms (this machine, one core)\n", s.Float, s.Int8, s.Final)
	}
	fmt.Fprintf(&b, "work          %d inferences in %.1f s; %d cells computed, %d known from before\n", r.Run.Inferences, r.Run.Seconds, r.Run.CellsComputed, r.Run.CellsReused)
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "note          %s\n", n)
	}
	for i, f := range files {
		label := "written       "
		if i > 0 {
			label = "              "
		}
		fmt.Fprintf(&b, "%s%s\n", label, f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Decided writes the decisions of a search, step by step: what a replay prints.
func Decided(w io.Writer, o search.Outcome, groups [][]string) error {
	var b strings.Builder
	for _, m := range o.Metrics {
		fmt.Fprintf(&b, "%s: float %s, all INT8 %s, final %s, drop %s: %s\n", m.Metric.Name, m.Baseline, m.Int8, m.Final, m.Drop, met(m.Met))
	}
	for i, s := range o.Steps {
		fmt.Fprintf(&b, "step %d: group %d (%s) to float: %v, %s\n", i+1, s.Group, strings.Join(groups[s.Group], ", "), s.Values, s.Verdict)
	}
	fmt.Fprintf(&b, "end: %s; float groups %v\n", o.Reason, o.Plan.FloatGroups())
	for _, n := range o.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// plain is a table without a frame.
func plain(header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.Style().Box.PaddingLeft = ""
	t.Style().Box.PaddingRight = "   "
	t.AppendHeader(header)
	return t
}

func fixed(n Number) string  { return fmt.Sprintf("%.4f", float64(n)) }
func signed(n Number) string { return fmt.Sprintf("%+.4f", float64(n)) }

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "NOT MET"
}

// shorten lists at most n names.
func shorten(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
