package worker

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"assay/shared/wire"
)

// askEvery is how long one request for a task stands at the broker.
const askEvery = 5 * time.Second

// Pauses of a slot after trouble: doubled with every further one, so that a lasting fault costs little.
const (
	shortPause = 100 * time.Millisecond
	longPause  = 5 * time.Second
)

// slot works on one task after the other. It asks for one message at a time: what is prefetched would age while it waits.
func (w *worker) slot(ctx context.Context, c jetstream.Consumer) {
	pause := shortPause
	for ctx.Err() == nil {
		err := w.next(ctx, c)
		if err == nil {
			pause = shortPause
			continue
		}
		w.config.Log.Debug("pause", zap.Error(err), zap.Duration("for", pause))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// next asks for a task and works on it. An error is trouble that is likely to meet the next task as well.
func (w *worker) next(ctx context.Context, c jetstream.Consumer) error {
	wait, cancel := context.WithTimeout(ctx, askEvery)
	defer cancel()
	batch, err := c.Fetch(1, jetstream.FetchContext(wait))
	if err == nil {
		for m := range batch.Messages() {
			if err := w.task(ctx, m); err != nil {
				return err
			}
		}
		err = batch.Error()
	}
	if errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return nil // no task, or the end
	}
	return err
}

// task works on one delivery and ends it. The error is transient trouble.
func (w *worker) task(ctx context.Context, m jetstream.Msg) error {
	t, err := wire.DecodeTask(m.Data())
	if err != nil {
		w.config.Log.Warn("task refused", zap.Error(err))
		_ = m.TermWithReason(wire.Clip(err.Error()))
		return nil
	}
	if w.isCancelled(t.Job) || t.Deadline > 0 && time.Now().Unix() > t.Deadline {
		_ = m.TermWithReason("nobody waits for it")
		return nil
	}
	d := &delivery{worker: w, msg: m, task: t}
	if meta, err := m.Metadata(); err == nil {
		d.again = meta.NumDelivered > 1
	}
	return d.work(ctx)
}
