package run

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
)

// imagined is an end of a search of so many groups, on so many samples, whose float model keeps everything and whose INT8 model keeps so
// much of it.
func imagined(t *testing.T, by yardstick, groups, samples int, int8 float64, limit string) *ending {
	l, err := metric.ParseLimit(limit, false)
	require.NoError(t, err)
	o := newOutlook(search.Problem{
		Params: plan.Digest{1}, Groups: groups, Limit: l, Subset: samples, Iterations: search.Unlimited, View: viewOf(samples),
		Metrics: []search.Metric{{Direction: metric.HigherBetter}},
	})
	all := plan.Plan{Params: plan.Digest{1}}
	o.against, o.spread = by, math.Sqrt((1-int8)*int8)
	o.known["float"], o.known[key(all, true)] = []search.Value{metric.Float(1)}, []search.Value{metric.Float(int8)}
	o.bases = []plan.Plan{all}
	p := o.ending(0)
	p.lot = rand.New(rand.NewPCG(1, 2))
	p.shareOut()
	return p
}

// TestRankedInProportion: where the float model is the bound, a plan keeps on the whole view the part of the loss that it keeps on the
// ranking's subset, which holds what INT8 gets wrong; by labels what it wins there is won.
func TestRankedInProportion(t *testing.T) {
	for _, c := range []struct {
		by   yardstick
		want float64
	}{{byDecisions, 0.1 / 3}, {byLabels, 0.1 - 0.5*0.1}} {
		p := imagined(t, c.by, 10, 200, 0.9, "0.01")
		p.problem.Subset = 100
		p.middle, p.from = 0.85, plan.Plan{Params: plan.Digest{1}}
		require.InDelta(t, c.want, p.ranked(0.95, metric.Float(1), 0), 1e-12)
	}
}

// TestScatter: scores below the middle of a ranking are chance, and so much of those above is as well.
func TestScatter(t *testing.T) {
	o := &outlook{score: map[int]float64{0: 3, 1: 1, 2: -1, 3: 0, 4: -3}}
	all, below := (&ending{outlook: o}).scatter()
	require.InDelta(t, 4, all, 1e-12)
	require.InDelta(t, 10.0/3, below, 1e-12)
	o.score = map[int]float64{2: 2}
	all, below = (&ending{outlook: o}).scatter()
	require.InDelta(t, 4, all, 1e-12)
	require.Zero(t, below)
}

// TestLost: what is left of a loss when groups with a part of the noise go to float. Expected values are worked out by hand: power adds
// up, amplitude is its root, and both take their part of what is left.
func TestLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		by    yardstick
		lost  float64
		part  float64
		left  float64
		about float64
	}{
		{"labels, a little: in proportion", byLabels, 0.01, 0.5, 0.005, 1e-4},
		{"labels, all of it", byLabels, 0.01, 1, 0, 1e-12},
		{"labels, collapsed: 1 - 0.02^0.9", byLabels, 1, 0.1, 0.9704, 1e-4},
		{"labels, better than float: also in proportion", byLabels, -0.01, 0.5, -0.005, 1e-12},
		{"classes, a little: the root of a quarter", byDecisions, 0.01, 0.75, 0.005, 1e-4},
		{"classes, much: 1 - 0.5^0.5", byDecisions, 0.5, 0.75, 0.29289, 1e-4},
		{"classes, none", byDecisions, 0, 0.5, 0, 1e-12},
		{"outputs, a little: in proportion", byDistance, 0.01, 0.5, 0.005, 1e-4},
		{"outputs, as much noise as signal: 0.5 of 1.5", byDistance, 0.5, 0.5, 1.0 / 3, 1e-9},
		{"outputs, rounding of a sum of parts", byDistance, 0.1, 1 + 1e-15, 0, 1e-12},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := imagined(t, c.by, 10, 200, 0.9, "0.01")
			require.InDelta(t, c.left, p.lost(c.lost, 1, c.part, 0), c.about)
		})
	}
}

// TestLuckCannotBeatFloat: where the float model is the bound, no luck takes a plan beyond it. By labels a plan may be better.
func TestLuckCannotBeatFloat(t *testing.T) {
	for _, luck := range []float64{-40, -1, 0, 1, 40} {
		for _, by := range []yardstick{byDecisions, byDistance} {
			require.GreaterOrEqual(t, imagined(t, by, 10, 200, 0.9, "0").lost(0.1, 1, 0.1, luck), 0.0)
		}
	}
	require.Less(t, imagined(t, byLabels, 10, 200, 0.9, "0").lost(0.1, 1, 0.1, 40), 0.0)
	for _, by := range []yardstick{byDecisions, byDistance} {
		p := imagined(t, by, 10, 200, 0.99, "0")
		pl := p.bases[0]
		for g := range 10 {
			var err error
			pl, err = pl.Revert(g, 10)
			require.NoError(t, err)
			v := p.imagine(pl, true)
			require.LessOrEqual(t, v[0].F, 1.0, "%d groups in float", g+1)
			p.values[key(pl, true)], p.bases = v, append(p.bases, pl)
		}
	}
}

