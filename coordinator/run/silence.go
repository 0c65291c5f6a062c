package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"assay/shared/broker"
	"assay/shared/wire"
)

// ErrPoison is wrapped when a cell kills every evaluator that works on it, alone, or three are stuck on it. It does not occur for evaluators that
// run out of memory in good order, nor for any that still speak: those refuse, or give the cell back.
var ErrPoison = errors.New("a cell cannot be computed: evaluators die on it, or never end")

// deadly is how many processes must die on a parcel before its cells go one by one, on a cell that goes alone before it is
// poison, and how many must be stuck on a cell.
const deadly = broker.MaxDeliver

// exhaustion is where the server tells that it gave a task up.
func exhaustion(numerics string) string {
	return fmt.Sprintf("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.%s.%s", wire.TaskStream, wire.ConsumerName(numerics))
}

// advisedSequence reads the stream sequence of a task out of the server's max-deliveries advisory
// (io.nats.jetstream.advisory.v1.max_deliver).
func advisedSequence(b []byte) (seq uint64, ok bool) {
	var a struct {
		Seq uint64 `json:"stream_seq"`
	}
	return a.Seq, json.Unmarshal(b, &a) == nil && a.Seq > 0
}

// exhausted handles a task that fell silent broker.MaxDeliver times; the broker delivers it no more.
func (d *dispatcher) exhausted(ctx context.Context, m *nats.Msg) {
	if seq, ok := advisedSequence(m.Data); ok {
		d.withdraw(ctx, seq)
	}
}

// withdraw takes a task that fell silent out of the stream, if it is of this job, and judges it. A task that cannot be
// read now is found again by sweep. Two coordinators may hear one advisory; each minds its own tasks.
func (d *dispatcher) withdraw(ctx context.Context, seq uint64) {
	raw, err := d.b.Tasks.GetMsg(ctx, seq)
	if err != nil || raw.Subject != wire.TaskSubject(d.numerics, d.job) {
		return
	}
	t, err := wire.DecodeTask(raw.Data)
	if err != nil {
		return
	}
	_ = d.b.Tasks.DeleteMsg(ctx, seq) // left behind it does no harm: it is never delivered again
	d.mu.Lock()
	defer d.mu.Unlock()
	d.news++
	if p, ok := d.live[t.Number]; ok {
		d.judge(p)
	}
	d.signal()
}

// judge decides what becomes of a parcel that fell silent. A process that still speaks has not died on it (it was cut off, or
// suspended), so its silence is not counted. After as many deaths as are deadly the cells go one by one, each while nothing
// else is in work, so that a death is its own; a cell with as many deaths of its own ends the job. The caller holds the
// lock. died counts claims of processes that are silent now, and deliveries that were never claimed.
func (d *dispatcher) judge(p *parcel) {
	if p.spare {
		d.forgo(p)
		return
	}
	died := max(0, broker.MaxDeliver-len(p.holders)) // dead before it could claim
	var names []string
	for _, h := range p.holders {
		if !d.nodes.lives(h) {
			died++
			names = append(names, h.node)
		}
	}
	if p.deaths += died; died == 0 || p.deaths < deadly {
		d.requeue(p)
		return
	}
	rest := d.left(p)
	if !p.alone {
		delete(d.live, p.task.Number)
		for _, r := range rest {
			s := newParcel(d.job, []request{r})
			s.alone = true
			d.own(s)
			d.suspects = append(d.suspects, s)
		}
		return
	}
	for _, r := range rest {
		who := ""
		if len(names) > 0 {
			who = " (" + strings.Join(names, ", ") + ")"
		}
		d.end(fmt.Errorf("%w: %d processes%s ended on %s; see the evaluators' logs", ErrPoison, p.deaths, who, d.describe(r)), false)
	}
}

// plainCell names a cell by numbers.
func plainCell(r request) string {
	return fmt.Sprintf("plan %s with float groups %v, samples %d to %d", r.plan.Params.Short(), r.plan.FloatGroups(), r.block[0], r.block[len(r.block)-1])
}
