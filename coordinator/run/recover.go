package run

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// lookout is what do remembers between two looks at a job that should move on.
type lookout struct {
	news    uint64
	quiet   int       // ticks without news
	told    time.Time // when trouble was told last
	refusal time.Time // since when the broker takes no task; zero when it does
}

// Every sweepAfter ticks without news tasks are looked after; trouble is told every tellEvery at most; a broker that takes no
// task for as long as patience ends the job.
const (
	sweepAfter = 5
	tellEvery  = 30 * time.Second
	patience   = time.Minute
)

// published takes in how many tasks the broker took and why it took no more. That is an error when it would fail again, or when for too
// long no task was taken. A full disk is never waited for.
func (l *lookout) published(taken int, err error) error {
	if taken > 0 {
		l.refusal = time.Time{}
	}
	if err == nil {
		return nil
	}
	if saysFull(err) || !errors.Is(err, store.ErrUnavailable) {
		return err
	}
	if l.refusal.IsZero() {
		l.refusal = time.Now()
	}
	if time.Since(l.refusal) > patience {
		return err
	}
	return nil
}

// watch looks after a job once a second. It runs in do's goroutine.
func (d *dispatcher) watch(ctx context.Context, l *lookout) error {
	d.onWait(d.nodes.slots() == 0)
	d.mu.Lock()
	news, trouble := d.news, d.trouble
	if d.trouble = ""; trouble != "" && time.Since(l.told) < tellEvery {
		trouble = ""
	}
	d.mu.Unlock()
	if trouble != "" {
		l.told = time.Now()
		d.onNote(trouble)
	}
	if l.quiet++; l.news != news {
		l.news, l.quiet = news, 0
	}
	if l.quiet > 0 && l.quiet%sweepAfter == 0 {
		return d.sweep(ctx)
	}
	return nil
}

// sweep looks for tasks that were lost: gone from the stream without a word heard (a message got lost, the stream was
// purged), or given up by the server unheard. Tasks that are waiting or in work are left alone. A broker that does not
// answer is asked again later. Five quiet seconds are nothing beside a long cell, and a sweep then only looks.
func (d *dispatcher) sweep(ctx context.Context) error {
	idle := d.idle(ctx)
	for _, p := range d.confirmed() {
		_, err := d.b.Tasks.GetMsg(ctx, p.seq)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			if err := d.lost(ctx, p); err != nil {
				return err
			}
		case err == nil && idle:
			d.withdraw(ctx, p.seq)
		}
	}
	return nil
}

// confirmed lists the live parcels that the broker took.
func (d *dispatcher) confirmed() []*parcel {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*parcel
	for _, p := range d.live {
		if p.seq > 0 {
			out = append(out, p)
		}
	}
	return out
}

// idle reports that the consumer has nothing in work and nothing to deliver: what is in the stream then was given up.
func (d *dispatcher) idle(ctx context.Context) bool {
	c, err := d.b.Tasks.Consumer(ctx, wire.ConsumerName(d.numerics))
	if err != nil {
		return false
	}
	info := c.CachedInfo()
	return info.NumPending == 0 && info.NumAckPending == 0
}

// lost sends what is left of a parcel again, after a look for results that passed by unheard.
func (d *dispatcher) lost(ctx context.Context, p *parcel) error {
	d.mu.Lock()
	rest := d.left(p)
	d.mu.Unlock()
	for _, r := range rest {
		res, h, ok, err := d.b.StoredResult(ctx, r.digest)
		if err != nil {
			return err
		}
		if ok {
			d.mu.Lock()
			d.take(res, h)
			d.mu.Unlock()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live[p.task.Number] == p {
		d.requeue(p)
	}
	d.signal()
	return nil
}

// refetch looks requests up in the result stream.
func (d *dispatcher) refetch(ctx context.Context, requests []request) (unknown []request, known map[plan.Digest]wire.Result, err error) {
	known = map[plan.Digest]wire.Result{}
	for _, r := range requests {
		res, _, ok, err := d.b.StoredResult(ctx, r.digest)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			known[r.digest] = res
		} else {
			unknown = append(unknown, r)
		}
	}
	return unknown, known, nil
}

// lookup answers requests from the result stream as far as it can; nothing is computed.
func (d *dispatcher) lookup(ctx context.Context, requests []request) (map[plan.Digest]wire.Result, error) {
	_, known, err := d.refetch(ctx, requests)
	return known, err
}

// drop forgets what was asked and tells evaluators that nobody waits any more. Results that arrive later are kept by the
// stream. It has a context of its own, for it runs after the job's was cancelled as well; it may take two seconds.
func (d *dispatcher) drop() {
	d.mu.Lock()
	clear(d.asked)
	clear(d.live)
	clear(d.got)
	d.cancelGuesses()
	d.waiting, d.suspects, d.guesses = nil, nil, nil
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = d.b.Tasks.Purge(ctx, jetstream.WithPurgeSubject(wire.TaskSubject(d.numerics, d.job)))
	_ = d.b.Conn.Publish(wire.CancelSubject(d.job), nil)
	_ = d.b.Conn.FlushTimeout(time.Second)
}
