package run

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"assay/coordinator/search"
	"assay/shared/plan"
	"assay/shared/wire"
)

// counted is what a job's dispatcher told of its cells.
type counted struct {
	computed, known, samples int64
	unused                   int64
	trials                   int
}

// blind passes rounds on without what may come later, unless it sees.
type blind struct {
	search.Asker
	sees   bool
	trials int
	now    atomic.Pointer[search.Round]
}

// asks reports whether a plan is one of those that the search waits for.
func (b *blind) asks(p plan.Plan) bool {
	return slices.ContainsFunc(b.now.Load().Need, func(t search.Trial) bool {
		return t.Plan.Params == p.Params && slices.Equal(t.Plan.Float, p.Float)
	})
}

func (b *blind) Ask(ctx context.Context, r search.Round) ([]search.Answer, error) {
	if !b.sees {
		r.Maybe = nil
	}
	b.trials += len(r.Need)
	b.now.Store(&r)
	return b.Asker.Ask(ctx, r)
}

// foreseen runs a search over the field's broker, with or without speculation, and then looks for what it left.
func (f *field) foreseen(t *testing.T, y *toy, sees bool) (search.Outcome, counted) {
	t.Helper()
	b := &blind{sees: sees}
	var ahead atomic.Int64
	y.hang = func(_ context.Context, p plan.Plan) {
		if !b.asks(p) {
			ahead.Add(1)
		}
	}
	d, stop, err := listen(t.Context(), f.b, "job", "test", int64(y.delay.Seconds()/toyBlock*1e10)) // its pace is known
	require.NoError(t, err)
	var c counted
	var busy atomic.Int32
	d.onCell = func(e ended) {
		require.Equal(t, int32(1), busy.Add(1), "one call at a time")
		if e.known {
			c.known++
		} else {
			c.computed++
		}
		c.samples += int64(e.runs)
		busy.Add(-1)
	}
	a := newAsker(d, f.b.Objects, f.whole, f.meter, f.problem.View)
	a.params = f.params
	if !d.fresh {
		a.lookup = d.lookup
	}
	b.Asker = a
	begin := time.Now()
	out, err := search.POT(t.Context(), f.problem, b)
	require.NoError(t, err)
	t.Logf("speculation %v: %d cells begun ahead, %v", sees, ahead.Load(), time.Since(begin).Round(time.Millisecond))
	d.abandon(t.Context())
	require.Empty(t, d.live)
	require.Empty(t, d.guesses)
	require.Eventually(t, func() bool {
		info, err := f.b.Tasks.Info(context.Background())
		return err == nil && info.State.Msgs == 0
	}, generous, time.Millisecond, "tasks are left in the stream before the job ends")
	c.unused, c.trials = d.unused(), b.trials
	stop()
	return out, c
}

