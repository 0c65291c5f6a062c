package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// stuckAfter is how long a task may go without finishing a batch of samples before the node stops vouching for it. A large
// model on the plain kernels takes minutes for one.
const stuckAfter = 10 * time.Minute

// delivery is one task in work.
type delivery struct {
	*worker
	msg      jetstream.Msg
	task     wire.Task
	again    bool        // delivered before: some of its results may be stored
	unwanted atomic.Bool // nobody waits for this task, though its job goes on
	progress atomic.Int64
	cell     atomic.Pointer[plan.Digest] // in work, nil before the first
}

// work computes the cells and ends the delivery. The error is transient trouble.
func (d *delivery) work(ctx context.Context) error {
	send(d.b, wire.ClaimSubject(d.task.Job), wire.Claim{V: wire.Version, Job: d.task.Job, Number: d.task.Number, Node: d.config.Node, Started: d.started})
	working, end := d.begin(ctx, d)
	var vouching sync.WaitGroup
	vouching.Go(func() { d.vouch(working) })
	err := d.cells(working)
	end()
	vouching.Wait()
	return d.finish(ctx, err)
}

// vouch keeps the broker from giving the task to another node, as long as the work moves on.
func (d *delivery) vouch(ctx context.Context) {
	t := time.NewTicker(min(d.b.AckWait/3, d.stuck))
	defer t.Stop()
	last, since := d.progress.Load(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if p := d.progress.Load(); p != last {
				last, since = p, now
			}
			if now.Sub(since) > d.stuck {
				d.fail(wire.Stuck, fmt.Errorf("no sample was finished within %v", d.stuck))
				return
			}
			_ = d.msg.InProgress()
		}
	}
}

// cellError is a cell that would fail again.
type cellError struct{ err error }

func (e *cellError) Error() string { return e.err.Error() }
func (e *cellError) Unwrap() error { return e.err }

// cells computes blocks outermost, so that the plans of a task share what they have in common on the same samples.
func (d *delivery) cells(ctx context.Context) error {
	for _, block := range d.task.Blocks {
		for _, p := range d.task.Plans {
			if d.isCancelled(d.task.Job) {
				return context.Canceled
			}
			if err := d.one(ctx, p, block); err != nil {
				if transient(ctx, err) {
					return err
				}
				return &cellError{err}
			}
		}
	}
	return nil
}

// one computes and publishes one cell, unless an earlier delivery did.
func (d *delivery) one(ctx context.Context, p plan.Plan, block uint32) error {
	cell, err := guarded(d, func() (plan.Cell, error) { return d.eval.Cell(ctx, d.task, p, block) })
	if err != nil {
		return err
	}
	digest := cell.Digest()
	d.cell.Store(&digest)
	if d.again {
		if _, _, known, err := d.b.StoredResult(ctx, digest); err == nil && known {
			return nil
		}
	}
	start := time.Now()
	value, err := guarded(d, func() (Value, error) {
		return d.eval.Compute(ctx, d.task, p, block, func() { d.progress.Add(1) })
	})
	if err != nil {
		return err
	}
	value.Cell = digest
	if _, err := d.b.PublishResult(ctx, value.Result, d.header(value.Samples, time.Since(start))); err != nil {
		return err
	}
	d.done.Add(1)
	return nil
}

// guarded turns a panic of the computer, which is a fault of this program, into an error of the cell: other jobs on this node live on.
func guarded[T any](d *delivery, f func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			d.config.Log.Error("panic", zap.Any("value", r), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("a fault of this program, please report it with the evaluator's log: %v", r)
		}
	}()
	return f()
}

// header says who made a result and what it cost: samples run and wall time of this computation. Two makings of one cell differ
// here and nowhere else.
func (d *delivery) header(samples int, took time.Duration) nats.Header {
	return nats.Header{
		wire.HeaderNode: {d.config.Node}, wire.HeaderTier: {d.config.Tier}, wire.HeaderBuild: {d.config.Build},
		wire.HeaderTook: {took.String()}, wire.HeaderRuns: {fmt.Sprint(samples)},
	}
}

// transient says that an error belongs to the moment and not to the cell: another delivery may succeed.
func transient(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	for _, moment := range []error{context.Canceled, context.DeadlineExceeded, store.ErrUnavailable} {
		if errors.Is(err, moment) {
			return true
		}
	}
	return false
}

// finish tells broker and coordinator how the delivery ended.
func (d *delivery) finish(ctx context.Context, err error) error {
	var bad *cellError
	switch {
	case err == nil:
		confirm, cancel := context.WithTimeout(context.Background(), d.b.AckWait)
		defer cancel()
		if err := d.msg.DoubleAck(confirm); err != nil { // it will be delivered again and found done
			d.config.Log.Debug("acknowledgement not confirmed", zap.Error(err))
		}
		return nil
	case d.isCancelled(d.task.Job) || d.unwanted.Load():
		_ = d.msg.TermWithReason("nobody waits for it")
		return nil
	case errors.As(err, &bad):
		class := wire.Broken
		if input(err) {
			class = wire.BadInput
		}
		d.fail(class, err)
		_ = d.msg.TermWithReason(wire.Clip(err.Error()))
		if class == wire.BadInput {
			return err // the next task is likely to be as large: others shall have a chance to take it
		}
		return nil
	}
	class := wire.Transient
	if ctx.Err() != nil {
		class, err = wire.Leaving, errLeaving
	}
	d.fail(class, err)
	_ = d.msg.TermWithReason(wire.Clip(err.Error()))
	_ = d.b.Conn.FlushTimeout(time.Second)
	return err
}

var errLeaving = errors.New("the evaluator was stopped")

// fail tells the job.
func (d *delivery) fail(class wire.Class, err error) {
	f := wire.Failure{V: wire.Version, Class: class, Job: d.task.Job, Number: d.task.Number, Node: d.config.Node, Text: wire.Clip(err.Error())}
	if c := d.cell.Load(); c != nil {
		f.Cell = *c
	}
	send(d.b, wire.FailureSubject(d.task.Job), f)
}

// input says that err names a setting or data of the user's as its cause.
func input(err error) bool {
	var x interface{ Input() bool }
	return errors.As(err, &x) && x.Input()
}
