package run

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
)

// chapter is one phase of a modelled job: cells of 32 samples that take about so many milliseconds each on a slot, and the
// first ones of each slot first times as long.
type chapter struct {
	phase   string
	cells   int
	ms      float64
	first   float64
	expects map[string]int64 // what is expected after it, in cells
}

// cellOf is a cell of the one plan of a phase.
func cellOf(phase string, samples int, took time.Duration) ended {
	e := ended{runs: samples, took: took}
	e.cell.Plan = plan.DigestOf("Plan", []string{phase})
	return e
}

// told is what the user saw at a moment of a modelled job.
type told struct {
	at          time.Time
	done, total int64
	left        time.Duration
	soon, late  Ending
}

// play carries a modelled job out on slots with a clock of its own; durations vary by a third, drawn from seed.
func play(chapters []chapter, slots int, seed uint64) (seen []told, end time.Time) {
	r := rand.New(rand.NewPCG(seed, 3))
	now := time.Unix(1000, 0)
	m := &meterOfWork{begin: now, now: func() time.Time { return now }, slots: func() int { return slots }}
	m.report = func(p Progress) { seen = append(seen, told{now, p.Done, p.Total, p.Left, p.Soon, p.Late}) }
	certain := map[string]int64{}
	for _, c := range chapters {
		if c.phase != PhaseRank && c.phase != PhaseRevert {
			certain[c.phase] = 32 * int64(c.cells)
		}
	}
	m.expect(certain)
	for _, c := range chapters {
		m.round(c.phase, 32*int64(c.cells))
		if c.phase == PhaseRank || c.phase == PhaseRevert { // the outlook's part
			m.expect(map[string]int64{c.phase: m.later[c.phase] - 32*int64(c.cells)})
		}
		free := make([]time.Time, slots) // when each slot is
		for i := range free {
			free[i] = now
		}
		for i := range c.cells {
			at := 0
			for s := range free {
				if free[s].Before(free[at]) {
					at = s
				}
			}
			ms := c.ms * (0.67 + 0.66*r.Float64())
			if i < slots {
				ms *= c.first
			}
			took := time.Duration(ms * float64(time.Millisecond))
			free[at] = free[at].Add(took)
			if free[at].After(now) {
				now = free[at]
			}
			m.cell(cellOf(c.phase, 32, took))
		}
		later := map[string]int64{}
		for phase, n := range c.expects {
			later[phase] = 32 * n
		}
		m.expect(later)
	}
	return seen, now
}

// TestEstimate: once a tenth of a job is done, the time left is within a factor of two of the truth, whatever the first
// cells of a phase cost and however far float, statistics and INT8 lie apart.
func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		name     string
		slots    int
		chapters []chapter
	}{
		{"an INT8 model of a third of the time", 2, []chapter{{PhaseBaseline, 300, 15, 10, nil}, {PhaseStatistics, 10, 90, 2, nil}, {PhaseStart, 300, 5, 20, nil}, {PhaseVerify, 300, 5, 20, nil}}},
		{"an INT8 model as slow as float", 2, []chapter{{PhaseBaseline, 300, 15, 10, nil}, {PhaseStatistics, 10, 25, 4, nil}, {PhaseStart, 300, 15, 4, nil}, {PhaseVerify, 300, 15, 4, nil}}},
		{"short", 2, []chapter{{PhaseBaseline, 32, 4, 12, nil}, {PhaseStatistics, 10, 16, 3, nil}, {PhaseStart, 32, 2, 5, nil}, {PhaseVerify, 32, 2, 5, nil}}},
		{"eight slots", 8, []chapter{{PhaseBaseline, 100, 40, 5, nil}, {PhaseStatistics, 20, 160, 2, nil}, {PhaseStart, 100, 15, 5, nil}, {PhaseVerify, 100, 15, 5, nil}}},
		{"one slot, long cells", 1, []chapter{{PhaseBaseline, 50, 900, 2, nil}, {PhaseStatistics, 12, 3600, 2, nil}, {PhaseStart, 50, 400, 2, nil}, {PhaseVerify, 50, 400, 2, nil}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(5) {
				seen, end := play(c.chapters, c.slots, seed)
				last := seen[len(seen)-1]
				require.Zero(t, last.left)
				require.Equal(t, last.done, last.total)
				for _, s := range seen {
					truth := end.Sub(s.at)
					if 10*s.done < last.done || truth < end.Sub(seen[0].at)/20 { // of the last twentieth a factor says little
						continue
					}
					require.Equal(t, last.total, s.total)
					require.InDelta(t, 1.25, float64(s.left)/float64(truth), 0.75, "%d of %d: %v told, %v are left", s.done, s.total, s.left, truth)
				}
			}
		})
	}
}

