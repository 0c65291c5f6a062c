// Package worker is an evaluator at work: it pulls tasks from JetStream, computes their cells, publishes each result as soon
// as it is done, and acknowledges the task when all are stored. It keeps no state that a crash could lose and decides
// nothing. What a
// cell's value is, is package cell's business.
//
// Life cycle: Run returns when ctx ends, after all its goroutines; a task in work is then given back. Losing the broker is
// no end: the client reconnects and the loop goes on. A cell that fails for good is told to its job as a failure and the
// task is terminated, so that one bad model never kills a node for other jobs.
package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/wire"
)

// Config is one node.
type Config struct {
	Node  string // unique name; results carry it
	Build string // version of the program
	Slots int    // tasks worked on at a time, 1 or more
	Tier  string // instruction-set tier in use, for reports
	Log   *zap.Logger
}

// Computer computes cells; package cell has the real one. It is safe for concurrent use.
type Computer interface {
	// Numerics is the version of the canonical forms that it computes; tasks of another one are not for it.
	Numerics() string
	// Cell names the cell of a task's plan on one block.
	Cell(ctx context.Context, t wire.Task, p plan.Plan, block uint32) (plan.Cell, error)
	// Compute gives the value of that cell. progress is called after every batch of samples.
	Compute(ctx context.Context, t wire.Task, p plan.Plan, block uint32, progress func()) (Value, error)
}

// Value is the value of a cell, with the number of samples that were run for it.
type Value struct {
	wire.Result
	Samples int
}

// askEvery is how long one request for a task stands at the broker.
const askEvery = 5 * time.Second

// stuckAfter is how long a task may go without finishing a batch of samples before the node stops vouching for it.
const stuckAfter = 2 * time.Minute

// Run works on tasks of the computer's numerics version until ctx ends.
func Run(ctx context.Context, b *broker.Broker, e Computer, c Config) error {
	consumer, err := b.Consumer(ctx, e.Numerics())
	if err != nil {
		return err
	}
	w := &worker{b: b, eval: e, config: c, cancelled: map[string]bool{}}
	sub, err := b.Conn.Subscribe(wire.CancelSubject("*"), w.hearCancel)
	if err != nil {
		return fmt.Errorf("subscribe to cancellations: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	calls := make(chan *nats.Msg, 16)
	called, err := b.Conn.ChanSubscribe(wire.CallSubject, calls)
	if err != nil {
		return fmt.Errorf("subscribe to calls: %w", err)
	}
	defer func() { _ = called.Unsubscribe() }()
	var group sync.WaitGroup
	for range max(c.Slots, 1) {
		group.Go(func() { w.slot(ctx, consumer) })
	}
	group.Go(func() { w.beat(ctx, calls) })
	group.Wait()
	return nil
}

type worker struct {
	b      *broker.Broker
	eval   Computer
	config Config
	done   atomic.Uint64 // cells

	mu        sync.Mutex
	cancelled map[string]bool // jobs nobody waits for
}

func (w *worker) hearCancel(m *nats.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.cancelled) > 1000 { // a cancellation that is forgotten costs work, never an answer
		clear(w.cancelled)
	}
	w.cancelled[m.Subject[len(wire.CancelSubject("")):]] = true
}

func (w *worker) isCancelled(job string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cancelled[job]
}

// beat tells the world that the node lives, every second and when it is called, and at the end that it leaves.
func (w *worker) beat(ctx context.Context, calls <-chan *nats.Msg) {
	t := time.NewTicker(wire.HeartbeatEvery)
	defer t.Stop()
	for {
		h := wire.Heartbeat{V: wire.Version, Node: w.config.Node, Numerics: w.eval.Numerics(), Tier: w.config.Tier, Build: w.config.Build, Slots: uint16(w.config.Slots), Done: w.done.Load(), Leaving: ctx.Err() != nil}
		if payload, err := wire.Encode(h); err == nil {
			_ = w.b.Conn.Publish(wire.HeartbeatSubject, payload) // a lost one is followed by the next
		}
		if h.Leaving {
			_ = w.b.Conn.FlushTimeout(time.Second)
			return
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-calls:
		}
	}
}

// slot works on one task after the other. It asks for one message at a time: what is prefetched would age while it waits.
func (w *worker) slot(ctx context.Context, c jetstream.Consumer) {
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, askEvery)
		batch, err := c.Fetch(1, jetstream.FetchContext(wait))
		if err == nil {
			for m := range batch.Messages() {
				w.task(ctx, m)
			}
			err = batch.Error()
		}
		cancel()
		if err != nil && !errors.Is(err, nats.ErrTimeout) && !errors.Is(err, context.DeadlineExceeded) {
			w.pause(ctx, err)
		}
	}
}

