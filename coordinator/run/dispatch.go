package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/wire"
)

// dispatcher turns requests into tasks and collects their results. One job has one; do is called by one goroutine at a time,
// hear and the subscriptions by the broker's.
type dispatcher struct {
	b        *broker.Broker
	job      string
	numerics string
	nodes    *nodes
	fresh    bool // the result stream was empty when the job began: nothing can be known from before
	onCell   func(known bool, samples int)
	onWait   func(noEvaluator bool)

	mu      sync.Mutex
	asked   map[plan.Digest]*asked // cells without a result
	live    map[*parcel]bool       // published, not all of their cells are known
	waiting []*parcel              // not yet published, first to go at the front
	got     map[plan.Digest]wire.Result
	pace    map[plan.What]float64 // seconds a sample, running mean
	fatal   error
	wake    chan struct{} // of capacity 1: something changed
}

type asked struct {
	request
	parcel *parcel
}

// assumedPace is the seconds a sample before the first result, from multiply-adds: a cautious half of what one core with
// vector instructions reaches.
func assumedPace(macs int64) float64 { return 1e-4 + float64(macs)/1e10 }

// listen starts to collect results and messages of a job. The returned stop ends it and waits.
func listen(ctx context.Context, b *broker.Broker, job, numerics string, macs int64) (d *dispatcher, stop func(), err error) {
	d = &dispatcher{
		b: b, job: job, numerics: numerics, nodes: newNodes(numerics),
		onCell: func(bool, int) {}, onWait: func(bool) {},
		asked: map[plan.Digest]*asked{}, live: map[*parcel]bool{}, got: map[plan.Digest]wire.Result{},
		pace: map[plan.What]float64{}, wake: make(chan struct{}, 1),
	}
	for _, w := range []plan.What{plan.Records, plan.Taps, plan.Outputs, plan.Distance, plan.Timing} {
		d.pace[w] = assumedPace(macs)
	}
	info, err := b.Results.Info(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("stream %s: %w", wire.ResultStream, err)
	}
	d.fresh = info.State.Msgs == 0
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
	advisories := fmt.Sprintf("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.%s.%s", wire.TaskStream, wire.ConsumerName(numerics))
	var subs []*nats.Subscription
	for subject, handle := range map[string]nats.MsgHandler{
		wire.HeartbeatSubject:    d.heartbeat,
		wire.FailureSubject(job): d.failure,
		advisories:               func(m *nats.Msg) { d.exhausted(ctx, m) },
	} {
		s, err := b.Conn.Subscribe(subject, handle)
		if err != nil {
			consuming.Stop()
			return nil, nil, fmt.Errorf("subscribe to %s: %w", subject, err)
		}
		subs = append(subs, s)
	}
	if err := b.Conn.Publish(wire.CallSubject, nil); err != nil {
		consuming.Stop()
		return nil, nil, fmt.Errorf("call for evaluators: %w", err)
	}
	return d, func() {
		for _, s := range subs {
			_ = s.Unsubscribe()
		}
		consuming.Stop()
		<-consuming.Closed()
	}, nil
}

// do answers every request, from the result stream where it can, and returns when all are known, the job has failed or ctx
// ends. The results are those of the requests, by cell digest.
func (d *dispatcher) do(ctx context.Context, requests []request) (map[plan.Digest]wire.Result, error) {
	unknown, out, err := d.stored(ctx, requests)
	if err != nil {
		return nil, err
	}
	d.enqueue(unknown, false)
	idle := time.NewTicker(time.Second)
	defer idle.Stop()
	quiet := 0
	for {
		if err := d.publish(ctx); err != nil {
			return nil, err
		}
		done, err := d.collect(unknown, out)
		if err != nil || done {
			return out, err
		}
		select {
		case <-ctx.Done():
			d.drop()
			return nil, context.Cause(ctx)
		case <-d.wake:
			quiet = 0
		case <-idle.C:
			quiet++
			d.onWait(d.nodes.slots() == 0)
			if quiet%5 == 0 {
				if err := d.recover(ctx); err != nil {
					return nil, err
				}
			}
		}
	}
}

// stored looks requests up in the result stream. A stream that was empty when the job began holds only what passed by here.
func (d *dispatcher) stored(ctx context.Context, requests []request) (unknown []request, out map[plan.Digest]wire.Result, err error) {
	out = map[plan.Digest]wire.Result{}
	for _, r := range requests {
		d.mu.Lock()
		res, ok := d.got[r.digest]
		d.mu.Unlock()
		if !ok && !d.fresh {
			if res, _, ok, err = d.b.StoredResult(ctx, r.digest); err != nil {
				return nil, nil, err
			}
		}
		if ok {
			out[r.digest] = res
			d.onCell(true, len(r.block))
			continue
		}
		unknown = append(unknown, r)
	}
	return unknown, out, nil
}

