package engine

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestPacksAreBuiltOnceAndDroppedWhenUnused counts builds, users and bytes.
func TestPacksAreBuiltOnceAndDroppedWhenUnused(t *testing.T) {
	m := &memory{limit: 1000}
	p := newPacks(m)
	m.evictPacks = p.evict
	var builds atomic.Int64
	build := func() (any, int64, error) { return builds.Add(1), 300, nil }
	holders := []*holder{{packs: p, keys: map[string]bool{}}, {packs: p, keys: map[string]bool{}}}
	var wg sync.WaitGroup
	for _, h := range holders {
		for range 8 {
			wg.Go(func() {
				_, err := h.Get("a", build)
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	require.EqualValues(t, 1, builds.Load())
	require.EqualValues(t, 300, m.usage().Weights)

	p.release(holders[0].keys)
	p.evict(1 << 40)
	require.EqualValues(t, 300, m.usage().Weights, "the second holder still uses it")
	p.release(holders[1].keys)

	h := &holder{packs: p, keys: map[string]bool{}}
	for _, key := range []string{"b", "c"} {
		_, err := h.Get(key, build)
		require.NoError(t, err)
	}
	require.EqualValues(t, 900, m.usage().Weights, "an unused pack stays while there is room")
	_, err := h.Get("d", build)
	require.NoError(t, err)
	require.EqualValues(t, 900, m.usage().Weights, "and goes when there is none")
	_, err = h.Get("e", build)
	var refused *MemoryError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, &MemoryError{Weights: 1200, Limit: 1000}, refused)
	_, err = h.Get("f", func() (any, int64, error) { return nil, 0, errors.New("odd weights") })
	require.ErrorContains(t, err, "odd weights")
	require.Panics(t, func() { _, _ = h.Get("g", func() (any, int64, error) { panic("broken") }) })
	_, err = h.Get("b", build)
	require.NoError(t, err)
}

// TestStoreStaysWithinItsBudget claims, enters, puts and reads random entries and compares what it counts with what it holds. An entry
// that is read keeps its bytes, whoever is given the memory of what was dropped, and so does a claim.
func TestStoreStaysWithinItsBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{limit: 4000, storeBudget: 2000}
		s := newStore(m)
		s.easy = int64(rapid.SampledFrom([]int{0, 500, 2000}).Draw(t, "easy"))
		var pinned, claims []*entry
		gain := func() float64 { return rapid.Float64Range(0, 10).Draw(t, "gain") }
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			k := rapid.IntRange(0, 12).Draw(t, "key")
			key := storeKey{value: [32]byte{byte(k)}}
			value := bytes.Repeat([]byte{byte(k)}, 40*(k/2))
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				s.put(key, value, gain())
			case 2:
				if e, seen := s.get(key); e != nil {
					require.True(t, seen)
					pinned = append(pinned, e)
				}
			case 3:
				if e := s.claim(key, len(value), gain()); e != nil {
					copy(e.data, value)
					claims = append(claims, e)
				}
			case 4:
				if len(claims) > 0 {
					if rapid.Bool().Draw(t, "computed") {
						s.enter(claims[0])
					}
					s.settle(claims[0])
					claims = claims[1:]
				}
			default:
				if len(pinned) > 0 {
					s.unpin(pinned[0])
					pinned = pinned[1:]
				} else {
					s.evict(int64(40 * k))
				}
			}
			sum := int64(0)
			for key, e := range s.m {
				sum += int64(padded(len(e.data)))
				require.Equal(t, bytes.Repeat([]byte{key.value[0]}, 40*int(key.value[0]/2)), e.data)
			}
			for _, e := range claims {
				sum += int64(padded(len(e.data)))
				require.Equal(t, bytes.Repeat([]byte{e.key.value[0]}, len(e.data)), e.data)
			}
			require.Equal(t, sum+s.ground.warm(), m.usage().Store)
			require.LessOrEqual(t, m.usage().Store, int64(2000))
			free := int64(0)
			for i, x := range s.ground.free {
				free += int64(x.n)
				require.True(t, i == 0 || s.ground.free[i-1].at+s.ground.free[i-1].n < x.at)
				require.LessOrEqual(t, x.warm, x.n)
			}
			require.EqualValues(t, s.ground.size, sum+free)
			require.Len(t, s.heap, len(s.m))
			for i, e := range s.heap {
				require.Equal(t, i, e.index)
			}
		}
		for _, e := range pinned {
			require.Same(t, e, s.m[e.key], "a pinned entry stays")
		}
	})
}

