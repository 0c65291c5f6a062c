package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// store makes a manifest of one stream by hand: pieces of the given counts, numbered elements.
func store(s Stream, shape []uint32, counts ...uint32) (Inputs, memory) {
	in, m := Inputs{Decoder: Decoder}, memory{}
	next := 0
	for _, n := range counts {
		b := make([]byte, int(n)*sizes(shape, s.DType))
		for i := range len(b) / s.DType.Size() {
			switch s.DType {
			case tensor.Float32:
				binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(float32(next)))
			default:
				b[i*s.DType.Size()] = byte(next)
			}
			next++
		}
		d, _ := m.put(b)
		s.Pieces = append(s.Pieces, Piece{d, shape, n})
		in.Count += n
	}
	in.Streams = []Stream{s}
	return in, m
}

// TestFeedArrangesAndScales: layouts in both directions, channel order before the affine, and the affine of each type.
func TestFeedArrangesAndScales(t *testing.T) {
	affine := Affine{Scale: 2, Mean: []float32{0, 1, 2}, Std: []float32{1, 2, 4}}
	for name, c := range map[string]struct {
		stream Stream
		shape  []uint32
		fed    []int
		want   []float32
	}{
		"as stored": {Stream{DType: tensor.Uint8}, []uint32{4}, []int{1, 4}, []float32{0, 1, 2, 3}},
		"rows to planes": {Stream{DType: tensor.Uint8, From: NHWC, To: NCHW}, []uint32{1, 2, 3}, []int{1, 3, 1, 2},
			[]float32{0, 3, 1, 4, 2, 5}},
		"planes to rows": {Stream{DType: tensor.Float32, From: NCHW, To: NHWC}, []uint32{3, 1, 2}, []int{1, 1, 2, 3},
			[]float32{0, 2, 4, 1, 3, 5}},
		"affine": {Stream{DType: tensor.Uint8, From: NHWC, To: NHWC, Affine: affine}, []uint32{1, 2, 3}, []int{1, 1, 2, 3},
			[]float32{0, -0.25, -0.25, 1.5, 0.5, 0.125}},
		"swapped, then affine": {Stream{DType: tensor.Uint8, From: NHWC, To: NCHW, Swap: true, Affine: affine}, []uint32{1, 2, 3}, []int{1, 3, 1, 2},
			[]float32{1, 2.5, -0.25, 0.5, -0.5, -0.125}},
		"affine of int16": {Stream{DType: tensor.Int16, Affine: Affine{Mean: []float32{1}}}, []uint32{2}, []int{1, 2}, []float32{-1, 0}},
		"affine of float": {Stream{DType: tensor.Float32, Affine: Affine{Std: []float32{4}}}, []uint32{2}, []int{1, 2}, []float32{0, 0.25}},
		"own batch axis":  {Stream{DType: tensor.Float32, Rows: 2, From: NHWC, To: NCHW}, []uint32{2, 1, 1, 2}, []int{2, 2, 1, 1}, []float32{0, 1, 2, 3}},
		"no batch axis":   {Stream{DType: tensor.Float32, Rows: 0}, []uint32{}, []int{}, []float32{0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.stream
			s.Want, s.Input = tensor.Float32, "x"
			if s.Rows == 0 && name != "no batch axis" {
				s.Rows = 1
			}
			in, m := store(s, c.shape, 1)
			require.NoError(t, in.Check())
			fed, err := in.Feed(t.Context(), m.get, []uint32{0})
			require.NoError(t, err)
			require.Equal(t, c.want, fed["x"].F32())
			require.ElementsMatch(t, c.fed, fed["x"].Shape)
			require.NoError(t, fed["x"].Check())
		})
	}
}

// TestBytesAreLookedUp: of every layout, order and number of channels, element (ch, i) of a row of bytes is the table's value for
// its byte, and nothing is written or read beside the row.
func TestBytesAreLookedUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, inner := rapid.IntRange(1, 5).Draw(t, "channels"), rapid.IntRange(1, 9).Draw(t, "pixels")
		layout := rapid.SampledFrom([]string{NHWC, NCHW})
		s := Stream{DType: tensor.Uint8, Want: tensor.Float32, From: layout.Draw(t, "from"), To: layout.Draw(t, "to"), Swap: rapid.Bool().Draw(t, "swap")}
		for range c {
			s.Affine.Mean = append(s.Affine.Mean, float32(rapid.IntRange(1, 9).Draw(t, "mean")))
		}
		src := rapid.SliceOfN(rapid.Byte(), c*inner, c*inner).Draw(t, "bytes")
		place := func(layout string, ch, i int) int {
			if layout == NHWC {
				return i*c + ch
			}
			return ch*inner + i
		}
		dst := make([]byte, 4*c*inner+8)
		s.mover(c)(dst[4:4+4*c*inner:4+4*c*inner], src[:c*inner:c*inner])
		for ch := range c {
			for i := range inner {
				stored := ch
				if s.Swap {
					stored = c - 1 - ch
				}
				got := math.Float32frombits(binary.LittleEndian.Uint32(dst[4+4*place(s.To, ch, i):]))
				require.Equal(t, float32(src[place(s.From, stored, i)])-s.Affine.Mean[ch], got)
			}
		}
		require.Equal(t, make([]byte, 8), append(dst[:4:4], dst[4+4*c*inner:]...))
	})
}

