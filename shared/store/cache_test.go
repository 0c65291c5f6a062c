package store_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"assay/shared/plan"
	"assay/shared/store"
)

// gate is a store whose reads wait until they are let through or their context ends.
type gate struct {
	store.Store
	open  chan struct{}
	reads int
}

func (g *gate) Get(ctx context.Context, d plan.Digest) ([]byte, error) {
	g.reads++
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-g.open:
		return g.Store.Get(ctx, d)
	}
}

// TestCacheReaderGivesUpAlone: a reader that gives up while others wait for what it reads takes nobody with it; one of them
// reads anew, once for all.
func TestCacheReaderGivesUpAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := &gate{Store: store.NewMemory(), open: make(chan struct{})}
		c := store.NewCache(under, 100)
		d, err := c.Put(t.Context(), []byte("object"))
		require.NoError(t, err)
		impatient, giveUp := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() { _, err := c.Get(impatient, d); first <- err }()
		synctest.Wait()
		others := make(chan error, 3)
		for range cap(others) {
			go func() {
				b, err := c.Get(t.Context(), d)
				if err == nil && string(b) != "object" {
					err = errors.New("other bytes")
				}
				others <- err
			}()
		}
		synctest.Wait()
		require.Equal(t, 1, under.reads)
		giveUp()
		synctest.Wait()
		require.ErrorIs(t, <-first, context.Canceled)
		require.Equal(t, 2, under.reads)
		close(under.open)
		for range cap(others) {
			require.NoError(t, <-others)
		}
	})
}

// TestCacheKeepsNoFailure: what the store below could not give is asked again, by whoever comes next.
func TestCacheKeepsNoFailure(t *testing.T) {
	under := store.NewMemory()
	c := store.NewCache(under, 100)
	d := store.DigestOf([]byte("late"))
	_, err := c.Get(t.Context(), d)
	require.ErrorIs(t, err, store.ErrAbsent)
	_, err = under.Put(t.Context(), []byte("late"))
	require.NoError(t, err)
	b, err := c.Get(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, "late", string(b))
}

// TestCacheBudget: objects are kept as long as their bytes together are within the budget, to the byte; a larger one passes
// through and pushes nothing out.
func TestCacheBudget(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int // of objects, read one after the other, twice
		reads int
	}{
		{"exactly full", []int{40, 60}, 2},
		{"one byte too much", []int{40, 61}, 4},
		{"too large for any cache", []int{40, 101, 60}, 4},
		{"as large as the cache", []int{100}, 1},
		{"several give way to one", []int{30, 30, 30, 90}, 8},
		{"empty objects cost nothing", []int{0, 100}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			under := &counting{Store: store.NewMemory()}
			s := store.NewCache(under, 100)
			for range 2 {
				for i, n := range c.sizes {
					b := bytes.Repeat([]byte{byte(i)}, n)
					d, err := s.Put(t.Context(), b)
					require.NoError(t, err)
					got, err := s.Get(t.Context(), d)
					require.NoError(t, err)
					require.True(t, bytes.Equal(b, got))
				}
			}
			require.Equal(t, c.reads, under.reads)
		})
	}
}
