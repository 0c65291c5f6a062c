package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// TestMain looks for goroutines that outlive their test. One kind is not ours: nats.go's object store starts a goroutine for
// every Put and may clean up, at its end, before that goroutine has looked at what it shall wait for.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}

// script computes cells as a test tells it to; block names the behaviour.
type script struct {
	mu      sync.Mutex
	count   map[uint32]int
	compute map[uint32]func(ctx context.Context, progress func()) error
}

func (s *script) Numerics() string { return "test" }

func (s *script) Cell(_ context.Context, t wire.Task, p plan.Plan, block uint32) (plan.Cell, error) {
	switch block {
	case noCell:
		return plan.Cell{}, errors.New("params do not fit")
	case panicCell:
		panic("nil map")
	}
	return plan.Cell{Problem: t.Problem, Plan: p.Params, View: t.View, Index: block, What: t.What}, nil
}

func (s *script) Compute(ctx context.Context, _ wire.Task, _ plan.Plan, block uint32, progress func()) (Value, error) {
	s.mu.Lock()
	s.count[block]++
	f := s.compute[block]
	s.mu.Unlock()
	if f != nil {
		if err := f(ctx, progress); err != nil {
			return Value{}, err
		}
	}
	progress()
	return Value{Result: wire.Result{V: wire.ResultVersion, Records: []byte{byte(block)}}, Samples: 1}, nil
}

func (s *script) times(block uint32) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[block]
}

// inputError is an error of the user's.
type inputError struct{ error }

func (inputError) Input() bool { return true }

// Blocks with a behaviour.
const (
	fine = iota
	alsoFine
	broken
	badInput
	timeOut
	unreachable
	panics
	waits // for the end of its context
	hangs // until it is released, whatever its context
	noCell
	panicCell // naming it panics
	huge
)

// bench is one broker, one worker, and what is heard of it.
type bench struct {
	t        *testing.T
	b        *broker.Broker
	w        *worker
	s        *script
	failures *nats.Subscription
	claims   *nats.Subscription
	beats    *nats.Subscription
	begun    chan struct{} // a value for each computation that waits
	release  chan struct{} // closed to end those that hang
	fire     func()
}

// generous ends waits that a loaded machine may stretch. A test that passes never waits for it.
const generous = time.Minute

