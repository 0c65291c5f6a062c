package run

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"assay/coordinator/search"
	"assay/evaluator/worker"
	"assay/shared/broker"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/tensor"
	"assay/shared/wire"
)

// TestMain looks for goroutines that outlive their test. One kind is not ours: nats.go's object store starts a goroutine for
// every Put and may clean up, at its end, before that goroutine has looked at what it shall wait for.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}

// toyParams is params of n groups of one point each.
func toyParams(n int) *plan.Params {
	p := &plan.Params{}
	for g := range n {
		p.Points = append(p.Points, plan.Point{
			Value: fmt.Sprintf("t%d", g), Uses: []plan.Use{{Node: fmt.Sprintf("n%d", g)}},
			DType: tensor.Uint8, Axis: -1, Scale: []float32{0.5}, Zero: []int32{3},
		})
		p.Groups = append(p.Groups, []uint32{uint32(g)})
	}
	return p
}

// toy computes records by arithmetic: sample s is wrong under a plan when some INT8 group that hurts it is not float.
// What stands in for the machine's troubles is drawn from the cell: delays, refusals of the moment, and deaths.
type toy struct {
	objects  store.Store
	params   *plan.Params
	delay    time.Duration
	trouble  float64 // share of computations that fail for the moment
	poison   func(p plan.Plan, block uint32) bool
	die      func() // what poison does
	fail     func(p plan.Plan) error
	hang     func(ctx context.Context, p plan.Plan)
	computed atomic.Int64
	rng      func() float64
}

func (t *toy) Numerics() string { return "test" }

func (t *toy) Cell(_ context.Context, task wire.Task, p plan.Plan, block uint32) (plan.Cell, error) {
	return plan.Cell{Problem: task.Problem, Plan: plan.EffectiveDigest(t.params, p), View: task.View, Index: block, What: task.What, Ref: task.Ref}, nil
}

const toyBlock = 4

func (t *toy) Compute(ctx context.Context, task wire.Task, p plan.Plan, block uint32, progress func()) (worker.Value, error) {
	b, err := t.objects.Get(ctx, task.View)
	if err != nil {
		return worker.Value{}, err
	}
	v, err := plan.DecodeView(b)
	if err != nil {
		return worker.Value{}, err
	}
	if t.hang != nil {
		if t.hang(ctx, p); ctx.Err() != nil {
			return worker.Value{}, ctx.Err()
		}
	}
	select {
	case <-ctx.Done():
		return worker.Value{}, ctx.Err()
	case <-time.After(t.delay):
	}
	if t.poison != nil && t.poison(p, block) {
		t.die()
		return worker.Value{}, context.Canceled
	}
	if t.fail != nil {
		if err := t.fail(p); err != nil {
			return worker.Value{}, err
		}
	}
	if t.rng() < t.trouble {
		return worker.Value{}, context.DeadlineExceeded
	}
	t.computed.Add(1)
	var records []byte
	from := int(block) * toyBlock
	samples := v.Samples[from:min(from+toyBlock, len(v.Samples))]
	for _, s := range samples {
		records = append(records, toyRecord(t.params, p, s)...)
		progress()
	}
	return worker.Value{Result: wire.Result{V: wire.ResultVersion, Records: records}, Samples: len(samples)}, nil
}

// toyRecord is metric.Record's layout: class, rank, margin, span, flags.
func toyRecord(params *plan.Params, p plan.Plan, s uint32) []byte {
	wrong := s%11 == 5
	if !p.Params.IsZero() {
		for g := range params.Groups {
			if hurts := (int(s)*7+g*13)%(17+4*g) == 0; hurts && !p.Has(g) {
				wrong = !wrong
			}
		}
	}
	b := make([]byte, 24)
	if wrong {
		binary.LittleEndian.PutUint32(b[4:], 1)
	}
	return b
}

// field is one broker with a job on it.
type field struct {
	timeout time.Duration // of nodes, if not the usual one
	crew    int           // slots that must have been heard of before the search begins
	b       *broker.Broker
	params  *plan.Params
	problem search.Problem
	meter   metric.Meter
	whole   plan.Problem
}

