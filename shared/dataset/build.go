package dataset

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"assay/shared/mapped"
	"assay/shared/plan"
)

// pieceSize is about where a piece ends: large enough that a manifest stays small, small enough to be fetched for one cell.
const pieceSize = 4 << 20

// together is how many samples of at most a quarter of pieceSize a piece has a multiple of, if their shapes are one: batches of as many
// from there on are parts of a piece, which FeedInto need not copy.
const together = 8

// Put stores a piece and names it by its SHA-256, as store.Store's Put does. It is called in the order of the samples, never twice
// at once; the bytes may not be kept by reference, they are written over.
type Put func([]byte) (plan.Digest, error)

// Fault is a sample that could not be read. Sample is its index in the Set that Build was called on.
type Fault struct {
	Sample uint32
	Name   string
	Err    error
}

// Faults are all that Build found, in data order.
type Faults []Fault

// Err is one error that names up to ten faulty samples and counts the rest, nil for none. It wraps none of their errors.
func (fs Faults) Err() error {
	var l lines
	for _, f := range fs {
		l.add("%s: %v", f.Name, f.Err)
	}
	what := "1 sample"
	if len(fs) != 1 {
		what = fmt.Sprintf("%d samples", len(fs))
	}
	return l.err(fmt.Sprintf("data: %s cannot be read (repair them, or leave them out of the folder and of the labels)", what))
}

// loaded is one sample as a reader gives it.
type loaded struct {
	data   [][]byte
	shapes [][]uint32
	err    error
}

// Build reads every sample, stores the pieces and gives the manifest. Files are decoded on all CPUs; the result does not
// depend on how many there are. Faulty samples are left out of the manifest and reported, nothing else is lost: the
// caller decides whether they end the job (Faults.Err) or are skipped (Set.Without gives the samples of the manifest).
// progress, if not nil, is called after each sample, faulty ones too, from one goroutine. An error is that of ctx, of put, or of
// samples none of which can be read, or of arrays whose file became shorter; the faults are those found by then, and pieces that are stored stay. The set is not
// changed, so it may be built by several callers at once.
func (set *Set) Build(ctx context.Context, put Put, progress func(done, total int)) (Inputs, Faults, error) {
	streams, _, err := set.reader.plan(set.src)
	if err != nil {
		return Inputs{}, nil, err
	}
	var r reader
	if err := set.careful(func() (err error) { r, err = set.reader.bind(set.src, streams); return err }); err != nil {
		return Inputs{}, nil, err
	}
	// The manifest grows while the reader still looks at its streams.
	b := builder{in: Inputs{Decoder: Decoder, Streams: slices.Clone(streams)}, put: put, open: make([]piece, len(streams))}
	var faults Faults
	err = set.ordered(ctx, r, func(i int, l loaded) error {
		if l.err != nil {
			faults = append(faults, Fault{uint32(i), set.Names[i], l.err})
		} else if err := set.careful(func() error { return b.add(l) }); err != nil {
			return err
		}
		if progress != nil {
			progress(i+1, set.Len())
		}
		return nil
	})
	if err == nil {
		err = b.flush()
	}
	if err != nil {
		return Inputs{}, faults, err
	}
	if b.in.Count == 0 {
		return Inputs{}, faults, fmt.Errorf("data: no sample can be read: %w", faults.Err())
	}
	return b.in, faults, b.in.Check()
}

// careful is mapped.Careful with an error that names the data.
func (set *Set) careful(f func() error) error {
	err := mapped.Careful(f)
	if errors.Is(err, mapped.ErrShortened) {
		return shortened(set.src.Data, err)
	}
	return err
}

// shortened is the error of a file of arrays that another program writes.
func shortened(path string, err error) error {
	return fmt.Errorf("data: %s %w (run the job when the file is complete)", path, err)
}

// ordered reads the samples concurrently and hands them to take in their order. At most two samples a CPU are held.
func (set *Set) ordered(ctx context.Context, r reader, take func(int, loaded) error) error {
	workers := runtime.GOMAXPROCS(0)
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan chan loaded, workers)
	g.Go(func() error {
		defer close(queue)
		readers := make(chan struct{}, workers)
		for _, at := range set.pick {
			c := make(chan loaded, 1)
			select {
			case queue <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
			readers <- struct{}{}
			g.Go(func() error {
				defer func() { <-readers }()
				var l loaded
				l.data, l.shapes, l.err = r.read(at)
				c <- l
				return nil
			})
		}
		return nil
	})
	g.Go(func() error {
		for i := 0; ; i++ {
			var c chan loaded
			var ok bool
			select {
			case c, ok = <-queue:
			case <-ctx.Done():
				return ctx.Err()
			}
			if !ok {
				return nil
			}
			if err := take(i, <-c); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// piece is one that is being filled.
type piece struct {
	shape []uint32
	data  []byte
	count uint32
}

// full says that the piece ends before another sample of n bytes.
func (p *piece) full(n int) bool {
	if n > pieceSize/4 {
		return len(p.data)+n > pieceSize
	}
	return p.count%together == 0 && len(p.data)+together*n > pieceSize
}

type builder struct {
	in   Inputs
	put  Put
	open []piece
}

// add appends one sample to every stream.
func (b *builder) add(l loaded) error {
	for k, data := range l.data {
		p := &b.open[k]
		if p.count > 0 && (!slices.Equal(p.shape, l.shapes[k]) || p.full(len(data))) {
			if err := b.close(k); err != nil {
				return err
			}
		}
		p.shape = l.shapes[k]
		p.data = append(p.data, data...)
		p.count++
	}
	b.in.Count++
	return nil
}

// flush stores the pieces that are still open, a stream after the other.
func (b *builder) flush() error {
	for k := range b.open {
		if b.open[k].count > 0 {
			if err := b.close(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// close stores the open piece of stream k.
func (b *builder) close(k int) error {
	p := &b.open[k]
	d, err := b.put(p.data)
	if err != nil {
		return fmt.Errorf("data: storing a piece of %d bytes: %w", len(p.data), err)
	}
	s := &b.in.Streams[k]
	s.Pieces = append(s.Pieces, Piece{Digest: d, Shape: p.shape, Count: p.count})
	*p = piece{data: p.data[:0]}
	return nil
}
