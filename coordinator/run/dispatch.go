package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// dispatcher turns requests into tasks and collects their results. One job has one; do is called by one goroutine at a time,
// what hear.go and silence.go hold is called by the broker's. Invariants under mu: a cell is in at most one of asked,
// spares and got; a parcel in at most one of live, waiting and suspects; asked[c].parcel is the parcel that carries c
// now; parcel.waiting is the number of its cells in asked.
type dispatcher struct {
	b        *broker.Broker
	job      string
	numerics string
	nodes    *nodes
	fresh    bool // the result stream is ours alone and was empty when the job began: nothing can be known from before
	onCell   func(ended)
	onPart   func(requests []request, known map[plan.Digest]wire.Result) // as results of a round arrive, from do
	onWait   func(noEvaluator bool)
	onNote   func(text string)      // trouble that the user should know of
	describe func(r request) string // names a cell in the user's words

	mu       sync.Mutex
	asked    map[plan.Digest]*asked          // cells without a result
	live     map[uint64]*parcel              // published, not all of their cells are known; by task number
	waiting  []*parcel                       // not yet published, first to go at the front
	suspects []*parcel                       // the same, of one cell each: published when nothing is live
	got      map[plan.Digest]wire.Result     // arrived and not yet collected
	spares   map[plan.Digest]*spare          // cells ahead of the search: in work or done, see speculate.go
	guesses  []request                       // cells that may go ahead, likeliest first
	stuck    map[plan.Digest]int             // how often a node gave a cell up
	refused  map[plan.Digest]map[string]bool // nodes that have too little memory for a cell
	pace     map[plan.What]float64           // seconds a sample, running mean
	begun    time.Time                       // on a server that others may be at, else zero
	number   uint64                          // of the last task
	news     uint64                          // counts results and failures
	trouble  string                          // the last transient one, until it is told
	fatal    error
	wake     chan struct{} // of capacity 1: something changed
}

// asked is a cell that the round waits for.
type asked struct {
	request
	parcel *parcel // nil before it is packed
}

// ended is a cell that the round asked and that has its result: from the store if known, else from a node that ran so many samples
// through its plan in the time it took, of its own clock.
type ended struct {
	request
	known bool
	node  string
	runs  int
	took  time.Duration
}

// assumedPace is the seconds a sample before the first result, from multiply-adds: a cautious half of what one core with
// vector instructions reaches.
func assumedPace(macs int64) float64 { return 1e-4 + float64(macs)/1e10 }

// listen starts to collect results and messages of a job. The returned stop ends it and waits. The order is what loses
// nothing: the end of the stream is noted before anything is published, so every result of this job comes by itself;
// the consumer exists before tasks do, since a work queue drops what no consumer covers; evaluators are called last,
// when somebody hears them. macs is of one sample, for the first guess of a pace.
func listen(ctx context.Context, b *broker.Broker, job, numerics string, macs int64) (d *dispatcher, stop func(), err error) {
	d = &dispatcher{
		b: b, job: job, numerics: numerics, nodes: newNodes(numerics),
		onCell: func(ended) {}, onPart: func([]request, map[plan.Digest]wire.Result) {}, onWait: func(bool) {}, onNote: func(string) {}, describe: plainCell,
		asked: map[plan.Digest]*asked{}, live: map[uint64]*parcel{}, got: map[plan.Digest]wire.Result{}, spares: map[plan.Digest]*spare{},
		stuck: map[plan.Digest]int{}, refused: map[plan.Digest]map[string]bool{}, pace: map[plan.What]float64{}, wake: make(chan struct{}, 1),
	}
	for _, w := range []plan.What{plan.Records, plan.Taps, plan.Outputs, plan.Distance, plan.Timing} {
		d.pace[w] = assumedPace(macs)
	}
	var info *jetstream.StreamInfo
	err = store.Patiently(ctx, func(ctx context.Context) (err error) { info, err = b.Results.Info(ctx); return err })
	if err != nil {
		return nil, nil, fmt.Errorf("stream %s: %w", wire.ResultStream, err)
	}
	d.begun = d.nodes.now()
	if b.Embedded() {
		d.begun = time.Time{}
		d.fresh = info.State.Msgs == 0
		err := store.Patiently(ctx, func(ctx context.Context) error { return b.Tasks.Purge(ctx) })
		if err != nil { // left by a process that was killed
			return nil, nil, fmt.Errorf("stream %s: %w", wire.TaskStream, err)
		}
	}
	if _, err := b.Consumer(ctx, numerics); err != nil { // evaluators make it too; tasks must not be published before it exists
		return nil, nil, err
	}
	results, err := b.Results.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: info.State.LastSeq + 1})
	if err != nil {
		return nil, nil, fmt.Errorf("results: %w", err)
	}
	consuming, err := results.Consume(func(m jetstream.Msg) { d.result(m) })
	if err != nil {
		return nil, nil, fmt.Errorf("results: %w", err)
	}
	subs, err := d.subscribe(ctx)
	stop = func() {
		for _, s := range subs {
			_ = s.Unsubscribe()
		}
		consuming.Stop()
		<-consuming.Closed()
		d.drop()
	}
	if err == nil {
		err = b.Conn.Publish(wire.CallSubject, nil)
	}
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("messages of evaluators: %w", err)
	}
	return d, stop, nil
}