// TestFirstCellsCountByTheirNumber: a phase of which few cells have ended is taken to be as fast as expected in proportion.
func TestFirstCellsCountByTheirNumber(t *testing.T) {
	for _, c := range []struct {
		cells int
		want  float64 // seconds a sample, where 0.1 is expected and 0.5 was spent
	}{{0, 0.1}, {1, 0.15}, {2, 0.2}, {4, 0.3}, {8, 0.5}, {20, 0.5}} {
		p := &pace{}
		at := time.Unix(1000, 0)
		add := func(phase string, cells int, took time.Duration) {
			for range cells {
				at = at.Add(took)
				p.add(phase, at, took, 1, 1, false)
			}
		}
		add(PhaseStart, 21, 100*time.Millisecond)
		add(PhaseVerify, c.cells+1, 500*time.Millisecond) // the first of a slot is not counted
		got, ok := p.sample(PhaseVerify)
		require.True(t, ok)
		require.InDelta(t, c.want, got, 1e-9, "%d cells", c.cells)
	}
}

// TestEstimateOfSearch: a search that is announced as it will be is told within a factor of two, too, though its suffixes
// take less than whole models; one that ends early leaves nothing expected.
func TestEstimateOfSearch(t *testing.T) {
	ahead := map[string]int64{PhaseRank: 200, PhaseRevert: 120}
	chapters := []chapter{
		{PhaseBaseline, 40, 15, 10, nil}, {PhaseStatistics, 10, 25, 4, nil}, {PhaseStart, 40, 7, 10, ahead},
		{PhaseRank, 200, 4, 3, nil}, {PhaseRevert, 40, 7, 3, nil}, {PhaseVerify, 40, 6, 10, nil},
	}
	for seed := range uint64(5) {
		seen, end := play(chapters, 2, seed)
		last := seen[len(seen)-1]
		require.Zero(t, last.left)
		require.Equal(t, last.done, last.total)
		requireWithinTwo(t, seen, end, 90, 290)
	}
}

// requireWithinTwo demands that what was told between two numbers of cells was within a factor of two of the truth.
func requireWithinTwo(t *testing.T, seen []told, end time.Time, from, to int64) {
	t.Helper()
	checked := 0
	for _, s := range seen {
		if truth := end.Sub(s.at); s.done > 32*from && s.done < 32*to {
			checked++
			require.InDelta(t, 1.25, float64(s.left)/float64(truth), 0.75, "%d of %d: %v told, %v are left", s.done, s.total, s.left, truth)
		}
	}
	require.Greater(t, checked, 100)
}

// TestEstimateOfResumed: where the float and the INT8 model were known before, the first cells of a ranking say how long it, and
// what comes after it, will take.
func TestEstimateOfResumed(t *testing.T) {
	seen, end := play([]chapter{
		{PhaseBaseline, 0, 15, 1, nil}, {PhaseStatistics, 0, 25, 1, nil}, {PhaseStart, 0, 7, 1, nil},
		{PhaseRank, 200, 6, 3, map[string]int64{PhaseRevert: 40, PhaseVerify: 40}}, {PhaseRevert, 40, 7.5, 3, nil}, {PhaseVerify, 40, 8.5, 3, nil},
	}, 2, 1)
	requireWithinTwo(t, seen, end, 20, 190)
}

