package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"unsafe"

	"assay/shared/plan"
	"assay/shared/tensor"
)

// Get fetches a stored piece by its digest; the bytes are only read. It is called once per input and piece in a Feed, on the
// goroutine of that call.
type Get func(context.Context, plan.Digest) ([]byte, error)

// ErrMixed says that samples cannot share a batch: their shapes differ, or an input has no batch axis. Feed them in the
// groups that Together gives.
var ErrMixed = errors.New("samples cannot be fed together")

// at finds sample i: the index of its piece, and its row in it.
func (s Stream) at(ends []uint64, i uint32) (piece int, row uint64) {
	piece = sort.Search(len(ends), func(k int) bool { return ends[k] > uint64(i) })
	if piece > 0 {
		return piece, uint64(i) - ends[piece-1]
	}
	return piece, uint64(i)
}

// ends are the running sums of the pieces' counts.
func (s Stream) ends() []uint64 {
	var n uint64
	ends := make([]uint64, len(s.Pieces))
	for k, p := range s.Pieces {
		n += uint64(p.Count)
		ends[k] = n
	}
	return ends
}

// Together is how many samples from the start of the list can be fed as one batch: at least 1 of a non-empty list, those up to the
// first whose shape in some input is not that of the first sample. Samples outside the manifest end a group; Feed refuses them.
func (in Inputs) Together(samples []uint32) int {
	n := len(samples)
	for _, s := range in.Streams {
		ends := s.ends()
		for i := 1; i < n; i++ {
			if s.Rows == 0 || samples[0] >= in.Count || samples[i] >= in.Count {
				n = i
				break
			}
			a, _ := s.at(ends, samples[0])
			b, _ := s.at(ends, samples[i])
			if !slices.Equal(s.Pieces[a].Shape, s.Pieces[b].Shape) {
				n = i
			}
		}
	}
	return n
}

// Feed gives one batch per model input: sample k of the list fills rows [k*Rows, (k+1)*Rows) of the first axis, in the
// layout and type that the model wants, after the affine. The bytes depend on the samples only, never on their
// neighbours. The tensors are the caller's. in is a manifest that Check accepts. Errors: no samples, an index outside the
// manifest, ErrMixed, a piece that get does not give (its error is wrapped) or whose length is not what the manifest says.
func (in Inputs) Feed(ctx context.Context, get Get, samples []uint32) (map[string]*tensor.Tensor, error) {
	return in.feed(ctx, get, samples, func(n int) []byte { return make([]byte, n) }, false)
}

// FeedInto is Feed with the tensors' bytes in memory from room, which is called at most once for each stream, in order: so many as it is
// asked for, whatever they are; each is written. They should begin where an element may (8 bytes), else views of them are copies.
// A tensor that lies in a piece as the model wants it takes no room: it is that part of the piece, and so is only read.
func (in Inputs) FeedInto(ctx context.Context, get Get, samples []uint32, room func(bytes int) []byte) (map[string]*tensor.Tensor, error) {
	return in.feed(ctx, get, samples, room, true)
}

// feed is FeedInto; share says that tensors may be parts of pieces.
func (in Inputs) feed(ctx context.Context, get Get, samples []uint32, room func(bytes int) []byte, share bool) (map[string]*tensor.Tensor, error) {
	for _, i := range samples {
		if i >= in.Count {
			return nil, fmt.Errorf("feed: sample %d: the data has %d samples", i, in.Count)
		}
	}
	if n := in.Together(samples); n < len(samples) {
		return nil, fmt.Errorf("feed: samples %d and %d: %w", samples[0], samples[n], ErrMixed)
	}
	out := make(map[string]*tensor.Tensor, len(in.Streams))
	for _, s := range in.Streams {
		t, err := s.feed(ctx, get, samples, room, share)
		if err != nil {
			return nil, fmt.Errorf("feed: model input %q: %w", s.Input, err)
		}
		out[s.Input] = t
	}
	return out, nil
}