// subscribe hears what evaluators and the broker say. What was subscribed is returned with an error too.
func (d *dispatcher) subscribe(ctx context.Context) (subs []*nats.Subscription, err error) {
	for subject, handle := range map[string]nats.MsgHandler{
		wire.HeartbeatSubject:      d.heartbeat,
		wire.ClaimSubject(d.job):   d.claim,
		wire.FailureSubject(d.job): d.failure,
		exhaustion(d.numerics):     func(m *nats.Msg) { d.exhausted(ctx, m) },
	} {
		s, err := d.b.Conn.Subscribe(subject, handle)
		if err != nil {
			return subs, fmt.Errorf("subscribe to %s: %w", subject, err)
		}
		subs = append(subs, s)
	}
	return subs, nil
}

// do answers every request, from the result stream where it can, and returns when all are known, the job has failed or ctx
// ends. The results are those of the requests, by cell digest. Slots that have nothing to do meanwhile compute cells of maybe.
// After an error nothing of the job is left in the task stream. One second is the beat of the look for trouble, not of
// work: results wake it at once.
func (d *dispatcher) do(ctx context.Context, requests, maybe []request) (out map[plan.Digest]wire.Result, err error) {
	out = map[plan.Digest]wire.Result{}
	defer func() {
		if err != nil {
			d.drop()
		}
	}()
	unknown, err := d.ask(ctx, requests, out)
	if err != nil {
		return nil, err
	}
	d.enqueue(unknown)
	d.foresee(maybe)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	look := lookout{news: d.heard()}
	for {
		if err := look.published(d.publish(ctx)); err != nil {
			return nil, err
		}
		done, err := d.collect(out)
		if err != nil || done {
			return out, err
		}
		d.onPart(requests, out)
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-d.wake:
		case <-tick.C:
			if err := d.watch(ctx, &look); err != nil {
				return nil, err
			}
		}
	}
}

// ask enters requests as asked, then looks them up in the result stream, in this order: no result can pass by between the
// two. What is known goes into out. A result that arrives by itself between the two is in got, and asked no more: the
// stream's copy is then passed over.
func (d *dispatcher) ask(ctx context.Context, requests []request, out map[plan.Digest]wire.Result) (unknown []request, err error) {
	d.mu.Lock()
	for _, r := range requests {
		d.asked[r.digest] = &asked{request: r}
	}
	early, unknown, unwanted := d.redeem(requests)
	d.mu.Unlock()
	d.recall(ctx, unwanted)
	look := map[plan.Digest]*spare{} // what may be in the stream, with what is known of its making
	var there []request
	for _, s := range early {
		look[s.digest] = s
		there = append(there, s.request)
	}
	if !d.fresh {
		there, unknown = append(there, unknown...), nil
	}
	absent, known, err := d.refetch(ctx, there)
	d.found(there, known, look, out)
	return append(unknown, absent...), err
}