// TestEstimateOfTheEnd: models are timed after the last inference, and that is told as long as anything is; it takes longer
// where the machine is busy with others.
func TestEstimateOfTheEnd(t *testing.T) {
	const sample = 10e-3 / 32 // seconds, in cells of 10 ms on two slots
	for _, c := range []struct {
		name    string
		elapses time.Duration // between two cells
		times   float64       // of what the timing takes
	}{{"idle", 5 * time.Millisecond, 1}, {"half of the time is taken by others", 10 * time.Millisecond, 10 / 5.8}} { // of a cell 0.8 ms are handover
		t.Run(c.name, func(t *testing.T) {
			now := time.Unix(1000, 0)
			var with, without Progress
			m := &meterOfWork{now: func() time.Time { return now }, slots: func() int { return 2 }, coda: speedBudget}
			m.expect(map[string]int64{PhaseBaseline: 3200})
			m.report = func(p Progress) { with = p }
			m.round(PhaseBaseline, 3200)
			require.Zero(t, with.Left, "nothing is known yet")
			for range 50 {
				now = now.Add(c.elapses)
				m.cell(cellOf(PhaseBaseline, 32, 10*time.Millisecond))
			}
			m.coda, m.report = 0, func(p Progress) { without = p }
			m.tell()
			require.InEpsilon(t, c.times*(27*2*alone*sample+besides), (with.Left - without.Left).Seconds(), 0.01)
			require.InEpsilon(t, (50 * c.elapses).Seconds(), without.Left.Seconds(), 0.01)
		})
	}
}

// TestLoad: cells that take little besides their handover say nothing of other work on the machine; what they wait beyond it does.
func TestLoad(t *testing.T) {
	for _, c := range []struct{ took, since, want float64 }{
		{0.2e-3, 0.2e-3, 1}, {0.2e-3, 1e-3, 1}, {0.2e-3, 2e-3, 2}, {0.1, 0.1, 1}, {0.0992, 0.2, 2}, {0.0992, 0.05, 1},
	} {
		p := &pace{}
		for range fewMarks - 1 {
			p.marks = append(p.marks, mark{c.since, c.took})
		}
		require.InDelta(t, 1, p.load(1), 1e-9, "few cells")
		p.marks = append(p.marks, mark{c.since, c.took})
		require.InDelta(t, c.want, p.load(1), 1e-9, "%v", c)
	}
}

// TestEachPlanIsCompiled: a ranking of many plans takes the compilation of each as well, by what first cells took beyond others; until so many
// are seen, in part by what the newest phase took.
func TestEachPlanIsCompiled(t *testing.T) {
	p := &pace{}
	add := func(phase string, plans int, compile float64) {
		for range plans {
			p.add(phase, time.Unix(1000, 0), seconds(0.1+compile), 10, 1, true)
			p.add(phase, time.Unix(1000, 0), seconds(0.1), 10, 1, false)
		}
	}
	add(PhaseStart, 1, 0.3)
	require.InDelta(t, 0.15, p.meeting(PhaseRank), 1e-9, "half of what everything INT8 took")
	add(PhaseRank, 2, 0.05)
	require.InDelta(t, 0.25*0.05+0.75*0.025, p.meeting(PhaseRank), 1e-9)
	add(PhaseRank, fewCells, 0.05)
	require.InDelta(t, 0.05, p.meeting(PhaseRank), 1e-9)
	p.marks = nil
	each := map[string]int64{PhaseRank: 20}
	few := map[string]int64{PhaseRank: 200}
	require.InDelta(t, 10*0.05, (p.left(few, 0, 1, each) - p.left(few, 0, 1, nil)).Seconds(), 1e-6)
}

