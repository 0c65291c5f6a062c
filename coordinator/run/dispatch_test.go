package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// queued gives d n parcels of one cell each that wait.
func queued(d *dispatcher, n int) (out []*parcel) {
	for i := range n {
		r := request{cell: plan.Cell{What: plan.Taps, Index: uint32(i)}, digest: plan.Digest{1, byte(i)}, block: []uint32{uint32(i)}}
		p := newParcel("job", []request{r})
		d.asked[r.digest] = &asked{request: r, parcel: p}
		out = append(out, p)
	}
	d.waiting = append(d.waiting, out...)
	return out
}

// TestTwoTasksASlot: so many are published, in order, with numbers of their own and the history of that publication only; a parcel that was answered
// while it waited is passed over, and after the end of the job nothing goes any more.
func TestTwoTasksASlot(t *testing.T) {
	d, live := silent(1, false, 0)
	ps := queued(d, 6)
	ps[0].holders, ps[0].seq, ps[0].deaths = []holder{{"c", 1}}, 9, 2
	d.close(ps[1].cells[0])
	for _, want := range []*parcel{ps[0], ps[2], ps[3]} {
		p := d.next(2)
		require.Same(t, want, p)
		require.Equal(t, d.number, p.task.Number)
		require.Same(t, p, d.live[p.task.Number])
	}
	require.Equal(t, uint64(10), d.number)
	require.Empty(t, ps[0].holders)
	require.Zero(t, ps[0].seq)
	require.Equal(t, 2, ps[0].deaths)
	require.Nil(t, d.next(2), "four of two slots, the first one included")
	require.Nil(t, d.next(0), "nobody lives")
	d.close(live.cells[0])
	require.Same(t, ps[4], d.next(2), "one was answered")
	require.Nil(t, d.next(2))
	require.Same(t, ps[5], d.next(3))
	queued(d, 1)
	d.end(ErrPoison, false)
	require.Nil(t, d.next(9))
}

// TestResultCountsOnce: a result that comes again, or of a cell that nobody asked for, changes nothing; a task is over when all of its cells are known
// and not before.
func TestResultCountsOnce(t *testing.T) {
	d, p := silent(3, false, 0)
	var heard []ended
	d.onCell = func(e ended) { heard = append(heard, e) }
	header := nats.Header{}
	for k, v := range map[string]string{wire.HeaderNode: "a", wire.HeaderTook: "80ms", wire.HeaderRuns: "2"} {
		header.Set(k, v)
	}
	for i, c := range []plan.Digest{p.cells[1], p.cells[1], {99}, p.cells[0]} {
		d.take(wire.Result{Cell: c, Records: []byte{byte(i)}}, header)
		require.Len(t, d.live, 1)
	}
	require.Equal(t, uint64(2), d.news)
	require.Equal(t, []byte{0}, d.got[p.cells[1]].Records, "the first one stands")
	require.Len(t, heard, 2)
	require.Equal(t, []any{"a", 2, 80 * time.Millisecond, false}, []any{heard[0].node, heard[0].runs, heard[0].took, heard[0].known})
	require.Equal(t, uint64(2), d.nodes.all()[0].Cells)
	pace := 0.04/8 + 0.04/8*7/8 // from nothing, by an eighth of what is missing each time: 40 ms a sample
	require.InDelta(t, pace, d.pace[plan.What(0)], 1e-9)
	d.take(wire.Result{Cell: p.cells[2]}, nats.Header{})
	require.Empty(t, d.live)
	require.Len(t, heard, 2, "who does not say how many samples ran is not counted")
	out := map[plan.Digest]wire.Result{}
	done, err := d.collect(out)
	require.NoError(t, err)
	require.True(t, done)
	require.Len(t, out, 3)
}

// TestFoundCountsOnce: a result that came by itself while it was looked up is not counted again; one that this job computed ahead counts as
// computed, any other as known.
func TestFoundCountsOnce(t *testing.T) {
	d, p := silent(4, false, 0)
	var heard []ended
	d.onCell = func(e ended) { heard = append(heard, e) }
	rs, known, out := d.left(p), map[plan.Digest]wire.Result{}, map[plan.Digest]wire.Result{}
	for i, r := range rs[:3] {
		known[r.digest] = wire.Result{Cell: r.digest, Records: []byte{byte(i)}}
	}
	d.take(known[rs[0].digest], nats.Header{})
	look := map[plan.Digest]*spare{
		rs[1].digest: {request: rs[1], state: computed, node: "a", runs: 7, took: time.Second},
		rs[2].digest: {request: rs[2], state: foreknown},
	}
	d.found(rs, known, look, out)
	require.Equal(t, []ended{{request: rs[1], node: "a", runs: 7, took: time.Second}, {request: rs[2], known: true, runs: 2}}, heard)
	require.Len(t, out, 2)
	done, err := d.collect(out)
	require.NoError(t, err)
	require.False(t, done, "one is absent")
	require.Len(t, out, 3)
	require.Equal(t, rs[3:], d.left(p))
}

