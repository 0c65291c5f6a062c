package cell

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/dataset"
	"assay/shared/graph"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/tensor"
	"assay/shared/wire"
)

// program compiles a model of one input of batch rows.
func program(t *testing.T, batch string) *engine.Program {
	t.Helper()
	m, err := graph.Parse("ir 8\ngraph g\ninput x: float32[" + batch + ",2]\ny: float32[" + batch + ",2] = Relu(x) @relu\noutput y: float32[" + batch + ",2]\n")
	require.NoError(t, err)
	p, err := engine.New(engine.Options{}).Compile(m, nil)
	require.NoError(t, err)
	return p
}

// TestNext: what is fed is a function of the sample, the data and the model, never of the neighbours asked; what is asked is
// asked once and in order.
func TestNext(t *testing.T) {
	even := dataset.Inputs{Count: 10, Streams: []dataset.Stream{{Input: "x", Rows: 1, Pieces: []dataset.Piece{{Shape: []uint32{2}, Count: 10}}}}}
	odd := dataset.Inputs{Count: 10, Streams: []dataset.Stream{{Input: "x", Rows: 1, Pieces: []dataset.Piece{{Shape: []uint32{2}, Count: 3}, {Shape: []uint32{3}, Count: 7}}}}}
	for _, c := range []struct {
		name       string
		in         dataset.Inputs
		batch      string
		samples    []uint32
		most       int
		asked, fed []uint32
	}{
		{"a free batch", even, "N", []uint32{4, 1, 4, 9}, 3, []uint32{4, 1, 4}, []uint32{4, 1, 4}},
		{"fewer than most", even, "N", []uint32{4, 1}, 8, []uint32{4, 1}, []uint32{4, 1}},
		{"until the shape changes", odd, "N", []uint32{0, 2, 3, 4}, 8, []uint32{0, 2}, []uint32{0, 2}},
		{"a model of one", even, "1", []uint32{4, 5}, 8, []uint32{4}, []uint32{4}},
		{"a fixed batch", even, "4", []uint32{4, 5, 6, 7, 8}, 1, []uint32{4, 5, 6, 7}, []uint32{4, 5, 6, 7}},
		{"part of a group", even, "4", []uint32{6, 7, 8}, 8, []uint32{6, 7}, []uint32{4, 5, 6, 7}},
		{"the last group is filled up", even, "4", []uint32{8, 9}, 8, []uint32{8, 9}, []uint32{8, 9, 9, 9}},
		{"a group in another order", even, "4", []uint32{5, 4}, 8, []uint32{5, 4}, []uint32{4, 5, 6, 7}},
		{"two groups by turns", even, "4", []uint32{1, 5, 2}, 8, []uint32{1}, []uint32{0, 1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := next(c.in, program(t, c.batch), c.samples, c.most)
			require.Equal(t, c.asked, b.asked)
			require.Equal(t, c.fed, b.fed)
		})
	}
}

// TestRows: the rows of what was asked, in the order in which it was asked, whatever else was fed; what has no rows stays.
func TestRows(t *testing.T) {
	values := func() map[string]*tensor.Tensor {
		return map[string]*tensor.Tensor{
			"one": floats([]float32{0, 1, 2, 3}, 4), "two": floats([]float32{0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5}, 8), "wide": floats([]float32{0, 10, 1, 11, 2, 12, 3, 13}, 4, 2),
			"scalar": floats([]float32{7}), "constant": floats([]float32{7, 8, 9}, 3),
		}
	}
	for _, c := range []struct {
		asked, fed []uint32
		rows       []float32 // of "one"
	}{
		{[]uint32{4, 5, 6, 7}, []uint32{4, 5, 6, 7}, []float32{0, 1, 2, 3}},
		{[]uint32{6, 7}, []uint32{4, 5, 6, 7}, []float32{2, 3}},
		{[]uint32{5}, []uint32{4, 5, 6, 7}, []float32{1}},
		{[]uint32{8, 9}, []uint32{8, 9, 9, 9}, []float32{0, 1}},
		{[]uint32{7, 5, 5}, []uint32{4, 5, 6, 7}, []float32{3, 1, 1}},
		{[]uint32{7, 6, 5, 4}, []uint32{4, 5, 6, 7}, []float32{3, 2, 1, 0}},
	} {
		got := batch{c.asked, c.fed}.rows(values())
		n := len(c.asked)
		require.Equal(t, c.rows, got["one"].F32(), "%v", c)
		require.Equal(t, []int{n}, got["one"].Shape)
		require.Equal(t, []int{2 * n}, got["two"].Shape)
		require.Equal(t, []int{n, 2}, got["wide"].Shape)
		for k, r := range c.rows {
			require.Equal(t, []float32{r, r + 0.5}, got["two"].F32()[2*k:2*k+2], "%v", c)
			require.Equal(t, []float32{r, r + 10}, got["wide"].F32()[2*k:2*k+2], "%v", c)
		}
		require.Equal(t, []float32{7}, got["scalar"].F32())
		require.Equal(t, []float32{7, 8, 9}, got["constant"].F32())
	}
}