// TestTiming: how long models are timed, of a float model of so many seconds a sample. Worked out by hand: a turn is two models alone.
func TestTiming(t *testing.T) {
	for _, c := range []struct {
		name  string
		float float64
		want  float64 // seconds but for what is besides
	}{
		{"25 turns do", 0.001 / alone, 27 * 0.002},
		{"15 turns fill a pass, and are enough", 0.01 / alone, 17 * 0.02},
		{"7 turns a pass, two passes", 0.02 / alone, 16 * 0.04},
		{"3 turns at least, four passes", 1 / alone, 14 * 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pace{trial: c.float * alone}
			require.InDelta(t, c.want+besides, p.timing(speedBudget).Seconds(), 1e-6)
		})
	}
	require.Equal(t, speedBudget, (&pace{}).timing(speedBudget), "nothing is known: one pass")
}

// TestEstimateOfKnown: what is answered from the store is no work, and before anything was computed nothing is told.
func TestEstimateOfKnown(t *testing.T) {
	var last Progress
	m := &meterOfWork{slots: func() int { return 2 }, report: func(p Progress) { last = p }}
	m.expect(map[string]int64{PhaseBaseline: 1000, PhaseStart: 1000, PhaseVerify: 1000})
	m.round(PhaseBaseline, 1000)
	require.Equal(t, int64(3000), last.Total)
	require.Zero(t, last.Left)
	m.cell(ended{known: true, runs: 400})
	require.Equal(t, []int64{0, 2600, 400}, []int64{last.Done, last.Total, last.Reused})
	m.cell(cellOf(PhaseBaseline, 600, 6*time.Second))
	require.Equal(t, int64(2600), last.Total)
	require.InDelta(t, 2000*0.0055/2, last.Left.Seconds(), 0.01)
	m.round(PhaseStart, 0) // all known under the same plan
	require.Equal(t, int64(1600), last.Total)
	left := func(phase string, n int64) time.Duration { _, left := m.remaining(phase, n); return left }
	require.Equal(t, 5*time.Second, left(PhaseBaseline, 1000))
	require.Zero(t, (&pace{}).left(map[string]int64{PhaseStart: 5}, 0, 2, nil))
	require.Zero(t, (&pace{}).left(map[string]int64{}, 0, 2, nil))
}

// TestCompilationIsNoPace: the first block of a ranking compiles a plan a cell, which takes seven times as long as its samples. The time left
// is told as if plans were known already, give or take, and not for all blocks what the first one takes.
func TestCompilationIsNoPace(t *testing.T) {
	const plans, blocks = 40, 10
	now := time.Unix(1000, 0)
	var last Progress
	m := &meterOfWork{now: func() time.Time { return now }, slots: func() int { return 1 }, report: func(p Progress) { last = p }}
	m.expect(map[string]int64{PhaseStart: 320})
	ask := func(phase string, plan int, took time.Duration) {
		now = now.Add(took)
		e := cellOf(fmt.Sprint("plan ", plan), 32, took)
		e.node = "node"
		m.cell(e)
	}
	m.round(PhaseStart, 320)
	for block := range blocks {
		ask(PhaseStart, -1, map[bool]time.Duration{true: 300 * time.Millisecond, false: 40 * time.Millisecond}[block == 0])
	}
	m.round(PhaseRank, 32*plans*blocks)
	for i := range plans {
		ask(PhaseRank, i, 160*time.Millisecond)
		left := float64(plans-1-i)*0.16 + plans*(blocks-1)*0.02
		require.InDelta(t, 1.25, last.Left.Seconds()/left, 0.75, "%d of %d plans: %v", i+1, plans, last.Left)
	}
	for i := range plans {
		ask(PhaseRank, i, 20*time.Millisecond)
	}
	require.InEpsilon(t, plans*(blocks-2)*0.02, last.Left.Seconds(), 0.05)
}