func newBench(t *testing.T, change func(w *worker)) *bench {
	t.Helper()
	b, err := broker.Embed(t.TempDir())
	require.NoError(t, err)
	x := &bench{t: t, b: b, begun: make(chan struct{}, 16), release: make(chan struct{})}
	b.AckWait = generous // a node that is starved for a moment has not fallen silent
	x.s = &script{count: map[uint32]int{}, compute: map[uint32]func(context.Context, func()) error{
		broken:      func(context.Context, func()) error { return errors.New("shapes differ") },
		badInput:    func(context.Context, func()) error { return inputError{errors.New("memory limit")} },
		timeOut:     func(context.Context, func()) error { return fmt.Errorf("view: %w", context.DeadlineExceeded) },
		unreachable: func(context.Context, func()) error { return fmt.Errorf("view: %w", store.ErrUnavailable) },
		panics:      func(context.Context, func()) error { panic("index out of range") },
		waits: func(ctx context.Context, _ func()) error {
			x.begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		},
		hangs: func(context.Context, func()) error { <-x.release; return nil },
		huge:  func(context.Context, func()) error { return errors.New(string(make([]byte, 3*wire.MaxText))) },
	}}
	for subject, sub := range map[string]**nats.Subscription{
		wire.FailureSubject("*"): &x.failures, wire.ClaimSubject("*"): &x.claims, wire.HeartbeatSubject: &x.beats,
	} {
		*sub, err = b.Conn.SubscribeSync(subject)
		require.NoError(t, err)
	}
	x.w = newWorker(b, x.s, Config{Node: "node", Slots: 1, Tier: "plain", Build: "test", Log: zap.NewNop()})
	if change != nil {
		change(x.w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() {
		if err := x.w.run(ctx); err != nil {
			t.Error(err)
		}
	})
	var once sync.Once
	x.fire = func() { once.Do(func() { cancel(); working.Wait() }) }
	t.Cleanup(func() { x.fire(); b.Close() })
	return x
}

// give publishes a task of one plan.
func (x *bench) give(t wire.Task, blocks ...uint32) {
	x.t.Helper()
	t.V, t.Plans, t.Blocks = wire.Version, []plan.Plan{{}}, blocks
	if t.Job == "" {
		t.Job = "job"
	}
	b, err := wire.Encode(t)
	require.NoError(x.t, err)
	_, err = x.b.JS.Publish(x.t.Context(), wire.TaskSubject("test", t.Job), b)
	require.NoError(x.t, err)
}

// gone waits until no task is in the stream.
func (x *bench) gone() {
	x.t.Helper()
	require.Eventually(x.t, func() bool {
		info, err := x.b.Tasks.Info(context.Background())
		return err == nil && info.State.Msgs == 0
	}, generous, 5*time.Millisecond)
}

func (x *bench) stored(block uint32) bool {
	x.t.Helper()
	_, _, ok, err := x.b.StoredResult(x.t.Context(), plan.Cell{Index: block}.Digest())
	require.NoError(x.t, err)
	return ok
}

func (x *bench) failure() wire.Failure {
	x.t.Helper()
	m, err := x.failures.NextMsg(generous)
	require.NoError(x.t, err)
	f, err := wire.DecodeFailure(m.Data)
	require.NoError(x.t, err)
	return f
}

// TestEnds: how each kind of delivery ends. In every case the task leaves the stream at once, so that the broker counts
// nothing, and the node goes on working.
func TestEnds(t *testing.T) {
	x := newBench(t, nil)
	for number, c := range []struct {
		block uint32
		class wire.Class
		text  string
	}{
		{broken, wire.Broken, "shapes differ"}, {badInput, wire.BadInput, "memory limit"}, {timeOut, wire.Transient, "view: context deadline exceeded"},
		{unreachable, wire.Transient, "the store does not answer"}, {panics, wire.Broken, "index out of range"}, {noCell, wire.Broken, "params do not fit"},
		{panicCell, wire.Broken, "nil map"}, {huge, wire.Broken, "\x00"},
	} {
		x.give(wire.Task{Number: uint64(number)}, c.block, fine)
		f := x.failure()
		require.Equal(t, c.class, f.Class, c.text)
		require.Contains(t, f.Text, c.text)
		require.Equal(t, []any{"job", uint64(number), "node"}, []any{f.Job, f.Number, f.Node})
		if c.block != noCell && c.block != panicCell {
			require.Equal(t, plan.Cell{Index: c.block}.Digest(), f.Cell)
		}
		x.gone()
		require.Equal(t, min(1, x.s.times(c.block)), x.s.times(c.block), "delivered once")
	}
	require.Zero(t, x.s.times(fine), "what stands behind a failed cell waits for the next sending")
	x.give(wire.Task{}, fine, alsoFine)
	x.gone()
	require.True(t, x.stored(fine) && x.stored(alsoFine))
	require.Eventually(t, func() bool {
		x.w.mu.Lock()
		defer x.w.mu.Unlock()
		return len(x.w.working) == 0
	}, generous, time.Millisecond, "no delivery is remembered behind its end")
}

// TestVouching: a task that takes longer than the broker waits for an acknowledgement, and moves on, is given to nobody else.
func TestVouching(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it waits for what does not come")
	}
	x := newBench(t, func(w *worker) { w.b.AckWait, w.config.Slots = 1500*time.Millisecond, 2 })
	release := sync.OnceFunc(func() { close(x.release) })
	defer release() // a failed test ends as well
	x.give(wire.Task{}, hangs)
	_, err := x.claims.NextMsg(generous)
	require.NoError(t, err)
	_, err = x.claims.NextMsg(2 * x.b.AckWait)
	require.ErrorIs(t, err, nats.ErrTimeout)
	release()
	x.gone()
	require.Equal(t, 1, x.s.times(hangs))
}

// TestResultHeaders: a result says who made it, in headers and not in its value.
func TestResultHeaders(t *testing.T) {
	x := newBench(t, nil)
	x.give(wire.Task{}, fine)
	x.gone()
	r, h, ok, err := x.b.StoredResult(t.Context(), plan.Cell{Index: fine}.Digest())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, wire.Result{V: wire.ResultVersion, Cell: plan.Cell{Index: fine}.Digest(), Records: []byte{fine}}, r)
	for header, want := range map[string]string{wire.HeaderNode: "node", wire.HeaderTier: "plain", wire.HeaderBuild: "test", wire.HeaderRuns: "1"} {
		require.Equal(t, want, h.Get(header))
	}
	_, err = time.ParseDuration(h.Get(wire.HeaderTook))
	require.NoError(t, err)
}

// TestClaimAndHeartbeat: a task is claimed under the node's name and start, heartbeats say the same, and a call is answered.
func TestClaimAndHeartbeat(t *testing.T) {
	x := newBench(t, nil)
	x.give(wire.Task{Number: 42}, fine)
	m, err := x.claims.NextMsg(generous)
	require.NoError(t, err)
	c, err := wire.DecodeClaim(m.Data)
	require.NoError(t, err)
	require.Equal(t, wire.Claim{V: wire.Version, Job: "job", Number: 42, Node: "node", Started: x.w.started}, c)
	heard := func() wire.Heartbeat {
		m, err := x.beats.NextMsg(generous)
		require.NoError(t, err)
		h, err := wire.DecodeHeartbeat(m.Data)
		require.NoError(t, err)
		return h
	}
	h := heard()
	require.Equal(t, []any{"node", x.w.started, "test", uint16(1), false}, []any{h.Node, h.Started, h.Numerics, h.Slots, h.Leaving})
	const calls = 12
	begin := time.Now()
	for range calls {
		require.NoError(t, x.b.Conn.Publish(wire.CallSubject, nil))
		heard()
	}
	require.Less(t, time.Since(begin), calls/2*wire.HeartbeatEvery, "calls are answered at once")
	x.gone()
	x.fire()
	for h = heard(); !h.Leaving; h = heard() {
	}
	require.Equal(t, uint64(1), h.Done, "cells")
}

