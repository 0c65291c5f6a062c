package report

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
)

// TestAmounts: at the border of two units the larger one begins, and what is neither nothing nor everything is not rounded to
// it.
func TestAmounts(t *testing.T) {
	for ms, want := range map[float64]string{
		0.0005: "0.5 µs", 0.0999: "99.9 µs", 0.1: "0.10 ms", 9.99: "9.99 ms", 10: "10.0 ms", 999.9: "999.9 ms", 1000: "1.00 s", 61000: "61.00 s",
	} {
		require.Equal(t, want, milliseconds(ms))
	}
	for n, want := range map[int]string{
		0: "0 B", 9_999: "9999 B", 10_000: "10 kB", 999_499: "999 kB", 1_000_000: "1.0 MB", 999_900_000: "999.9 MB", 1_000_000_000: "1.00 GB",
	} {
		require.Equal(t, want, bytesText(n))
	}
	for f, want := range map[float64]string{0: "0.0%", 0.0009: "< 0.1%", 0.001: "0.1%", 0.5: "50.0%", 0.999: "99.9%", 0.9991: "> 99.9%", 1: "100.0%"} {
		require.Equal(t, want, percent(f))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 999_999: "999,999", 1_234_567: "1,234,567"} {
		require.Equal(t, want, count(n))
	}
	for v, want := range map[float64]string{0.00004: "0.0000", 0.00006: "0.0001", math.Inf(1): "n/a", math.Inf(-1): "n/a"} {
		require.Equal(t, want, fixed(Number(v)))
	}
	for v, want := range map[float64]string{0: "0.0000", 1e-6: "+0.0000", 0.25: "+0.2500", -0.25: "-0.2500", math.Inf(-1): "n/a"} {
		require.Equal(t, want, signed(Number(v)))
	}
	require.Equal(t, []string{"n/a", "n/a"}, []string{fixed(Number(math.NaN())), signed(Number(math.NaN()))})
	require.Equal(t, []string{"0 samples", "1 sample", "1,000 samples"}, []string{plural(0, "sample"), plural(1, "sample"), plural(1000, "sample")})
	require.Equal(t, []string{"a, b", "a and 1 more", ""}, []string{shorten([]string{"a", "b"}, 2), shorten([]string{"a", "b"}, 1), shorten(nil, 1)})
	for width, want := range map[int]string{0: "one and 2 more", 9: "one and 2 more", 10: "one, two and 1 more", 16: "one, two and 1 more", 17: "one, two, three"} {
		require.Equal(t, want, fit([]string{"one", "two", "three"}, width), "%d", width)
	}
	require.Empty(t, fit(nil, 10))
}

// TestEveryEndHasWords: no step and no end of a search is told by its code word.
func TestEveryEndHasWords(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range []search.Verdict{search.Within, search.Gone, search.Improved, search.Forgiven, search.RolledBack, search.KeptWorse, search.Switched} {
		text := verdictText(string(v), false)
		require.NotEqual(t, string(v), text)
		require.False(t, seen[text], text)
		seen[text] = true
	}
	for _, r := range []search.Reason{search.AllFloat, search.Iterations, search.Nothing, search.Stopped} {
		text := because(string(r), 3)
		require.NotEqual(t, string(r), text)
		require.False(t, seen[text], text)
		seen[text] = true
	}
	for _, v := range []search.Verdict{search.Improved, search.Forgiven, search.RolledBack, search.KeptWorse, search.Switched} {
		text := verdictText(string(v), true)
		require.Contains(t, text, "the search ended")
		require.NotContains(t, text, "again", "nothing follows the last step")
		require.NotContains(t, text, "next")
	}
	require.Equal(t, []string{"of tomorrow", "of tomorrow"}, []string{verdictText("of tomorrow", true), because("of tomorrow", 1)})
}

