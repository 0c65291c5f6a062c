package cell

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"assay/evaluator/engine"
	"assay/evaluator/worker"
	"assay/kernels/numeric"
	"assay/shared/dataset"
	"assay/shared/graph"
	"assay/shared/metric"
	"assay/shared/onnx"
	"assay/shared/pass"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/store"
	"assay/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// block is the samples of a cell here.
const block = 7

// desk is a store with the digits example in it: its problem, 60 of its samples, and everything INT8.
type desk struct {
	t       *testing.T
	objects *store.Memory
	model   *graph.Model
	problem plan.Problem
	all     plan.Plan // INT8
	groups  int
	taps    plan.Digest
}

func (d *desk) put(b []byte) plan.Digest {
	d.t.Helper()
	digest, err := d.objects.Put(context.Background(), b)
	require.NoError(d.t, err)
	return digest
}

func (d *desk) view(samples ...uint32) plan.Digest {
	return d.put(plan.EncodeView(plan.View{Samples: samples}))
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, objects: store.NewMemory()}
	example := func(name string) string { return filepath.Join("..", "..", "deployments", "examples", "digits", name) }
	var err error
	d.model, err = onnx.Read(example("model.onnx"))
	require.NoError(t, err)
	require.NoError(t, pass.Normalize(d.model))
	encoded, err := onnx.Encode(d.model)
	require.NoError(t, err)
	in := d.model.Graph.Inputs[0]
	want := dataset.Want{Name: in.Name, DType: in.Type.DType, Shape: []int{-1}}
	for _, dim := range in.Type.Shape[1:] {
		want.Shape = append(want.Shape, dim.N)
	}
	set, err := dataset.Open(t.Context(), dataset.Source{Data: example("images.npy"), Labels: example("labels.npy"), Inputs: []dataset.Want{want}})
	require.NoError(t, err)
	inputs, faults, err := set.Select(first(60)).Build(t.Context(), func(b []byte) (plan.Digest, error) { return d.objects.Put(t.Context(), b) }, nil)
	require.NoError(t, errors.Join(err, faults.Err()))
	meter := metric.Meter{
		Adapter: metric.Classification, Output: d.model.Graph.Outputs[0].Name,
		Metrics: []metric.Spec{{Name: "accuracy@top1", Type: "accuracy", TopK: 1}}, Labels: set.Labels[:60],
	}
	d.problem = plan.Problem{Numerics: numeric.Version, Model: d.put(encoded), Inputs: d.put(inputs.Encode()), Meter: d.put(meter.Encode()), Block: block}
	d.put(plan.Encode("Problem", d.problem))
	d.calibrate()
	return d
}

func first(n int) []int {
	var out []int
	for i := range n {
		out = append(out, i)
	}
	return out
}

// calibrate makes the params of everything INT8 from cells of statistics.
func (d *desk) calibrate() {
	d.t.Helper()
	taps, err := quant.Taps(d.model, quant.Config{})
	require.NoError(d.t, err)
	d.taps = d.put(quant.EncodeTaps(taps))
	task := wire.Task{Problem: d.problem.Digest(), View: d.view(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), What: plan.Taps, Ref: d.taps}
	var records [][]byte
	for b := range uint32(2) {
		v, err := New(d.objects, engine.Options{}).Compute(d.t.Context(), task, plan.Plan{}, b, func() {})
		require.NoError(d.t, err)
		for one := range slices.Chunk(d.bytes(v), quant.RecordSize(taps)) {
			records = append(records, one)
		}
	}
	require.Len(d.t, records, 10)
	stats, err := quant.NewStats(taps, records, nil)
	require.NoError(d.t, err)
	params, _, err := quant.Build(d.model, quant.Config{}, stats)
	require.NoError(d.t, err)
	d.put(params.Encode())
	d.all, d.groups = plan.All(params), len(params.Groups)
}

