package run

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// sheet answers cells from a rule and keeps what it was asked.
type sheet struct {
	size  int
	right func(p plan.Plan, sample uint32) bool
	asked [][]request // by call
	maybe [][]request
	spoil func(out map[plan.Digest]wire.Result, first request)
}

func (s *sheet) do(_ context.Context, requests, maybe []request) (map[plan.Digest]wire.Result, error) {
	s.asked, s.maybe = append(s.asked, requests), append(s.maybe, maybe)
	out := map[plan.Digest]wire.Result{}
	for _, r := range requests {
		var hits []bool
		for _, i := range r.block {
			hits = append(hits, s.right(r.plan, i))
		}
		out[r.digest] = wire.Result{Cell: r.digest, Records: outcomes(s.size, hits...)}
	}
	if s.spoil != nil {
		s.spoil(out, requests[0])
	}
	return out, nil
}

// askerOn is an asker of two groups, with blocks of two samples on a view of six, and the sheet that answers it: a sample is right unless its number
// is a group that is INT8.
func askerOn() (*asker, *sheet) {
	meter := metric.Meter{Adapter: metric.Classification, Metrics: []metric.Spec{{Name: "accuracy@top1", Type: "accuracy", TopK: 1}}, Labels: make([]int32, 6)}
	s := &sheet{size: meter.RecordSize(), right: func(p plan.Plan, i uint32) bool { return p.Params.IsZero() || i > 1 || p.Has(int(i)) }}
	a := newAsker(s, store.NewMemory(), plan.Problem{Block: 2}, meter, viewOf(6))
	a.params = &plan.Params{Points: []plan.Point{{Value: "a"}, {Value: "b"}}, Groups: [][]uint32{{0}, {1}}}
	return a, s
}

// reverted is everything INT8 with groups in float.
func reverted(t *testing.T, a *asker, groups ...int) plan.Plan {
	t.Helper()
	p := plan.All(a.params)
	for _, g := range groups {
		var err error
		p, err = p.Revert(g, len(a.params.Groups))
		require.NoError(t, err)
	}
	return p
}

// TestUntil: trial by trial, up to the first prefix that is enough; what lies behind is offered to idle slots, before Maybe, and is no answer.
func TestUntil(t *testing.T) {
	a, s := askerOn()
	var need []search.Trial
	for _, groups := range [][]int{nil, {0}, {1}} {
		need = append(need, search.Trial{Plan: reverted(t, a, groups...), View: a.base})
	}
	later := search.Trial{Plan: reverted(t, a, 0, 1), View: a.base}
	var prefixes []int
	out, err := a.Ask(t.Context(), search.Round{Name: "bisect", Need: need, Maybe: []search.Trial{later}, Until: func(seen []search.Answer) bool {
		prefixes = append(prefixes, len(seen))
		return seen[len(seen)-1].Hi[0].Num == 5
	}})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, prefixes)
	require.Len(t, out, 2)
	require.Equal(t, []int64{4, 5}, []int64{out[0].Hi[0].Num, out[1].Hi[0].Num})
	require.Len(t, s.asked, 2)
	for i, plans := range [][]plan.Plan{{need[1].Plan, need[2].Plan, later.Plan}, {need[2].Plan, later.Plan}} {
		var ahead []plan.Plan
		for _, r := range s.maybe[i] {
			if len(ahead) == 0 || !r.plan.Equal(ahead[len(ahead)-1]) {
				ahead = append(ahead, r.plan)
			}
		}
		require.Equal(t, plans, ahead)
	}
}

// TestCellsAreAskedOnce: trials of one round share their cells, and what is known is asked no more, whatever view it was computed in; a question that
// is needed now is not offered ahead as well.
func TestCellsAreAskedOnce(t *testing.T) {
	a, s := askerOn()
	var inferences []int
	a.onRound = func(_ string, _, n int) { inferences = append(inferences, n) }
	all := search.Trial{Plan: reverted(t, a), View: a.base}
	out, err := a.Ask(t.Context(), search.Round{Need: []search.Trial{all, all}, Maybe: []search.Trial{all}})
	require.NoError(t, err)
	require.Equal(t, out[0].Hi, out[1].Hi)
	require.Len(t, s.asked[0], 3)
	require.Empty(t, s.maybe[0])
	subset := search.Trial{Plan: all.Plan, View: plan.View{Samples: []uint32{5, 1, 0}}}
	out, err = a.Ask(t.Context(), search.Round{Need: []search.Trial{subset}})
	require.NoError(t, err)
	require.Empty(t, s.asked[1])
	require.Equal(t, []int64{1, 3}, []int64{out[0].Hi[0].Num, out[0].Hi[0].Den})
	require.Equal(t, []float64{1, 0, 0}, []float64{out[0].Records.Sample(0, 0), out[0].Records.Sample(0, 1), out[0].Records.Sample(0, 2)}, "in the view's order")
	require.Equal(t, []int{6, 0}, inferences)
}