// TestHeadline: each way in which a search may end, in the unit of its limit.
func TestHeadline(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *Decisions)
		want   string
	}{
		"all INT8, a little lost":             {func(d *Decisions) {}, "Everything that can be INT8 is INT8: accuracy@top1 is 0.0040 worse than the float model's, and 0.0100 is allowed. Nothing had to go back to float."},
		"all INT8, nothing lost":              {func(d *Decisions) { d.Metrics[0].Drop = 0 }, "Everything that can be INT8 is INT8, and accuracy@top1 is exactly the float model's. Nothing had to go back to float."},
		"all INT8, better":                    {func(d *Decisions) { d.Metrics[0].Drop = -0.002 }, "Everything that can be INT8 is INT8, and accuracy@top1 is 0.0020 better than the float model's. Nothing had to go back to float."},
		"a relative limit":                    {func(d *Decisions) { d.Job.DropType = "relative" }, "Everything that can be INT8 is INT8: accuracy@top1 is 0.40% worse than the float model's, and 1.00% is allowed. Nothing had to go back to float."},
		"one group went":                      {func(d *Decisions) { d.FloatGroups = make([]FloatGroup, 1) }, "One of 3 groups went back to float. Now accuracy@top1 is 0.0040 worse than the float model's; with everything INT8 it was 0.0200 worse than the float model's."},
		"two groups went":                     {func(d *Decisions) { d.FloatGroups = make([]FloatGroup, 2) }, "2 of 3 groups went back to float. Now accuracy@top1 is 0.0040 worse than the float model's; with everything INT8 it was 0.0200 worse than the float model's."},
		"every group went":                    {func(d *Decisions) { d.FloatGroups = make([]FloatGroup, 3) }, "Every group had to go back to float to keep the limit: the written file is the float model."},
		"missed":                              {func(d *Decisions) { d.Met, d.Reason, d.Steps = false, "iterations", make([]Step, 2) }, "No model within the limit was found. In the best one accuracy@top1 is 0.0040 worse than the float model's, and 0.0100 is allowed. The search ended because 2 reverts had been tried, as many as max_iter_num allows."},
		"missed, and nothing was to be tried": {func(d *Decisions) { d.Met, d.Reason = false, "iterations" }, "Everything that can be INT8 is INT8, as the job asks: accuracy@top1 is 0.0040 worse than the float model's, and 0.0100 is allowed. With AccuracyAwareQuantization and a max_iter_num above 0 groups would go back to float."},
		"missed by the other metric": {func(d *Decisions) {
			d.Met, d.Reason, d.Metrics[0].Met = false, "all-float", true
			d.Metrics = append(d.Metrics, Metric{Name: "accuracy@top5", Drop: 0.02})
		}, "No model within the limit was found. In the best one accuracy@top5 is 0.0200 worse than the float model's, and no drop is allowed. The search ended because no group was left to give back."},
		"missed, and no number":    {func(d *Decisions) { d.Met, d.Reason, d.Metrics[0].Drop = false, "stopped", Number(math.NaN()) }, "No model within the limit was found. In the best one accuracy@top1 is no number, and 0.0100 is allowed. The search ended because it was asked to stop."},
		"nothing that can be INT8": {func(d *Decisions) { d.Model.Groups = 0 }, "The model has no operation that can be INT8; the written file is the float model."},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decisions{Met: true, Model: Model{Groups: 3}, Metrics: []Metric{{Name: "accuracy@top1", Direction: higherBetter, Float: 0.9, Int8: 0.88, Drop: 0.004, Limit: 0.01}}}
			c.change(&d)
			require.Equal(t, c.want, headline(&d))
		})
	}
}

// TestWhatIsAllowed: the limit's line and the drop of all INT8, for metrics that grow with quality and that shrink, absolute and
// as a share of the float value, whose sign turns nothing.
func TestWhatIsAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		direction  string
		relative   bool
		float      Number
		line, fall float64
	}{
		"higher is better":            {higherBetter, false, 0.5, 0.4, 0.25},
		"higher is better, relative":  {higherBetter, true, 0.5, 0.45, 0.5},
		"higher is better, below 0":   {higherBetter, true, -0.5, -0.55, -1.5},
		"higher is worse":             {"higher-worse", false, 0.5, 0.6, -0.25},
		"higher is worse, relative":   {"higher-worse", true, 0.5, 0.55, -0.5},
		"higher is worse and below 0": {"higher-worse", true, -0.5, -0.45, 1.5},
	} {
		t.Run(name, func(t *testing.T) {
			m := Metric{Direction: c.direction, Float: c.float, Int8: 0.25, Limit: 0.1}
			d := &Decisions{Metrics: []Metric{m}}
			if c.relative {
				d.Job.DropType = "relative"
			}
			require.InDelta(t, c.line, limitValue(d, m), 1e-12)
			require.InDelta(t, c.fall, fall(d, m), 1e-12)
		})
	}
}

