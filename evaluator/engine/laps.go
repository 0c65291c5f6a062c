package engine

import (
	"container/list"
	"math"
	"slices"
)

// laps are what the store keeps for the steps of a search. There, plan after plan goes through all batches in turn, each being the plan before
// but for what follows some node. A batch comes again when all others have run, so that what was used longest ago, or gained least
// lately, is dropped just before it is wanted, and nothing is ever found. So each batch has a share that no other one of the same
// search takes, and what another plan computed gives way first in it. Invariants: bytes is the sum of those of all laps, at most budget; order
// has each lap of of once, and none without bytes.
type laps struct {
	budget int64
	bytes  int64
	of     map[[32]byte]*list.Element // by samples
	order  *list.List                 // of *lap, the one claimed for longest ago first
}

// lap is what is kept of one batch, the oldest entry first. bytes is the sum of the extents of entries and of what is claimed.
type lap struct {
	samples [32]byte
	entries []*entry
	bytes   int
}

// lapPart is the part of the store's budget that laps may take: one in so many.
const lapPart = 4

func (l *laps) init(budget int64) {
	l.budget, l.of, l.order = budget, map[[32]byte]*list.Element{}, list.New()
}

// share is what one of n batches may keep.
func (l *laps) share(n int) int { return int(l.budget / int64(n)) }

// lap is that of a batch, which is not in order before it has bytes.
func (l *laps) lap(samples [32]byte) *lap {
	if el := l.of[samples]; el != nil {
		l.order.MoveToBack(el)
		return el.Value.(*lap)
	}
	return &lap{samples: samples}
}

// take counts n more bytes of x, or fewer.
func (l *laps) take(x *lap, n int) {
	if x.bytes == 0 {
		l.of[x.samples] = l.order.PushBack(x)
	}
	x.bytes += n
	l.bytes += int64(n)
	if x.bytes == 0 {
		l.order.Remove(l.of[x.samples])
		delete(l.of, x.samples)
	}
}

// claimLap is claim for a batch with a share. What the batch holds gives way if its value is not among alive, those that the plan of now computes;
// then what other searches left behind; and whatever the heap holds, where there is no memory beyond what both may take easily.
func (s *store) claimLap(key storeKey, n, share int, alive map[[32]byte]bool) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[key] != nil || n == 0 {
		return nil
	}
	l, size := s.laps.lap(key.samples), padded(n)
	for l.bytes+size > share {
		if !s.dropFrom(l, alive) {
			return nil
		}
	}
	for s.laps.bytes+int64(size) > s.laps.budget {
		if !s.dropOldest(l) {
			return nil
		}
	}
	e := s.place(n, math.Inf(1), s.easy+s.laps.bytes)
	if e != nil {
		l = s.laps.lap(key.samples) // dropping all that it held ended the one before
		s.laps.take(l, size)
		e.key, e.lap = key, l
	}
	return e
}

// dropFrom removes the oldest entry of a lap that nobody reads and whose value is not among alive.
func (s *store) dropFrom(l *lap, alive map[[32]byte]bool) bool {
	i := slices.IndexFunc(l.entries, func(e *entry) bool { return e.pins == 0 && !alive[e.key.value] })
	if i < 0 {
		return false
	}
	e := l.entries[i]
	l.entries = slices.Delete(l.entries, i, i+1)
	delete(s.m, e.key)
	s.give(e)
	return true
}

// dropOldest removes an entry that nobody reads of the lap that was claimed for longest ago, but not of but.
func (s *store) dropOldest(but *lap) bool {
	for el := s.laps.order.Front(); el != nil; el = el.Next() {
		if l := el.Value.(*lap); l != but && s.dropFrom(l, nil) {
			return true
		}
	}
	return false
}
