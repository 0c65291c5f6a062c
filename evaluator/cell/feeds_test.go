package cell

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/dataset"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// TestBatchesAreFedOnce: what is to be kept is made once for its data and samples, in their order, as long as it fits; the oldest
// goes first. Nobody's changes of the map are seen by others.
func TestBatchesAreFedOnce(t *testing.T) {
	const sample = 100 // elements
	in := dataset.Inputs{Decoder: dataset.Decoder, Count: 8, Streams: []dataset.Stream{{
		Input: "x", DType: tensor.Uint8, Want: tensor.Float32, Rows: 1, Pieces: []dataset.Piece{{Digest: plan.Digest{9}, Shape: []uint32{sample}, Count: 8}},
	}}}
	pixels := make([]byte, 8*sample)
	for i := range pixels {
		pixels[i] = byte(i / sample)
	}
	read := 0
	from := func(context.Context, plan.Digest) ([]byte, error) { read++; return pixels, nil }
	f := &feeds{budget: 5 * sample * 4, most: 5 * sample * 4}
	get := func(data byte, keep bool, samples ...uint32) {
		t.Helper()
		got, done, err := f.get(t.Context(), plan.Digest{data}, in, from, samples, keep)
		require.NoError(t, err)
		defer done()
		for k, s := range samples {
			require.Equal(t, float32(s), got["x"].F32()[k*sample])
		}
		require.Len(t, got, 1)
		got["y"] = nil
		require.LessOrEqual(t, f.used, f.budget)
	}
	for _, step := range []struct {
		name    string
		data    byte
		keep    bool
		samples []uint32
		read    int // so far
	}{
		{"nobody else asks", 1, false, []uint32{0, 1}, 1},
		{"the first who does", 1, true, []uint32{0, 1}, 2},
		{"the second", 1, true, []uint32{0, 1}, 2},
		{"one who does not keep", 1, false, []uint32{0, 1}, 2},
		{"another order", 1, true, []uint32{1, 0}, 3},
		{"other data", 2, false, []uint32{0, 1}, 4},
		{"too many for half of the budget", 1, true, []uint32{0, 1, 2}, 5},
		{"and again", 1, true, []uint32{0, 1, 2}, 6},
		{"one more than fits", 1, true, []uint32{4, 5}, 7},
		{"the oldest had to go", 1, true, []uint32{0, 1}, 8},
		{"the newer one not", 1, true, []uint32{4, 5}, 8},
	} {
		get(step.data, step.keep, step.samples...)
		require.Equal(t, step.read, read, step.name)
	}
	lost := errors.New("lost")
	_, _, err := f.get(t.Context(), plan.Digest{1}, in, func(context.Context, plan.Digest) ([]byte, error) { return nil, lost }, []uint32{7}, true)
	require.ErrorIs(t, err, lost)
	get(1, true, 7)
}

// TestTwoSlotsKeepOne: the second of two slots that made the same batch keeps its own for itself, and nothing is counted twice.
func TestTwoSlotsKeepOne(t *testing.T) {
	f := &feeds{budget: 100}
	batch := func(key string, bytes int) *fed {
		return &fed{key: key, in: map[string]*tensor.Tensor{"x": tensor.New(tensor.Uint8, bytes)}}
	}
	require.True(t, f.keep(batch("a", 10)))
	require.False(t, f.keep(batch("a", 10)))
	require.Equal(t, 10, f.used)
	require.False(t, f.keep(batch("b", 51)), "more than half")
	require.True(t, f.keep(batch("c", 50)))
	require.True(t, f.keep(batch("d", 41)))
	require.Nil(t, f.find("a"), "the oldest went")
	require.Equal(t, 91, f.used)
}

// TestDataThatFitsIsKept: nobody says that others will ask, but all samples take no more than half of the budget.
func TestDataThatFitsIsKept(t *testing.T) {
	in := dataset.Inputs{Decoder: dataset.Decoder, Count: 4, Streams: []dataset.Stream{{
		Input: "x", DType: tensor.Uint8, Want: tensor.Float32, Rows: 1, Pieces: []dataset.Piece{{Digest: plan.Digest{9}, Shape: []uint32{2}, Count: 4}},
	}}}
	for budget, reads := range map[int]int{2 * 4 * 8: 1, 2*4*8 - 1: 2} {
		read := 0
		from := func(context.Context, plan.Digest) ([]byte, error) { read++; return make([]byte, 8), nil }
		f := &feeds{budget: budget}
		for range 2 {
			_, done, err := f.get(t.Context(), plan.Digest{1}, in, from, []uint32{0, 2}, false)
			require.NoError(t, err)
			done()
		}
		require.Equal(t, reads, read, "budget %d", budget)
	}
	f := &feeds{budget: 1}
	require.True(t, f.fit(dataset.Inputs{}), "no samples")
}