// TestTicks: three to a dozen round numbers, in order, inside the span, and texts that tell them apart.
func TestTicks(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lo := rapid.Float64Range(-100, 100).Draw(r, "lo")
		hi := lo + rapid.Float64Range(1e-4, 100).Draw(r, "span")
		at, texts := ticks(lo, hi), map[string]bool{}
		require.GreaterOrEqual(r, len(at), 3)
		require.LessOrEqual(r, len(at), 12)
		step := at[1] - at[0]
		digit := step / math.Pow(10, math.Floor(math.Log10(step*(1+1e-6))))
		require.True(r, math.Abs(digit-1) < 1e-4 || math.Abs(digit-2) < 1e-4 || math.Abs(digit-5) < 1e-4, "steps of %g", step)
		for i, v := range at {
			require.True(r, v >= lo-step*2e-6 && v <= hi+step*2e-6, "%g", v)
			require.InDelta(r, at[0]+float64(i)*step, v, step*1e-3)
			texts[tickText(v, hi-lo)] = true
		}
		require.Len(r, texts, len(at))
		require.True(r, at[0]-step < lo && at[len(at)-1]+step > hi, "none is missing at the ends")
	})
	require.InDelta(t, -1, ticks(-1, -1+0x1p-13)[0], 1e-12, "a tick on the end")
	require.Equal(t, "0.0", tickText(-1e-12, 1), "no sign before nothing")
	require.Equal(t, []string{"30", "3", "0.3"}, []string{tickText(30, 40), tickText(3, 10), tickText(0.3, 9.9)}, "as many digits as tell neighbours apart")
}

// TestRankingBars: a bar lies between the model's own value and its group's, inside the row, and the longest on either side
// reaches the edge. A metric that grows with loss turns the sides.
func TestRankingBars(t *testing.T) {
	value := func(v float64) *Number { n := Number(v); return &n }
	for direction, want := range map[string][][3]string{
		higherBetter:   {{"25.0%", "75.0%", "int8"}, {"0.0%", "25.0%", "follows"}, {"25.0%", "0.0%", "float"}},
		"higher-worse": {{"0.0%", "75.0%", "follows"}, {"75.0%", "25.0%", "int8"}, {"75.0%", "0.0%", "float"}},
	} {
		d := &Decisions{Metrics: []Metric{{Direction: direction}}, Groups: []Group{{}, {}, {Float: true}}}
		r := Ranking{Samples: 10, Current: value(0.5), Metric: 1, Scores: []Score{
			{Group: 0, Value: value(0.8)}, {Group: 1, Value: value(0.4)}, {Group: 2, Value: value(0.5)}, {Group: 9}, {Group: 1, Value: value(math.NaN())},
		}}
		page := rankingRows(d, 0, r)
		for i, w := range want {
			require.Equal(t, w, [3]string{page.Rows[i].From, page.Rows[i].Width, page.Rows[i].Class}, "%s, row %d", direction, i)
		}
		require.Equal(t, "not asked", page.Rows[3].Score)
		require.Equal(t, []bool{true, true, true, false, false}, []bool{page.Rows[0].Known, page.Rows[1].Known, page.Rows[2].Known, page.Rows[3].Known, page.Rows[4].Known})
	}
	few := rankingRows(&Decisions{Metrics: make([]Metric, 1)}, 0, Ranking{Scores: make([]Score, shownRows+fewRows)})
	require.Equal(t, []int{shownRows + fewRows, 0}, []int{len(few.Rows), len(few.More)}, "a click for two rows is not worth it")
	many := Ranking{Scores: make([]Score, shownRows+3)}
	page := rankingRows(&Decisions{Metrics: make([]Metric, 1)}, 4, many)
	require.Equal(t, []int{5, shownRows, 3}, []int{page.Number, len(page.Rows), len(page.More)})
}

