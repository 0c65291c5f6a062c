package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"assay/evaluator/worker"
	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// silent makes a dispatcher with one live parcel of n cells, without a broker.
func silent(n int, alone bool, deaths int) (*dispatcher, *parcel) {
	now := time.Unix(1000, 0)
	d := &dispatcher{
		job: "job", nodes: newNodes("test"), describe: plainCell, onNote: func(string) {}, number: 7,
		asked: map[plan.Digest]*asked{}, live: map[uint64]*parcel{}, got: map[plan.Digest]wire.Result{}, spares: map[plan.Digest]*spare{},
		stuck: map[plan.Digest]int{}, refused: map[plan.Digest]map[string]bool{}, pace: map[plan.What]float64{}, wake: make(chan struct{}, 1),
	}
	d.nodes.now = func() time.Time { return now }
	var rs []request
	for i := range n {
		c := plan.Cell{Index: uint32(i)}
		r := request{cell: c, digest: c.Digest(), block: []uint32{uint32(10 * i), uint32(10*i + 9)}}
		d.asked[r.digest] = &asked{request: r}
		rs = append(rs, r)
	}
	p := pack("job", rs, 1, func(request) float64 { return 0 })[0]
	p.alone, p.deaths, p.task.Number = alone, deaths, 7
	d.own(p)
	d.live[7] = p
	d.nodes.hear(wire.Heartbeat{Node: "a", Started: 1, Numerics: "test", Slots: 1})
	d.nodes.hear(wire.Heartbeat{Node: "b", Started: 5, Numerics: "test", Slots: 1})
	return d, p
}

// TestJudgement: what becomes of a parcel that fell silent three times, by who held it. Node a lives since 1 and b, once
// restarted, since 5; nobody else lives.
func TestJudgement(t *testing.T) {
	dead, alive := holder{"c", 1}, holder{"a", 1}
	for _, c := range []struct {
		name              string
		cells             int
		alone             bool
		deaths            int // before
		holders           []holder
		waiting, suspects int // parcels after
		counted           int
		poison            bool
	}{
		{name: "three deaths: cell by cell", cells: 4, holders: []holder{dead, dead, dead}, suspects: 4, counted: 3},
		{name: "no claim was heard", cells: 4, suspects: 4, counted: 3},
		{name: "a restarted process is another one", cells: 2, holders: []holder{{"b", 2}, {"b", 3}, {"b", 4}}, suspects: 2, counted: 3},
		{name: "all live: nothing is counted", cells: 4, holders: []holder{alive, {"b", 5}, alive}, waiting: 1},
		{name: "some live: counted, sent again", cells: 4, holders: []holder{alive, dead, dead}, waiting: 1, counted: 2},
		{name: "deaths add up", cells: 4, deaths: 2, holders: []holder{alive, alive, dead}, suspects: 4, counted: 3},
		{name: "all live beats a history", cells: 4, deaths: 3, holders: []holder{alive, alive, alive}, waiting: 1, counted: 3},
		{name: "alone, three deaths: poison", cells: 1, alone: true, holders: []holder{dead, dead, dead}, counted: 3, poison: true},
		{name: "alone, not all dead", cells: 1, alone: true, holders: []holder{dead, alive, dead}, suspects: 1, counted: 2},
		{name: "alone, deaths add up", cells: 1, alone: true, deaths: 2, holders: []holder{dead, alive, alive}, counted: 3, poison: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p := silent(c.cells, c.alone, c.deaths)
			p.holders = c.holders
			d.judge(p)
			require.Len(t, d.waiting, c.waiting)
			require.Len(t, d.suspects, c.suspects)
			require.Equal(t, c.counted, p.deaths)
			require.Equal(t, c.poison, errors.Is(d.fatal, ErrPoison))
			if c.poison {
				require.ErrorContains(t, d.fatal, "3 processes (c")
				require.ErrorContains(t, d.fatal, "samples 0 to 9")
				return
			}
			require.Empty(t, d.live)
			for _, q := range d.waiting {
				require.Equal(t, c.counted, q.deaths)
			}
		})
	}
}

// TestSuspectsGoAlone: while a cell is under suspicion nothing else is in work, so that a death is its own.
func TestSuspectsGoAlone(t *testing.T) {
	d, p := silent(3, false, 3)
	other := pack("job", []request{{cell: plan.Cell{Index: 9, What: plan.Taps}, digest: plan.Digest{9}, block: []uint32{1}}}, 1, func(request) float64 { return 0 })[0]
	d.asked[plan.Digest{9}] = &asked{parcel: other}
	d.waiting = []*parcel{other}
	p.holders = []holder{{"c", 1}, {"c", 2}, {"c", 3}}
	d.judge(p)
	for range 3 {
		s := d.next(4)
		require.True(t, s.alone)
		require.Nil(t, d.next(4), "one suspect at a time, and nothing beside it")
		d.close(s.cells[0])
	}
	require.Same(t, other, d.next(4))
	require.Nil(t, d.next(4))
}