// TestMeets: a node meets a plan once, whatever block and view it is asked on; another node, another model and another question anew.
func TestMeets(t *testing.T) {
	m := &meterOfWork{}
	e := cellOf("a", 32, time.Second)
	require.True(t, m.meets(e))
	e.cell.Index, e.cell.View = 7, plan.Digest{7}
	require.False(t, m.meets(e))
	for name, change := range map[string]func(*ended){
		"node": func(e *ended) { e.node = "other" }, "plan": func(e *ended) { e.cell.Plan = plan.Digest{1} },
		"model": func(e *ended) { e.cell.Problem = plan.Digest{2} }, "question": func(e *ended) { e.cell.What = plan.Taps },
	} {
		other := e
		change(&other)
		require.True(t, m.meets(other), name)
		require.False(t, m.meets(other), name)
	}
}

// TestEstimateWhileReading: while samples are decoded, the time left is what the rest of them takes at their rate, and the inferences that are certain at
// the pace of the one sample that was tried. The time that it took is none of the rate's.
func TestEstimateWhileReading(t *testing.T) {
	now := time.Unix(1000, 0)
	var last Progress
	m := &meterOfWork{begin: now, now: func() time.Time { return now }, slots: func() int { return 2 }, report: func(p Progress) { last = p }}
	read := func(done int) {
		now = now.Add(time.Second)
		m.read(done, 100)
	}
	m.read(10, 100)
	read(20)
	require.Equal(t, []int{20, 100}, []int{last.Read, last.Samples})
	require.Zero(t, last.Left, "nothing is known of the model")
	m.expect(map[string]int64{PhaseBaseline: 1000, PhaseStatistics: 100, PhaseStart: 1000})
	now = now.Add(5 * time.Second)
	m.tried(6300 * time.Microsecond)
	read(30)
	sample := 0.0063 / alone
	want := 7 + (1000+100*1.9+1000*0.55)*sample/2
	require.InDelta(t, want, last.Left.Seconds(), 1e-6)
	require.True(t, last.Rough)
	require.Equal(t, int64(2100), last.Least)
	m.read(100, 100)
	require.InDelta(t, want-7, last.Left.Seconds(), 1e-6)
	m.round(PhaseBaseline, 1000)
	require.Zero(t, last.Samples)
	require.InDelta(t, want-7, last.Left.Seconds(), 1e-6)
	for i := range 2 + fewCells { // each slot's first cell says little
		require.Equal(t, i <= 2, last.Rough)
		now = now.Add(50 * time.Millisecond)
		m.cell(cellOf(PhaseBaseline, 10, 100*time.Millisecond))
	}
	require.InDelta(t, (900+100*1.9+1000*0.55)*0.01/2, last.Left.Seconds(), 0.1)
}

// TestEstimateOfSlowPlans: plans with groups in float take longer, by as much of what float takes longer than INT8; where it does not, no less.
func TestEstimateOfSlowPlans(t *testing.T) {
	for _, c := range []struct{ float, int8, more float64 }{{0.01, 0.004, 500 * suffix * 0.006}, {0.004, 0.01, 0}} {
		p := &pace{}
		at := time.Unix(1000, 0)
		for phase, s := range map[string]float64{PhaseBaseline: c.float, PhaseStart: c.int8} {
			for range 2 * fewCells {
				p.add(phase, at, seconds(s), 1, 1, false)
			}
		}
		p.marks = nil
		few := map[string]int64{PhaseRank: 1000}
		require.InDelta(t, c.more, (p.left(few, 500, 1, nil) - p.left(few, 0, 1, nil)).Seconds(), 1e-6)
	}
}

// TestShared: a share is taken of what is more than a sample costs in any case.
func TestShared(t *testing.T) {
	for _, c := range []struct{ seconds, share, want float64 }{{1, 0.5, 0.5}, {1, 2, 2}, {unsped, 0.5, unsped}, {unsped / 2, 0.5, unsped / 2}, {1.5 * unsped, 0.5, unsped}, {unsped, 3, 3 * unsped}, {0, 0.5, 0}} {
		require.InDelta(t, c.want, shared(c.seconds, c.share), 1e-12, "%v of %v", c.share, c.seconds)
	}
}