// enqueue makes parcels of requests. alone sends each cell in a task of its own.
func (d *dispatcher) enqueue(requests []request, alone bool) {
	if len(requests) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	cost := func(r request) float64 { return d.pace[r.cell.What] * float64(len(r.block)) }
	var parcels []*parcel
	if alone {
		for _, r := range requests {
			p := newParcel(d.job, []request{r})
			p.alone = true
			parcels = append(parcels, p)
		}
	} else {
		parcels = pack(d.job, requests, d.nodes.slots(), cost)
	}
	byCell := map[plan.Digest]request{}
	for _, r := range requests {
		byCell[r.digest] = r
	}
	for _, p := range parcels {
		for _, c := range p.cells {
			d.asked[c] = &asked{byCell[c], p}
		}
	}
	d.waiting = append(d.waiting, parcels...)
}

// collect moves what arrived into out; done when nothing of unknown is missing.
func (d *dispatcher) collect(unknown []request, out map[plan.Digest]wire.Result) (done bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fatal != nil {
		return false, d.fatal
	}
	for _, r := range unknown {
		if res, ok := d.got[r.digest]; ok {
			out[r.digest] = res
		}
	}
	return len(d.asked) == 0, nil
}

// publish keeps at most two tasks per live slot in the stream.
func (d *dispatcher) publish(ctx context.Context) error {
	slots := d.nodes.slots()
	for {
		d.mu.Lock()
		var next *parcel
		for len(d.waiting) > 0 && len(d.live) < 2*slots && next == nil {
			next, d.waiting = d.waiting[0], d.waiting[1:]
			if next.waiting == 0 { // answered while it waited
				next = nil
			}
		}
		if next != nil {
			d.live[next] = true
		}
		d.mu.Unlock()
		if next == nil {
			return nil
		}
		payload, err := wire.Encode(next.task)
		if err != nil {
			return err
		}
		msg := &nats.Msg{Subject: wire.TaskSubject(d.numerics, d.job), Data: payload}
		if next.alone {
			msg.Header = nats.Header{wire.HeaderAlone: {"1"}}
		}
		if _, err := d.b.JS.PublishMsg(ctx, msg); err != nil {
			return fmt.Errorf("task of %d cells: publish: %w", len(next.cells), explainDisk(err))
		}
	}
}

// explainDisk turns the broker's words for a full disk into what a user can do.
func explainDisk(err error) error {
	if s := err.Error(); strings.Contains(s, "insufficient storage") || strings.Contains(s, "no space left") || strings.Contains(s, "insufficient resources") {
		return fmt.Errorf("%w (the disk of the state directory is full: free space there, or choose another with --state-dir; results so far are kept)", err)
	}
	return err
}

// result takes a message of the result stream in, whoever asked for it.
func (d *dispatcher) result(m jetstream.Msg) {
	r, err := wire.DecodeResult(m.Data())
	if err != nil {
		return // another version's result: our cell will be computed for us
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.asked[r.Cell]
	if !ok {
		return
	}
	delete(d.asked, r.Cell)
	d.got[r.Cell] = r
	if a.parcel.waiting--; a.parcel.waiting == 0 {
		delete(d.live, a.parcel)
	}
	h := m.Headers()
	d.nodes.credit(h.Get(wire.HeaderNode), h.Get(wire.HeaderTier), h.Get(wire.HeaderBuild))
	if took, err := time.ParseDuration(h.Get(wire.HeaderTook)); err == nil && len(a.block) > 0 {
		d.pace[a.cell.What] += (took.Seconds()/float64(len(a.block)) - d.pace[a.cell.What]) / 8
	}
	if n, err := strconv.Atoi(h.Get(wire.HeaderRuns)); err == nil {
		d.onCell(false, n)
	}
	d.signal()
}

func (d *dispatcher) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *dispatcher) heartbeat(m *nats.Msg) {
	if h, err := wire.DecodeHeartbeat(m.Data); err == nil {
		d.nodes.hear(h)
		d.signal()
	}
}

