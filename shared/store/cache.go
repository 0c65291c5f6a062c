package store

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/singleflight"

	"assay/shared/plan"
)

// Cache keeps the objects that were read last in memory, up to a number of bytes, and reads an object once however many
// ask for it at the same time. It stands in front of another store, which Put and Has go through to: an object that was put is
// not in memory before it is read, unless those who put and those who read share the cache.
type Cache struct {
	Store
	budget int64
	shared bool
	flight singleflight.Group

	mu    sync.Mutex
	used  int64      // bytes of all that is cached; at most budget
	order *list.List // of cached, most recently used in front
	at    map[plan.Digest]*list.Element
}

type cached struct {
	d plan.Digest
	b []byte
}

// NewCache puts a cache of budget bytes in front of s. An object larger than the budget passes through uncached.
func NewCache(s Store, budget int64) *Cache {
	return &Cache{Store: s, budget: budget, order: list.New(), at: map[plan.Digest]*list.Element{}}
}

// NewSharedCache is NewCache for writers and readers of one process: what was put is read from memory at once. The store below has
// it as well.
func NewSharedCache(s Store, budget int64) *Cache {
	c := NewCache(s, budget)
	c.shared = true
	return c
}

// Put implements Store. What a shared cache keeps of b is a copy.
func (c *Cache) Put(ctx context.Context, b []byte) (plan.Digest, error) {
	d, err := c.Store.Put(ctx, b)
	if _, known := c.lookup(d); err == nil && c.shared && !known && int64(len(b)) <= c.budget {
		c.keep(d, bytes.Clone(b))
	}
	return d, err
}

// Get implements Store. A read below is bound to the context of the caller that began it: when that one gives up, those who
// wait for the same object do not, one of them reads anew. Any other error is told to all who waited, and kept for nobody.
func (c *Cache) Get(ctx context.Context, d plan.Digest) ([]byte, error) {
	for {
		if b, ok := c.lookup(d); ok {
			return b, nil
		}
		mine := false
		v, err, _ := c.flight.Do(string(d[:]), func() (any, error) {
			mine = true
			b, err := c.Store.Get(ctx, d)
			if err == nil {
				c.keep(d, b)
			}
			return b, err
		})
		if err == nil {
			return v.([]byte), nil
		}
		if mine || ctx.Err() != nil || !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
	}
}

// lookup finds an object in memory and makes it the most recently used one.
func (c *Cache) lookup(d plan.Digest) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.at[d]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(cached).b, true
}

// keep enters an object and drops those that were not used for longest until the budget holds again. An object that is there
// already, or is larger than the whole budget, changes nothing.
func (c *Cache) keep(d plan.Digest, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.at[d]; ok || int64(len(b)) > c.budget {
		return
	}
	c.at[d] = c.order.PushFront(cached{d, b})
	c.used += int64(len(b))
	for c.used > c.budget {
		e := c.order.Back()
		old := e.Value.(cached)
		c.order.Remove(e)
		delete(c.at, old.d)
		c.used -= int64(len(old.b))
	}
}