// TestLeaving: a node that is told to stop gives its task back, uncounted, before it says that it leaves.
func TestLeaving(t *testing.T) {
	x := newBench(t, nil)
	x.give(wire.Task{Number: 3}, fine, waits)
	<-x.begun
	x.fire()
	f := x.failure()
	require.Equal(t, wire.Leaving, f.Class)
	require.Equal(t, uint64(3), f.Number)
	x.gone()
	require.True(t, x.stored(fine), "what was done is kept")
}

// TestStuck: a node stops to vouch for a task that does not move on, and says so; the broker gives it to another.
func TestStuck(t *testing.T) {
	x := newBench(t, func(w *worker) { w.stuck = 50 * time.Millisecond })
	x.give(wire.Task{Number: 4}, hangs)
	f := x.failure()
	require.Equal(t, wire.Stuck, f.Class)
	require.Equal(t, plan.Cell{Index: hangs}.Digest(), f.Cell)
	close(x.release)
	x.gone() // it ends after all
	require.True(t, x.stored(hangs))
}

// TestRedelivered: cells that an earlier delivery stored are not computed again.
func TestRedelivered(t *testing.T) {
	x := newBench(t, func(w *worker) {
		w.b.AckWait = 100 * time.Millisecond
		_, err := w.b.PublishResult(context.Background(), wire.Result{V: wire.ResultVersion, Cell: plan.Cell{Index: alsoFine}.Digest()}, nil)
		require.NoError(t, err)
		c, err := w.b.Consumer(context.Background(), "test")
		require.NoError(t, err)
		b, err := wire.Encode(wire.Task{V: wire.Version, Plans: []plan.Plan{{}}, Blocks: []uint32{fine, alsoFine}, Job: "job"})
		require.NoError(t, err)
		_, err = w.b.JS.Publish(context.Background(), wire.TaskSubject("test", "job"), b)
		require.NoError(t, err)
		_, err = c.Next() // and never a word
		require.NoError(t, err)
	})
	x.gone()
	require.Equal(t, []int{1, 0}, []int{x.s.times(fine), x.s.times(alsoFine)})
}

// TestOneTaskNobodyWaitsFor: the end of one task leaves the other tasks of its job, those of other jobs with the same number, and
// the node alone; nothing is told of it.
func TestOneTaskNobodyWaitsFor(t *testing.T) {
	x := newBench(t, func(w *worker) { w.config.Slots = 3 })
	x.give(wire.Task{Number: 7}, waits, fine)
	x.give(wire.Task{Number: 8}, waits)
	x.give(wire.Task{Number: 7, Job: "other"}, waits)
	for range 3 {
		<-x.begun
	}
	left := func(n uint64) {
		t.Helper()
		require.Eventually(t, func() bool {
			info, err := x.b.Tasks.Info(context.Background())
			return err == nil && info.State.Msgs == n
		}, generous, 5*time.Millisecond)
	}
	require.NoError(t, x.b.Conn.Publish(wire.CancelTaskSubject("job", "7"), nil))
	left(2)
	require.NoError(t, x.b.Conn.Publish(wire.CancelTaskSubject("job", "9"), nil)) // nobody has it
	x.give(wire.Task{Number: 10}, alsoFine)
	require.Eventually(t, func() bool { return x.stored(alsoFine) }, generous, 5*time.Millisecond)
	left(2)
	require.NoError(t, x.b.Conn.Publish(wire.CancelTaskSubject("other", "7"), nil))
	left(1)
	require.NoError(t, x.b.Conn.Publish(wire.CancelTaskSubject("job", "8"), nil))
	x.gone()
	require.Zero(t, x.s.times(fine), "what stands behind a cancelled cell is not begun")
	require.NoError(t, x.b.Conn.Flush())
	_, err := x.failures.NextMsg(50 * time.Millisecond)
	require.ErrorIs(t, err, nats.ErrTimeout)
}

// TestNobodyWaits: what is in work of a cancelled job ends; tasks of cancelled jobs, tasks past their time and bytes that are no task are taken out unworked.
func TestNobodyWaits(t *testing.T) {
	x := newBench(t, nil)
	x.give(wire.Task{Job: "gone"}, waits, fine)
	<-x.begun
	require.NoError(t, x.b.Conn.Publish(wire.CancelSubject("gone"), nil))
	require.Eventually(t, func() bool { return x.w.isCancelled("gone") }, generous, time.Millisecond)
	x.give(wire.Task{Job: "gone"}, fine)
	x.give(wire.Task{Deadline: time.Now().Unix() - 5}, fine)
	_, err := x.b.JS.Publish(t.Context(), wire.TaskSubject("test", "job"), []byte("\x9b\x01nonsense"))
	require.NoError(t, err)
	x.give(wire.Task{}, alsoFine)
	x.gone()
	require.True(t, x.stored(alsoFine))
	require.Zero(t, x.s.times(fine))
}
