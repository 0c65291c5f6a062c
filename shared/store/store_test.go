package store_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/broker"
	"assay/shared/plan"
	"assay/shared/store"
)

// backends makes one of each store for the conformance suite below.
func backends(t *testing.T) map[string]store.Store {
	b, err := broker.Embed(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return map[string]store.Store{
		"memory": store.NewMemory(),
		"bucket": b.Objects,
		"cache":  store.NewCache(store.NewMemory(), 1000),
		"shared": store.NewSharedCache(store.NewMemory(), 1000),
	}
}

// TestEveryBackEndKeepsTheContract runs the sentences of the package comment against every store.
func TestEveryBackEndKeepsTheContract(t *testing.T) {
	ctx := context.Background()
	for name, s := range backends(t) {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{0, 1, 999, 1001, 300_000} {
				b := bytes.Repeat([]byte{byte(size), 7}, size)[:size]
				ok, err := s.Has(ctx, store.DigestOf(b))
				require.NoError(t, err)
				require.False(t, ok)
				for range 2 {
					d, err := s.Put(ctx, b)
					require.NoError(t, err)
					require.Equal(t, store.DigestOf(b), d)
				}
				mine := bytes.Clone(b)
				mine = append(mine, "used again"...)
				d, err := s.Put(ctx, mine)
				require.NoError(t, err)
				clear(mine)
				got, err := s.Get(ctx, d)
				require.NoError(t, err)
				require.Equal(t, string(b)+"used again", string(got))
				for range 2 {
					got, err := s.Get(ctx, store.DigestOf(b))
					require.NoError(t, err)
					require.True(t, bytes.Equal(b, got))
				}
				ok, err = s.Has(ctx, store.DigestOf(b))
				require.NoError(t, err)
				require.True(t, ok)
			}
			_, err := s.Get(ctx, plan.Digest{1})
			require.ErrorIs(t, err, store.ErrAbsent)
		})
	}
}

// counting counts the reads that reach it and returns damaged bytes when told to.
type counting struct {
	store.Store
	mu    sync.Mutex
	reads int
}

func (c *counting) Get(ctx context.Context, d plan.Digest) ([]byte, error) {
	c.mu.Lock()
	c.reads++
	c.mu.Unlock()
	return c.Store.Get(ctx, d)
}

// TestSharedCacheHasWhatWasPut: what was put is read from memory, also when the writer uses his bytes again, and is in the store below.
// What failed there, and what was put long ago, is not in memory.
func TestSharedCacheHasWhatWasPut(t *testing.T) {
	ctx := context.Background()
	under := &counting{Store: store.NewMemory()}
	c := store.NewSharedCache(under, 300)
	buffer := make([]byte, 100)
	var digests []plan.Digest
	for i := range 4 {
		copy(buffer, bytes.Repeat([]byte{byte(i)}, 100))
		d, err := c.Put(ctx, buffer)
		require.NoError(t, err)
		digests = append(digests, d)
	}
	for i, want := range []struct{ object, reads int }{{3, 0}, {1, 0}, {2, 0}, {0, 1}, {3, 2}} {
		b, err := c.Get(ctx, digests[want.object])
		require.NoError(t, err)
		require.Equal(t, bytes.Repeat([]byte{byte(want.object)}, 100), b)
		require.Equal(t, want.reads, under.reads, "step %d", i)
		ok, err := under.Has(ctx, digests[want.object])
		require.NoError(t, err)
		require.True(t, ok)
	}
	lost := store.NewSharedCache(failing{store.NewMemory()}, 300)
	_, err := lost.Put(ctx, buffer)
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = lost.Get(ctx, store.DigestOf(buffer))
	require.ErrorIs(t, err, store.ErrAbsent)
}

// failing is a store that takes nothing.
type failing struct{ store.Store }

func (failing) Put(_ context.Context, b []byte) (plan.Digest, error) {
	return store.DigestOf(b), store.ErrUnavailable
}

// TestCacheReadsOnceAndForgetsTheOldest fills a cache of three objects with four.
func TestCacheReadsOnceAndForgetsTheOldest(t *testing.T) {
	ctx := context.Background()
	under := &counting{Store: store.NewMemory()}
	c := store.NewCache(under, 300)
	var digests []plan.Digest
	for i := range 4 {
		d, err := c.Put(ctx, bytes.Repeat([]byte{byte(i)}, 100))
		require.NoError(t, err)
		digests = append(digests, d)
	}
	for i, want := range []struct {
		object, reads int
	}{{0, 1}, {0, 1}, {1, 2}, {2, 3}, {0, 3}, {3, 4}, {0, 4}, {1, 5}} {
		_, err := c.Get(ctx, digests[want.object])
		require.NoError(t, err)
		require.Equal(t, want.reads, under.reads, fmt.Sprintf("step %d", i))
	}
}
