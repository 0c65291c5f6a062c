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
