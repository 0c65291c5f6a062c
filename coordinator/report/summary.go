package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"assay/coordinator/search"
)

// Summary writes what a person wants to know at the end of a run: metrics, what is float and what it cost, speed, files (paths, as they are to
// be printed). It writes once, so that the text is there as a whole or not at all. The error is w's, or that r holds no metric.
func (r *Report) Summary(w io.Writer, files []string) error {
	d := r.Decisions
	if len(d.Metrics) == 0 {
		return errors.New("summary: the report holds no metric")
	}
	var b strings.Builder
	t := plain("metric", "float", "all INT8", "final", "drop", "limit", "")
	for _, m := range d.Metrics {
		t.AppendRow(table.Row{m.Name, fixed(m.Float), fixed(m.Int8), fixed(m.Final), signed(m.Drop), fixed(m.Limit), met(m.Met)})
	}
	fmt.Fprintf(&b, "\n%s\n", lines(t))
	short := shortName(namePrefix(&d))
	if len(d.FloatGroups) > 0 {
		t := plain("back to float", "drop lowered by", "multiply-adds", "operations")
		for _, g := range d.FloatGroups {
			share := ""
			if g.Index < len(d.Groups) {
				share = percent(d.Groups[g.Index].MACShare)
			}
			t.AppendRow(table.Row{fmt.Sprintf("group %d", g.Index), signed(g.Gain), share, fit(each(g.Operations, short), 60)})
		}
		fmt.Fprintf(&b, "\n%s\n", lines(t))
	}
	fmt.Fprintf(&b, "\nINT8          %s of the multiply-adds; %s%s\n", percent(d.MACShare), floatGroups(d), never(d))
	if d.counts() {
		fmt.Fprintf(&b, "changed       %s\n", changes(&d))
	}
	if s := r.Run.Speed; s != nil {
		fmt.Fprintf(&b, "one sample    float %s, all INT8 %s, final %s (this machine, one core)\n", milliseconds(s.Float), milliseconds(s.Int8), milliseconds(s.Final))
	}
	fmt.Fprintf(&b, "work          %s inferences in %.1f s; %s results computed, %s known from before\n", count(r.Run.Inferences), r.Run.Seconds, count(r.Run.CellsComputed), count(r.Run.CellsReused))
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "note          %s\n", n)
	}
	for i, line := range r.slower(short) {
		label := "not faster    "
		if i > 0 {
			label = "              "
		}
		fmt.Fprintf(&b, "%s%s\n", label, line)
	}
	for i, f := range files {
		label := "written       "
		if i > 0 {
			label = "              "
		}
		fmt.Fprintf(&b, "%s%s\n", label, f)
	}
	fmt.Fprintf(&b, "\n%s\n", headline(&d))
	_, err := io.WriteString(w, b.String())
	return err
}

func floatGroups(d Decisions) string {
	verb := "are"
	if len(d.FloatGroups) == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d of %s %s float", len(d.FloatGroups), plural(d.Model.Groups, "group"), verb)
}

// never counts the operations that were not INT8 from the start.
func never(d Decisions) string {
	if n := len(d.AlwaysFloat); n > 0 {
		return fmt.Sprintf("; %s never INT8 (report.html says why)", were(n))
	}
	return ""
}

func were(n int) string {
	if n == 1 {
		return "1 operation was"
	}
	return fmt.Sprintf("%d operations were", n)
}

// Decided writes the decisions of a search, step by step: what a replay prints. groups has the names of the operations of every group of the
// search, by index. Equal outcomes give equal bytes, in one write; the error is w's.
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

// lines is t without the spaces that fill its last column.
func lines(t table.Writer) string {
	rows := strings.Split(t.Render(), "\n")
	for i, row := range rows {
		rows[i] = strings.TrimRight(row, " ")
	}
	return strings.Join(rows, "\n")
}

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "NOT MET"
}
