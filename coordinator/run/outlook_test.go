package run

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
)

// TestOutlook plays what searches of real jobs asked and learned, and prints what was told on the way; testdata/README.md
// explains the language. From a tenth of the work on it must be within a factor of two of the truth. -rewrite
// writes anew what is told.
func TestOutlook(t *testing.T) {
	datadriven.RunTest(t, "testdata/outlook.txt", func(t *testing.T, d *datadriven.TestData) string {
		return newScene(t, d).play(d)
	})
}

// scene is a search whose answers are known, in samples that are right.
type scene struct {
	t           *testing.T
	problem     search.Problem
	calibration int64
	o           *outlook
	gauge       *meterOfWork
	asked       map[string]bool
	told        []int64  // of the whole job
	done        []int64  // at that moment
	said        []string // which moment
}

func newScene(t *testing.T, d *datadriven.TestData) *scene {
	args := map[string]string{}
	for _, a := range d.CmdArgs {
		args[a.Key] = a.Vals[0]
	}
	limit, err := metric.ParseLimit(args["limit"], false)
	require.NoError(t, err)
	s := &scene{t: t, asked: map[string]bool{}, gauge: &meterOfWork{slots: func() int { return 1 }}}
	number := func(k string, absent int) int {
		n, err := strconv.Atoi(args[k])
		if args[k] == "" {
			return absent
		}
		require.NoError(t, err)
		return n
	}
	s.problem = search.Problem{
		Params: plan.Digest{1}, Groups: number("groups", 0), Limit: limit, Subset: number("subset", 300), Iterations: number("iterations", search.Unlimited),
		Metrics: []search.Metric{{Name: "accuracy@top1", Direction: metric.HigherBetter}}, View: viewOf(number("samples", 0)),
	}
	s.calibration, s.o = int64(number("calibration", 0)), newOutlook(s.problem)
	return s
}

func viewOf(n int) (v plan.View) {
	for i := range n {
		v.Samples = append(v.Samples, uint32(i))
	}
	return v
}

// play carries out the lines and prints what was told before each round, against what came of it.
func (s *scene) play(d *datadriven.TestData) string {
	n := len(s.problem.View.Samples)
	s.gauge.expect(map[string]int64{PhaseBaseline: int64(n), PhaseStatistics: s.calibration, PhaseStart: int64(n), PhaseVerify: int64(n)})
	for line := range strings.Lines(d.Input) {
		s.line(strings.Fields(line))
	}
	s.work(PhaseVerify, n)
	var out strings.Builder
	truth := s.gauge.done
	for i, told := range s.told {
		ratio := float64(told) / float64(truth)
		fmt.Fprintf(&out, "%3d%% done, %-10s %6d told, %.2f of the truth\n", 100*s.done[i]/truth, s.said[i], told, ratio)
		if 10*s.done[i] >= truth {
			require.True(s.t, ratio >= 0.5 && ratio <= 2, "%s: %d told of %d", d.Pos, told, truth)
		}
	}
	return out.String()
}

// line is "float HITS", "int8 HITS differ=SAMPLES", "rank FLOAT HITS..." or "revert FLOAT HITS"; FLOAT lists groups with commas.
func (s *scene) line(words []string) {
	n := len(s.problem.View.Samples)
	switch words[0] {
	case "float":
		s.tell("the float model", PhaseBaseline, n)
		s.o.known["float"] = s.value(words[1], n)
		s.tell("statistics", PhaseStatistics, int(s.calibration))
	case "int8":
		s.int8(words, n)
	case "rank":
		var r search.Round
		var hits []string
		float := groupsOf(words[1])
		for g, i := 0, 2; i < len(words); g++ {
			if !slices.Contains(float, g) {
				if words[i] != "-" {
					r.Need = append(r.Need, search.Trial{Plan: s.plan(append(slices.Clone(float), g)), View: viewOf(min(n, s.problem.Subset))})
					hits = append(hits, words[i])
				}
				i++
			}
		}
		r.Name = PhaseRank
		s.round("a ranking", r, hits)
	case "revert":
		s.round("a revert", search.Round{Name: PhaseRevert, Need: []search.Trial{{Plan: s.plan(groupsOf(words[1])), View: s.problem.View}}}, words[2:])
	}
}

// int8 measures everything INT8: a tenth of the way its drop is known give or take.
func (s *scene) int8(words []string, n int) {
	_, differ, _ := strings.Cut(words[2], "=")
	count, err := strconv.Atoi(differ)
	require.NoError(s.t, err)
	int8, float := s.value(words[1], n)[0], s.o.known["float"][0]
	s.o.paid = map[string]bool{}
	s.tell("INT8", PhaseStart, n)
	s.o.bases, s.o.known[key(s.plan(nil), true)] = []plan.Plan{s.plan(nil)}, []search.Value{int8}
	s.o.spread = math.Sqrt(float64(count)/float64(n) - (float.F-int8.F)*(float.F-int8.F))
}

// round asks and answers.
func (s *scene) round(name string, r search.Round, hits []string) {
	var answers []search.Answer
	fresh := 0
	for i, t := range r.Need {
		v := s.value(hits[i], len(t.View.Samples))
		answers = append(answers, search.Answer{Trial: t, Lo: v, Hi: v})
		if k := key(t.Plan, s.o.full(t)); !s.asked[k] {
			s.asked[k] = true
			fresh += len(t.View.Samples)
		}
	}
	s.o.asks(r)
	s.tell(name, r.Name, fresh)
	s.o.hears(r, answers)
}