// TestLatestGain: the ranking that let a group go is the last that scored it, whatever others say later of other groups.
func TestLatestGain(t *testing.T) {
	value := func(v float64) *Number { n := Number(v); return &n }
	d := &Decisions{Metrics: []Metric{{Direction: higherBetter}}, Groups: make([]Group, 2), Rankings: []Ranking{
		{Current: value(0.5), Scores: []Score{{Group: 0, Value: value(0.6)}, {Group: 1, Value: value(0.4)}}},
		{Current: value(0.6), Scores: []Score{{Group: 1, Value: value(0.9)}}},
		{Current: nil, Scores: []Score{{Group: 0, Value: value(1)}}},
	}}
	require.Equal(t, []string{"+0.1000", "+0.3000", ""}, []string{latestGain(d, 0), latestGain(d, 1), latestGain(d, 2)})
	require.Equal(t, map[int]string{0: "+0.1000", 1: "-0.1000"}, firstGains(d))
	d.Gains()
	require.InDelta(t, 0.1, float64(*d.Groups[0].Gain), 1e-12)
	require.InDelta(t, -0.1, float64(*d.Groups[1].Gain), 1e-12)
}

// TestHolds: a drop that equals the limit as a fraction holds, though floating point has it a hair above; the word of the
// search counts before any number.
func TestHolds(t *testing.T) {
	m := Metric{Limit: 0.01}
	for drop, want := range map[float64]bool{0.0099: true, 0.01: true, 0.01 + 1e-15: true, 0.0101: false} {
		require.Equal(t, want, Step{Drops: []Number{Number(drop)}}.holds(m), "%g", drop)
	}
	require.True(t, Step{Verdict: "within", Drops: []Number{1}}.holds(m))
	require.False(t, Step{}.holds(m), "no number is within no limit")
}

// TestChanges: as many that turned wrong as right is not none.
func TestChanges(t *testing.T) {
	for want, f := range map[string]Flips{
		"no sample of 1,000 got another outcome":                   {},
		"2 samples became wrong, 2 became right, of 1,000":         {Wrong: 2, Right: 2},
		"0 samples became wrong, 1 became right, of 1,000":         {Right: 1},
		"1 sample became wrong, 0 became right, of 1,000":          {Wrong: 1},
		"1,200 samples became wrong, 3,400 became right, of 1,000": {Wrong: 1200, Right: 3400},
	} {
		require.Equal(t, want, changes(&Decisions{Flips: f, Samples: Samples{Search: 1000}, Metrics: []Metric{{Name: "accuracy@top1"}}}))
	}
	require.Equal(t, "3 samples of 10 got another answer", changes(&Decisions{Flips: Flips{Wrong: 3}, Samples: Samples{Search: 10}, Metrics: []Metric{{Name: "agreement"}}}))
}

// TestNumberIsNull: what is no number is null, in both directions, and everything else is itself.
func TestNumberIsNull(t *testing.T) {
	for v, want := range map[float64]string{math.Inf(1): "null", math.Inf(-1): "null", math.NaN(): "null", 0.25: "0.25", -1e300: "-1e+300"} {
		b, err := Number(v).MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, want, string(b))
		var back Number
		require.NoError(t, back.UnmarshalJSON(b))
		if want == "null" {
			require.True(t, math.IsNaN(float64(back)))
			continue
		}
		require.InDelta(t, v, float64(back), 0)
	}
}

// TestDecided: what a replay prints is the search, step by step, with the groups' operations by name.
func TestDecided(t *testing.T) {
	p, err := plan.All(&plan.Params{Groups: make([][]uint32, 2)}).Revert(1, 2)
	require.NoError(t, err)
	o := search.Outcome{
		Reason: search.Iterations, Plan: p, Notes: []string{"a note"},
		Metrics: []search.Result{{Metric: accuracy, Baseline: hits(900), Int8: hits(880), Final: hits(895), Drop: metric.Count(5, 1000)}},
		Steps:   []search.Step{{Group: 1, Values: []search.Value{hits(895)}, Verdict: search.Improved}},
	}
	var b strings.Builder
	require.NoError(t, Decided(&b, o, [][]string{{"stem"}, {"body", "add"}}))
	require.Equal(t, `accuracy@top1: float 900/1000 (0.9), all INT8 880/1000 (0.88), final 895/1000 (0.895), drop 5/1000 (0.005): NOT MET
step 1: group 1 (body, add) to float: [895/1000 (0.895)], kept
end: iterations; float groups [1]
note: a note
`, b.String())
}