// TestFailureClasses: only failures that would come again end a job, and only when their task is live.
func TestFailureClasses(t *testing.T) {
	for _, c := range []struct {
		class wire.Class
		times int
		fatal string
		input bool
		note  bool
	}{
		{class: wire.Broken, times: 1, fatal: "evaluator n: why"},
		{class: wire.Transient, times: 20, note: true},
		{class: wire.Leaving, times: 20},
		{class: wire.Stuck, times: 2},
		{class: wire.Stuck, times: 3, fatal: "the last of 3 was n"},
	} {
		t.Run(fmt.Sprint(c.class, " x ", c.times), func(t *testing.T) {
			d, p := silent(1, false, 0)
			for range c.times {
				number := p.task.Number
				for _, n := range []uint64{number, number + 100} { // the second is of no live task
					f := wire.Failure{V: wire.Version, Class: c.class, Job: "job", Number: n, Cell: p.cells[0], Node: "n", Text: "why"}
					b, err := wire.Encode(f)
					require.NoError(t, err)
					d.failure(&nats.Msg{Data: b})
				}
				if len(d.live) == 0 {
					p = d.next(1)
					require.NotNil(t, p)
					require.NotEqual(t, number, p.task.Number)
					require.Zero(t, p.deaths)
				}
			}
			var input *InputError
			require.Equal(t, c.input, errors.As(d.fatal, &input))
			require.Equal(t, c.note, d.trouble != "")
			if c.fatal == "" {
				require.NoError(t, d.fatal)
			} else {
				require.ErrorContains(t, d.fatal, c.fatal)
			}
		})
	}
}

// TestRefusals: a cell that does not fit into one node's memory goes to the others; when every live node has refused it, the job
// ends as bad input. Nodes a and b live.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		by   []string
		cell []uint32 // of the parcel, for each refusal
		live func(d *dispatcher)
		end  bool
	}{
		{name: "one of two", by: []string{"a"}, cell: []uint32{0}},
		{name: "the same one again and again", by: []string{"a", "a", "a", "a", "a"}, cell: []uint32{0, 0, 0, 0, 0}},
		{name: "both, of different cells", by: []string{"a", "b"}, cell: []uint32{0, 1}},
		{name: "both", by: []string{"a", "b"}, cell: []uint32{0, 0}, end: true},
		{name: "the only one", by: []string{"a"}, cell: []uint32{0}, end: true, live: func(d *dispatcher) {
			d.nodes.hear(wire.Heartbeat{Node: "b", Started: 5, Numerics: "test", Leaving: true})
		}},
		{name: "both, and a third came", by: []string{"a", "b"}, cell: []uint32{0, 0}, live: func(d *dispatcher) {
			d.nodes.hear(wire.Heartbeat{Node: "c", Started: 9, Numerics: "test", Slots: 1})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p := silent(2, false, 0)
			if c.live != nil {
				c.live(d)
			}
			for i, node := range c.by {
				require.NoError(t, d.fatal)
				cell := plan.Cell{Index: c.cell[i]}
				b, err := wire.Encode(wire.Failure{V: wire.Version, Class: wire.BadInput, Job: "job", Number: p.task.Number, Cell: cell.Digest(), Node: node, Text: "memory: 2 GiB wanted"})
				require.NoError(t, err)
				d.failure(&nats.Msg{Data: b})
				if len(d.live) == 0 {
					p = d.next(1)
					require.Zero(t, p.deaths)
				}
			}
			var input *InputError
			require.Equal(t, c.end, errors.As(d.fatal, &input))
			if c.end {
				require.ErrorContains(t, d.fatal, "evaluator "+c.by[len(c.by)-1]+": memory: 2 GiB wanted")
				return
			}
			require.NoError(t, d.fatal)
			require.Contains(t, d.trouble, "goes to other evaluators")
		})
	}
}

// TestRefusedBeforeAllSpoke: a job on a server that others share is not ended by the first node that speaks, and refuses, before
// the others have had the time to say that they live.
func TestRefusedBeforeAllSpoke(t *testing.T) {
	d, p := silent(1, false, 0)
	d.nodes.hear(wire.Heartbeat{Node: "b", Started: 5, Numerics: "test", Leaving: true})
	d.begun = d.nodes.now()
	refusal := func() {
		b, err := wire.Encode(wire.Failure{V: wire.Version, Class: wire.BadInput, Job: "job", Number: p.task.Number, Cell: p.cells[0], Node: "a", Text: "memory: 2 GiB wanted"})
		require.NoError(t, err)
		d.failure(&nats.Msg{Data: b})
	}
	for _, after := range []time.Duration{0, settle - 1} {
		d.nodes.now = func() time.Time { return d.begun.Add(after) }
		refusal()
		require.NoError(t, d.fatal)
		p = d.next(1)
		require.NotNil(t, p, "it goes again")
	}
	d.nodes.now = func() time.Time { return d.begun.Add(settle) }
	refusal()
	var input *InputError
	require.ErrorAs(t, d.fatal, &input)
}

