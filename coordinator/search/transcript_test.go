package search

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/metric"
	"assay/shared/plan"
)

// TestTranscripts runs the scripts of testdata; see testdata/README.md for their language. Rewrite them with -rewrite.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := &script{}
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				out, err := s.run(d)
				if err != nil {
					return err.Error()
				}
				return out
			})
		})
	}
}

// script is the state between the commands of one file.
type script struct{ table *table }

func (s *script) run(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "table":
		return "", s.define(d)
	case "search":
		return s.search(d)
	}
	return "", fmt.Errorf("unknown command %q", d.Cmd)
}

// define reads a table.
func (s *script) define(d *datadriven.TestData) error {
	t := &table{values: map[string]Value{}}
	for _, arg := range d.CmdArgs {
		n, err := strconv.Atoi(arg.Vals[0])
		if err != nil {
			return err
		}
		t.groups = n
	}
	for line := range strings.Lines(d.Input) {
		if err := t.line(strings.Fields(line)); err != nil {
			return err
		}
	}
	s.table = t
	return nil
}

// line reads "COUNT wrong=CONDITION" or "value WHERE SET VALUE".
func (t *table) line(words []string) error {
	if len(words) == 4 && words[0] == "value" {
		v, err := parseValue(words[3])
		t.values[words[1]+" "+words[2]] = v
		return err
	}
	if len(words) == 4 && words[0] == "second" {
		v, err := parseValue(words[3])
		if t.second == nil {
			t.second = map[string]Value{}
		}
		t.second[words[1]+" "+words[2]] = v
		return err
	}
	if len(words) != 2 || !strings.HasPrefix(words[1], "wrong=") {
		return fmt.Errorf("want COUNT wrong=CONDITION or value WHERE SET VALUE, not %q", words)
	}
	n, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	c, err := parseCondition(strings.TrimPrefix(words[1], "wrong="))
	for range n {
		t.samples = append(t.samples, c)
	}
	return err
}

func parseValue(s string) (Value, error) {
	if num, den, ok := strings.Cut(s, "/"); ok {
		n, err := strconv.ParseInt(num, 10, 64)
		if err != nil {
			return Value{}, err
		}
		m, err := strconv.ParseInt(den, 10, 64)
		return metric.Count(n, m), err
	}
	f, err := strconv.ParseFloat(s, 64)
	return metric.Float(f), err
}

// search runs POT over the table and prints the transcript.
func (s *script) search(d *datadriven.TestData) (string, error) {
	p, err := s.problem(d)
	if err != nil {
		return "", err
	}
	s.table.rounds, s.table.fail, s.table.twist = nil, map[int]error{}, nil
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "stop", "fail":
			n, err := strconv.Atoi(arg.Vals[0])
			if err != nil {
				return "", err
			}
			s.table.fail[n] = map[string]error{"stop": fmt.Errorf("after round %d: %w", n-1, ErrStop), "fail": errBroken}[arg.Key]
		case "broken":
			s.table.twist = twists[arg.Vals[0]]
		}
	}
	out, err := POT(context.Background(), p, s.table)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	printOutcome(&b, p, out)
	if d.HasArg("maybe") {
		for _, r := range s.table.rounds {
			for _, q := range r.Maybe {
				fmt.Fprintf(&b, "maybe after %s of %s: %s\n", r.Name, setName(r.Need[0].Plan), setName(q.Plan))
			}
		}
	}
	return b.String(), nil
}

// twists break the contract of answers.
var twists = map[string]func(*Answer){
	"open":    func(a *Answer) { a.Lo = []Value{metric.Count(0, 1)} },
	"short":   func(a *Answer) { a.Seen-- },
	"values":  func(a *Answer) { a.Lo = nil },
	"records": func(a *Answer) { a.Records = nil },
	"trial":   func(a *Answer) { a.Trial = Trial{} },
}