// bytes of a value, wherever they travel.
func (d *desk) bytes(v worker.Value) []byte {
	d.t.Helper()
	if v.Object.IsZero() {
		return v.Records
	}
	require.Empty(d.t, v.Records)
	b, err := d.objects.Get(context.Background(), v.Object)
	require.NoError(d.t, err)
	return b
}

// records computes all blocks of a view.
func (d *desk) records(e *Evaluator, p plan.Plan, samples ...uint32) []byte {
	d.t.Helper()
	task := wire.Task{Problem: d.problem.Digest(), View: d.view(samples...)}
	var out []byte
	for b := 0; b*block < len(samples); b++ {
		v, err := e.Compute(d.t.Context(), task, p, uint32(b), func() {})
		require.NoError(d.t, err)
		require.Equal(d.t, min(block, len(samples)-b*block), v.Samples)
		out = append(out, d.bytes(v)...)
	}
	return out
}

// TestRecordsAreOfSamples: the record of a sample is the same in any order, among any others, from any evaluator, before
// and after other plans.
func TestRecordsAreOfSamples(t *testing.T) {
	d := newDesk(t)
	shared := New(d.objects, engine.Options{})
	one, err := d.all.Revert(0, d.groups)
	require.NoError(t, err)
	order := []uint32{59, 3, 3, 17, 40, 0, 21, 22, 23, 24, 58}
	seen := map[string]bool{}
	for _, p := range []plan.Plan{{}, d.all, one} {
		whole := d.records(New(d.objects, engine.Options{}), p, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
			26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59)
		size := len(whole) / 60
		var want []byte
		for _, s := range order {
			want = append(want, whole[int(s)*size:(int(s)+1)*size]...)
		}
		require.Equal(t, want, d.records(shared, p, order...))
		seen[string(whole)] = true
	}
	require.Len(t, seen, 3, "three models, three answers")
}

// TestConcurrentCells: one evaluator that serves many slots gives each the same bytes, whatever they ask at the time.
func TestConcurrentCells(t *testing.T) {
	d := newDesk(t)
	want := map[bool][]byte{}
	for _, int8 := range []bool{false, true} {
		want[int8] = d.records(New(d.objects, engine.Options{}), d.plan(int8), 5, 6, 7, 8)
	}
	e := New(d.objects, engine.Options{})
	task := wire.Task{Problem: d.problem.Digest(), View: d.view(5, 6, 7, 8)}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			v, err := e.Compute(t.Context(), task, d.plan(i%2 == 0), 0, func() {})
			if err != nil {
				t.Error(err)
			} else if string(v.Records) != string(want[i%2 == 0]) {
				t.Errorf("slot %d got other bytes", i)
			}
		})
	}
	group.Wait()
}

func (d *desk) plan(int8 bool) plan.Plan {
	if int8 {
		return d.all
	}
	return plan.Plan{}
}

// TestCellNames: plans that compute the same are one cell; what a number depends on makes another.
func TestCellNames(t *testing.T) {
	d := newDesk(t)
	e := New(d.objects, engine.Options{})
	task := wire.Task{Problem: d.problem.Digest(), View: d.view(1)}
	name := func(p plan.Plan, block uint32) plan.Digest {
		c, err := e.Cell(t.Context(), task, p, block)
		require.NoError(t, err)
		return c.Digest()
	}
	everything := d.all
	for g := range d.groups {
		var err error
		everything, err = everything.Revert(g, d.groups)
		require.NoError(t, err)
	}
	require.Equal(t, name(plan.Plan{}, 0), name(everything, 0), "all groups in float is the float model")
	require.NotEqual(t, name(plan.Plan{}, 0), name(d.all, 0))
	require.NotEqual(t, name(d.all, 0), name(d.all, 1))
	strange := d.all
	strange.Float = []uint64{0, 0, 1}
	_, err := e.Cell(t.Context(), task, strange, 0)
	require.ErrorContains(t, err, "group 128 is float, params end", "a plan that does not fit has no cell")
}

