package run

import (
	"context"
	"strconv"
	"time"

	"assay/shared/plan"
	"assay/shared/wire"
)

// Speculation. At the end of a round slots run out of work, and a cluster larger than a round has idle slots from its
// beginning. Such slots compute cells that a later round is likely to ask, one cell a task, in the order that the search
// named them in. A cell computed ahead is a result like any other in the stream; the search does not hear of it before it asks.
//
// What must not happen: that a needed cell waits for one that nobody asked for. So a cell goes ahead only when every needed
// one is published, at most one task a slot is in work, and no job's task waits at the broker. When the next round begins,
// what it asks is adopted and the rest is cancelled, also in the middle of a cell. A cancelled cell may be finished all the same,
// and then its result is published once and never again, so it is listened for as long as the job goes on. Trouble with a cell
// ahead is no trouble: it is forgotten, and meets the job when it is asked in earnest.

// spare is a cell that was not asked for yet. parcel is set exactly in state guessed.
type spare struct {
	request
	parcel *parcel // of a guess in work
	state  spareState
	node   string // that computed it, samples run and time taken
	runs   int
	took   time.Duration
}

type spareState uint8

const (
	guessed   spareState = iota // in work: a later round may ask for it
	cancelled                   // no longer in work for this job, but a result may come
	computed                    // ahead, for this job; the result is in the stream
	foreknown                   // the same, but from before this job
)

// foresee takes what a later round is likely to ask, likeliest first. What was foreseen before and not published is
// forgotten. A cancelled one may be guessed again, as its task is gone.
func (d *dispatcher) foresee(maybe []request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guesses = nil
	for _, r := range maybe {
		if s := d.spares[r.digest]; d.asked[r.digest] == nil && (s == nil || s.state == cancelled) {
			d.guesses = append(d.guesses, r)
		}
	}
}

// redeem matches what is asked now with what was computed ahead: early are requests whose results are in the stream,
// open those that have to be worked for; what is in work becomes the round's own. Everything else that is in work is
// forgotten; unwanted are its tasks. The caller holds the lock. foreknown ones are early as well: their results are in
// the stream.
func (d *dispatcher) redeem(requests []request) (early []*spare, open []request, unwanted []*parcel) {
	d.guesses = nil
	for _, r := range requests {
		s := d.spares[r.digest]
		delete(d.spares, r.digest)
		switch {
		case s == nil || s.state == cancelled:
			open = append(open, r)
		case s.state != guessed:
			early = append(early, s)
		default:
			s.parcel.spare = false
			d.own(s.parcel)
		}
	}
	return early, open, d.cancelGuesses()
}

// cancelGuesses forgets the tasks of what is in work ahead and returns them. The caller holds the lock.
func (d *dispatcher) cancelGuesses() (unwanted []*parcel) {
	for _, s := range d.spares {
		if s.state == guessed {
			delete(d.live, s.parcel.task.Number)
			unwanted = append(unwanted, s.parcel)
			s.state, s.parcel = cancelled, nil
		}
	}
	return unwanted
}

// recall takes tasks that nobody waits for out of the stream and out of the evaluators' hands. Failing costs work only.
func (d *dispatcher) recall(ctx context.Context, unwanted []*parcel) {
	for _, p := range unwanted {
		_ = d.b.Conn.Publish(wire.CancelTaskSubject(d.job, strconv.FormatUint(p.task.Number, 10)), nil)
		if p.seq > 0 {
			_ = d.b.Tasks.DeleteMsg(ctx, p.seq)
		}
	}
}

// abandon ends all speculation: no round of the search follows.
func (d *dispatcher) abandon(ctx context.Context) {
	d.mu.Lock()
	_, _, unwanted := d.redeem(nil)
	d.mu.Unlock()
	d.recall(ctx, unwanted)
}

// unused is the number of cells that this job computed and nobody asked for.
func (d *dispatcher) unused() (n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.spares {
		if s.state == computed {
			n++
		}
	}
	return n
}

// speculate publishes cells ahead as long as slots are idle. It never fails: without it everything is computed in time.
func (d *dispatcher) speculate(ctx context.Context, slots int) {
	room := -1 // tasks that idle slots can take; not asked yet
	for {
		r, ok := d.guess(slots)
		if !ok {
			return
		}
		if !d.fresh {
			_, known, err := d.refetch(ctx, []request{r})
			if err != nil {
				return
			}
			if len(known) > 0 {
				d.mu.Lock()
				d.spares[r.digest] = &spare{request: r, state: foreknown}
				d.mu.Unlock()
				continue
			}
		}
		if room < 0 {
			room = d.room(ctx, slots)
		}
		if room == 0 {
			d.mu.Lock()
			d.guesses = append([]request{r}, d.guesses...)
			d.mu.Unlock()
			return
		}
		room--
		if d.send(ctx, d.stake(r)) != nil {
			return
		}
	}
}

// guess takes the likeliest cell if, as far as this job knows, a slot would be idle without it.
func (d *dispatcher) guess(slots int) (r request, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fatal != nil || len(d.guesses) == 0 || len(d.asked) == 0 || len(d.waiting)+len(d.suspects) > 0 || d.suspectLives() || len(d.live) >= slots {
		return r, false
	}
	r, d.guesses = d.guesses[0], d.guesses[1:]
	return r, true
}

// room asks the broker how many slots are idle: other jobs may use the same ones. 0 while any task waits there.
func (d *dispatcher) room(ctx context.Context, slots int) int {
	c, err := d.b.Tasks.Consumer(ctx, wire.ConsumerName(d.numerics))
	if err != nil {
		return 0
	}
	info := c.CachedInfo()
	if info.NumPending > 0 {
		return 0
	}
	return max(0, slots-info.NumAckPending)
}

// stake makes a task of a cell ahead.
func (d *dispatcher) stake(r request) *parcel {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := newParcel(d.job, []request{r})
	p.spare = true
	d.number++
	p.task.Number = d.number
	d.live[d.number] = p
	d.spares[r.digest] = &spare{request: r, parcel: p}
	return p
}

// early notes that a cell ahead has its result. The caller holds the lock.
func (d *dispatcher) early(c plan.Digest, node string, runs int, took time.Duration) {
	s := d.spares[c]
	if s == nil || s.state != guessed && s.state != cancelled {
		return
	}
	if s.parcel != nil {
		delete(d.live, s.parcel.task.Number)
	}
	s.state, s.parcel, s.node, s.runs, s.took = computed, nil, node, runs, took
}

// forgo forgets the task of a cell ahead that failed, whatever the reason. The caller holds the lock.
func (d *dispatcher) forgo(p *parcel) {
	delete(d.live, p.task.Number)
	if s := d.spares[p.cells[0]]; s != nil && s.parcel == p {
		s.state, s.parcel = cancelled, nil
	}
}
