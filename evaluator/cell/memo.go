package cell

import (
	"container/list"
	"context"
	"errors"
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

// entry is written by once alone, and read after it.
type entry[K comparable, V any] struct {
	key   K
	once  sync.Once
	value V
	err   error
}

func newMemo[K comparable, V any](limit int) *memo[K, V] {
	return &memo[K, V]{limit: limit, order: list.New(), at: map[K]*list.Element{}}
}

// get returns the value of k, from make if it is not there. make is bound to ctx of the caller that makes: when that one gives
// up, or panics, those who wait for the value do not, one of them makes it. Any other error is told to all who waited.
func (m *memo[K, V]) get(ctx context.Context, k K, make func() (V, error)) (V, error) {
	for {
		el := m.element(k)
		e, mine := el.Value.(*entry[K, V]), false
		e.once.Do(func() {
			mine, e.err = true, errPanic // for good only if make does not return
			e.value, e.err = make()
		})
		if e.err == nil {
			return e.value, nil
		}
		m.forget(el)
		if mine || ctx.Err() != nil || !ownTrouble(e.err) {
			return e.value, e.err
		}
	}
}

// errPanic stands in a place whose value was not made because its maker panicked.
var errPanic = errors.New("the maker of this value panicked")

// ownTrouble reports whether err, of somebody else's making, says nothing about the value.
func ownTrouble(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errPanic)
}

// element is the place of k, made when there is none, with what was asked last in front.
func (m *memo[K, V]) element(k K) *list.Element {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.at[k]
	if ok {
		m.order.MoveToFront(el)
		return el
	}
	el = m.order.PushFront(&entry[K, V]{key: k})
	m.at[k] = el
	for m.order.Len() > m.limit {
		back := m.order.Back()
		m.order.Remove(back)
		delete(m.at, back.Value.(*entry[K, V]).key)
	}
	return el
}

// forget takes a place out, unless another has its key by now.
func (m *memo[K, V]) forget(el *list.Element) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := el.Value.(*entry[K, V]).key
	if m.at[k] == el {
		m.order.Remove(el)
		delete(m.at, k)
	}
}