// TestDistance: the float model's answers, stored by pieces in any order, are found again by sample; a model stands at distance
// nothing from itself and a sample without an answer, or an answer that is damaged, is an error.
func TestDistance(t *testing.T) {
	d := newDesk(t)
	agreement := metric.Meter{Adapter: metric.Classification, Output: d.model.Graph.Outputs[0].Name, Metrics: []metric.Spec{{Name: "agreement", Type: "agreement", TopK: 1}}}
	d.problem.Meter = d.put(agreement.Encode())
	d.put(plan.Encode("Problem", d.problem))
	e := New(d.objects, engine.Options{})
	compute := func(what plan.What, ref plan.Digest, p plan.Plan, samples ...uint32) ([]byte, error) {
		v, err := e.Compute(t.Context(), wire.Task{Problem: d.problem.Digest(), View: d.view(samples...), What: what, Ref: ref}, p, 0, func() {})
		if err != nil {
			return nil, err
		}
		return d.bytes(v), nil
	}
	var ref metric.Reference
	for _, piece := range [][]uint32{{7, 3, 9}, {1, 0}} {
		b, err := compute(plan.Outputs, plan.Digest{}, plan.Plan{}, piece...)
		require.NoError(t, err)
		ref.Pieces = append(ref.Pieces, metric.AnswerPiece{Object: d.put(b), Samples: piece})
	}
	whole := d.put(ref.Encode())
	records, err := compute(plan.Distance, whole, plan.Plan{}, 0, 1, 3, 9)
	require.NoError(t, err)
	require.Equal(t, 1.0, agreement.Value(0, records).F, "it agrees with itself")
	size := len(records) / 4
	turned, err := compute(plan.Distance, whole, plan.Plan{}, 9, 0)
	require.NoError(t, err)
	require.Equal(t, append(append([]byte{}, records[3*size:]...), records[:size]...), turned, "a record is its sample's")

	_, err = compute(plan.Distance, whole, d.all, 0, 2)
	require.ErrorContains(t, err, "no answer to sample 2")
	_, err = compute(plan.Distance, plan.Digest{8}, d.all, 0)
	require.ErrorIs(t, err, store.ErrAbsent)
	require.ErrorContains(t, err, "reference 08000000")
	_, err = compute(plan.Distance, d.put([]byte("garbage")), d.all, 0)
	require.ErrorContains(t, err, "reference ")
	cut := metric.Reference{Pieces: []metric.AnswerPiece{{Object: d.put([]byte("cut")), Samples: []uint32{0}}, {Object: plan.Digest{7}, Samples: []uint32{1}}}}
	_, err = compute(plan.Distance, d.put(cut.Encode()), d.all, 0)
	require.ErrorContains(t, err, "reference: piece 0")
	_, err = compute(plan.Distance, d.put(cut.Encode()), d.all, 1)
	require.ErrorIs(t, err, store.ErrAbsent)
	require.ErrorContains(t, err, "reference: piece 1")
}

// TestLargeValuesAreObjects: statistics of many values travel as an object, to the byte where a message ends.
func TestLargeValuesAreObjects(t *testing.T) {
	d := newDesk(t)
	e := New(d.objects, engine.Options{})
	v, err := e.Compute(t.Context(), wire.Task{Problem: d.problem.Digest(), View: d.view(1, 2, 3), What: plan.Taps, Ref: d.taps}, plan.Plan{}, 0, func() {})
	require.NoError(t, err)
	b := d.bytes(v)
	require.Equal(t, len(b) > inline, !v.Object.IsZero())
	require.Equal(t, 3, v.Samples)
	_, err = e.Compute(t.Context(), wire.Task{Problem: d.problem.Digest(), View: d.view(1), What: plan.Taps, Ref: plan.Digest{5}}, plan.Plan{}, 0, func() {})
	require.ErrorIs(t, err, store.ErrAbsent)
	require.ErrorContains(t, err, "statistics 05000000")
}

// TestProgress: progress is told after every batch, so a computation that moves on is never silent for long, and one that
// fails tells no more.
func TestProgress(t *testing.T) {
	d := newDesk(t)
	told := 0
	task := wire.Task{Problem: d.problem.Digest(), View: d.view(1, 2, 3, 4, 5, 6, 7)}
	_, err := New(d.objects, engine.Options{}).Compute(t.Context(), task, d.all, 0, func() { told++ })
	require.NoError(t, err)
	require.Positive(t, told)
	require.LessOrEqual(t, told, 7)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err = New(d.objects, engine.Options{}).Compute(ctx, task, d.all, 0, func() { t.Error("progress of what was not begun") })
	require.Error(t, err)
}
