package engine

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// batchKey names a value of a batch.
func batchKey(batch, value int) storeKey {
	return storeKey{value: [32]byte{byte(value)}, samples: [32]byte{byte(batch)}}
}

// enterLap claims, computes and settles n bytes, and says whether they are kept.
func (s *store) enterLap(key storeKey, n, share int, alive ...int) bool {
	names := map[[32]byte]bool{}
	for _, v := range alive {
		names[[32]byte{byte(v)}] = true
	}
	e := s.claimLap(key, n, share, names)
	if e == nil {
		return false
	}
	s.enter(e)
	s.settle(e)
	return s.m[key] == e
}

// TestLapsKeepTheirShares claims, enters, reads and evicts at random for batches with shares, and for others beside them, and compares
// what is counted with what is held. What is read keeps its bytes.
func TestLapsKeepTheirShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{limit: 6000, storeBudget: 4000}
		s := newStore(m)
		s.easy = int64(rapid.SampledFrom([]int{0, 500, 4000}).Draw(t, "easy"))
		share := s.laps.share(rapid.IntRange(1, 6).Draw(t, "batches"))
		var pinned, claims []*entry
		for range rapid.IntRange(1, 80).Draw(t, "calls") {
			batch, value := rapid.IntRange(0, 4).Draw(t, "batch"), rapid.IntRange(0, 8).Draw(t, "value")
			key := batchKey(batch, value)
			data := bytes.Repeat([]byte{byte(value)}, 40*value)
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				alive := map[[32]byte]bool{{byte(rapid.IntRange(0, 8).Draw(t, "alive"))}: true}
				if e := s.claimLap(key, len(data), share, alive); e != nil {
					copy(e.data, data)
					claims = append(claims, e)
				}
			case 2:
				if len(claims) > 0 {
					if rapid.Bool().Draw(t, "computed") {
						s.enter(claims[0])
					}
					s.settle(claims[0])
					claims = claims[1:]
				}
			case 3:
				s.put(key, data, rapid.Float64Range(0, 10).Draw(t, "gain"))
			case 4:
				if e, _ := s.get(key); e != nil {
					pinned = append(pinned, e)
				}
			default:
				if len(pinned) > 0 {
					s.unpin(pinned[0])
					pinned = pinned[1:]
				} else {
					s.evict(int64(40 * value))
				}
			}
			checkLaps(t, s, share, claims)
			for _, e := range pinned {
				require.Same(t, e, s.m[e.key], "what is read stays")
			}
		}
	})
}

// checkLaps holds what s counts against what it has.
func checkLaps(t *rapid.T, s *store, share int, claims []*entry) {
	held, shared := int64(0), map[[32]byte]int{}
	for _, e := range append(slices.Collect(maps.Values(s.m)), claims...) {
		require.Equal(t, bytes.Repeat([]byte{e.key.value[0]}, 40*int(e.key.value[0])), e.data)
		held += int64(padded(len(e.data)))
		if e.lap != nil {
			shared[e.key.samples] += padded(len(e.data))
		}
	}
	require.Equal(t, held+s.ground.warm(), s.memory.usage().Store)
	require.LessOrEqual(t, s.memory.usage().Store, s.memory.storeBudget)
	sum := int64(0)
	require.Equal(t, len(s.laps.of), s.laps.order.Len())
	for el := s.laps.order.Front(); el != nil; el = el.Next() {
		l := el.Value.(*lap)
		require.Same(t, el, s.laps.of[l.samples])
		require.Positive(t, l.bytes)
		require.LessOrEqual(t, l.bytes, share)
		require.Equal(t, shared[l.samples], l.bytes)
		for _, e := range l.entries {
			require.Same(t, e, s.m[e.key])
			require.Equal(t, inLap, e.index)
		}
		sum += int64(l.bytes)
	}
	require.Len(t, shared, len(s.laps.of))
	require.Equal(t, sum, s.laps.bytes)
	require.LessOrEqual(t, sum, s.laps.budget)
}