// TestStoreKeepsWhatSavesMost fills the store and offers it something better and something worse.
func TestStoreKeepsWhatSavesMost(t *testing.T) {
	s := newStore(&memory{limit: 1000, storeBudget: 400})
	put := func(name byte, gain float64) { s.put(storeKey{value: [32]byte{name}}, make([]byte, 100), gain) }
	held := func() (names string) {
		for c := byte('a'); c < 'h'; c++ {
			if s.m[storeKey{value: [32]byte{c}}] != nil {
				names += fmt.Sprintf("%c", c)
			}
		}
		return names
	}
	put('a', 5)
	put('b', 3)
	put('c', 4)
	put('d', 1)
	require.Equal(t, "abc", held())
	put('e', 6)
	require.Equal(t, "ace", held())
	put('f', 1.5) // 3 + 1.5 is above c's 4: what is old sinks
	require.Equal(t, "aef", held())
	_, seen := s.get(storeKey{value: [32]byte{'d'}})
	require.True(t, seen, "it was computed, though not kept")
}

// TestStoreGrowsForWhatNothingGivesWayTo: beyond easy, memory that was never written is taken only if no entry of a lower rank can
// go.
func TestStoreGrowsForWhatNothingGivesWayTo(t *testing.T) {
	m := &memory{limit: 10 << 10, storeBudget: 10 << 10}
	s := newStore(m)
	s.easy = 1 << 10
	for i := range 20 {
		s.put(storeKey{value: [32]byte{byte(i)}}, make([]byte, 512), float64(i))
	}
	require.LessOrEqual(t, m.usage().Store, int64(2<<10))
	for i := range 20 {
		if e := s.claim(storeKey{value: [32]byte{byte(100 + i)}}, 512, 100); e != nil {
			defer s.settle(e)
		}
	}
	require.EqualValues(t, 10<<10, m.usage().Store, "claims give way to nothing")
}

// TestStoreTakesOnlyWhatWasGranted: a number of the user's gives the store a quarter of it; without one it stays small on
// the largest machine.
func TestStoreTakesOnlyWhatWasGranted(t *testing.T) {
	for _, c := range []struct {
		name string
		give Options
		want int64
	}{
		{"a quarter", Options{Memory: 8 << 30}, 2 << 30},
		{"its own number", Options{Memory: 8 << 30, Store: 3 << 30}, 3 << 30},
		{"its own number is over the limit", Options{Memory: 8 << 30, Store: 9 << 30}, 2 << 30},
		{"nothing granted", Options{}, min(DefaultMemory(0)/4, amply)},
		{"nothing granted, to three slots", Options{Slots: 3}, min(DefaultMemory(0)/4, 3*amply)},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, New(c.give).memory.storeBudget) })
	}
}

// TestGrantedMemoryIsTakenWhenNeeded: what a user grants by number is the bound of the store and not what it takes at once.
func TestGrantedMemoryIsTakenWhenNeeded(t *testing.T) {
	granted := New(Options{Memory: 8 << 30, Slots: 2})
	require.EqualValues(t, 2<<30, granted.memory.storeBudget)
	require.EqualValues(t, 2*easily, granted.store.easy)
	small := New(Options{Memory: 64 << 20})
	require.EqualValues(t, 16<<20, small.store.easy, "all of a small budget")
	exact := New(Options{Memory: 8 << 30, Store: 1 << 30})
	require.EqualValues(t, 1<<30, exact.store.easy, "a store of a size that is asked for")
	free := New(Options{Slots: 1})
	require.EqualValues(t, min(DefaultMemory(0)/4, amply), free.memory.storeBudget)
}
