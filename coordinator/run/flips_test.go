package run

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/report"
	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
)

// flipped is a job whose float and final models are right on samples as said.
func flipped(t *testing.T, float, final func(i int) bool, n int) *work {
	t.Helper()
	a, _ := askerOn()
	a.base, a.meter.Labels = viewOf(n), make([]int32, n)
	w := &work{asker: a, meter: a.meter, params: a.params, data: &data{searchView: a.base, names: []string{"first", "second"}}}
	w.outcome.Plan = reverted(t, a, 1)
	for p, right := range map[plan.Digest]func(int) bool{{}: float, plan.EffectiveDigest(w.params, w.outcome.Plan): final} {
		l := &ledger{map[uint32][]byte{}}
		for i := range n {
			r := outcomes(a.meter.RecordSize(), right(i))
			binary.LittleEndian.PutUint32(r, uint32(i))
			l.records[uint32(i)] = r
		}
		a.known[p] = l
	}
	return w
}

// TestFlips: all are counted, the first are listed: those that became wrong before those that became right, each in the order of the data.
func TestFlips(t *testing.T) {
	w := flipped(t, func(i int) bool { return i != 1 && i != 4 }, func(i int) bool { return i != 0 && i != 3 && i != 4 }, 6)
	var d report.Decisions
	w.flips(&d)
	require.Equal(t, [2]int{2, 1}, [2]int{d.Flips.Wrong, d.Flips.Right})
	var got []string
	for _, f := range d.Flips.Samples {
		got = append(got, fmt.Sprintf("%d %q %v %d %d %d", f.Sample, f.Name, f.Wrong, *f.Label, *f.Float, *f.Final))
	}
	require.Equal(t, []string{`0 "first" true 0 0 0`, `3 "" true 0 3 3`, `1 "second" false 0 1 1`}, got)

	w = flipped(t, func(i int) bool { return i%2 == 0 }, func(i int) bool { return i%2 == 1 }, 2*listedFlips+2)
	w.flips(&d)
	require.Equal(t, [2]int{listedFlips + 1, listedFlips + 1}, [2]int{d.Flips.Wrong, d.Flips.Right})
	require.Len(t, d.Flips.Samples, listedFlips)
	require.True(t, d.Flips.Samples[listedFlips-1].Wrong)

	w.meter.Metrics[0].Type = typeAgreement
	w.flips(&d)
	require.Nil(t, d.Flips.Samples[0].Label, "the float model's answers are no labels")
	w.asker.known = map[plan.Digest]*ledger{}
	w.flips(&d)
	require.NotNil(t, d.Flips.Samples)
	require.Empty(t, d.Flips.Samples)
}

// TestCurrents: a ranking's own model is everything INT8 with the steps before it that stand: those undone, and those to come, are none of it.
func TestCurrents(t *testing.T) {
	a, s := askerOn()
	s.right = func(p plan.Plan, i uint32) bool { return int(i) < 2*p.Count() }
	w := &work{asker: a, meter: a.meter, params: a.params}
	w.outcome.Steps = []search.Step{{Group: 0, Float: []int{0}, Verdict: search.Forgiven}, {Group: 1, Float: []int{0, 1}, Verdict: search.RolledBack}, {Group: 1, Float: []int{0, 1}, Verdict: search.Improved}}
	for _, before := range []int{0, 1, 2, 3, 4} {
		w.outcome.Rankings = append(w.outcome.Rankings, search.Ranking{Before: before, Samples: a.base.Samples})
	}
	w.outcome.Rankings = append(w.outcome.Rankings, search.Ranking{Before: 2})
	for _, groups := range [][]int{nil, {0}, {0, 1}} {
		_, err := a.Ask(t.Context(), search.Round{Need: []search.Trial{{Plan: reverted(t, a, groups...), View: a.base}}})
		require.NoError(t, err)
	}
	d := report.Decisions{Rankings: make([]report.Ranking, len(w.outcome.Rankings))}
	require.NoError(t, w.currents(&d))
	for i, hits := range []int64{0, 2, 2, 4, 4} {
		require.Equal(t, report.Number(metric.Count(hits, 6).F), *d.Rankings[i].Current, "%d", i)
	}
	require.Nil(t, d.Rankings[5].Current, "nothing was asked")
	delete(a.known, plan.EffectiveDigest(w.params, reverted(t, a)))
	d = report.Decisions{Rankings: make([]report.Ranking, len(w.outcome.Rankings))}
	require.NoError(t, w.currents(&d))
	require.Nil(t, d.Rankings[0].Current, "not known")
	require.Equal(t, report.Float, precision([]int{0, 1}, reverted(t, a, 1)), "one group is enough")
	require.Equal(t, report.INT8, precision([]int{0}, reverted(t, a, 1)))
}

// TestBlock: as many samples as make 2e9 multiply-adds, one more rather than less work, 1 to 32.
func TestBlock(t *testing.T) {
	for macs, want := range map[int64]uint16{0: 32, 1: 32, 62_500_000: 32, 64_516_130: 31, 100_000_000: 20, 100_000_001: 20, 1e9: 2, 1_999_999_999: 2, 2e9: 1, 1e18: 1} {
		require.Equal(t, want, block(macs), "%d", macs)
	}
}

// TestTooFine: a limit under one sample is told, with the samples that it takes; not where one may be lost or none was to be.
func TestTooFine(t *testing.T) {
	for _, c := range []struct {
		drop     string
		relative bool
		float    metric.Value
		want     string
	}{
		{"0.01", false, metric.Count(90, 100), ""},
		{"0.0099", false, metric.Count(90, 100), "counts whole samples, and one of 100 is 0.01: a drop of 0.0099 means that none may be lost; to allow one, give 102 samples or more"},
		{"0", false, metric.Count(90, 100), ""},
		{"0.01", true, metric.Count(90, 100), "none may be lost"},
		{"0.01", false, metric.Float(0.9), ""},
	} {
		limit, err := metric.ParseLimit(c.drop, c.relative)
		require.NoError(t, err)
		if c.want == "" {
			require.Empty(t, tooFine(limit, c.float))
		} else {
			require.Contains(t, tooFine(limit, c.float), c.want)
		}
	}
}