// generous ends waits that a loaded machine may stretch. A test that passes never waits for it.
const generous = time.Minute

// newField makes a job on a broker of its own. No evaluator of such a field dies without a word, so none that is starved
// for a moment shall count as silent.
func newField(t *testing.T, dir string, groups, samples int, drop string) *field {
	b, err := broker.Embed(dir)
	require.NoError(t, err)
	b.AckWait = generous
	return fieldOn(t, b, groups, samples, drop)
}

func fieldOn(t *testing.T, b *broker.Broker, groups, samples int, drop string) *field {
	f := &field{b: b, params: toyParams(groups)}
	f.meter = metric.Meter{Adapter: metric.Classification, Output: "y", Metrics: []metric.Spec{{Name: "accuracy", Type: "accuracy", TopK: 1}}, Labels: make([]int32, samples)}
	limit, err := metric.ParseLimit(drop, false)
	require.NoError(t, err)
	f.problem = search.Problem{Params: f.params.Digest(), Groups: groups, Metrics: []search.Metric{{Name: "accuracy", Direction: metric.HigherBetter}}, Limit: limit, Subset: 30, Iterations: search.Unlimited}
	for i := range samples {
		f.problem.View.Samples = append(f.problem.View.Samples, uint32(i))
	}
	f.whole = plan.Problem{Numerics: "test", Block: toyBlock, Meter: f.meter.Digest()}
	return f
}

// results is how many cells are stored; 0 while that cannot be told.
func (f *field) results() uint64 {
	info, err := f.b.Results.Info(context.Background())
	if err != nil {
		return 0
	}
	return info.State.Msgs
}

// solve runs the search over the field's broker.
func (f *field) solve(ctx context.Context) (search.Outcome, error) {
	d, stop, err := listen(ctx, f.b, "job", "test", 1000)
	if err != nil {
		return search.Outcome{}, err
	}
	defer stop()
	if f.timeout > 0 {
		d.nodes.timeout = f.timeout
	}
	for d.nodes.slots() < f.crew {
		select {
		case <-ctx.Done():
			return search.Outcome{}, context.Cause(ctx)
		case <-d.wake:
		}
	}
	a := newAsker(d, f.b.Objects, f.whole, f.meter, f.problem.View)
	a.params = f.params
	if !d.fresh {
		a.lookup = d.lookup
	}
	return search.POT(ctx, f.problem, a)
}

// staff starts n evaluators of one slot each on the field and returns how to send them home.
func staff(t *testing.T, b *broker.Broker, n int, make func(i int) *toy) (fire func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			err := worker.Run(ctx, b, make(i), worker.Config{Node: fmt.Sprintf("node-%d", i), Slots: 1, Log: zap.NewNop()})
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	return func() { cancel(); group.Wait() }
}

func (f *field) toy(seed uint64) *toy {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, 1))
	return &toy{objects: f.b.Objects, params: f.params, rng: func() float64 { mu.Lock(); defer mu.Unlock(); return r.Float64() }}
}

// text is an outcome in a form that can be compared.
func text(t *testing.T, o search.Outcome) string {
	b, err := json.Marshal(o)
	require.NoError(t, err)
	return string(b)
}

