package run

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/plan"
	"assay/shared/wire"
)

// result takes a message of the result stream in, whoever asked for it. It is the broker's goroutine; it takes the lock
// briefly and never waits for anything else.
func (d *dispatcher) result(m jetstream.Msg) {
	r, err := wire.DecodeResult(m.Data())
	if err != nil {
		return // another version's result: our cell will be computed for us
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(r, m.Headers())
}

// take enters a result with what its header tells of its making. The caller holds the lock. Cells nobody here knows are
// other jobs'. The pace of a kind of cell is a running mean with weight 1/8 for the newest.
func (d *dispatcher) take(r wire.Result, h nats.Header) {
	a := d.asked[r.Cell]
	if a == nil && d.spares[r.Cell] == nil {
		return
	}
	d.news++
	d.nodes.credit(h.Get(wire.HeaderNode), h.Get(wire.HeaderTier), h.Get(wire.HeaderBuild))
	took, err := time.ParseDuration(h.Get(wire.HeaderTook))
	runs, missing := strconv.Atoi(h.Get(wire.HeaderRuns))
	d.signal()
	if a == nil {
		d.early(r.Cell, h.Get(wire.HeaderNode), runs, took)
		return
	}
	d.got[r.Cell] = r
	d.close(r.Cell)
	if err == nil && len(a.block) > 0 {
		d.pace[a.cell.What] += (took.Seconds()/float64(len(a.block)) - d.pace[a.cell.What]) / 8
	}
	if missing == nil {
		d.onCell(ended{request: a.request, node: h.Get(wire.HeaderNode), runs: runs, took: took})
	}
}

// close notes that a cell has its result. The caller holds the lock. A parcel all of whose cells are known leaves live
// at once, before its acknowledgement.
func (d *dispatcher) close(c plan.Digest) {
	a, ok := d.asked[c]
	if !ok {
		return
	}
	delete(d.asked, c)
	if p := a.parcel; p != nil {
		if p.waiting--; p.waiting == 0 && d.live[p.task.Number] == p {
			delete(d.live, p.task.Number)
		}
	}
}

// heard counts what moved the job on or back.
func (d *dispatcher) heard() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

// signal wakes do. It never blocks: one signal that waits stands for all changes until do looks.
func (d *dispatcher) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// heartbeat takes in who lives. It wakes do, because a new slot has room for a task at once.
func (d *dispatcher) heartbeat(m *nats.Msg) {
	if h, err := wire.DecodeHeartbeat(m.Data); err == nil {
		d.nodes.hear(h)
		d.signal()
	}
}

// claim notes who works on a task. holders has an entry per delivery, so a node that got a task twice stands there
// twice.
func (d *dispatcher) claim(m *nats.Msg) {
	c, err := wire.DecodeClaim(m.Data)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p, ok := d.live[c.Number]; ok {
		p.holders = append(p.holders, holder{c.Node, c.Started})
	}
}

// failure handles the end of a delivery that an evaluator survived. Trouble of the moment is no fault of the cell: its task
// goes again and nothing is counted. A cell that would fail again ends the job, as does one that
// every live node refuses or that several are stuck on. Class decides: Broken ends the job, BadInput goes to other
// nodes, Transient and Leaving go again, Stuck counts against the cell.
func (d *dispatcher) failure(m *nats.Msg) {
	f, err := wire.DecodeFailure(m.Data)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.live[f.Number]
	if !ok {
		return // its results came from elsewhere, or it was sent again already
	}
	d.news++
	if p.spare {
		d.forgo(p)
		d.signal()
		return
	}
	switch f.Class {
	case wire.Broken:
		d.end(fmt.Errorf("evaluator %s: %s", f.Node, f.Text), false)
	case wire.BadInput:
		d.refuse(p, f)
	case wire.Transient:
		d.trouble = fmt.Sprintf("evaluator %s could not go on: %s (the work is sent again)", f.Node, f.Text)
		d.requeue(p)
	case wire.Leaving:
		d.requeue(p)
	case wire.Stuck:
		if d.stuck[f.Cell]++; d.stuck[f.Cell] == deadly {
			d.end(fmt.Errorf("%w: %s; the last of %d was %s", ErrPoison, f.Text, deadly, f.Node), false)
		}
	}
	d.signal()
}

// settle is how long after the beginning of a job on somebody's server a node that lives may not have been heard of: who is
// called answers at once, but the smallest node may be the quickest.
const settle = 2 * wire.HeartbeatEvery

// refuse handles a cell that a node cannot compute with what its user gave it, which is memory. Another node may have more: the
// task goes again until every live node has refused the cell, and every node has had the time to say that it lives. The caller
// holds the lock.
func (d *dispatcher) refuse(p *parcel, f wire.Failure) {
	by := d.refused[f.Cell]
	if by == nil {
		by = map[string]bool{}
		d.refused[f.Cell] = by
	}
	by[f.Node] = true
	if d.nodes.others(by) == 0 && (d.begun.IsZero() || d.nodes.now().Sub(d.begun) >= settle) {
		d.end(fmt.Errorf("evaluator %s: %s", f.Node, f.Text), true)
		return
	}
	d.trouble = fmt.Sprintf("evaluator %s: %s (the work goes to other evaluators)", f.Node, f.Text)
	d.requeue(p)
}

// end fails the job for the first reason given. The caller holds the lock. do sees fatal at its next look and returns
// it.
func (d *dispatcher) end(err error, input bool) {
	if d.fatal != nil {
		return
	}
	if d.fatal = err; input {
		d.fatal = &InputError{err}
	}
}

// requeue takes a live parcel back and lets what is left of it go next; its history is kept. The caller holds the lock.
// What is left is packed anew, since results may have come in meanwhile and slots may have changed.
func (d *dispatcher) requeue(p *parcel) {
	if p.spare {
		d.forgo(p)
		return
	}
	delete(d.live, p.task.Number)
	if p.alone {
		if p.waiting > 0 {
			d.suspects = append([]*parcel{p}, d.suspects...)
		}
		return
	}
	again := d.parcels(d.left(p))
	for _, a := range again {
		a.deaths = p.deaths
	}
	d.waiting = append(again, d.waiting...)
}

// left is what a parcel has no result of. The caller holds the lock.
func (d *dispatcher) left(p *parcel) []request {
	var out []request
	for _, c := range p.cells {
		if a, ok := d.asked[c]; ok {
			out = append(out, a.request)
		}
	}
	return out
}