// failure ends the job: the cell would fail again on every node.
func (d *dispatcher) failure(m *nats.Msg) {
	f, err := wire.DecodeFailure(m.Data)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.asked[f.Cell]; ok && d.fatal == nil {
		d.fatal = fmt.Errorf("evaluator %s: %s", f.Node, f.Text)
		if f.Input {
			d.fatal = &InputError{d.fatal}
		}
	}
	d.signal()
}

// ErrPoison is wrapped when a cell kills every evaluator that works on it, alone.
var ErrPoison = errors.New("a cell cannot be computed: evaluators die on it")

// exhausted handles a task that was delivered MaxDeliver times without an acknowledgement: the message is taken out of the
// stream; its cells go again one by one, or, if it was one already, the job ends.
func (d *dispatcher) exhausted(ctx context.Context, m *nats.Msg) {
	seq, ok := advisedSequence(m.Data)
	if !ok {
		return
	}
	raw, err := d.b.Tasks.GetMsg(ctx, seq)
	if err != nil {
		return
	}
	if raw.Subject != wire.TaskSubject(d.numerics, d.job) {
		return
	}
	_ = d.b.Tasks.DeleteMsg(ctx, seq)
	t, err := wire.DecodeTask(raw.Data)
	if err != nil {
		return
	}
	d.mu.Lock()
	var dead *parcel
	for p := range d.live {
		if p.task.View == t.View && p.task.What == t.What && slices.Equal(p.task.Blocks, t.Blocks) && len(p.task.Plans) == len(t.Plans) && samePlans(p.task.Plans, t.Plans) {
			dead = p
		}
	}
	var again []request
	if dead != nil {
		delete(d.live, dead)
		for _, c := range dead.cells {
			if a, ok := d.asked[c]; ok {
				again = append(again, a.request)
			}
		}
		if dead.alone && len(again) > 0 {
			c := again[0].cell
			d.fatal = fmt.Errorf("%w: plan %x with float groups %x, block %d of the view (%d samples); see the evaluators' logs", ErrPoison, again[0].plan.Params[:4], again[0].plan.Float, c.Index, len(again[0].block))
			again = nil
		}
	}
	d.mu.Unlock()
	d.enqueue(again, true)
	d.signal()
}

func samePlans(a, b []plan.Plan) bool {
	return slices.EqualFunc(a, b, func(x, y plan.Plan) bool { return x.Params == y.Params && slices.Equal(x.Float, y.Float) })
}

// recover sends tasks again that vanished from the stream (it was purged, or an old broker lost it). Tasks that are there are
// left alone.
func (d *dispatcher) recover(ctx context.Context) error {
	info, err := d.b.Tasks.Info(ctx)
	if err != nil {
		return nil // the broker is away; the client reconnects and the next tick asks again
	}
	if info.State.Msgs > 0 {
		return nil
	}
	d.mu.Lock()
	var again []request
	for p := range d.live {
		for _, c := range p.cells {
			if a, ok := d.asked[c]; ok {
				again = append(again, a.request)
			}
		}
		delete(d.live, p)
	}
	d.mu.Unlock()
	unknown, out, err := d.refetch(ctx, again)
	if err != nil {
		return err
	}
	d.mu.Lock()
	for c, r := range out {
		delete(d.asked, c)
		d.got[c] = r
	}
	d.mu.Unlock()
	d.enqueue(unknown, false)
	d.signal()
	return nil
}

// refetch is stored for cells whose result may have passed by unheard during a disconnect.
func (d *dispatcher) refetch(ctx context.Context, requests []request) (unknown []request, out map[plan.Digest]wire.Result, err error) {
	out = map[plan.Digest]wire.Result{}
	for _, r := range requests {
		res, _, ok, err := d.b.StoredResult(ctx, r.digest)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			out[r.digest] = res
		} else {
			unknown = append(unknown, r)
		}
	}
	return unknown, out, nil
}

// drop forgets what was asked and tells evaluators that nobody waits any more. Results that arrive later are kept by the
// stream.
func (d *dispatcher) drop() {
	d.mu.Lock()
	clear(d.asked)
	clear(d.live)
	d.waiting = nil
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = d.b.Tasks.Purge(ctx, jetstream.WithPurgeSubject(wire.TaskSubject(d.numerics, d.job)))
	_ = d.b.Conn.Publish(wire.CancelSubject(d.job), nil)
	_ = d.b.Conn.FlushTimeout(time.Second)
}

// lookup answers requests from the result stream as far as it can; nothing is computed.
func (d *dispatcher) lookup(ctx context.Context, requests []request) (map[plan.Digest]wire.Result, error) {
	_, out, err := d.refetch(ctx, requests)
	return out, err
}