// TestLapsGiveUpWhatAnotherPlanComputed: within its share a batch lets go of the oldest of what the plan of now does not compute, and of
// nothing else.
func TestLapsGiveUpWhatAnotherPlanComputed(t *testing.T) {
	s := newStore(&memory{limit: 10000, storeBudget: 4 * 4 * 64})
	share := s.laps.share(1)
	require.Equal(t, 4*64, share)
	for v := range 4 {
		require.True(t, s.enterLap(batchKey(0, v), 64, share, 0, 1, 2, 3))
	}
	require.False(t, s.enterLap(batchKey(0, 4), 64, share, 0, 1, 2, 3, 4), "all of it is alive")
	require.True(t, s.enterLap(batchKey(0, 4), 64, share, 0, 3, 4))
	held := func() (out []byte) {
		for v := range 10 {
			if s.m[batchKey(0, v)] != nil {
				out = append(out, byte(v))
			}
		}
		return out
	}
	require.Equal(t, []byte{0, 2, 3, 4}, held(), "1 is the oldest of what is not")
	e, _ := s.get(batchKey(0, 2))
	require.False(t, s.enterLap(batchKey(0, 5), 64, share, 0, 3, 4, 5), "what is read stays")
	s.unpin(e)
	require.True(t, s.enterLap(batchKey(0, 5), 64, share, 0, 3, 4, 5))
	require.Equal(t, []byte{0, 3, 4, 5}, held())
	require.True(t, s.enterLap(batchKey(0, 6), 4*64, share, 6), "the last of a lap may go for the first of the next")
	require.Equal(t, []byte{6}, held())
	require.False(t, s.enterLap(batchKey(0, 7), 5*64, share, 7), "more than a share")
}

// TestLapsOfEndedSearchesGoFirst: where all shares together are more than there is, the batches that were claimed for longest ago lose theirs; a batch of the
// search that goes on loses nothing, nor does it take from itself.
func TestLapsOfEndedSearchesGoFirst(t *testing.T) {
	s := newStore(&memory{limit: 10000, storeBudget: 4 * 4 * 64})
	for batch := range 4 {
		require.True(t, s.enterLap(batchKey(batch, 0), 64, 64, 0))
	}
	share := s.laps.share(2)
	for _, batch := range []int{10, 11} {
		for v := range 2 {
			require.True(t, s.enterLap(batchKey(batch, v), 64, share, 0, 1))
		}
	}
	for batch, want := range map[int]bool{0: false, 1: false, 2: false, 3: false, 10: true, 11: true} {
		require.Equal(t, want, s.m[batchKey(batch, 0)] != nil, "batch %d", batch)
	}
	require.Len(t, s.laps.of, 2)
}

// TestLapsLeaveRoundsTheirRoom: laps take memory beside what a round finds easily, and only where there is none does what the heap holds give way,
// whatever it is worth.
func TestLapsLeaveRoundsTheirRoom(t *testing.T) {
	for budget, want := range map[int64]int{1024: 8, 512: 6} {
		s := newStore(&memory{limit: 10000, storeBudget: budget})
		s.easy = 512
		for v := range 8 {
			s.put(storeKey{value: [32]byte{byte(v)}}, make([]byte, 64), 1e9)
		}
		require.EqualValues(t, 512, s.memory.usage().Store)
		for v := range 2 {
			require.True(t, s.enterLap(batchKey(1, v), 64, s.laps.share(1), 0, 1))
		}
		require.Len(t, s.heap, want, "budget %d", budget)
		require.Len(t, s.m, want+2)
		for v := range 8 {
			s.put(storeKey{value: [32]byte{byte(v)}}, make([]byte, 64), 1e9)
		}
		require.Len(t, s.heap, want, "what laps hold does not give way")
	}
}

// TestChoiceFitsItsShare: kept is what lies in front of layers that may turn to float, most for its bytes, and no more than a share.
func TestChoiceFitsItsShare(t *testing.T) {
	const dear = copying * 1000
	for name, c := range map[string]struct {
		layers []bool
		share  int
		want   []int
	}{
		"all":                             {[]bool{true, true, true, true, true}, 1e6, []int{0, 1, 2, 3}},
		"no room for all":                 {[]bool{true, true, true, true, true}, 2000, []int{1, 3}},
		"nothing behind may change":       {[]bool{true, true, true, false, false}, 1e6, []int{0, 1}},
		"what lies between stays with it": {[]bool{true, false, false, true, true}, 1000, []int{2}},
		"no room":                         {[]bool{true, true, true, true, true}, 999, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := chainOf([]float64{dear, dear, dear, dear, dear}, []int{1000, 1000, 1000, 1000, 1000})
			for i := range b.slots {
				b.steps[i].layer = c.layers[i]
				b.slots[i].sum = [32]byte{byte(i)}
			}
			got := b.choose(c.share)
			require.Same(t, got, b.choose(c.share))
			var kept []int
			for i, k := range got.keep {
				if k {
					kept = append(kept, i)
				}
			}
			require.Equal(t, c.want, kept)
			require.Equal(t, []bool{true, true, true, true, false}, got.wanted, "any cut of an earlier plan serves; nothing is alive behind the last")
			require.Len(t, got.alive, 4)
		})
	}
}