// problem reads the arguments of search. Defaults: limit 0.01 absolute, all samples rank, unlimited.
func (s *script) problem(d *datadriven.TestData) (Problem, error) {
	p := Problem{
		Params: plan.DigestOf("test", uint64(s.table.groups)), Groups: s.table.groups, Subset: max(1, len(s.table.samples)),
		Iterations: Unlimited, Metrics: []Metric{{Name: "accuracy", Direction: metric.HigherBetter}},
	}
	for i := range s.table.samples {
		p.View.Samples = append(p.View.Samples, uint32(i))
	}
	if s.table.second != nil {
		p.Metrics = append(p.Metrics, Metric{Name: "second", Direction: metric.HigherBetter})
	}
	drop, relative := "0.01", false
	for _, arg := range d.CmdArgs {
		var err error
		v := append(arg.Vals, "")[0]
		switch arg.Key {
		case "drop":
			drop = v
		case "relative":
			relative = true
		case "subset":
			p.Subset, err = strconv.Atoi(v)
		case "iterations":
			p.Iterations, err = strconv.Atoi(v)
		case "keep-worse":
			p.KeepWorse = true
		case "lower-is-better":
			p.Metrics[0].Direction = metric.HigherWorse
		case "chance":
			var c Value
			c, err = parseValue(v)
			p.Metrics[0].Chance = &c
		case "metrics":
			p.Metrics = nil
		}
		if err != nil {
			return p, err
		}
	}
	var err error
	p.Limit, err = metric.ParseLimit(drop, relative)
	return p, err
}

// printOutcome writes the transcript: rankings and steps in the order they happened, then the end.
func printOutcome(b *strings.Builder, p Problem, out Outcome) {
	m := out.Metrics[0]
	fmt.Fprintf(b, "float %s, int8 %s, limit %v\n", show(m.Baseline), show(m.Int8), p.Limit.Float())
	next := 0
	rankings := func(before int) {
		for ; next < len(out.Rankings) && out.Rankings[next].Before <= before; next++ {
			printRanking(b, out.Rankings[next])
		}
	}
	for i, s := range out.Steps {
		rankings(i)
		star := ""
		if s.Best {
			star = " *"
		}
		fmt.Fprintf(b, "revert %d -> %s: %s, drop %s, %s%s\n", s.Group, groupsName(s.Float), show(s.Values[0]), show(s.Drops[0]), s.Verdict, star)
		for m := 1; m < len(s.Values); m++ {
			fmt.Fprintf(b, "  %s: %s, drop %s\n", p.Metrics[m].Name, show(s.Values[m]), show(s.Drops[m]))
		}
	}
	rankings(len(out.Steps))
	verdict := "missed"
	if out.Met {
		verdict = "met"
	}
	fmt.Fprintf(b, "%s (%s): %s: %s, drop %s, %d trials\n", verdict, out.Reason, groupsName(out.Plan.FloatGroups()), show(m.Final), show(m.Drop), len(out.Trials))
	for _, f := range out.Float {
		fmt.Fprintf(b, "  group %d gained %s\n", f.Group, show(f.Gain))
	}
	for _, n := range out.Notes {
		fmt.Fprintf(b, "  note: %s\n", n)
	}
}

func printRanking(b *strings.Builder, r Ranking) {
	tied := ""
	if r.Tied {
		tied = ", tied"
	}
	fmt.Fprintf(b, "rank on %d (%d worse%s)", len(r.Samples), r.Worse, tied)
	if r.Metric > 0 {
		fmt.Fprintf(b, " by metric %d", r.Metric)
	}
	fmt.Fprint(b, ":")
	for _, x := range r.Scores {
		if x.Known {
			fmt.Fprintf(b, " %d=%s", x.Group, show(x.Value))
		} else {
			fmt.Fprintf(b, " %d", x.Group)
		}
	}
	fmt.Fprintln(b)
}

// show prints fractions as they are and other numbers in their shortest form.
func show(v Value) string {
	if !v.Exact() {
		return strconv.FormatFloat(v.F, 'g', -1, 64)
	}
	if v.Den == 1 {
		return strconv.FormatInt(v.Num, 10)
	}
	return fmt.Sprintf("%d/%d", v.Num, v.Den)
}

// TestScriptWords keeps the parsers of the scripts honest, since a script that is misread proves nothing.
func TestScriptWords(t *testing.T) {
	c, err := parseCondition("1&!2|3")
	require.NoError(t, err)
	pl := plan.Plan{Params: plan.Digest{1}}
	require.True(t, c.wrong(pl), "3 is INT8")
	pl, err = pl.Revert(3, 4)
	require.NoError(t, err)
	require.False(t, c.wrong(pl), "2 is INT8 as well")
	pl, err = pl.Revert(2, 4)
	require.NoError(t, err)
	require.True(t, c.wrong(pl))
	_, err = parseCondition("1&x")
	require.ErrorContains(t, err, `"x" is no group`)
}
