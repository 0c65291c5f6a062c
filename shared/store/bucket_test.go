package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"assay/shared/plan"
)

// answering is an object store whose answers are given; what is not used by Bucket has none.
type answering struct {
	jetstream.ObjectStore
	info, put, get error
	bytes          []byte
	puts           int
}

func (a *answering) GetInfo(context.Context, string, ...jetstream.GetObjectInfoOpt) (*jetstream.ObjectInfo, error) {
	return &jetstream.ObjectInfo{}, a.info
}

func (a *answering) PutBytes(context.Context, string, []byte) (*jetstream.ObjectInfo, error) {
	a.puts++
	return &jetstream.ObjectInfo{}, a.put
}

func (a *answering) GetBytes(context.Context, string, ...jetstream.GetObjectOpt) ([]byte, error) {
	return a.bytes, a.get
}

// TestBucketTellsAbsentFromAway: an object that is not there, one that is damaged and a store that does not answer are told apart, by Get,
// Has and Put; none of them comes with bytes.
func TestBucketTellsAbsentFromAway(t *testing.T) {
	full := errors.New("insufficient resources")
	d := DigestOf([]byte("object"))
	for name, c := range map[string]struct {
		os   answering
		want error
	}{
		"there":                      {answering{bytes: []byte("object")}, nil},
		"not there":                  {answering{info: jetstream.ErrObjectNotFound}, ErrAbsent},
		"gone between two questions": {answering{get: jetstream.ErrObjectNotFound}, ErrAbsent},
		"no answer":                  {answering{info: full}, ErrUnavailable},
		"no answer to the read":      {answering{get: full, bytes: []byte("object")}, ErrUnavailable},
		"damaged on the way":         {answering{get: jetstream.ErrDigestMismatch}, errDamaged},
		"other bytes":                {answering{bytes: []byte("another")}, errDamaged},
		"no bytes":                   {answering{}, errDamaged},
	} {
		b, err := NewBucket(&c.os).Get(t.Context(), d)
		if c.want == nil {
			require.NoError(t, err, name)
			require.Equal(t, "object", string(b))
			continue
		}
		for _, e := range []error{ErrAbsent, ErrUnavailable, errDamaged} {
			require.Equal(t, e == c.want, errors.Is(err, e), "%s: %v", name, err)
		}
		require.ErrorContains(t, err, "object "+d.Short(), name)
	}

	there := &answering{}
	got, err := NewBucket(there).Put(t.Context(), []byte("object"))
	require.NoError(t, err)
	require.Equal(t, d, got)
	require.Zero(t, there.puts, "what is there is not written again")
	for name, os := range map[string]*answering{"look-up": {info: full}, "write": {info: jetstream.ErrObjectNotFound, put: full}} {
		_, err := NewBucket(os).Put(t.Context(), []byte("object"))
		require.ErrorIs(t, err, ErrUnavailable, name)
		require.ErrorIs(t, err, full, name)
	}
	_, err = NewBucket(&answering{info: full}).Has(t.Context(), d)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, full)
}

// TestMemoryVerifiesWhatItGives: bytes that somebody wrote to after Put are found out.
func TestMemoryVerifiesWhatItGives(t *testing.T) {
	s := NewMemory()
	d, err := s.Put(t.Context(), []byte("object"))
	require.NoError(t, err)
	s.m[d][0] = 'O'
	_, err = s.Get(t.Context(), d)
	require.ErrorIs(t, err, errDamaged)
	_, err = s.Put(t.Context(), []byte("object"))
	require.NoError(t, err)
	_, err = s.Get(t.Context(), d)
	require.ErrorIs(t, err, errDamaged, "Put of what is there writes nothing")
}

// TestPatienceEnds: a server that never answers is asked for a minute, five times a second, and its own error is the last word; a try
// that hangs is given up after 20 seconds.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, calls := time.Now(), 0
		err := Patiently(t.Context(), func(context.Context) error { calls++; return nats.ErrNoResponders })
		require.ErrorIs(t, err, nats.ErrNoResponders)
		require.InDelta(t, patience.Seconds(), time.Since(start).Seconds(), 0.5)
		require.InDelta(t, 301, calls, 2)

		start, calls = time.Now(), 0
		err = Patiently(t.Context(), func(ctx context.Context) error { calls++; <-ctx.Done(); return ctx.Err() })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.InDelta(t, 60.4, time.Since(start).Seconds(), 0.1)
		require.Equal(t, 3, calls)
	})
}

// counted counts reads and writes of the store below.
type counted struct {
	Store
	reads, writes int
	err           error
}

func (c *counted) Put(ctx context.Context, b []byte) (plan.Digest, error) {
	c.writes++
	return c.Store.Put(ctx, b)
}

func (c *counted) Get(ctx context.Context, d plan.Digest) ([]byte, error) {
	c.reads++
	if c.err != nil {
		return nil, c.err
	}
	return c.Store.Get(ctx, d)
}

// TestSharedCacheKeepsWithinItsBudget: an object as large as the budget is kept when it is put, a larger one is not and pushes nothing out,
// and one that is put again stays the one that it was.
func TestSharedCacheKeepsWithinItsBudget(t *testing.T) {
	under := &counted{Store: NewMemory()}
	c := NewSharedCache(under, 10)
	d, err := c.Put(t.Context(), make([]byte, 10))
	require.NoError(t, err)
	large, err := c.Put(t.Context(), make([]byte, 11))
	require.NoError(t, err)
	first, err := c.Get(t.Context(), d)
	require.NoError(t, err)
	require.Zero(t, under.reads)
	_, err = c.Put(t.Context(), make([]byte, 10))
	require.NoError(t, err)
	again, err := c.Get(t.Context(), d)
	require.NoError(t, err)
	require.Same(t, &first[0], &again[0])
	require.EqualValues(t, 10, c.used)
	_, err = c.Get(t.Context(), large)
	require.NoError(t, err)
	require.Equal(t, 1, under.reads)
	require.Equal(t, 3, under.writes)
}

// TestCacheAsksOnceForItsOwnCaller: a read that the caller's own context ended is not begun anew, nor is one that timed out below.
func TestCacheAsksOnceForItsOwnCaller(t *testing.T) {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded, ErrUnavailable} {
		under := &counted{Store: NewMemory(), err: cause}
		_, err := NewCache(under, 10).Get(t.Context(), plan.Digest{1})
		require.ErrorIs(t, err, cause)
		require.Equal(t, 1, under.reads, cause.Error())
	}
}