// feed makes the batch of one input. Precondition: the samples exist and have one shape.
func (s Stream) feed(ctx context.Context, get Get, samples []uint32, room func(int) []byte, share bool) (*tensor.Tensor, error) {
	if len(samples) == 0 {
		return nil, errors.New("no samples")
	}
	ends := s.ends()
	first, _ := s.at(ends, samples[0])
	shape := s.Pieces[first].Shape
	rows := max(int(s.Rows), 1)
	src := sizes(s.row(shape), s.DType) * rows
	held, err := s.fetch(ctx, get, samples, src)
	if err != nil {
		return nil, err
	}
	c, err := s.channels(shape)
	if err != nil {
		return nil, err
	}
	out := &tensor.Tensor{DType: s.Want, Shape: s.fed(shape, len(samples))}
	if _, row := s.at(ends, samples[0]); share && s.asStored() && inOrder(samples) && int(row)+len(samples) <= int(s.Pieces[first].Count) {
		if b := held[first][int(row)*src:][: len(samples)*src : len(samples)*src]; aligned(b) {
			out.Data = b
			return out, nil
		}
	}
	out.Data = room(tensor.Count(out.Shape) * s.Want.Size())
	move, dst := s.mover(c), len(out.Data)/len(samples)
	for k, i := range samples {
		p, row := s.at(ends, i)
		from, to := held[p][int(row)*src:(int(row)+1)*src], out.Data[k*dst:(k+1)*dst]
		for r := range rows {
			move(to[r*dst/rows:(r+1)*dst/rows], from[r*src/rows:(r+1)*src/rows])
		}
	}
	return out, nil
}

// inOrder says that samples follow each other.
func inOrder(samples []uint32) bool {
	for i, s := range samples {
		if s != samples[0]+uint32(i) {
			return false
		}
	}
	return true
}

// aligned says that b begins at a multiple of 8, where elements of every type can be read in place.
func aligned(b []byte) bool {
	return len(b) > 0 && uintptr(unsafe.Pointer(&b[0]))%8 == 0
}

// fetch gets the pieces of the samples, each once, and checks their length: src bytes a sample. It comes before any
// allocation, so a manifest cannot claim more memory than its pieces have.
func (s Stream) fetch(ctx context.Context, get Get, samples []uint32, src int) (map[int][]byte, error) {
	ends, held := s.ends(), map[int][]byte{}
	for _, i := range samples {
		p, _ := s.at(ends, i)
		if _, ok := held[p]; ok {
			continue
		}
		b, err := get(ctx, s.Pieces[p].Digest)
		if err != nil {
			return nil, fmt.Errorf("piece %d: %w", p, err)
		}
		if n := uint64(s.Pieces[p].Count); uint64(len(b)) != n*uint64(src) {
			return nil, fmt.Errorf("piece %d holds %d bytes, %d samples of shape %v need %d", p, len(b), n, s.Pieces[p].Shape, n*uint64(src))
		}
		held[p] = b
	}
	return held, nil
}

// Group is how many samples fill the rows of the batch that a model fixes: 1 where none are fixed (0 or less), or where
// samples do not fill them evenly, and then each is fed alone. A sample has the rows of the stream that has most.
func (in Inputs) Group(rows int) uint32 {
	own := 1
	for _, s := range in.Streams {
		own = max(own, int(s.Rows))
	}
	if rows <= own || rows%own != 0 {
		return 1
	}
	return uint32(rows / own)
}

// FedShape is the shape that Feed gives for n samples that look like the first one; nil when there is no sample.
func (s Stream) FedShape(n int) []int {
	if len(s.Pieces) == 0 {
		return nil
	}
	return s.fed(s.Pieces[0].Shape, n)
}

// fed is the shape of a batch of n samples.
func (s Stream) fed(shape []uint32, n int) []int {
	row := ints(s.row(shape))
	if s.From == NHWC && s.To == NCHW {
		last := len(row) - 1
		row = append([]int{row[last]}, row[:last]...)
	} else if s.From == NCHW && s.To == NHWC {
		row = append(row[1:len(row):len(row)], row[0])
	}
	if s.Rows == 0 {
		return row
	}
	return append([]int{n * int(s.Rows)}, row...)
}

func ints(shape []uint32) []int {
	out := make([]int, len(shape))
	for i, d := range shape {
		out[i] = int(d)
	}
	return out
}

// sizes is the number of bytes of one row.
func sizes(row []uint32, d tensor.DType) int { return tensor.Count(ints(row)) * d.Size() }