// modelled is how long a toy's cell takes: ASSAY_DELAY, such as 400ms, to measure what speculation brings.
func modelled(t *testing.T) time.Duration {
	s := os.Getenv("ASSAY_DELAY")
	if s == "" {
		return 2 * time.Millisecond
	}
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

// TestSpeculation: on clusters of several sizes a search decides the same with and without cells ahead, tells the same
// counts of cells and samples, and leaves no task behind. A cluster with idle slots computes cells ahead and takes
// them from the stream when they are asked.
func TestSpeculation(t *testing.T) {
	var want string
	for _, slots := range []int{1, 16} {
		t.Run(fmt.Sprint(slots), func(t *testing.T) {
			var counts [2]counted
			var computed [2]int64
			for i, sees := range []bool{false, true} {
				groups, samples := 5, 44
				delay := modelled(t)
				if delay > 10*time.Millisecond {
					groups, samples = 10, 90
				}
				f := newField(t, t.TempDir(), groups, samples, "0")
				y := f.toy(1)
				y.delay = delay
				fire := staff(t, f.b, slots, func(int) *toy { return y })
				out, c := f.foreseen(t, y, sees)
				fire()
				f.b.Close()
				require.GreaterOrEqual(t, len(out.Steps), 3)
				if want == "" {
					want = text(t, out)
				}
				require.Equal(t, want, text(t, out))
				counts[i], computed[i] = c, y.computed.Load()
			}
			require.Zero(t, counts[0].unused)
			require.Equal(t, computed[0], counts[0].computed)
			require.LessOrEqual(t, counts[1].computed+counts[1].unused, computed[1], "a cell that was cancelled may have been finished")
			t.Logf("%d slots: %d cells asked, %d unused", slots, counts[1].computed, counts[1].unused)
			counts[1].unused = 0
			require.Equal(t, counts[0], counts[1], "what is told does not depend on it")
			if slots == 1 {
				require.Equal(t, computed[0], computed[1], "a slot that is never idle computes nothing ahead")
			}
		})
	}
}

// TestSpeculationComesFromTheStore: what idle slots computed in one round answers the next one without an evaluator.
func TestSpeculationComesFromTheStore(t *testing.T) {
	f := newField(t, t.TempDir(), 3, 2*toyBlock, "0")
	defer f.b.Close()
	y := f.toy(1)
	ended := make(chan struct{}) // closed when the needed cells of the first round may end
	y.fail = func(p plan.Plan) error {
		if p.Count() == 1 {
			<-ended
		}
		return nil
	}
	fire := staff(t, f.b, 6, func(int) *toy { return y })
	d, stop, err := listen(t.Context(), f.b, "job", "test", 1000)
	require.NoError(t, err)
	defer stop()
	a := newAsker(d, f.b.Objects, f.whole, f.meter, f.problem.View)
	a.params = f.params
	trial := func(groups ...int) search.Trial {
		p := plan.Plan{Params: f.params.Digest()}
		for _, g := range groups {
			p, err = p.Revert(g, 3)
			require.NoError(t, err)
		}
		return search.Trial{Plan: p, View: f.problem.View, What: plan.Records}
	}
	now, next := trial(0), trial(0, 1)
	go func() {
		defer close(ended)
		for end := time.Now().Add(generous); time.Now().Before(end) && d.unused() < 2; {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	_, err = a.Ask(t.Context(), search.Round{Name: "revert", Need: []search.Trial{now}, Maybe: []search.Trial{next}})
	require.NoError(t, err)
	require.Equal(t, int64(2), d.unused())
	require.Nil(t, a.known[plan.EffectiveDigest(f.params, next.Plan)], "the search has not asked")
	fire()
	before := y.computed.Load()
	answers, err := a.Ask(t.Context(), search.Round{Name: "revert", Need: []search.Trial{next}})
	require.NoError(t, err)
	require.Equal(t, 2*toyBlock, answers[0].Seen)
	require.Equal(t, before, y.computed.Load())
	require.Zero(t, d.unused())
}

// TestWrongGuessesAreCancelled: cells ahead that never end hold up neither the next round nor the end of the job.
func TestWrongGuessesAreCancelled(t *testing.T) {
	f := newField(t, t.TempDir(), 3, 2*toyBlock, "0")
	defer f.b.Close()
	y := f.toy(1)
	begun := make(chan struct{}, 100)
	y.hang = func(ctx context.Context, p plan.Plan) {
		if p.Count() == 2 {
			begun <- struct{}{}
			<-ctx.Done()
		} else if p.Has(0) {
			<-begun // the needed cells end when a guess is in work
		}
	}
	defer staff(t, f.b, 4, func(int) *toy { return y })()
	d, stop, err := listen(t.Context(), f.b, "job", "test", 1000)
	require.NoError(t, err)
	defer stop()
	a := newAsker(d, f.b.Objects, f.whole, f.meter, f.problem.View)
	a.params = f.params
	one, err := plan.Plan{Params: f.params.Digest()}.Revert(0, 3)
	require.NoError(t, err)
	two, err := one.Revert(1, 3)
	require.NoError(t, err)
	other, err := plan.Plan{Params: f.params.Digest()}.Revert(2, 3)
	require.NoError(t, err)
	ask := func(p plan.Plan) search.Trial {
		return search.Trial{Plan: p, View: f.problem.View, What: plan.Records}
	}
	_, err = a.Ask(t.Context(), search.Round{Name: "revert", Need: []search.Trial{ask(one)}, Maybe: []search.Trial{ask(two)}})
	require.NoError(t, err)
	require.NotEmpty(t, d.live, "a guess is still in work")
	_, err = a.Ask(t.Context(), search.Round{Name: "revert", Need: []search.Trial{ask(other)}})
	require.NoError(t, err)
	require.Empty(t, d.live)
	require.Eventually(t, func() bool {
		info, err := f.b.Tasks.Info(context.Background())
		return err == nil && info.State.Msgs == 0
	}, generous, time.Millisecond)
	require.Zero(t, d.unused())
}

// ahead makes a dispatcher whose slots (node a and b have one each) work on n needed cells, and which foresees more.
func ahead(t *testing.T, n int) (d *dispatcher, p *parcel, guess request) {
	t.Helper()
	d, p = silent(n, false, 0)
	c := plan.Cell{Index: 77}
	guess = request{cell: c, digest: c.Digest(), block: []uint32{1, 2}}
	d.foresee([]request{guess})
	return d, p, guess
}

// TestGuessesWait: a cell goes ahead only while a slot is idle and nothing needed is left to publish.
func TestGuessesWait(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(d *dispatcher, p *parcel)
		slots  int
		want   bool
	}{
		{"an idle slot", func(*dispatcher, *parcel) {}, 2, true},
		{"every slot has a task", func(*dispatcher, *parcel) {}, 1, false},
		{"no slot lives", func(*dispatcher, *parcel) {}, 0, false},
		{"a needed cell waits", func(d *dispatcher, p *parcel) { d.waiting = []*parcel{p} }, 8, false},
		{"a suspect waits", func(d *dispatcher, p *parcel) { d.suspects = []*parcel{p} }, 8, false},
		{"a suspect is in work", func(_ *dispatcher, p *parcel) { p.alone = true }, 8, false},
		{"the job has failed", func(d *dispatcher, _ *parcel) { d.fatal = ErrPoison }, 8, false},
		{"the round is over", func(d *dispatcher, p *parcel) { d.close(p.cells[0]) }, 8, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p, guess := ahead(t, 1)
			c.change(d, p)
			r, ok := d.guess(c.slots)
			require.Equal(t, c.want, ok)
			if ok {
				require.Equal(t, guess.digest, r.digest)
				_, ok = d.guess(c.slots)
				require.False(t, ok, "it is taken once")
			}
		})
	}
}

// TestWrongGuessesLeaveTheStream: a guess that no evaluator has taken yet is taken out of the task stream.
func TestWrongGuessesLeaveTheStream(t *testing.T) {
	f := newField(t, t.TempDir(), 3, 2*toyBlock, "0")
	defer f.b.Close()
	d, stop, err := listen(t.Context(), f.b, "job", "test", 1000)
	require.NoError(t, err)
	defer stop()
	c := plan.Cell{Index: 77}
	tasks := func() uint64 {
		info, err := f.b.Tasks.Info(t.Context())
		require.NoError(t, err)
		return info.State.Msgs
	}
	require.NoError(t, d.send(t.Context(), d.stake(request{cell: c, digest: c.Digest(), block: []uint32{1, 2}})))
	require.Equal(t, uint64(1), tasks())
	d.abandon(t.Context())
	require.Zero(t, tasks())
	require.Empty(t, d.live)
}

// TestCancelledGuessFinished: an evaluator finishes a cell that was cancelled, before or after the search asks it. Its result
// is published once: a round that asks the cell takes it from there, at once, and counts it like any other.
func TestCancelledGuessFinished(t *testing.T) {
	for _, before := range []bool{true, false} {
		t.Run(fmt.Sprintf("heard before it is asked %v", before), func(t *testing.T) {
			f := newField(t, t.TempDir(), 3, 2*toyBlock, "0")
			defer f.b.Close()
			d, stop, err := listen(t.Context(), f.b, "job", "test", 1000)
			require.NoError(t, err)
			defer stop()
			var told counted
			d.onCell = func(e ended) {
				require.False(t, e.known)
				told.computed, told.samples = told.computed+1, told.samples+int64(e.runs)
			}
			r := request{cell: plan.Cell{Index: 77}, block: []uint32{1, 2}}
			r.digest = r.cell.Digest()
			finish := func() {
				_, err := f.b.PublishResult(t.Context(), wire.Result{V: wire.ResultVersion, Cell: r.digest, Records: []byte("x")}, nats.Header{wire.HeaderRuns: {"2"}, wire.HeaderTook: {"3ms"}})
				require.NoError(t, err)
			}
			require.NoError(t, d.send(t.Context(), d.stake(r)))
			d.abandon(t.Context())
			if before {
				finish()
				require.Eventually(t, func() bool { return d.unused() == 1 }, generous, time.Millisecond, "it is heard")
			} else {
				d.onWait = func(bool) { finish() } // do watches: the cell is asked
			}
			ctx, cancel := context.WithTimeout(t.Context(), generous)
			defer cancel()
			out, err := d.do(ctx, []request{r}, nil)
			require.NoError(t, err)
			require.Equal(t, []byte("x"), out[r.digest].Records)
			require.Equal(t, counted{computed: 1, samples: 2}, told)
			require.Zero(t, d.unused())
			require.Equal(t, map[plan.Digest]*spare{}, d.spares)
		})
	}
}

// TestGuessedAnew: a cell that was cancelled may go ahead again, and the result of the first time ends the second.
func TestGuessedAnew(t *testing.T) {
	d, needed, guess := ahead(t, 2)
	r, _ := d.guess(2)
	d.stake(r)
	d.redeem(nil)
	d.foresee([]request{guess})
	r, ok := d.guess(2)
	require.True(t, ok)
	p := d.stake(r)
	require.Contains(t, d.live, p.task.Number)
	d.take(wire.Result{Cell: guess.digest}, nats.Header{wire.HeaderRuns: {"2"}})
	require.Equal(t, map[uint64]*parcel{needed.task.Number: needed}, d.live)
	early, open, unwanted := d.redeem([]request{guess})
	require.Len(t, early, 1)
	require.Equal(t, 2, early[0].runs)
	require.Empty(t, open)
	require.Empty(t, unwanted)
}

// TestTroubleAheadIsNone: a cell ahead that fails, in whatever way, is forgotten; the job goes on, and the cell can be asked.
func TestTroubleAheadIsNone(t *testing.T) {
	fail := func(class wire.Class) func(*testing.T, *dispatcher, *parcel) {
		return func(t *testing.T, d *dispatcher, p *parcel) {
			b, err := wire.Encode(wire.Failure{V: wire.Version, Class: class, Job: "job", Number: p.task.Number, Cell: p.cells[0], Node: "n", Text: "why"})
			require.NoError(t, err)
			d.failure(&nats.Msg{Data: b})
		}
	}
	for name, trouble := range map[string]func(*testing.T, *dispatcher, *parcel){
		"broken": fail(wire.Broken), "bad input": fail(wire.BadInput), "transient": fail(wire.Transient), "leaving": fail(wire.Leaving), "stuck": fail(wire.Stuck),
		"three deaths": func(_ *testing.T, d *dispatcher, p *parcel) {
			p.holders = []holder{{"c", 1}, {"c", 2}, {"c", 3}}
			d.judge(p)
		},
		"lost": func(_ *testing.T, d *dispatcher, p *parcel) { d.requeue(p) },
	} {
		t.Run(name, func(t *testing.T) {
			d, needed, guess := ahead(t, 2)
			r, ok := d.guess(2)
			require.True(t, ok)
			p := d.stake(r)
			require.Len(t, d.live, 2)
			trouble(t, d, p)
			require.NoError(t, d.fatal)
			require.Empty(t, d.trouble)
			require.Empty(t, d.waiting)
			require.Empty(t, d.suspects)
			require.Equal(t, map[uint64]*parcel{needed.task.Number: needed}, d.live)
			require.Equal(t, cancelled, d.spares[guess.digest].state, "a result that comes in spite of it is heard")
			_, open, unwanted := d.redeem([]request{guess})
			require.Len(t, open, 1)
			require.Empty(t, unwanted)
		})
	}
}

// TestAdoption: a cell ahead that is asked while it is in work becomes the round's own: nothing is published anew, and from
// then on its failures count.
func TestAdoption(t *testing.T) {
	d, _, guess := ahead(t, 1)
	r, _ := d.guess(2)
	p := d.stake(r)
	other := plan.Cell{Index: 78}
	bad := request{cell: other, digest: other.Digest(), block: []uint32{3}}
	wrong := d.stake(bad)
	d.asked[guess.digest] = &asked{request: guess}
	early, open, unwanted := d.redeem([]request{guess})
	require.Empty(t, early)
	require.Empty(t, open)
	require.Equal(t, []*parcel{wrong}, unwanted)
	require.Equal(t, map[plan.Digest]*spare{other.Digest(): {request: bad, state: cancelled}}, d.spares)
	require.NotContains(t, d.live, wrong.task.Number)
	require.Same(t, p, d.asked[guess.digest].parcel)
	b, err := wire.Encode(wire.Failure{V: wire.Version, Class: wire.Broken, Job: "job", Number: p.task.Number, Cell: p.cells[0], Node: "n", Text: "why"})
	require.NoError(t, err)
	d.failure(&nats.Msg{Data: b})
	require.ErrorContains(t, d.fatal, "why")
}