// found puts into out what the result stream knows of requests, each counted once: as computed for this job where look says so, else as known
// from before.
func (d *dispatcher) found(requests []request, known map[plan.Digest]wire.Result, look map[plan.Digest]*spare, out map[plan.Digest]wire.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range requests {
		res, ok := known[r.digest]
		if !ok || d.asked[r.digest] == nil { // absent, or it came by itself
			continue
		}
		out[r.digest] = res
		d.close(r.digest)
		if s := look[r.digest]; s != nil && s.state == computed {
			d.onCell(ended{request: s.request, node: s.node, runs: s.runs, took: s.took})
		} else {
			d.onCell(ended{request: r, known: true, runs: len(r.block)})
		}
	}
}

// enqueue makes parcels of requests that have no result yet.
func (d *dispatcher) enqueue(requests []request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = append(d.waiting, d.parcels(requests)...)
}

// parcels packs those of requests that have no result yet. The caller holds the lock.
func (d *dispatcher) parcels(requests []request) []*parcel {
	var open []request
	for _, r := range requests {
		if _, ok := d.asked[r.digest]; ok {
			open = append(open, r)
		}
	}
	cost := func(r request) float64 { return d.pace[r.cell.What] * float64(len(r.block)) }
	out := pack(d.job, open, d.nodes.slots(), cost)
	for _, p := range out {
		d.own(p)
	}
	return out
}

// own notes that p carries its cells. The caller holds the lock.
func (d *dispatcher) own(p *parcel) {
	for _, c := range p.cells {
		d.asked[c].parcel = p
	}
}

// collect moves what arrived into out; done when nothing is missing. It may return results with an error; the caller
// drops them.
func (d *dispatcher) collect(out map[plan.Digest]wire.Result) (done bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c, r := range d.got {
		out[c] = r
	}
	clear(d.got)
	return len(d.asked) == 0, d.fatal
}

// publish keeps at most two tasks per live slot in the stream. Two a slot: one in work and one that is there when it
// ends (design.md 4.3). taken is the number of tasks that the broker took before an error; it stops at the first.
func (d *dispatcher) publish(ctx context.Context) (taken int, err error) {
	slots := d.nodes.slots()
	for p := d.next(slots); p != nil; p = d.next(slots) {
		if err := d.send(ctx, p); err != nil {
			return taken, err
		}
		taken++
	}
	d.speculate(ctx, slots)
	return taken, nil
}

// send publishes the task of a live parcel. After an error it is live no more. p may be answered or taken back while
// the broker is asked, so it is looked up in live again.
func (d *dispatcher) send(ctx context.Context, p *parcel) error {
	payload, err := wire.Encode(p.task)
	if err != nil {
		return err
	}
	ack, err := d.b.JS.PublishMsg(ctx, &nats.Msg{Subject: wire.TaskSubject(d.numerics, d.job), Data: payload})
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		p.seq = ack.Sequence
		return nil
	}
	if d.live[p.task.Number] == p {
		d.requeue(p)
	}
	return fmt.Errorf("task of %d cells: publish: %w: %w", len(p.cells), store.ErrUnavailable, err)
}

// next takes the parcel that is to be published now, if any, and gives it a number. A suspect goes when nothing is live, and
// nothing goes beside it. holders and seq are reset, as they belong to one publication; deaths stay.
func (d *dispatcher) next(slots int) *parcel {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.fatal == nil {
		queue, most := &d.waiting, 2*slots
		if len(d.suspects) > 0 || d.suspectLives() {
			queue, most = &d.suspects, min(1, slots)
		}
		if len(*queue) == 0 || len(d.live) >= most {
			return nil
		}
		p := (*queue)[0]
		*queue = (*queue)[1:]
		if p.waiting == 0 { // answered while it waited
			continue
		}
		d.number++
		p.task.Number, p.holders, p.seq = d.number, nil, 0
		d.live[d.number] = p
		return p
	}
	return nil
}

// suspectLives reports whether a cell under suspicion is in work. The caller holds the lock.
func (d *dispatcher) suspectLives() bool {
	for _, p := range d.live {
		if p.alone {
			return true
		}
	}
	return false
}
