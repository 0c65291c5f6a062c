package engine

import (
	"container/heap"
	"slices"
	"sync"
	"sync/atomic"
)

// storeKey names one activation: what was computed, on which samples and input shapes, and how it lies in memory.
// samples mixes the caller's key with the shapes of the inputs, so a batch of another size cannot hit.
type storeKey struct {
	value   [32]byte
	samples [32]byte
	last    bool // ChannelsLast
}

// entry is one stored activation. Its bytes never change. While pins > 0 a run reads them and they stay counted. data
// is the entry's own copy.
type entry struct {
	key   storeKey
	data  []byte
	gain  float64 // picoseconds that the entry saves for each byte it takes
	rank  float64 // clock when it was last used plus gain times uses: the lowest goes first
	uses  int
	pins  int
	index int // in the heap
}

// store keeps activations within a budget of bytes. It takes everything of a run that shares nothing with what it has
// seen (the plan that others will differ from), and of other runs what is computed for the second time: of a plan that is
// one of many only the shared prefix comes back, and copying the rest would cost more than it saves. What it drops
// first is what has saved least per byte lately: the rank of an entry is its gain times its uses above the rank of what
// was last dropped, so old entries sink (Cherkasova's greedy dual size frequency). It decides only what is computed
// again, never a bit. The memory of what it drops serves entries of the same size, since fresh memory costs several times what
// copying does. Invariants: m and heap hold the same entries; memory.stored is the sum of their bytes and those of spare; a pinned
// entry is never dropped.
type store struct {
	memory *memory
	mu     sync.Mutex
	m      map[storeKey]*entry
	heap   ranks
	spare  [][]byte // of dropped entries, the newest last
	clock  float64
	seen   [2]map[storeKey]bool // computed once: the current generation and the one before
	hits   atomic.Int64
	steps  atomic.Int64
}

// seenKeys is how many keys one generation of seen remembers.
const seenKeys = 1 << 15

func newStore(m *memory) *store {
	return &store{memory: m, m: map[storeKey]*entry{}, seen: [2]map[storeKey]bool{{}, {}}}
}

// again reports whether key was computed before, and notes it. Two generations bound the memory: the older one is
// forgotten when the younger is full.
func (s *store) again(key storeKey) bool {
	if s.seen[0][key] || s.seen[1][key] {
		return true
	}
	if len(s.seen[0]) >= seenKeys {
		s.seen[0], s.seen[1] = map[storeKey]bool{}, s.seen[0]
	}
	s.seen[0][key] = true
	return false
}

// get returns the entry under key, pinned, or nil; seen says that the value was computed before.
func (s *store) get(key storeKey) (e *entry, seen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e = s.m[key]
	if e == nil {
		return nil, s.seen[0][key] || s.seen[1][key]
	}
	e.uses++
	e.pins++
	e.rank = s.clock + float64(e.gain*float64(e.uses))
	heap.Fix(&s.heap, e.index)
	s.hits.Add(1)
	return e, true
}

// unpin ends one reading of e.
func (s *store) unpin(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.pins--
}

// put stores a copy of data unless it is there, is computed for the first time (and eager is not set) or is worth less
// than what would have to go. It may drop several entries and then still not fit; those are lost, which costs time
// only.
func (s *store) put(key storeKey, data []byte, gain float64, eager bool) {
	n := int64(len(data))
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.again(key) || eager
	if s.m[key] != nil || n > s.memory.storeBudget || n == 0 || !known {
		return
	}
	rank := s.clock + gain
	room, ok := s.room(len(data), rank)
	if !ok {
		return
	}
	e := &entry{key: key, data: append(room, data...), gain: gain, rank: rank, uses: 1}
	s.m[key] = e
	heap.Push(&s.heap, e)
}

// room is an empty slice for n bytes that are counted as stored: of a dropped entry as large, or nil. Where the budget is spent,
// spare memory of other sizes goes first, then entries of a rank below limit.
func (s *store) room(n int, limit float64) (b []byte, ok bool) {
	for {
		for i, b := range slices.Backward(s.spare) {
			if len(b) == n {
				s.spare = slices.Delete(s.spare, i, i+1)
				return b[:0], true
			}
		}
		if s.memory.addStored(int64(n)) {
			return nil, true
		}
		if s.forgo() == 0 && !s.drop(limit) {
			return nil, false
		}
	}
}

// forgo leaves the oldest spare memory to the garbage collector and says how much it was.
func (s *store) forgo() int64 {
	if len(s.spare) == 0 {
		return 0
	}
	n := int64(len(s.spare[0]))
	s.spare = slices.Delete(s.spare, 0, 1)
	s.memory.dropStored(n)
	return n
}

// drop removes the entry of lowest rank if that is below limit and nobody reads it; its memory is spare then. A pinned entry at the
// top ends it, even if others could go.
func (s *store) drop(limit float64) bool {
	if len(s.heap) == 0 || s.heap[0].rank >= limit || s.heap[0].pins > 0 {
		return false
	}
	e := heap.Pop(&s.heap).(*entry)
	delete(s.m, e.key)
	s.clock = max(s.clock, e.rank)
	s.spare = append(s.spare, e.data)
	return true
}

// evict drops entries until n bytes are free, whatever they are worth, but for those being read. It is asked when
// arenas or weights need room, which go before stored activations.
func (s *store) evict(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n > 0 && len(s.spare) > 0 {
		n -= s.forgo()
	}
	var kept []*entry
	for n > 0 && len(s.heap) > 0 {
		e := heap.Pop(&s.heap).(*entry)
		if e.pins > 0 {
			kept = append(kept, e)
			continue
		}
		delete(s.m, e.key)
		n -= int64(len(e.data))
		s.memory.dropStored(int64(len(e.data)))
	}
	for _, e := range kept {
		heap.Push(&s.heap, e)
	}
}

// ranks is a min-heap of entries.
type ranks []*entry

func (r ranks) Len() int           { return len(r) }
func (r ranks) Less(i, j int) bool { return r[i].rank < r[j].rank }
func (r ranks) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].index, r[j].index = i, j
}
func (r *ranks) Push(x any) {
	e := x.(*entry)
	e.index = len(*r)
	*r = append(*r, e)
}
func (r *ranks) Pop() any {
	old := *r
	e := old[len(old)-1]
	*r = old[:len(old)-1]
	return e
}