// TestSameDecisionsWhateverTheCluster runs one search with clusters of several sizes, with evaluators that fail for the
// moment and that come and go, and expects one outcome.
func TestSameDecisionsWhateverTheCluster(t *testing.T) {
	var want string
	for i, c := range []struct {
		evaluators int
		trouble    float64
		turnover   bool
	}{{1, 0, false}, {2, 0, false}, {4, 0.2, false}, {3, 0.1, true}} {
		t.Run(fmt.Sprintf("%d evaluators, trouble %v, turnover %v", c.evaluators, c.trouble, c.turnover), func(t *testing.T) {
			f := newField(t, t.TempDir(), 6, 90, "0.01")
			defer f.b.Close()
			if c.turnover {
				f.b.AckWait = ackWait // what is on its way to an evaluator that leaves is lost in silence
			}
			hire := func(seed int) func() {
				return staff(t, f.b, c.evaluators, func(n int) *toy {
					y := f.toy(uint64(seed*10 + n))
					y.trouble, y.delay = c.trouble, time.Millisecond
					return y
				})
			}
			fire := hire(i)
			stop := make(chan struct{})
			var churn sync.WaitGroup
			if c.turnover {
				churn.Go(func() {
					for n := range 8 {
						for before := f.results(); f.results() < before+3; { // every crew moves the job on, however slow the machine is
							select {
							case <-stop:
								return
							case <-time.After(time.Millisecond):
							}
						}
						fire()
						fire = hire(i + n + 1)
					}
				})
			}
			out, err := f.solve(t.Context())
			close(stop)
			churn.Wait()
			fire()
			require.NoError(t, err)
			require.NotEmpty(t, out.Steps)
			if want == "" {
				want = text(t, out)
			}
			require.Equal(t, want, text(t, out))
		})
	}
}

// TestRestartComputesNothingTwice interrupts a search at several moments, starts it again on the same state, and then runs
// it once more without any evaluator.
func TestRestartComputesNothingTwice(t *testing.T) {
	dir := t.TempDir()
	total := int64(0)
	limits := []int64{7, 30, 55, 1 << 60}
	var first string
	for _, limit := range limits {
		f := newField(t, dir, 6, 90, "0.01")
		ctx, cancel := context.WithCancelCause(t.Context())
		y := f.toy(1)
		fire := staff(t, f.b, 1, func(int) *toy { return y })
		watch := make(chan struct{})
		go func() {
			defer close(watch)
			for ctx.Err() == nil && y.computed.Load() < limit {
				select {
				case <-ctx.Done():
				case <-time.After(time.Millisecond):
				}
			}
			cancel(errors.New("interrupted by the test"))
		}()
		out, err := f.solve(ctx)
		cancel(nil)
		<-watch
		fire()
		total += y.computed.Load()
		if err == nil {
			first = text(t, out)
		} else {
			require.Error(t, ctx.Err(), err)
		}
		f.b.Close()
	}
	require.NotEmpty(t, first)
	alone := newField(t, t.TempDir(), 6, 90, "0.01")
	y := alone.toy(1)
	fire := staff(t, alone.b, 1, func(int) *toy { return y })
	out, err := alone.solve(t.Context())
	fire()
	alone.b.Close()
	require.NoError(t, err)
	require.Equal(t, text(t, out), first)
	// A cell in work at an interruption is lost, one per slot and interruption; everything else is computed once.
	require.LessOrEqual(t, total, y.computed.Load()+int64(len(limits)))

	f := newField(t, dir, 6, 90, "0.01")
	defer f.b.Close()
	out, err = f.solve(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, text(t, out))
}

// TestAnotherLimitAnswersFromMemory needs only the cells that its own decisions reach.
func TestAnotherLimitAnswersFromMemory(t *testing.T) {
	dir := t.TempDir()
	f := newField(t, dir, 6, 90, "0")
	y := f.toy(1)
	fire := staff(t, f.b, 2, func(int) *toy { return y })
	_, err := f.solve(t.Context())
	fire()
	f.b.Close()
	require.NoError(t, err)
	f = newField(t, dir, 6, 90, "0.02")
	defer f.b.Close()
	_, err = f.solve(t.Context()) // no evaluator is there: everything must be known
	require.NoError(t, err)
}

// TestFailureEndsTheJobWithItsCause has one plan that cannot be computed.
func TestFailureEndsTheJobWithItsCause(t *testing.T) {
	f := newField(t, t.TempDir(), 6, 90, "0.01")
	defer f.b.Close()
	y := f.toy(1)
	y.fail = func(p plan.Plan) error {
		if p.Params.IsZero() {
			return nil
		}
		return errors.New("node conv_7: out of memory: 12 MB wanted")
	}
	defer staff(t, f.b, 1, func(int) *toy { return y })()
	_, err := f.solve(t.Context())
	require.ErrorContains(t, err, "node conv_7: out of memory")
	require.ErrorContains(t, err, "evaluator node-0")
}
