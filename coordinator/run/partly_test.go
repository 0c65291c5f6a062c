package run

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/wire"
)

// outcomes is records of a classification whose samples are right where hits say so.
func outcomes(size int, hits ...bool) []byte {
	out := make([]byte, size*len(hits))
	for i, hit := range hits {
		if !hit {
			binary.LittleEndian.PutUint32(out[size*i+4:], 1) // the rank of the label
		}
	}
	return out
}

// TestThrough: a plan of a ranking counts as measured when each of its samples has a record, learned before or in a cell that ended; a result
// of the wrong size is no result.
func TestThrough(t *testing.T) {
	meter := metric.Meter{Adapter: metric.Classification, Metrics: []metric.Spec{{Name: "accuracy@top1", Type: "accuracy", TopK: 1}}, Labels: []int32{0, 0, 0, 0}}
	size := meter.RecordSize()
	view := viewOf(4)
	a := newAsker(nil, nil, plan.Problem{Block: 2}, meter, view)
	a.params = &plan.Params{Points: []plan.Point{{Value: "a"}, {Value: "b"}, {Value: "c"}}, Groups: [][]uint32{{0}, {1}, {2}}}
	var trials []search.Trial
	var requests []request
	var effective []plan.Digest
	for g := range 3 {
		p, err := plan.Plan{Params: plan.Digest{1}}.Revert(g, 3)
		require.NoError(t, err)
		trials = append(trials, search.Trial{Plan: p, View: view})
		e := plan.EffectiveDigest(a.params, p)
		effective = append(effective, e)
		for i := range 2 {
			c := plan.Cell{Plan: e, View: view.Digest(), Index: uint32(i)}
			requests = append(requests, request{cell: c, digest: c.Digest(), plan: p, block: a.block(view, uint32(i))})
		}
	}
	results := map[plan.Digest]wire.Result{}
	values := func() (hits []int64) {
		for _, v := range a.through(trials, requests, results) {
			if v == nil {
				hits = append(hits, -1)
				continue
			}
			require.Len(t, v, 1)
			hits = append(hits, v[0].Num)
		}
		return hits
	}
	require.Equal(t, []int64{-1, -1, -1}, values(), "nothing has ended")
	results[requests[0].digest] = wire.Result{Records: outcomes(size, true, false)}
	require.Equal(t, []int64{-1, -1, -1}, values(), "half of the first")
	results[requests[1].digest] = wire.Result{Records: outcomes(size, true, true)}
	results[requests[3].digest] = wire.Result{Records: outcomes(size, true)}
	require.Equal(t, []int64{3, -1, -1}, values(), "the second ended in a record too few")
	a.known[effective[2]] = &ledger{map[uint32][]byte{0: outcomes(size, false), 1: outcomes(size, true)}}
	results[requests[5].digest] = wire.Result{Records: outcomes(size, false, false)}
	require.Equal(t, []int64{3, -1, 1}, values(), "one half of the third was known before")
}

// TestPartOfARanking: plans of a ranking that are through count before the others are, and the rest is still to be paid once.
func TestPartOfARanking(t *testing.T) {
	limit, err := metric.ParseLimit("0.01", false)
	require.NoError(t, err)
	p := search.Problem{Params: plan.Digest{1}, Groups: 8, Limit: limit, Subset: 100, Iterations: search.Unlimited, View: viewOf(200), Metrics: []search.Metric{{Direction: metric.HigherBetter}}}
	all := plan.Plan{Params: p.Params}
	o := newOutlook(p)
	o.known["float"], o.known[key(all, true)], o.bases = []search.Value{metric.Count(190, 200)}, []search.Value{metric.Count(150, 200)}, []plan.Plan{all}
	r := search.Round{Name: PhaseRank}
	for g := range p.Groups {
		u, err := all.Revert(g, p.Groups)
		require.NoError(t, err)
		r.Need = append(r.Need, search.Trial{Plan: u, View: viewOf(100)})
	}
	o.asks(r)
	before := o.ends()
	values := make([][]search.Value, p.Groups)
	values[1], values[2], values[3] = []search.Value{metric.Count(52, 100)}, []search.Value{metric.Count(91, 100)}, []search.Value{metric.Count(52, 100)}
	o.places(r.Need, values)
	require.Equal(t, map[int]float64{1: 0, 2: 0.39, 3: 0}, o.score)
	require.True(t, o.from.Equal(all))
	require.Less(t, o.ends()[plays/2].sum(), before[plays/2].sum(), "one group that brings all back ends a search soon")
}

// TestDue: the outlook hears of a round eight times, whatever its cells.
func TestDue(t *testing.T) {
	for _, cells := range []int{1, 7, 8, 100, 1000} {
		w := &watcher{}
		heard := 0
		for ended := 1; ended <= cells; ended++ {
			if w.due(ended, cells) {
				heard++
			}
		}
		require.LessOrEqual(t, heard, parts+1)
		require.GreaterOrEqual(t, heard, min(cells, parts))
	}
}

// TestLookingAheadIsCheap: in the middle of a ranking the outlook is asked again after a hundred times what it took last.
func TestLookingAheadIsCheap(t *testing.T) {
	now := time.Unix(1000, 0)
	w := &watcher{gauge: &meterOfWork{now: func() time.Time { return now }}, played: now, took: 20 * time.Millisecond}
	now = now.Add(1900 * time.Millisecond)
	require.False(t, w.pays())
	now = now.Add(100 * time.Millisecond)
	require.True(t, w.pays())
}
