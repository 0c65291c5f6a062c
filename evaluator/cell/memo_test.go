package cell

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/metric"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// TestMemo: a value is made once however many ask, the oldest are forgotten, a failure is not remembered.
func TestMemo(t *testing.T) {
	m := newMemo[int, int](2)
	var made atomic.Int64
	get := func(k int) int {
		v, err := m.get(t.Context(), k, func() (int, error) { made.Add(1); return 10 * k, nil })
		require.NoError(t, err)
		return v
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if get(1) != 10 {
				t.Error("wrong value")
			}
		})
	}
	group.Wait()
	require.Equal(t, int64(1), made.Load())
	for _, c := range []struct {
		key  int
		made int64
	}{{2, 2}, {1, 2}, {3, 3}, {1, 3}, {2, 4}, {3, 5}} {
		require.Equal(t, 10*c.key, get(c.key))
		require.Equal(t, c.made, made.Load(), "%v", c)
	}
	_, err := m.get(t.Context(), 9, func() (int, error) { return 0, errors.New("not now") })
	require.ErrorContains(t, err, "not now")
	require.Equal(t, 90, get(9))
}

func floats(v []float32, shape ...int) *tensor.Tensor { return tensor.Of(tensor.Float32, shape, v) }

// TestRow: a sample's part of a batch is as if it had been alone; what has no rows is the same for each sample.
func TestRow(t *testing.T) {
	b := floats([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	r := row(b, 1, 3)
	require.Equal(t, []int{1, 2}, r.Shape)
	require.Equal(t, floats([]float32{3, 4}, 1, 2).Data, r.Data)
	require.Same(t, b, row(b, 0, 1))
	for _, whole := range []*tensor.Tensor{floats([]float32{1}), floats(make([]float32, 8), 4, 2)} {
		require.Same(t, whole, row(whole, 2, 3))
	}
}

// TestPlace: where a sample lies in what was fed, in any order and as often as it is asked.
func TestPlace(t *testing.T) {
	for _, c := range []struct {
		asked, fed []uint32
		want       []int
	}{
		{[]uint32{9, 2, 9}, []uint32{9, 2, 9}, []int{0, 1, 2}}, // fed as asked
		{[]uint32{6}, []uint32{4, 5, 6, 7}, []int{2}},
		{[]uint32{7, 5, 7}, []uint32{4, 5, 6, 7}, []int{3, 1, 3}},
		{[]uint32{5, 5}, []uint32{4, 5}, []int{1, 1}},
		{[]uint32{4, 4}, []uint32{4, 5}, []int{0, 0}},
	} {
		var got []int
		for k := range c.asked {
			got = append(got, batch{c.asked, c.fed}.place(k))
		}
		require.Equal(t, c.want, got, "%v of %v", c.asked, c.fed)
	}
}

// TestWatchTakesTheRowsAsked: statistics of a model that fixes its batch are those of the samples asked, in their order.
func TestWatchTakesTheRowsAsked(t *testing.T) {
	m, err := graph.Parse("input x: float32[3,1]\ny = Neg(x)\noutput y\n")
	require.NoError(t, err)
	program, err := engine.New(engine.Options{}).Compile(m, []string{"y"})
	require.NoError(t, err)
	q := question{want: []string{"y"}, taps: []quant.Tap{{Value: "y", Func: quant.Max, Axis: -1, Width: 1}}}
	records, bytes, err := q.watch(t.Context(), program, map[string]*tensor.Tensor{"x": floats([]float32{10, 20, 30}, 3, 1)}, batch{[]uint32{5, 4}, []uint32{3, 4, 5}})
	require.NoError(t, err)
	require.Equal(t, 12, bytes)
	require.Len(t, records, 16)
	for k, want := range []float64{-30, -20} {
		require.Equal(t, want, math.Float64frombits(binary.LittleEndian.Uint64(records[8*k:])))
	}
}

// TestValues: each tapped value is asked for once, in order.
func TestValues(t *testing.T) {
	require.Equal(t, []string{"b", "a"}, values([]quant.Tap{{Value: "b"}, {Value: "a"}, {Value: "b"}}))
	require.Empty(t, values(nil))
}

// TestMemoMakerGivesUpAlone: a caller that gives up while it makes a value takes none of those with it who wait for the value;
// one of them makes it. A maker's own trouble is told to all who waited, and is not tried again.
func TestMemoMakerGivesUpAlone(t *testing.T) {
	late := fmt.Errorf("view: %w", context.DeadlineExceeded)
	for _, c := range []struct {
		name string
		err  func(ctx context.Context) error // of the first making
		ok   bool                            // the others get the value
	}{
		{"gives up", func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("view: %w", ctx.Err()) }, true},
		{"is late by itself", func(ctx context.Context) error { <-ctx.Done(); return late }, true},
		{"finds nothing", func(ctx context.Context) error { <-ctx.Done(); return errors.New("absent") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemo[int, int](2)
			impatient, giveUp := context.WithCancel(t.Context())
			making, first, others := make(chan struct{}), make(chan error, 1), make(chan error, 4)
			go func() {
				_, err := m.get(impatient, 1, func() (int, error) { close(making); return 0, c.err(impatient) })
				first <- err
			}()
			<-making
			var made, came atomic.Int64
			for range cap(others) {
				go func() {
					came.Add(1)
					v, err := m.get(t.Context(), 1, func() (int, error) { made.Add(1); return 10, nil })
					if err == nil && v != 10 {
						err = errors.New("other value")
					}
					others <- err
				}()
			}
			for came.Load() < int64(cap(others)) {
				runtime.Gosched()
			}
			giveUp()
			require.Error(t, <-first)
			failed := 0
			for range cap(others) {
				if err := <-others; err != nil {
					failed++
				}
			}
			require.LessOrEqual(t, made.Load(), int64(1))
			if c.ok {
				require.Zero(t, failed)
				require.Equal(t, int64(1), made.Load())
			}
		})
	}
}

// TestMemoWaiterGivesUp: one who waited for a maker that gave up, and has given up as well, makes nothing; the next one does.
func TestMemoWaiterGivesUp(t *testing.T) {
	m := newMemo[int, int](2)
	e := m.element(1).Value.(*entry[int, int])
	e.once.Do(func() { e.err = context.Canceled }) // the maker
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.get(over, 1, func() (int, error) { t.Error("made"); return 0, nil })
	require.ErrorIs(t, err, context.Canceled)
	v, err := m.get(t.Context(), 1, func() (int, error) { return 10, nil })
	require.NoError(t, err)
	require.Equal(t, 10, v)
}

// TestAnswersComeFromTheirPlaces: each sample's own answer, in the order asked; a piece is fetched once for all of its samples.
func TestAnswersComeFromTheirPlaces(t *testing.T) {
	pieces := map[plan.Digest][]byte{
		{1}: metric.JoinAnswers([][]byte{{50}, {60, 61}}), {2}: metric.JoinAnswers([][]byte{{90}}), {3}: []byte("garbage"),
	}
	a := &answers{
		metric.Reference{Pieces: []metric.AnswerPiece{{Object: plan.Digest{1}, Samples: []uint32{5, 6}}, {Object: plan.Digest{2}, Samples: []uint32{9}}, {Object: plan.Digest{3}, Samples: []uint32{1}}}},
		map[uint32]place{5: {0, 0}, 6: {0, 1}, 9: {1, 0}, 1: {2, 0}},
	}
	fetched := 0
	get := func(_ context.Context, d plan.Digest) ([]byte, error) { fetched++; return pieces[d], nil }
	got, err := a.of(t.Context(), get, []uint32{6, 9, 5, 6})
	require.NoError(t, err)
	require.Equal(t, [][]byte{{60, 61}, {90}, {50}, {60, 61}}, got)
	require.Equal(t, 2, fetched)
	_, err = a.of(t.Context(), get, []uint32{6, 7})
	require.EqualError(t, err, "reference: no answer to sample 7")
	_, err = a.of(t.Context(), get, []uint32{1})
	require.ErrorContains(t, err, "reference: piece 2: ")
	_, err = a.of(t.Context(), func(context.Context, plan.Digest) ([]byte, error) { return nil, errors.New("gone") }, []uint32{5})
	require.EqualError(t, err, "reference: piece 0: gone")
}

// TestMemoOwnTrouble: a caller whose own making fails hears of it, once, though its context lives.
func TestMemoOwnTrouble(t *testing.T) {
	m := newMemo[int, int](2)
	made := 0
	_, err := m.get(t.Context(), 1, func() (int, error) { made++; return 0, context.DeadlineExceeded })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 1, made)
}

// TestMemoSurvivesPanic: a making that panicked, which its caller survives, leaves no value behind: the next caller makes it.
func TestMemoSurvivesPanic(t *testing.T) {
	m := newMemo[int, *int](2)
	require.PanicsWithValue(t, "compile", func() { _, _ = m.get(t.Context(), 1, func() (*int, error) { panic("compile") }) })
	v, err := m.get(t.Context(), 1, func() (*int, error) { return new(int), nil })
	require.NoError(t, err)
	require.NotNil(t, v)
}