// tell begins a phase, notes what is told, and does its work.
func (s *scene) tell(name, phase string, inferences int) {
	s.gauge.enter(phase, int64(inferences))
	p := likely(s.o.ends(), s.gauge.standing)
	s.gauge.expect(map[string]int64{PhaseRank: p.rank, PhaseRevert: p.revert})
	s.told, s.done, s.said = append(s.told, s.gauge.done+s.gauge.open+s.gauge.ahead()), append(s.done, s.gauge.done), append(s.said, name)
	s.gauge.done, s.gauge.open = s.gauge.done+int64(inferences), 0
}

func (s *scene) work(phase string, inferences int) {
	s.gauge.enter(phase, int64(inferences))
	s.gauge.done += int64(inferences)
}

func (s *scene) plan(float []int) plan.Plan {
	p := plan.Plan{Params: s.problem.Params}
	for _, g := range float {
		var err error
		p, err = p.Revert(g, s.problem.Groups)
		require.NoError(s.t, err)
	}
	return p
}

func (s *scene) value(hits string, of int) []search.Value {
	n, err := strconv.ParseInt(hits, 10, 64)
	require.NoError(s.t, err)
	return []search.Value{metric.Count(n, int64(of))}
}

// groupsOf reads "3,5"; "none" is no group.
func groupsOf(s string) (out []int) {
	for _, w := range strings.Split(s, ",") {
		if g, err := strconv.Atoi(w); err == nil {
			out = append(out, g)
		}
	}
	return out
}

// TestOutlookKeepsToTheSearch: what the search would not ask is not expected: nothing where everything INT8 keeps the limit, nothing beyond
// the iterations, nothing twice.
func TestOutlookKeepsToTheSearch(t *testing.T) {
	limit, err := metric.ParseLimit("0.01", false)
	require.NoError(t, err)
	p := search.Problem{Params: plan.Digest{1}, Groups: 6, Limit: limit, Subset: 50, Iterations: 2, View: viewOf(200), Metrics: []search.Metric{{Direction: metric.HigherBetter}}}
	after := func(p search.Problem, hits int64) prospect {
		o := newOutlook(p)
		o.known["float"] = []search.Value{metric.Count(190, 200)}
		all := plan.Plan{Params: p.Params}
		o.bases, o.known[key(all, true)] = []plan.Plan{all}, []search.Value{metric.Count(hits, 200)}
		ends := o.ends()
		return ends[len(ends)-1]
	}
	require.Zero(t, after(p, 188))
	most := after(p, 20)
	require.LessOrEqual(t, most.revert, int64(2*200))
	require.LessOrEqual(t, most.rank, int64(2*6*50))
	require.Positive(t, most.rank)
	p.Subset = 200
	require.LessOrEqual(t, after(p, 20).revert, int64(200), "the first revert of a ranking on all samples is known by then")
	p.Iterations = 0
	require.Zero(t, after(p, 20))
	p.Groups, p.Iterations = 0, search.Unlimited
	require.Zero(t, after(p, 20))
}

// TestOutlookOfNoNumbers: values that are no numbers, and metrics that fall, have an outlook as well.
func TestOutlookOfNoNumbers(t *testing.T) {
	limit, err := metric.ParseLimit("0.01", true)
	require.NoError(t, err)
	for name, d := range map[string]metric.Direction{"higher is better": metric.HigherBetter, "higher is worse": metric.HigherWorse} {
		t.Run(name, func(t *testing.T) {
			p := search.Problem{Params: plan.Digest{1}, Groups: 5, Limit: limit, Subset: 50, Iterations: search.Unlimited, View: viewOf(200), Metrics: []search.Metric{{Direction: d}, {Direction: d}}}
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0.5 * float64(d)} {
				o := newOutlook(p)
				o.partly(bad, []float64{bad, 1})
				require.Len(t, o.ends(), plays)
				o.known["float"] = []search.Value{metric.Float(float64(d)), metric.Float(float64(d))}
				all := plan.Plan{Params: p.Params}
				o.bases, o.known[key(all, true)] = []plan.Plan{all}, []search.Value{metric.Float(bad), metric.Float(float64(d))}
				o.ranked([]int{0, 1, 2}, []float64{bad, 0.1, 0.2})
				for _, e := range o.ends() {
					require.GreaterOrEqual(t, e.rank, int64(0))
					require.LessOrEqual(t, e.sum(), int64(mostAsked*200))
				}
			}
		})
	}
}

// TestOutlookIsSteady: the same knowledge gives the same outlook, in whatever order it came.
func TestOutlookIsSteady(t *testing.T) {
	limit, err := metric.ParseLimit("0", false)
	require.NoError(t, err)
	p := search.Problem{Params: plan.Digest{1}, Groups: 9, Limit: limit, Subset: 50, Iterations: search.Unlimited, View: viewOf(200), Metrics: []search.Metric{{Direction: metric.HigherBetter}}}
	scores := map[int]float64{1: 0.5, 7: 0.25, 3: 0.75}
	var seen [][]prospect
	for range 3 {
		o := newOutlook(p)
		groups := slices.Collect(maps.Keys(scores))
		var values []float64
		for _, g := range groups {
			values = append(values, scores[g])
		}
		o.ranked(groups, values)
		seen = append(seen, o.ends())
	}
	require.Equal(t, seen[0], seen[1])
	require.Equal(t, seen[0], seen[2])
}

// TestDeviation: the standard deviation of differences, and 0 of what has none.
func TestDeviation(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{0, 1}, 0.5}, {[]float64{3, 3, 3}, 0}, {[]float64{-1, 1, -1, 1}, 1}, {[]float64{2, 4, 4, 4, 5, 5, 7, 9}, 2},
		{nil, 0}, {[]float64{math.NaN(), 1}, 0}, {[]float64{math.Inf(1), 1}, 0}, {[]float64{math.MaxFloat64, 1}, 0},
	} {
		require.InDelta(t, c.want, deviation(c.of), 1e-12, "%v", c.of)
	}
}