// TestBatchesFollowEachOtherInPlace: the memory of a batch that nobody keeps serves the next of its size, once it is done, and that of a
// batch that is kept serves nobody.
func TestBatchesFollowEachOtherInPlace(t *testing.T) {
	const count = 1 << 10 // so that not all of them fit
	in := dataset.Inputs{Decoder: dataset.Decoder, Count: count, Streams: []dataset.Stream{{
		Input: "x", DType: tensor.Uint8, Want: tensor.Float32, Rows: 1,
		Pieces: []dataset.Piece{{Digest: plan.Digest{9}, Shape: []uint32{2}, Count: 4}, {Digest: plan.Digest{8}, Shape: []uint32{2}, Count: count - 4}},
	}}}
	from := func(context.Context, plan.Digest) ([]byte, error) { return []byte{0, 0, 1, 1, 2, 2, 3, 3}, nil }
	f := &feeds{budget: 1 << 10, most: 1 << 10}
	get := func(keep bool, samples ...uint32) (*tensor.Tensor, func()) {
		got, done, err := f.get(t.Context(), plan.Digest{1}, in, from, samples, keep)
		require.NoError(t, err)
		return got["x"], done
	}
	a, done := get(false, 0)
	b, _ := get(false, 1)
	require.NotSame(t, &a.Data[0], &b.Data[0])
	done()
	c, done := get(true, 2)
	require.Same(t, &a.Data[0], &c.Data[0])
	require.Equal(t, []float32{2, 2}, c.F32())
	done()
	d, _ := get(false, 3)
	require.NotSame(t, &c.Data[0], &d.Data[0], "it is kept")
	again, _ := get(false, 2)
	require.Equal(t, []float32{2, 2}, again.F32())
}

// TestBatchesOfTasksPass: what is kept for the plans of a task gives way to that of later ones before the budget is used up, and its
// memory serves those once nobody reads it; what all steps of a search read stays.
func TestBatchesOfTasksPass(t *testing.T) {
	const count, bytes = 16, 8 // floats of one batch
	in := dataset.Inputs{Decoder: dataset.Decoder, Count: count, Streams: []dataset.Stream{{
		Input: "x", DType: tensor.Uint8, Want: tensor.Float32, Rows: 1, Pieces: []dataset.Piece{{Digest: plan.Digest{9}, Shape: []uint32{2}, Count: count}},
	}}}
	pixels := make([]byte, 2*count)
	for i := range pixels {
		pixels[i] = byte(i / 2)
	}
	from := func(context.Context, plan.Digest) ([]byte, error) { return pixels, nil }
	f := &feeds{budget: 2 * count * bytes, most: 2 * bytes}
	get := func(keep bool, sample uint32) (*tensor.Tensor, func()) {
		got, done, err := f.get(t.Context(), plan.Digest{1}, in, from, []uint32{sample}, keep)
		require.NoError(t, err)
		require.Equal(t, []float32{float32(sample), float32(sample)}, got["x"].F32())
		return got["x"], done
	}
	stays, done := get(false, 0)
	done()
	first, done := get(true, 1)
	done()
	again, still := get(true, 1)
	require.Same(t, first, again)
	_, done = get(true, 2)
	done()
	third, done := get(true, 3)
	done()
	require.NotSame(t, &first.Data[0], &third.Data[0], "the first is gone, and still read")
	require.Equal(t, []float32{1, 1}, first.F32())
	require.Equal(t, 2*bytes, f.passing)
	require.Equal(t, 3*bytes, f.used)
	still()
	fourth, done := get(true, 4)
	done()
	require.Same(t, &first.Data[0], &fourth.Data[0])
	require.Len(t, f.spent, 1, "that of the second")
	kept, done := get(false, 0)
	done()
	require.Same(t, stays, kept)
	for s := range uint32(count) {
		_, done = get(s%2 == 0, s)
		done()
		require.LessOrEqual(t, f.passing, f.most)
		require.LessOrEqual(t, f.used, f.budget)
	}
}

// TestOneBatchOfATaskIsKept whatever it takes, within half of the budget: its plans would all make it anew.
func TestOneBatchOfATaskIsKept(t *testing.T) {
	f := &feeds{budget: 100, most: 10}
	batch := func(key string) *fed {
		return &fed{key: key, task: true, in: map[string]*tensor.Tensor{"x": tensor.New(tensor.Uint8, 40)}}
	}
	require.True(t, f.keep(batch("a")))
	require.True(t, f.keep(batch("b")))
	require.Nil(t, f.find("a"))
	require.NotNil(t, f.find("b"))
	require.Equal(t, 40, f.used)
	require.Equal(t, 40, f.passing)
	require.Equal(t, 64<<20, newFeeds(64<<30, 0).most)
	require.Equal(t, 192<<20, newFeeds(64<<30, 3).most)
	require.Equal(t, 1<<20, newFeeds(32<<20, 3).most)
}

// TestPartsOfPiecesAreNotKept: what is read where it is stored needs no memory, and its memory serves nobody else.
func TestPartsOfPiecesAreNotKept(t *testing.T) {
	const samples = 6
	in := dataset.Inputs{Decoder: dataset.Decoder, Count: samples, Streams: []dataset.Stream{{
		Input: "x", DType: tensor.Float32, Want: tensor.Float32, Rows: 1, Pieces: []dataset.Piece{{Digest: plan.Digest{9}, Shape: []uint32{2}, Count: samples}},
	}}}
	piece := tensor.New(tensor.Float32, samples, 2)
	for i := range piece.F32() {
		piece.F32()[i] = float32(i)
	}
	from := func(context.Context, plan.Digest) ([]byte, error) { return piece.Data, nil }
	f := &feeds{budget: 1 << 20}
	got, done, err := f.get(t.Context(), plan.Digest{1}, in, from, []uint32{2, 3, 4}, true)
	require.NoError(t, err)
	require.Equal(t, []float32{4, 5, 6, 7, 8, 9}, got["x"].F32())
	require.Same(t, &piece.Data[2*8], &got["x"].Data[0])
	done()
	require.Empty(t, f.kept)
	require.Empty(t, f.spent)
	got, done, err = f.get(t.Context(), plan.Digest{1}, in, from, []uint32{4, 2}, true)
	require.NoError(t, err)
	require.Equal(t, []float32{8, 9, 4, 5}, got["x"].F32())
	done()
	require.Len(t, f.kept, 1)
}