// TestEndsByYardstick: with the same groups to blame for the same loss, classes ask more than outputs, as noise has to fall by the square.
// A ranking of outputs serves many reverts. A limit that is kept asks nothing.
func TestEndsByYardstick(t *testing.T) {
	middle := func(by yardstick, limit string) prospect {
		ends := imagined(t, by, 30, 300, 0.9, limit).outlook.ends()
		return ends[len(ends)/2]
	}
	classes, outputs := middle(byDecisions, "0.03"), middle(byDistance, "0.03")
	require.Greater(t, 2*classes.sum(), 3*outputs.sum())
	require.GreaterOrEqual(t, outputs.rank, int64(30*300))
	require.Less(t, outputs.rank, int64(2*30*300))
	require.Zero(t, middle(byDecisions, "0.11").sum())
	require.Zero(t, middle(byDistance, "0.11").sum())
}

// TestLuckOfARanking: a plan has one luck on the whole view, and the part of it on a ranking's subset that the subset is of the view.
func TestLuckOfARanking(t *testing.T) {
	const n = 2000
	p := imagined(t, byLabels, n, 400, 0.9, "0")
	p.problem.Subset = 100
	common, squares := 0.0, 0.0
	for g := range n {
		pl, err := p.bases[0].Revert(g, n)
		require.NoError(t, err)
		ranked, whole := p.luck(pl, false), p.luck(pl, true)
		require.InDelta(t, whole, p.luck(pl, true), 0)
		common, squares = common+ranked*whole, squares+ranked*ranked
	}
	require.InDelta(t, 0.5, common/n, 0.1, "the root of a quarter")
	require.InDelta(t, 1, squares/n, 0.1)
}

// TestLuckOfAPlanIsNotOfTheNext: a search goes on from plans that were lucky. What comes of them is imagined from what everything INT8 loses, as far as
// chance explains the difference, and from what was measured beyond that.
func TestLuckOfAPlanIsNotOfTheNext(t *testing.T) {
	const groups = 20
	for _, by := range []yardstick{byLabels, byDecisions} {
		p := imagined(t, by, groups, 200, 0.9, "0")
		p.share = make([]float64, groups)
		for g := range p.share {
			p.share[g] = 1
		}
		one, err := p.bases[0].Revert(3, groups)
		require.NoError(t, err)
		expected := p.lost(0.1, 1, 1.0/groups, 0)
		chance := math.Abs(expected - p.lost(0.1, 1, 1.0/groups, 1))
		require.Positive(t, chance)
		for _, c := range []struct{ luck, left float64 }{{0.5, 0}, {1, 0}, {-0.5, 0}, {3, 3 - mostLuck}, {-3, mostLuck - 3}} {
			q := p.outlook.ending(0)
			q.share = p.share
			q.bases = append(q.bases, one)
			q.values[key(one, true)] = []search.Value{metric.Float(1 - expected + c.luck*chance)}
			require.InDelta(t, expected-c.left*chance, q.mean(one)[0], 1e-9, "%v standard deviations", c.luck)
		}
	}
}

// TestMiddleOfARanking: the plans of a ranking are as good as the one it started from but for chance, in the middle, and better by what their groups
// are to blame for.
func TestMiddleOfARanking(t *testing.T) {
	const groups = 5
	scores := []float64{0.938, 0.94, 0.99, 0.94, 0.95}
	for _, c := range []struct {
		name   string
		by     yardstick
		subset int
		mean   float64 // of what everything INT8 loses, which measured 0.1
		best   float64 // what group 2 is imagined to lose on the whole view
		blame  float64 // of group 2: what it takes off, of classes of the noise's power
	}{
		{"the whole view", byLabels, 20000, 0.06, 0.01, 5.0 / 6},
		{"a subset, by labels: what it holds of both is not known", byLabels, 10000, 0.1, 0.1 - 0.5*0.05, 0.25},
		{"a subset, by classes: float has all of it", byDecisions, 10000, 0.1, 0.1 / 6, 1 - 1.0/36},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := imagined(t, c.by, groups, 20000, 0.9, "0").outlook
			o.problem.Subset = c.subset
			o.from = o.bases[0]
			o.ranked([]int{0, 1, 2, 3, 4}, scores)
			require.InDelta(t, 0.94, o.middle, 1e-12)
			require.InDelta(t, 0.05, o.score[2], 1e-12)
			pl, err := o.bases[0].Revert(2, groups)
			require.NoError(t, err)
			o.known[key(pl, c.subset == 20000)] = []search.Value{metric.Float(scores[2])}
			p := o.ending(0)
			require.InDelta(t, c.mean, p.mean(o.from)[0], 1e-9)
			if c.subset < 20000 {
				p.lucky[key(pl, true)] = 0
				require.InDelta(t, 1-c.best, p.imagine(pl, true)[0].F, 1e-9)
			}
			gains, _ := p.gains()
			require.InDelta(t, c.blame, gains[2], 0.02)
			require.Zero(t, gains[0], "worse than the middle")
		})
	}
}