// pause waits a moment after the broker could not be asked.
func (w *worker) pause(ctx context.Context, err error) {
	if ctx.Err() == nil {
		w.config.Log.Debug("no task", zap.Error(err))
	}
	select {
	case <-ctx.Done():
	case <-time.After(200 * time.Millisecond):
	}
}

// task computes the cells of one delivery.
func (w *worker) task(ctx context.Context, m jetstream.Msg) {
	t, err := wire.DecodeTask(m.Data())
	if err != nil {
		w.config.Log.Warn("task refused", zap.Error(err))
		_ = m.TermWithReason(err.Error())
		return
	}
	if w.isCancelled(t.Job) || t.Deadline > 0 && time.Now().Unix() > t.Deadline {
		_ = m.TermWithReason("nobody waits for it")
		return
	}
	redelivered := false
	if meta, err := m.Metadata(); err == nil {
		redelivered = meta.NumDelivered > 1
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var progress atomic.Int64
	var vouching sync.WaitGroup
	vouching.Go(func() { w.vouch(ctx, m, &progress) })
	err = w.cells(ctx, t, redelivered, func() { progress.Add(1) })
	cancel()
	vouching.Wait()
	w.finish(m, t, err)
}

// vouch keeps the broker from giving the task to another node, as long as the work moves on.
func (w *worker) vouch(ctx context.Context, m jetstream.Msg, progress *atomic.Int64) {
	t := time.NewTicker(broker.AckWait / 3)
	defer t.Stop()
	last, since := progress.Load(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if p := progress.Load(); p != last {
				last, since = p, now
			}
			if now.Sub(since) > stuckAfter {
				return
			}
			_ = m.InProgress()
		}
	}
}

// cellError is a cell that would fail again.
type cellError struct {
	cell plan.Digest
	err  error
}

func (e *cellError) Error() string { return e.err.Error() }
func (e *cellError) Unwrap() error { return e.err }

// cells computes blocks outermost, so that the plans of a task share what they have in common on the same samples.
func (w *worker) cells(ctx context.Context, t wire.Task, redelivered bool, progress func()) error {
	for _, block := range t.Blocks {
		for _, p := range t.Plans {
			if w.isCancelled(t.Job) {
				return context.Canceled
			}
			cell, err := w.eval.Cell(ctx, t, p, block)
			if err != nil {
				return err
			}
			digest := cell.Digest()
			if redelivered {
				if _, _, known, err := w.b.StoredResult(ctx, digest); err == nil && known {
					continue
				}
			}
			start := time.Now()
			value, err := w.eval.Compute(ctx, t, p, block, progress)
			if err != nil {
				if transient(ctx, err) {
					return err
				}
				return &cellError{digest, err}
			}
			value.Cell = digest
			if _, err := w.b.PublishResult(ctx, value.Result, w.header(value.Samples, time.Since(start))); err != nil {
				return err
			}
			w.done.Add(1)
		}
	}
	return nil
}

func (w *worker) header(samples int, took time.Duration) nats.Header {
	return nats.Header{
		wire.HeaderNode: {w.config.Node}, wire.HeaderTier: {w.config.Tier}, wire.HeaderBuild: {w.config.Build},
		wire.HeaderTook: {took.String()}, wire.HeaderRuns: {fmt.Sprint(samples)},
	}
}

// transient says that an error belongs to the moment and not to the cell: another delivery may succeed.
func transient(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrTimeout)
}

// finish tells the broker how the task ended.
func (w *worker) finish(m jetstream.Msg, t wire.Task, err error) {
	var bad *cellError
	switch {
	case err == nil:
		ctx, cancel := context.WithTimeout(context.Background(), broker.AckWait)
		defer cancel()
		if err := m.DoubleAck(ctx); err != nil { // it will be delivered again and found done
			w.config.Log.Debug("acknowledgement not confirmed", zap.Error(err))
		}
	case w.isCancelled(t.Job):
		_ = m.TermWithReason("nobody waits for it")
	case errors.As(err, &bad):
		f := wire.Failure{V: wire.Version, Cell: bad.cell, Job: t.Job, Node: w.config.Node, Text: clip(err.Error()), Input: input(err)}
		if payload, err := wire.Encode(f); err == nil {
			_ = w.b.Conn.Publish(wire.FailureSubject(t.Job), payload)
		}
		_ = m.TermWithReason(clip(err.Error()))
	default:
		_ = m.Nak()
		_ = w.b.Conn.FlushTimeout(time.Second)
	}
}

// input says that err names a setting or data of the user's as its cause.
func input(err error) bool {
	var x interface{ Input() bool }
	return errors.As(err, &x) && x.Input()
}

// clip keeps a text within what a message may hold.
func clip(s string) string { return s[:min(len(s), wire.MaxText)] }