// tight is a node's refusal.
type tight struct{ error }

func (tight) Input() bool { return true }

// TestSmallNodeBesideLargeOne: one evaluator has too little memory for any INT8 model; the job is done by the other.
func TestSmallNodeBesideLargeOne(t *testing.T) {
	f := newField(t, t.TempDir(), 4, 44, "0.01")
	defer f.b.Close()
	f.crew = 2 // a small node alone would rightly end the job
	small, large := f.toy(1), f.toy(2)
	var refused atomic.Int64
	small.fail = func(p plan.Plan) error {
		if p.Params.IsZero() {
			return nil
		}
		refused.Add(1)
		return tight{errors.New("memory: 2 GiB wanted")}
	}
	large.delay = 5 * time.Millisecond
	defer staff(t, f.b, 2, func(i int) *toy { return []*toy{small, large}[i] })()
	out, err := f.solve(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, out.Trials)
	require.Less(t, refused.Load(), large.computed.Load(), "it backs off instead of taking every task")
}

// serve starts a NATS server that several processes could reach, here several connections.
func serve(t *testing.T) (dial func() *broker.Broker) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	require.NoError(t, err)
	go s.Start()
	require.True(t, s.ReadyForConnections(generous))
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return func() *broker.Broker {
		b, err := broker.Dial(t.Context(), s.ClientURL(), generous, nil)
		require.NoError(t, err)
		b.AckWait = ackWait
		return b
	}
}

// Times of these tests: a silent delivery is given to another after ackWait, and by then its node counts as dead.
const (
	ackWait     = 1500 * time.Millisecond
	nodeTimeout = 1400 * time.Millisecond
)

// supervise keeps one evaluator of two slots alive: when its process "dies" (its connection is cut without a word) another
// starts under the same name.
func supervise(t *testing.T, dial func() *broker.Broker, make func(b *broker.Broker) *toy) (fire func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			b := dial()
			life, end := context.WithCancel(ctx)
			y := make(b)
			y.die = func() { b.Conn.Close(); end() }
			err := worker.Run(life, b, y, worker.Config{Node: "node", Slots: 2, Log: zap.NewNop()})
			end()
			b.Close()
			if err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	})
	return func() { cancel(); group.Wait() }
}

// TestDeathsOnACellArePoison: a cell on which every process dies ends the job, by name, and no other cell is blamed though
// others die beside it; a cell that kills only some ends nothing.
func TestDeathsOnACellArePoison(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: takes the broker's patience several times")
	}
	t.Parallel()
	for _, c := range []struct {
		kills int64
		end   bool
	}{{kills: 4}, {kills: 1 << 60, end: true}} {
		t.Run(fmt.Sprint("kills ", c.kills), func(t *testing.T) {
			t.Parallel()
			dial := serve(t)
			f := fieldOn(t, dial(), 6, 90, "0.01")
			defer f.b.Close()
			f.timeout = nodeTimeout
			var deaths atomic.Int64
			fire := supervise(t, dial, func(b *broker.Broker) *toy {
				y := f.toy(1)
				y.objects, y.delay = b.Objects, time.Millisecond
				y.poison = func(p plan.Plan, block uint32) bool {
					return p.Count() == 0 && !p.Params.IsZero() && block == 11 && deaths.Add(1) <= c.kills
				}
				return y
			})
			defer fire()
			out, err := f.solve(t.Context())
			if !c.end {
				require.NoError(t, err)
				require.NotEmpty(t, out.Steps)
				return
			}
			require.ErrorIs(t, err, ErrPoison)
			require.ErrorContains(t, err, "samples 44 to 47")
			require.GreaterOrEqual(t, deaths.Load(), int64(2*deadly))
		})
	}
}

// TestTroubleIsNoPoison: a cell that cannot be computed many times for reasons of the moment ends no job; the user hears why.
func TestTroubleIsNoPoison(t *testing.T) {
	for _, trouble := range []error{context.DeadlineExceeded, fmt.Errorf("view: %w", store.ErrUnavailable)} {
		t.Run(trouble.Error(), func(t *testing.T) {
			t.Parallel()
			f := newField(t, t.TempDir(), 6, 90, "0.01")
			defer f.b.Close()
			var left atomic.Int64
			left.Store(3*broker.MaxDeliver + 2)
			y := f.toy(1)
			y.fail = func(p plan.Plan) error {
				if p.Params.IsZero() || left.Add(-1) < 0 {
					return nil
				}
				return trouble
			}
			defer staff(t, f.b, 3, func(int) *toy { return y })()
			out, err := f.solve(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, out.Steps)
			require.Negative(t, left.Load())
		})
	}
}