// TestOneGroupMayHaveItAll: before a ranking, in a third of the plays one group has half of the blame or more, and in others no group has.
func TestOneGroupMayHaveItAll(t *testing.T) {
	o := imagined(t, byDecisions, 30, 200, 0.9, "0").outlook
	alone := 0
	for i := range plays {
		p := o.ending(i)
		p.shareOut()
		sum := 0.0
		for _, s := range p.share {
			sum += s
		}
		if slices.Max(p.share) >= sum/2 {
			alone++
		}
	}
	require.GreaterOrEqual(t, alone, plays/3)
	require.LessOrEqual(t, alone, plays/2)
}

// TestSlowProspect: what a search asks later has more in float, and the written file has as much as the last plan.
func TestSlowProspect(t *testing.T) {
	for _, e := range imagined(t, byDecisions, 10, 200, 0.5, "0").outlook.ends() {
		require.Positive(t, e.slow)
		require.LessOrEqual(t, e.slow, float64(e.sum()+200))
	}
	for _, e := range imagined(t, byDecisions, 10, 200, 0.995, "0.01").outlook.ends() {
		require.Zero(t, e.slow)
	}
}

// TestUsualDrops: before anything is known, plays go from nothing, or little, to much.
func TestUsualDrops(t *testing.T) {
	for _, c := range []struct {
		by          yardstick
		least, most float64
	}{{byLabels, 0, 0.3}, {byDecisions, 0, 0.15}, {byDistance, 3e-4, 0.1}} {
		p := imagined(t, c.by, 3, 100, 0.9, "0")
		before := -1.0
		for p.order = range plays {
			drop := p.firstDrop(metric.Float(1))
			require.GreaterOrEqual(t, drop, max(before, c.least))
			require.LessOrEqual(t, drop, c.most)
			before = drop
		}
		require.Greater(t, before, c.most/2)
	}
}

// TestPartOfTheFirstDrop: a part of the view says its drop give or take; by labels it is pulled to nothing, and where float is the bound
// it is not, and never below nothing.
func TestPartOfTheFirstDrop(t *testing.T) {
	drops := func(by yardstick) (sum, least float64) {
		p := imagined(t, by, 3, 400, 0.9, "0")
		p.parted(0.02, 100, 0.2)
		for p.order = range plays {
			d := p.firstDrop(metric.Count(400, 400))
			sum, least = sum+d/plays, min(least, d)
		}
		return sum, least
	}
	mean, least := drops(byLabels)
	require.InDelta(t, 0.01, mean, 1e-9, "as if as many samples again had not differed")
	require.Negative(t, least)
	mean, least = drops(byDecisions)
	require.Greater(t, mean, 0.02)
	require.Zero(t, least)
}

// TestLeastWrong: half a range costs nothing; the larger half decides where the two are far apart, and the middle of all numbers that are
// least wrong is taken.
func TestLeastWrong(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{5}, 5}, {[]float64{4, 6}, 5}, {[]float64{0, 10}, 5}, {[]float64{0, 0, 0}, 0},
		{[]float64{0, 0, 10}, 1},      // the edge of the two that is nearest to the third
		{[]float64{0, 10, 10}, 9},     // and the other way round
		{[]float64{0, 1, 2, 30}, 1.5}, // from 1 to 2, what the last gains the first loses
		{[]float64{-3, -3, 3, 3}, 0},
	} {
		require.InDelta(t, c.want, leastWrong(c.of, 1), 1e-9, "%v", c.of)
	}
}

// TestLikely: ends that are far off wait for their turn, as long as a quarter is near.
func TestLikely(t *testing.T) {
	ends := []prospect{{}, {}, {rank: 900, revert: 100}, {rank: 9000, revert: 1000}}
	at := func(done int64) int64 { return likely(ends, func() (int64, int64) { return done, 100 }).sum() }
	require.Zero(t, at(1), "the nearest quarter")
	require.Equal(t, int64(90), at(40), "1.9 times the 100 of two ends, nearest to the 1100 of the third")
	require.Greater(t, at(400), int64(90))
	require.Zero(t, likely([]prospect{{}, {}}, func() (int64, int64) { return 5, 10 }).sum())
	p := likely([]prospect{{900, 100, 500}}, func() (int64, int64) { return 100, 100 })
	require.Equal(t, []int64{900, 100}, []int64{p.rank, p.revert})
	require.InDelta(t, 500, p.slow, 1e-9)
}

// TestYardstick: which meters compare with the float model, and by what.
func TestYardstick(t *testing.T) {
	meter := func(a string, kind string) metric.Meter {
		return metric.Meter{Adapter: a, Metrics: []metric.Spec{{Name: "m", Type: kind}}}
	}
	require.Equal(t, byLabels, yardstickOf(meter(metric.Classification, "accuracy")))
	require.Equal(t, byLabels, yardstickOf(meter(metric.Similarity, "spearman")))
	require.Equal(t, byDecisions, yardstickOf(meter(metric.Classification, typeAgreement)))
	require.Equal(t, byDecisions, yardstickOf(meter(metric.Rows, typeRows)))
	require.Equal(t, byDistance, yardstickOf(meter(metric.Outputs, typeSQNR)))
}