// TestRefusals: what cannot be computed is one error that names it, and the evaluator goes on.
func TestRefusals(t *testing.T) {
	d := newDesk(t)
	good := wire.Task{Problem: d.problem.Digest(), View: d.view(1, 2, 3)}
	other := d.problem
	other.Numerics = "0"
	d.put(plan.Encode("Problem", other))
	noModel := d.problem
	noModel.Model = plan.Digest{1}
	d.put(plan.Encode("Problem", noModel))
	garbage := d.put([]byte("garbage"))
	for name, c := range map[string]struct {
		change func(t *wire.Task, p *plan.Plan, block *uint32)
		want   string
		absent bool
	}{
		"no such problem": {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.Problem = plan.Digest{9} }, "problem 09000000", true},
		"no such model":   {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.Problem = noModel.Digest() }, "model 01000000", true},
		"no such view":    {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.View = plan.Digest{9} }, "view 09000000", true},
		"no such params":  {func(_ *wire.Task, p *plan.Plan, _ *uint32) { p.Params = plan.Digest{9} }, "params 09000000", true},
		"garbage problem": {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.Problem = garbage }, "problem", false},
		"garbage view":    {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.View = garbage }, "view", false},
		"garbage params":  {func(_ *wire.Task, p *plan.Plan, _ *uint32) { p.Params = garbage }, "params", false},
		"garbage taps":    {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.What, t.Ref = plan.Taps, garbage }, "", false},
		"beyond the view": {func(_ *wire.Task, _ *plan.Plan, b *uint32) { *b = 1 }, "there is no block 1", false},
		"behind a whole block": {func(t *wire.Task, _ *plan.Plan, b *uint32) {
			t.View, *b = d.view(0, 1, 2, 3, 4, 5, 6), 1
		}, "there is no block 1", false},
		"far beyond":       {func(_ *wire.Task, _ *plan.Plan, b *uint32) { *b = 1<<32 - 1 }, "there is no block", false},
		"beyond the data":  {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.View = d.view(60) }, "60", false},
		"other numerics":   {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.Problem = other.Digest() }, "is of numerics 0", false},
		"unknown question": {func(t *wire.Task, _ *plan.Plan, _ *uint32) { t.What = 77 }, "cell asks for 77", false},
		"too many groups":  {func(_ *wire.Task, p *plan.Plan, _ *uint32) { p.Float = []uint64{0, 0, 1} }, "group 128 is float, params end", false},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(d.objects, engine.Options{})
			task, p, b := good, d.all, uint32(0)
			c.change(&task, &p, &b)
			_, err := e.Compute(t.Context(), task, p, b, func() {})
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.absent, errors.Is(err, store.ErrAbsent))
			_, err = e.Compute(t.Context(), good, d.all, 0, func() {})
			require.NoError(t, err)
		})
	}
}

// TestManyRecordsAreAnObject: as many bytes as a message carries travel in it, one record more makes an object of all.
func TestManyRecordsAreAnObject(t *testing.T) {
	d := newDesk(t)
	e := New(d.objects, engine.Options{})
	size := len(d.records(e, plan.Plan{}, 0))
	most := inline / size
	problem := d.problem
	problem.Block = uint16(most + 1)
	d.put(plan.Encode("Problem", problem))
	for _, n := range []int{most, most + 1} {
		v, err := e.Compute(t.Context(), wire.Task{Problem: problem.Digest(), View: d.view(make([]uint32, n)...)}, plan.Plan{}, 0, func() {})
		require.NoError(t, err)
		require.Equal(t, n > most, !v.Object.IsZero(), "%d records", n)
		require.Len(t, d.bytes(v), n*size)
	}
}