// TestKnownFromTheBaseView: a plan that was measured on all samples answers a subset from the stream, whose cells are others; one that was not
// is asked on the subset only.
func TestKnownFromTheBaseView(t *testing.T) {
	a, s := askerOn()
	looked := 0
	measured := reverted(t, a, 0)
	a.lookup = func(ctx context.Context, rs []request) (map[plan.Digest]wire.Result, error) {
		looked++
		if !rs[0].plan.Equal(measured) {
			return nil, nil
		}
		return (&sheet{size: s.size, right: s.right}).do(ctx, rs, nil)
	}
	for _, c := range []struct {
		p                   plan.Plan
		cells, looked, hits int
	}{{measured, 0, 1, 2}, {reverted(t, a, 1), 2, 2, 2}} {
		out, err := a.Ask(t.Context(), search.Round{Need: []search.Trial{{Plan: c.p, View: plan.View{Samples: []uint32{0, 1, 4}}}}})
		require.NoError(t, err)
		require.Equal(t, int64(c.hits), out[0].Hi[0].Num)
		require.Len(t, s.asked[len(s.asked)-1], c.cells)
		require.Equal(t, c.looked, looked)
	}
	_, err := a.Ask(t.Context(), search.Round{Need: []search.Trial{{Plan: reverted(t, a, 0, 1), View: a.base}}})
	require.NoError(t, err)
	require.Equal(t, 2, looked, "cells of the base view are looked for by whoever computes them")
}

// TestAheadIsBounded: however much may come, no more is named than any cluster can compute meanwhile.
func TestAheadIsBounded(t *testing.T) {
	a, s := askerOn()
	a.params = toyParams(600)
	var maybe []search.Trial
	for g := range 600 {
		maybe = append(maybe, search.Trial{Plan: reverted(t, a, g), View: a.base})
	}
	_, err := a.Ask(t.Context(), search.Round{Need: []search.Trial{{View: a.base}}, Maybe: maybe})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(s.maybe[0]), enough)
	require.Less(t, len(s.maybe[0]), enough+3)
}

// TestBadResults: a result that is missing or of the wrong size ends the round and enters no ledger; so does a question that is no search's.
func TestBadResults(t *testing.T) {
	for want, spoil := range map[string]func(out map[plan.Digest]wire.Result, first request){
		"has no result": func(out map[plan.Digest]wire.Result, first request) { delete(out, first.digest) },
		"3 bytes of records for 2 samples": func(out map[plan.Digest]wire.Result, first request) {
			out[first.digest] = wire.Result{Records: make([]byte, 3)}
		},
		"0 bytes of records for 2 samples": func(out map[plan.Digest]wire.Result, first request) { out[first.digest] = wire.Result{} },
	} {
		a, s := askerOn()
		s.spoil = spoil
		_, err := a.Ask(t.Context(), search.Round{Name: "start", Need: []search.Trial{{View: a.base}}})
		require.ErrorContains(t, err, "start: cell ")
		require.ErrorContains(t, err, want)
		require.Empty(t, a.known)
	}
	a, s := askerOn()
	_, err := a.Ask(t.Context(), search.Round{Name: "start", Need: []search.Trial{{View: a.base}, {View: a.base, What: plan.Outputs}}})
	require.ErrorContains(t, err, "start: trial 1 asks for")
	require.Empty(t, s.asked)
	broken := errors.New("broken")
	a.cells = refusing{broken}
	_, err = a.Ask(t.Context(), search.Round{Name: "start", Need: []search.Trial{{View: a.base}}})
	require.ErrorIs(t, err, broken)
}

// refusing computes nothing.
type refusing struct{ err error }

func (r refusing) do(context.Context, []request, []request) (map[plan.Digest]wire.Result, error) {
	return nil, r.err
}