// TestRefusedTaskWaits: a task that the broker does not take is no longer live and waits again, with its history; a guess is forgotten.
func TestRefusedTaskWaits(t *testing.T) {
	b, err := broker.Embed(t.TempDir())
	require.NoError(t, err)
	b.Close()
	d, live := silent(1, false, 0)
	d.b, d.numerics = b, "test"
	d.close(live.cells[0])
	first := queued(d, 2)[0]
	first.deaths = 2
	p := d.next(1)
	require.ErrorIs(t, d.send(t.Context(), p), store.ErrUnavailable)
	require.Empty(t, d.live)
	require.Len(t, d.waiting, 2)
	require.Equal(t, first.cells, d.waiting[0].cells, "it goes first")
	require.Equal(t, 2, d.waiting[0].deaths)
	p = d.next(1)
	d.close(p.cells[0])
	require.Error(t, d.send(t.Context(), p))
	require.Len(t, d.waiting, 1, "it was answered meanwhile")
	guess := request{cell: plan.Cell{Index: 99}, digest: plan.Digest{99}, block: []uint32{1}}
	require.Error(t, d.send(t.Context(), d.stake(guess)))
	require.Empty(t, d.live)
	require.Equal(t, cancelled, d.spares[guess.digest].state)
}

// TestInterruptionHasItsCause: a round that is interrupted says why, and leaves nothing that is waited for.
func TestInterruptionHasItsCause(t *testing.T) {
	b, err := broker.Embed(t.TempDir())
	require.NoError(t, err)
	defer b.Close()
	d, stop, err := listen(t.Context(), b, "job", "test", 1)
	require.NoError(t, err)
	defer stop()
	why := errors.New("the disk is full")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	c := plan.Cell{Index: 1}
	_, err = d.do(ctx, []request{{cell: c, digest: c.Digest(), block: []uint32{1}}}, nil)
	require.ErrorIs(t, err, why)
	require.Empty(t, d.asked)
	require.Empty(t, d.waiting)
}

// TestReplayComputesNothing: a cell that the stream does not hold ends a replay, whatever else is known.
func TestReplayComputesNothing(t *testing.T) {
	b, err := broker.Embed(t.TempDir())
	require.NoError(t, err)
	defer b.Close()
	c := plan.Cell{Index: 1}
	_, err = stored{b}.do(t.Context(), []request{{cell: c, digest: c.Digest(), block: []uint32{1}}}, nil)
	require.ErrorIs(t, err, errUnknown)
	out, err := stored{b}.do(t.Context(), nil, []request{{cell: c, digest: c.Digest()}})
	require.NoError(t, err)
	require.Empty(t, out)
}

// TestUnused: only what this job computed ahead, and nobody asked for, was in vain.
func TestUnused(t *testing.T) {
	d, p := silent(1, false, 0)
	for i, s := range []spareState{guessed, cancelled, computed, computed, foreknown} {
		d.spares[plan.Digest{byte(i + 1)}] = &spare{state: s, parcel: p}
	}
	require.Equal(t, int64(2), d.unused())
}

// TestFirstReason: a job ends for the first reason that is found.
func TestFirstReason(t *testing.T) {
	d, _ := silent(1, false, 0)
	d.end(ErrPoison, false)
	d.end(errUnknown, true)
	_, err := d.collect(map[plan.Digest]wire.Result{})
	require.ErrorIs(t, err, ErrPoison)
	var input *InputError
	require.NotErrorAs(t, err, &input)
}

// TestParcelSize: as many cells as fit the wanted time exactly, no more than a task may hold, and one at least however long it takes; blocks join
// while they have the same plans.
func TestParcelSize(t *testing.T) {
	ask := func(plans, blocks int) (rs []request) {
		for b := range blocks {
			for g := range plans {
				c := plan.Cell{Plan: plan.Digest{byte(g), byte(g >> 8)}, Index: uint32(b)}
				p, err := plan.Plan{Params: plan.Digest{1}}.Revert(g, plans)
				require.NoError(t, err)
				rs = append(rs, request{cell: c, digest: c.Digest(), plan: p, block: []uint32{uint32(b)}})
			}
		}
		return rs
	}
	for _, c := range []struct {
		name                 string
		plans, blocks, slots int
		seconds              float64
		sizes                []int
	}{
		{"a quarter of the work a slot", 8, 1, 1, 0.125, []int{2, 2, 2, 2}},
		{"two slots", 8, 1, 2, 0.125, []int{1, 1, 1, 1, 1, 1, 1, 1}},
		{"two seconds at most", 1, 32, 1, 0.5, []int{4, 4, 4, 4, 4, 4, 4, 4}},
		{"50 ms at least", 1, 8, 4, 0.03125, []int{1, 1, 1, 1, 1, 1, 1, 1}},
		{"quick ones together", 1, 8, 4, 0.0125, []int{4, 4}},
		{"longer than any task", 2, 1, 1, 100, []int{1, 1}},
		{"no more than a task holds", 100, 1, 1, 0, []int{wire.MaxCells, 100 - wire.MaxCells}},
		{"nor by blocks", 1, 100, 1, 0, []int{wire.MaxCells, 100 - wire.MaxCells}},
		{"whole blocks only", 40, 2, 1, 0, []int{40, 40}},
		{"nothing", 0, 0, 1, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sizes []int
			for _, p := range pack("job", ask(c.plans, c.blocks), c.slots, func(request) float64 { return c.seconds }) {
				sizes = append(sizes, len(p.cells))
				require.Equal(t, len(p.cells), p.waiting)
				require.Len(t, p.cells, len(p.task.Plans)*len(p.task.Blocks))
			}
			require.Equal(t, c.sizes, sizes)
		})
	}
}
