package engine

import (
	"fmt"
	"slices"
	"sync"
	"unsafe"
)

// MemoryError refuses work that would go over the limit. Arena, Weights and Store are bytes: what would be in use for
// intermediate values, for packed weights and for stored activations. It says nothing of the model: with less at a time, or
// when other runs have ended, the same work may do.
type MemoryError struct {
	Arena, Weights, Store int64
	Limit                 int64
}

// Error states the three numbers and what to change.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("memory: intermediate values %s, packed weights %s and stored activations %s are over the limit of %s: raise --memory or use fewer evaluator slots",
		size(e.Arena), size(e.Weights), size(e.Store), size(e.Limit))
}

// Input says that the user can mend it: what an error needs to be told as one of the user's and not as a fault.
func (e *MemoryError) Input() bool { return true }

// size prints bytes.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n > 0 && n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}

// DefaultMemory is memory, or half of the machine's (1 GiB where that is unknown) when memory is 0 or less.
func DefaultMemory(memory int64) int64 {
	if memory > 0 {
		return memory
	}
	if total := machineMemory(); total > 0 {
		return total / 2
	}
	return 1 << 30
}

// memory counts bytes and holds the arenas that no run uses. Invariant: arena + weights + stored <= limit, but for what
// concurrent runs hold pinned. An arena counts from the moment it is made until room drops it from free, so a free one
// is still in arena.
type memory struct {
	mu          sync.Mutex
	limit       int64
	storeBudget int64
	arena       int64    // bytes of all arenas, in use or free
	free        [][]byte // ascending by size
	weights     int64
	stored      int64

	evictPacks func(bytes int64) // drops packs that no program uses; called without mu
	evictStore func(bytes int64) // drops stored activations; called without mu
}

func (m *memory) usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Usage{Arena: m.arena, Weights: m.weights, Store: m.stored}
}

// room makes place for n more bytes of arenas or weights by dropping, in this order, free arenas, stored activations and
// unused packs. It reports whether they fit now; m.mu is held by the caller and given up meanwhile. Free arenas go
// smallest first. mu is given up around evict because packs and store take their own lock first and then mu; what was
// true before may not be after, so over is asked again.
func (m *memory) room(n int64) bool {
	over := func() int64 { return m.arena + m.weights + m.stored + n - m.limit }
	for len(m.free) > 0 && over() > 0 {
		m.arena -= int64(cap(m.free[0]))
		m.free = m.free[1:]
	}
	for _, evict := range []func(int64){m.evictStore, m.evictPacks} {
		if o := over(); o > 0 && evict != nil {
			m.mu.Unlock()
			evict(o)
			m.mu.Lock()
		}
	}
	return over() <= 0
}

// check refuses what cannot fit however much is given up. Free memory does not matter to it.
func (m *memory) check(arena, weights int64) error {
	if arena < 0 || weights < 0 || arena > m.limit || weights > m.limit-arena {
		return &MemoryError{Arena: arena, Weights: weights, Limit: m.limit}
	}
	return nil
}

// alignment is a cache line and the width of the widest vector.
const alignment = 64

// acquire returns an arena of at least n bytes that starts at a multiple of 64, with arbitrary contents. A free one is
// taken if it is no more than twice as large as wanted, plus 64 KiB: small requests must not sit on large arenas. The
// contents are whatever the last run left, so kernels have to write every byte of their outputs.
func (m *memory) acquire(n int) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i, _ := slices.BinarySearchFunc(m.free, n, func(b []byte, n int) int { return len(b) - n }); i < len(m.free) {
		b := m.free[i]
		if len(b) <= 2*n+1<<16 {
			m.free = slices.Delete(m.free, i, i+1)
			return b, nil
		}
	}
	need := int64(n) + alignment
	if !m.room(need) {
		return nil, &MemoryError{Arena: m.arena + need, Weights: m.weights, Store: m.stored, Limit: m.limit}
	}
	b := make([]byte, need)
	if p := uintptr(unsafe.Pointer(&b[0])) % alignment; p != 0 {
		b = b[alignment-p:]
	}
	m.arena += int64(cap(b))
	return b, nil
}

// release gives an arena back.
func (m *memory) release(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, _ := slices.BinarySearchFunc(m.free, len(b), func(b []byte, n int) int { return len(b) - n })
	m.free = slices.Insert(m.free, i, b)
}

// discard forgets an arena whose run was broken off by a fault, so that nothing can still write to it. The bytes are
// left to the garbage collector.
func (m *memory) discard(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arena -= int64(cap(b))
}

// addWeights counts n bytes of packed weights, or refuses.
func (m *memory) addWeights(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.room(n) {
		return &MemoryError{Arena: m.arena, Weights: m.weights + n, Store: m.stored, Limit: m.limit}
	}
	m.weights += n
	return nil
}

func (m *memory) dropWeights(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.weights -= n
}

// addStored counts n bytes of stored activations if they fit into the store's budget and the limit. It gives nothing up.
func (m *memory) addStored(n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stored+n > m.storeBudget || m.arena+m.weights+m.stored+n > m.limit {
		return false
	}
	m.stored += n
	return true
}

// storedBeyond says that more than n bytes are stored.
func (m *memory) storedBeyond(n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stored > n
}

func (m *memory) dropStored(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stored -= n
}