// TestBatchIsItsSamples: a batch is its samples one behind the other, in any order, however they lie in pieces.
func TestBatchIsItsSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Uint32Range(1, 4), 1, 5).Draw(t, "pieces")
		s := Stream{Input: "x", DType: tensor.Uint8, Want: tensor.Float32, From: NHWC, To: NCHW, Rows: 1, Affine: Affine{Scale: 255}}
		in, m := store(s, []uint32{2, 2, 3}, counts...)
		samples := rapid.SliceOfN(rapid.Uint32Range(0, in.Count-1), 1, 9).Draw(t, "samples")
		fed, err := in.Feed(context.Background(), m.get, samples)
		require.NoError(t, err)
		var want []float32
		for _, i := range samples {
			one, err := in.Feed(context.Background(), m.get, []uint32{i})
			require.NoError(t, err)
			want = append(want, one["x"].F32()...)
		}
		require.Equal(t, want, fed["x"].F32())
		dirty, err := in.FeedInto(context.Background(), m.get, samples, func(n int) []byte { return bytes.Repeat([]byte{0xa5}, n) })
		require.NoError(t, err)
		require.Equal(t, fed, dirty)
	})
}

// TestStoredBatchesAreParts: a batch whose samples follow each other in one piece, as the model wants them, is a part of the piece; every
// other one is a copy with the same bytes, and what Feed gives is always a copy.
func TestStoredBatchesAreParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Uint32Range(1, 9), 1, 4).Draw(t, "pieces")
		s := Stream{Input: "x", DType: tensor.Float32, Want: tensor.Float32, From: NCHW, To: NCHW, Rows: 1}
		changed := rapid.IntRange(0, 4).Draw(t, "what is not as stored")
		switch changed {
		case 1:
			s.To = NHWC
		case 2:
			s.Swap = true
		case 3:
			s.Affine.Scale = 2
		}
		width := rapid.Uint32Range(1, 2).Draw(t, "width") // of three channels: 12 or 24 bytes a sample
		in, m := store(s, []uint32{3, 1, width}, counts...)
		from := rapid.Uint32Range(0, in.Count-1).Draw(t, "from")
		samples := []uint32{from}
		for i := from + 1; i < in.Count && rapid.Bool().Draw(t, "more"); i++ {
			samples = append(samples, i)
		}
		if changed == 4 {
			samples = append(samples, from)
		}
		rooms := 0
		got, err := in.FeedInto(context.Background(), m.get, samples, func(n int) []byte { rooms++; return make([]byte, n) })
		require.NoError(t, err)
		want, err := in.Feed(context.Background(), m.get, samples)
		require.NoError(t, err)
		require.Equal(t, want, got)
		piece, row := s.at(in.Streams[0].ends(), from)
		inPiece := uint64(row)+uint64(len(samples)) <= uint64(counts[piece])
		stored := m[in.Streams[0].Pieces[piece].Digest]
		part := stored[row*uint64(12*width):]
		shared := &part[0] == &got["x"].Data[0]
		require.Equal(t, changed == 0 && inPiece && aligned(part), shared)
		require.Equal(t, shared, rooms == 0)
		require.NotSame(t, &part[0], &want["x"].Data[0])
	})
}

// TestBatchesAcrossPiecesAreCopies: samples that follow each other, but not in one piece.
func TestBatchesAcrossPiecesAreCopies(t *testing.T) {
	s := Stream{Input: "x", DType: tensor.Float32, Want: tensor.Float32, Rows: 1}
	in, m := store(s, []uint32{2}, 3, 3)
	for samples, copied := range map[[3]uint32]bool{{0, 1, 2}: false, {1, 2, 3}: true, {2, 3, 4}: true, {3, 4, 5}: false} {
		rooms := 0
		got, err := in.FeedInto(t.Context(), m.get, samples[:], func(n int) []byte { rooms++; return make([]byte, n) })
		require.NoError(t, err)
		want, err := in.Feed(t.Context(), m.get, samples[:])
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, copied, rooms == 1, "%v", samples)
	}
}

