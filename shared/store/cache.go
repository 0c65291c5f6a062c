package store

import (
	"container/list"
	"context"
	"sync"

	"golang.org/x/sync/singleflight"

	"assay/shared/plan"
)

// Cache keeps the objects that were read last in memory, up to a number of bytes, and reads an object once however many
// ask for it at the same time. It stands in front of another store, which Put and Has go through to.
type Cache struct {
	Store
	budget int64
	flight singleflight.Group

	mu    sync.Mutex
	used  int64
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

// Get implements Store.
func (c *Cache) Get(ctx context.Context, d plan.Digest) ([]byte, error) {
	if b, ok := c.lookup(d); ok {
		return b, nil
	}
	v, err, _ := c.flight.Do(string(d[:]), func() (any, error) {
		b, err := c.Store.Get(ctx, d)
		if err == nil {
			c.keep(d, b)
		}
		return b, err
	})
	if err != nil {
		return nil, err
	}
	return v.([]byte), nil
}

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