// TestFloatModelSharesNothing: a model that is run once over its samples leaves nothing in the activation store, unlike plans.
func TestFloatModelSharesNothing(t *testing.T) {
	d := newDesk(t)
	e := New(d.objects, engine.Options{})
	for _, int8 := range []bool{false, true} {
		for range 3 {
			d.records(e, d.plan(int8), 0, 1, 2, 3, 4, 5, 6)
		}
		require.Equal(t, int8, e.engine.Usage().Store > 0)
	}
}

// TestStepsOfASearchShareWhatComesBefore: plans that come one by one find on the same block what the one before has in common with them, if
// that one has groups in float; with everything INT8 a job is likely to be done, and nothing is kept.
func TestStepsOfASearchShareWhatComesBefore(t *testing.T) {
	d := newDesk(t)
	require.Greater(t, d.groups, 1)
	last, err := d.all.Revert(d.groups-1, d.groups)
	require.NoError(t, err)
	both, err := last.Revert(d.groups-2, d.groups)
	require.NoError(t, err)
	samples := []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8}
	want := d.records(New(d.objects, engine.Options{}), both, samples...)
	e := New(d.objects, engine.Options{})
	d.records(e, d.all, samples...)
	require.Zero(t, e.engine.Usage().Store)
	d.records(e, last, samples...)
	require.Positive(t, e.engine.Usage().Store)
	require.Zero(t, e.engine.Usage().Hits)
	require.Equal(t, want, d.records(e, both, samples...))
	require.Positive(t, e.engine.Usage().Hits)
}

// TestMemoryLimit: a model that does not fit is refused as the user's own limit, and an interruption is the context's.
func TestMemoryLimit(t *testing.T) {
	d := newDesk(t)
	task := wire.Task{Problem: d.problem.Digest(), View: d.view(1)}
	_, err := New(d.objects, engine.Options{Memory: 1 << 10}).Compute(t.Context(), task, d.all, 0, func() {})
	var input interface{ Input() bool }
	require.ErrorAs(t, err, &input)
	require.True(t, input.Input())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = New(d.objects, engine.Options{}).Compute(ctx, task, d.all, 0, func() {})
	require.ErrorIs(t, err, context.Canceled)
}

// TestOnce: a sample takes some time; a problem that is not there, and an interruption, are errors.
func TestOnce(t *testing.T) {
	d := newDesk(t)
	e := New(d.objects, engine.Options{})
	took, err := e.Once(t.Context(), d.problem.Digest(), plan.Plan{}, 3)
	require.NoError(t, err)
	require.Positive(t, took)
	_, err = e.Once(t.Context(), plan.Digest{9}, plan.Plan{}, 3)
	require.ErrorIs(t, err, store.ErrAbsent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Once(ctx, d.problem.Digest(), plan.Plan{}, 3)
	require.ErrorIs(t, err, context.Canceled)
}

// TestTimes: every turn has a number for every plan; plans that stand for one computation have the same.
func TestTimes(t *testing.T) {
	d := newDesk(t)
	e := New(d.objects, engine.Options{})
	plans := []plan.Plan{d.plan(false), d.plan(true), d.plan(true)}
	turns, err := e.Times(t.Context(), d.problem.Digest(), plans, 3, 20*time.Millisecond)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(turns), fewTurns)
	require.LessOrEqual(t, len(turns), manyTurns)
	require.True(t, slices.ContainsFunc(turns, func(row []float64) bool { return row[0] != row[1] }), "each plan has its own column")
	for _, row := range turns {
		require.Len(t, row, 3)
		require.Positive(t, row[0])
		require.Positive(t, row[1])
		require.Equal(t, row[1], row[2])
	}
	turns, err = e.Times(t.Context(), d.problem.Digest(), plans, 3, 0)
	require.NoError(t, err)
	require.Len(t, turns, fewTurns)
	_, err = e.Times(t.Context(), plan.Digest{9}, plans, 3, 0)
	require.ErrorIs(t, err, store.ErrAbsent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Times(ctx, d.problem.Digest(), plans, 3, 0)
	require.ErrorIs(t, err, context.Canceled)
}
