package engine

import (
	"container/heap"
	"runtime"
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

// entry is one stored activation. Its bytes never change once it is entered. While pins > 0 a run reads them and they stay counted.
// data lies at at in the store's ground.
type entry struct {
	key   storeKey
	data  []byte
	at    int
	gain  float64 // picoseconds that the entry saves for each byte it takes
	rank  float64 // clock when it was last used plus gain times uses: the lowest goes first
	uses  int
	pins  int
	index int  // in the heap; else claimed or inLap
	lap   *lap // the lap that it takes memory of, nil for what is in the heap
}

// What index is outside of the heap.
const (
	claimed = -1 // not computed yet, or another run's is there
	inLap   = -2 // among the entries of its lap
)

// store keeps activations within a budget of bytes. It takes everything of a run that shares nothing with what it has
// seen (the plan that others will differ from), and of other runs what is computed for the second time: of a plan that is
// one of many only the shared prefix comes back, and copying the rest would cost more than it saves. What it drops
// first is what has saved least per byte lately: the rank of an entry is its gain times its uses above the rank of what
// was last dropped, so old entries sink (Cherkasova's greedy dual size frequency). It decides only what is computed
// again, never a bit. A step whose value is to be stored writes it where it will stay (claim, enter, settle). What
// the steps of a search keep has rules of its own: see laps. Invariants: m holds the entries of the heap and of the laps; memory.stored is the sum of the extents of these and of what is claimed, and of what ground has warm; a
// pinned entry is never dropped.
type store struct {
	memory *memory
	mu     sync.Mutex
	m      map[storeKey]*entry
	heap   ranks
	laps   laps
	ground *ground
	easy   int64 // bytes, without those of laps, beyond which fresh memory is taken for what nothing else gives way to
	clock  float64
	seen   [2]map[storeKey]bool // computed once: the current generation and the one before
	hits   atomic.Int64
	steps  atomic.Int64
}

// seenKeys is how many keys one generation of seen remembers.
const seenKeys = 1 << 15

// newStore makes a store whose ground outlives it by a moment: who reads an entry holds the store.
func newStore(m *memory) *store {
	g := newGround(m.storeBudget)
	s := &store{memory: m, m: map[storeKey]*entry{}, ground: g, easy: m.storeBudget, seen: [2]map[storeKey]bool{{}, {}}}
	s.laps.init(m.storeBudget / lapPart)
	runtime.AddCleanup(s, (*ground).abandon, g)
	return s
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
	e.pins++
	s.hits.Add(1)
	if e.lap == nil {
		e.uses++
		e.rank = s.clock + float64(e.gain*float64(e.uses))
		heap.Fix(&s.heap, e.index)
	}
	return e, true
}

// unpin ends one reading of e.
func (s *store) unpin(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.pins--
}

// claim is the place of a value of n bytes that is about to be computed, for enter; nil if it is worth less than what would have to go. What has
// to go is dropped, and may then still not be enough: it is lost, which costs time only. settle ends every claim.
func (s *store) claim(key storeKey, n int, gain float64) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[key] != nil || n == 0 {
		return nil
	}
	rank := s.clock + gain
	e := s.place(n, rank, s.easy+s.laps.bytes)
	if e != nil {
		e.key, e.gain, e.rank, e.uses = key, gain, rank, 1
	}
	return e
}

// place takes memory for n bytes, for which entries of the heap below rank give way; nil if that does not do. Where more than easy bytes are stored
// they give way before memory is taken that was never written.
func (s *store) place(n int, rank float64, easy int64) *entry {
	for {
		i, cold := s.ground.find(n)
		if i >= 0 && cold > 0 && s.memory.storedBeyond(easy) && s.drop(rank) {
			continue
		}
		if i >= 0 && (cold == 0 || s.memory.addStored(int64(cold))) {
			at := s.ground.free[i].at
			return &entry{data: s.ground.take(i, n), at: at, index: claimed}
		}
		if !s.drop(rank) {
			return nil
		}
	}
}

// enter makes the value of a claim known, now that it is computed, and pins it. If another run was faster, nothing changes.
func (s *store) enter(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again(e.key)
	if s.m[e.key] != nil {
		return
	}
	e.pins++
	s.m[e.key] = e
	if e.lap != nil {
		e.index = inLap
		e.lap.entries = append(e.lap.entries, e)
		return
	}
	heap.Push(&s.heap, e)
}

// settle ends the reading of a claim by the run that made it.
func (s *store) settle(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.index == claimed {
		s.give(e)
		return
	}
	e.pins--
}

// note says that key was computed.
func (s *store) note(key storeKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again(key)
}

// put is claim, enter and settle for a value that lies elsewhere.
func (s *store) put(key storeKey, data []byte, gain float64) {
	e := s.claim(key, len(data), gain)
	if e == nil {
		s.note(key)
		return
	}
	copy(e.data, data)
	s.enter(e)
	s.settle(e)
}

// drop removes the entry of lowest rank if that is below limit and nobody reads it. A pinned entry at the top ends it, even if others
// could go.
func (s *store) drop(limit float64) bool {
	if len(s.heap) == 0 || s.heap[0].rank >= limit || s.heap[0].pins > 0 {
		return false
	}
	e := heap.Pop(&s.heap).(*entry)
	delete(s.m, e.key)
	s.clock = max(s.clock, e.rank)
	s.give(e)
	return true
}

// give takes back the memory of what is not in m, or not any more.
func (s *store) give(e *entry) {
	s.ground.give(e.at, len(e.data))
	if e.lap != nil {
		s.laps.take(e.lap, -padded(len(e.data)))
	}
}

// evict drops entries until n bytes are free, whatever they are worth, but for those being read. It is asked when
// arenas or weights need room, which go before stored activations.
func (s *store) evict(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []*entry
	for s.ground.warm() < n && len(s.heap) > 0 {
		e := heap.Pop(&s.heap).(*entry)
		if e.pins > 0 {
			kept = append(kept, e)
			continue
		}
		delete(s.m, e.key)
		s.give(e)
	}
	for _, e := range kept {
		heap.Push(&s.heap, e)
	}
	for s.ground.warm() < n && s.dropOldest(nil) {
		continue
	}
	s.memory.dropStored(s.ground.cool())
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
