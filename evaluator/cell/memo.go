package cell

import (
	"container/list"
	"sync"
)

// memo remembers the values that were asked for last, up to limit of them, and makes a value once however many ask for it at
// the same time. A failed making is not remembered. Safe for concurrent use.
type memo[K comparable, V any] struct {
	limit int

	mu    sync.Mutex
	order *list.List // of *entry, most recently used in front
	at    map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	once  sync.Once
	value V
	err   error
}

func newMemo[K comparable, V any](limit int) *memo[K, V] {
	return &memo[K, V]{limit: limit, order: list.New(), at: map[K]*list.Element{}}
}

// get returns the value of k, from make if it is not there.
func (m *memo[K, V]) get(k K, make func() (V, error)) (V, error) {
	m.mu.Lock()
	el, ok := m.at[k]
	if ok {
		m.order.MoveToFront(el)
	} else {
		el = m.order.PushFront(&entry[K, V]{key: k})
		m.at[k] = el
		for m.order.Len() > m.limit {
			back := m.order.Back()
			m.order.Remove(back)
			delete(m.at, back.Value.(*entry[K, V]).key)
		}
	}
	e := el.Value.(*entry[K, V])
	m.mu.Unlock()
	e.once.Do(func() { e.value, e.err = make() })
	if e.err != nil {
		m.mu.Lock()
		if m.at[k] == el {
			m.order.Remove(el)
			delete(m.at, k)
		}
		m.mu.Unlock()
	}
	return e.value, e.err
}
