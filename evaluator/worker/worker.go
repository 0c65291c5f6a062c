// Package worker is an evaluator at work: it pulls tasks from JetStream, computes their cells, publishes each result as soon
// as it is done, and acknowledges the task when all are stored. It keeps no state that a crash could lose and decides
// nothing. What a cell's value is, is package cell's business.
//
// How a delivery ends. All results stored: a confirmed acknowledgement. A cell that would fail again: a failure of class
// Broken or BadInput, and the task is terminated, so that one bad model never kills a node for other jobs; after BadInput,
// which is too little memory here, the slot pauses, so that a larger node comes first. Trouble of the
// moment (a time-out, a broker that does not answer, a node that leaves): a failure of class Transient or Leaving, and the
// delivery is terminated too, because the coordinator sends the task anew; the broker's own count of deliveries thus counts silence only,
// which is what the death of a process looks like. Work that does not move on: a failure of class Stuck, then silence.
//
// Life cycle: Run returns when ctx ends, after all its goroutines; a task in work is then given back. Losing the broker is
// no end: the client reconnects and the loop goes on.
package worker

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/wire"
)

// Config is one node.
type Config struct {
	Node  string      // unique name; results carry it
	Build string      // version of the program, for reports
	Slots int         // tasks worked on at a time, 1 or more: less is 1
	Tier  string      // instruction-set tier in use, for reports
	Log   *zap.Logger // not nil; faults at level error, refused tasks as warnings, the rest for debugging
}

// Computer computes cells; package cell has the real one. It is safe for concurrent use. A panic of it is an error of the cell.
type Computer interface {
	// Numerics is the version of the canonical forms that it computes; tasks of another one are not for it.
	Numerics() string
	// Cell names the cell of a task's plan on one block. Errors are as those of Compute.
	Cell(ctx context.Context, t wire.Task, p plan.Plan, block uint32) (plan.Cell, error)
	// Compute gives the value of that cell, without its name. progress is called after every batch of samples; a task that goes
	// without for ten minutes is given up. An error that is ctx's or wraps store.ErrUnavailable is of the moment, any other one
	// ends the task for good, as a BadInput if it has a method Input that says true.
	Compute(ctx context.Context, t wire.Task, p plan.Plan, block uint32, progress func()) (Value, error)
}

// Value is the value of a cell, with the number of samples that were run for it, which reports add up.
type Value struct {
	wire.Result
	Samples int
}

// Run works on tasks of the computer's numerics version until ctx ends, which is no error: it returns nil then, after what the
// package comment says. An error is the broker's, and of the beginning: nothing was worked on. It does not close b.
func Run(ctx context.Context, b *broker.Broker, e Computer, c Config) error {
	return newWorker(b, e, c).run(ctx)
}

// newWorker makes a worker whose process is told from others of its name by the moment of this call.
func newWorker(b *broker.Broker, e Computer, c Config) *worker {
	return &worker{b: b, eval: e, config: c, started: time.Now().UnixNano(), stuck: stuckAfter, cancelled: map[string]bool{}, working: map[*delivery]context.CancelFunc{}}
}

// run subscribes before the first slot asks for a task, so that no cancellation passes by unheard, and says farewell after the
// last word about a task: a node that has left holds nothing. Errors are those of the beginning; later trouble is the slots'
// own.
func (w *worker) run(ctx context.Context) error {
	consumer, err := w.b.Consumer(ctx, w.eval.Numerics())
	if err != nil {
		return err
	}
	sub, err := w.b.Conn.Subscribe(wire.CancelSubject("*"), w.hearCancel)
	if err != nil {
		return fmt.Errorf("subscribe to cancellations: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	single, err := w.b.Conn.Subscribe(wire.CancelTaskSubject("*", "*"), w.hearCancelTask)
	if err != nil {
		return fmt.Errorf("subscribe to cancellations: %w", err)
	}
	defer func() { _ = single.Unsubscribe() }()
	calls := make(chan *nats.Msg, 16)
	called, err := w.b.Conn.ChanSubscribe(wire.CallSubject, calls)
	if err != nil {
		return fmt.Errorf("subscribe to calls: %w", err)
	}
	defer func() { _ = called.Unsubscribe() }()
	var group, beating sync.WaitGroup
	for range max(w.config.Slots, 1) {
		group.Go(func() { w.slot(ctx, consumer) })
	}
	gone := make(chan struct{})
	beating.Go(func() { w.beat(gone, calls) })
	group.Wait()
	close(gone) // farewell comes after the last word about a task
	beating.Wait()
	return nil
}

type worker struct {
	b       *broker.Broker
	eval    Computer
	config  Config
	started int64 // Unix nanoseconds; with the node's name it tells processes apart
	stuck   time.Duration
	done    atomic.Uint64 // cells

	mu        sync.Mutex
	cancelled map[string]bool // jobs nobody waits for
	working   map[*delivery]context.CancelFunc
}

// hearCancel remembers that nobody waits for a job and ends what is in work of it.
func (w *worker) hearCancel(m *nats.Msg) {
	job := m.Subject[len(wire.CancelSubject("")):]
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.cancelled) > 1000 { // a cancellation that is forgotten costs work, never an answer
		clear(w.cancelled)
	}
	w.cancelled[job] = true
	for d, cancel := range w.working {
		if d.task.Job == job {
			cancel()
		}
	}
}

// hearCancelTask ends one task that is in work. A task that was not begun yet is taken out of the stream by the coordinator;
// one that slips through between the two is computed, which costs work and never an answer.
func (w *worker) hearCancelTask(m *nats.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for d, cancel := range w.working {
		if m.Subject == wire.CancelTaskSubject(d.task.Job, strconv.FormatUint(d.task.Number, 10)) {
			d.unwanted.Store(true)
			cancel()
		}
	}
}

// begin makes the context of a delivery, which ends with its job; end it with the function returned.
func (w *worker) begin(ctx context.Context, d *delivery) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working[d] = cancel
	return ctx, func() {
		cancel()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.working, d)
	}
}

// isCancelled reports whether nobody waits for a job. It may forget (see hearCancel), never invent.
func (w *worker) isCancelled(job string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cancelled[job]
}

// beat tells the world that the node lives, every second and when it is called, and at the end that it leaves.
func (w *worker) beat(gone <-chan struct{}, calls <-chan *nats.Msg) {
	t := time.NewTicker(wire.HeartbeatEvery)
	defer t.Stop()
	for leaving := false; ; {
		send(w.b, wire.HeartbeatSubject, wire.Heartbeat{
			V: wire.Version, Node: w.config.Node, Started: w.started, Numerics: w.eval.Numerics(), Tier: w.config.Tier,
			Build: w.config.Build, Slots: uint16(min(max(w.config.Slots, 1), 1<<16-1)), Done: w.done.Load(), Leaving: leaving,
		}) // a lost one is followed by the next
		if leaving {
			_ = w.b.Conn.FlushTimeout(time.Second)
			return
		}
		select {
		case <-gone:
			leaving = true
		case <-t.C:
		case <-calls:
		}
	}
}

// send publishes a message that nobody stores. Losing it costs time, never an answer: the coordinator looks after tasks that
// it hears nothing of.
func send[M wire.Claim | wire.Failure | wire.Heartbeat](b *broker.Broker, subject string, m M) {
	if payload, err := wire.Encode(m); err == nil {
		_ = b.Conn.Publish(subject, payload)
	}
}