// TestPiecesHoldBatches: pieces of small samples end behind a multiple of together.
func TestPiecesHoldBatches(t *testing.T) {
	for size, want := range map[int][]uint32{
		pieceSize/4 + 1:  {3, 3, 3, 3, 3, 3, 2}, // large: as many as fit
		pieceSize / 4:    {8, 8, 4},
		pieceSize / 7:    {8, 8, 4},
		pieceSize/16 + 1: {8, 8, 4},
		pieceSize / 16:   {16, 4},
		pieceSize / 24:   {20},
		pieceSize + 1:    slices.Repeat([]uint32{1}, 20),
		pieceSize / 8:    {8, 8, 4},
	} {
		var got []uint32
		b := builder{in: Inputs{Streams: make([]Stream, 1)}, open: make([]piece, 1), put: func([]byte) (plan.Digest, error) { return plan.Digest{}, nil }}
		sample := loaded{data: [][]byte{make([]byte, size)}, shapes: [][]uint32{{uint32(size)}}}
		for range 20 {
			require.NoError(t, b.add(sample))
		}
		require.NoError(t, b.flush())
		for _, p := range b.in.Streams[0].Pieces {
			got = append(got, p.Count)
		}
		require.Equal(t, want, got, "samples of %d bytes", size)
	}
}

// TestAffineIsNumpys: the three usual spellings, bit for bit, against the same float32 operations written out.
func TestAffineIsNumpys(t *testing.T) {
	torch := Affine{255, []float32{0.485}, []float32{0.229}}.table(0)
	tf := Affine{127.5, []float32{1}, nil}.table(0)
	lite := Affine{0, []float32{127}, []float32{128}}.table(0)
	for i := range 256 {
		x := float32(i)
		unit := x / float32(255)
		centred := unit - float32(0.485)
		require.Equal(t, centred/float32(0.229), torch[i])
		half := x / float32(127.5)
		require.Equal(t, half-1, tf[i])
		shifted := x - 127
		require.Equal(t, shifted/128, lite[i])
	}
}

// TestFeedRefuses: indices outside, mixed shapes, missing and short pieces.
func TestFeedRefuses(t *testing.T) {
	s := Stream{Input: "x", DType: tensor.Float32, Want: tensor.Float32, Rows: 1}
	in, m := store(s, []uint32{2}, 2)
	_, err := in.Feed(t.Context(), m.get, []uint32{2})
	require.ErrorContains(t, err, "sample 2: the data has 2 samples")
	_, err = in.Feed(t.Context(), memory{}.get, []uint32{0})
	require.ErrorContains(t, err, "is not stored")
	short := func(context.Context, plan.Digest) ([]byte, error) { return make([]byte, 7), nil }
	_, err = in.Feed(t.Context(), short, []uint32{0})
	require.ErrorContains(t, err, "holds 7 bytes")

	other, m2 := store(s, []uint32{3}, 1)
	in.Streams[0].Pieces = append(in.Streams[0].Pieces, other.Streams[0].Pieces...)
	in.Count++
	for d, b := range m2 {
		m[d] = b
	}
	_, err = in.Feed(t.Context(), m.get, []uint32{0, 1, 2})
	require.ErrorIs(t, err, ErrMixed)
	require.Equal(t, 2, in.Together([]uint32{0, 1, 2}))
	require.Equal(t, 1, in.Together([]uint32{2, 0}))
	in.Streams[0].Rows = 0
	require.Equal(t, 1, in.Together([]uint32{0, 1}))
}

// TestManifestsThatLie: what Check refuses, so that Decode does.
func TestManifestsThatLie(t *testing.T) {
	good := Stream{Input: "x", DType: tensor.Uint8, Want: tensor.Float32, From: NHWC, To: NCHW, Rows: 1}
	in, _ := store(good, []uint32{2, 2, 3}, 2)
	back, err := Decode(in.Encode())
	require.NoError(t, err)
	require.Equal(t, in, back)
	for want, change := range map[string]func(*Inputs){
		"has two streams":        func(in *Inputs) { in.Streams = append(in.Streams, in.Streams[0]) },
		"promises 3":             func(in *Inputs) { in.Count = 3 },
		"fixed size":             func(in *Inputs) { in.Streams[0].DType = tensor.String },
		"cannot be fed":          func(in *Inputs) { in.Streams[0].Want = tensor.Int64 },
		"NCHW or NHWC is needed": func(in *Inputs) { in.Streams[0].From = "CHWN" },
		"mean has 2 values":      func(in *Inputs) { in.Streams[0].Mean = []float32{1, 2} },
		"divisor may not be 0":   func(in *Inputs) { in.Streams[0].Std = []float32{0} },
		"positive divisor":       func(in *Inputs) { in.Streams[0].Scale = float32(math.NaN()) },
		"is larger than":         func(in *Inputs) { in.Streams[0].Pieces[0].Shape = []uint32{1 << 31, 1 << 31, 3} },
		"no room for layout":     func(in *Inputs) { in.Streams[0].Pieces[0].Shape = []uint32{12} },
		"begin with its 4 rows":  func(in *Inputs) { in.Streams[0].Rows = 4 },
	} {
		t.Run(want, func(t *testing.T) {
			in, _ := store(good, []uint32{2, 2, 3}, 2)
			change(&in)
			_, err := Decode(in.Encode())
			require.ErrorContains(t, err, want)
		})
	}
	_, err = Decode(append(in.Encode(), 0))
	require.Error(t, err)
	require.False(t, errors.Is(err, ErrMixed))
}
