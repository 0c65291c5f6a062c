package tensor

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestContainersHoldWhatTheyMay: a sequence holds tensors of its one type, an optional one value or none.
func TestContainersHoldWhatTheyMay(t *testing.T) {
	f, i := New(Float32, 2), New(Int64)
	broken := &Tensor{DType: Float32, Shape: []int{2}, Data: make([]byte, 7)}
	for _, c := range []struct {
		name  string
		value *Tensor
		want  string // "" is fine
	}{
		{"empty of any type", SequenceOf(Invalid), ""},
		{"two shapes", SequenceOf(Float32, f, New(Float32, 3, 1)), ""},
		{"nothing", OptionalOf(nil), ""},
		{"optional sequence", OptionalOf(SequenceOf(Int64, i)), ""},
		{"two types", SequenceOf(Float32, f, i), "item 1"},
		{"type unknown", SequenceOf(Invalid, f), "item 0"},
		{"nil", SequenceOf(Float32, nil), "item 0"},
		{"sequence in a sequence", SequenceOf(Sequence, SequenceOf(Float32, f)), "item 0"},
		{"optional in a sequence", SequenceOf(Optional, OptionalOf(f)), "item 0"},
		{"optional in an optional", OptionalOf(OptionalOf(f)), "item 0"},
		{"two in an optional", &Tensor{DType: Optional, Items: []*Tensor{f, f}, held: bytesOf([]*Tensor{f, f})}, "holds 2 values"},
		{"made by hand", &Tensor{DType: Optional, Items: []*Tensor{f}}, "was not made by SequenceOf or OptionalOf"},
		{"broken item", OptionalOf(SequenceOf(Float32, f, broken)), "item 0: sequence: item 1: tensor float32[2] holds 7 bytes"},
		{"with a shape", &Tensor{DType: Sequence, Shape: []int{1}}, "shape or elements of its own"},
		{"with elements", &Tensor{DType: Optional, Data: []byte{1}}, "shape or elements of its own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.value.Check()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestDigestsOfContainersDiffer: by kind, type, number, order and depth; equal ones agree.
func TestDigestsOfContainersDiffer(t *testing.T) {
	a, b := Of(Float32, []int{1}, []float32{1}), Of(Float32, []int{1}, []float32{2})
	seen := map[[32]byte]int{}
	for i, v := range []*Tensor{
		a, SequenceOf(Float32), SequenceOf(Int64), OptionalOf(nil), SequenceOf(Float32, a), OptionalOf(a), SequenceOf(Float32, a, b),
		SequenceOf(Float32, b, a), SequenceOf(Float32, a, a), OptionalOf(SequenceOf(Float32, a)), OptionalOf(SequenceOf(Float32)),
	} {
		other, twice := seen[v.Digest()]
		require.False(t, twice, "%d and %d", other, i)
		seen[v.Digest()] = i
	}
	require.Equal(t, SequenceOf(Float32, a, b).Digest(), SequenceOf(Float32, a, Of(Float32, []int{1}, []float32{2})).Digest())
}

// TestBytesOfContainers: items count with what they cost beside their elements, so many empty ones are not free.
func TestBytesOfContainers(t *testing.T) {
	require.EqualValues(t, 8, New(Float32, 2).Bytes())
	require.EqualValues(t, 0, SequenceOf(Float32).Bytes())
	require.EqualValues(t, 2*ItemBytes+8, SequenceOf(Float32, New(Float32, 2), New(Float32, 0)).Bytes())
	require.EqualValues(t, 2*ItemBytes+4, OptionalOf(SequenceOf(Float32, New(Float32))).Bytes())
}

// TestSequencesShareMemory changes sequences that came from one another at random: each is what a plain list would be, those that
// it came from stay as they were, and growing at the end moves items a constant number of times.
func TestSequencesShareMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, want := []*Tensor{SequenceOf(Int64)}, [][]int64{nil}
		for next := range rapid.IntRange(0, 60).Draw(t, "changes") {
			k := rapid.IntRange(0, len(all)-1).Draw(t, "of")
			list := slices.Clone(want[k])
			at := rapid.IntRange(0, len(list)).Draw(t, "at")
			var s *Tensor
			if at < len(list) && rapid.Bool().Draw(t, "erase") {
				s, _ = all[k].Erased(at)
				list = slices.Delete(list, at, at+1)
			} else {
				s, _ = all[k].Inserted(at, Of(Int64, nil, []int64{int64(next)}))
				list = slices.Insert(list, at, int64(next))
			}
			all, want = append(all, s), append(want, list)
		}
		for k, s := range all {
			require.NoError(t, s.Check())
			var have []int64
			for _, item := range s.Items {
				have = append(have, View[int64](item)[0])
			}
			require.Equal(t, fmt.Sprint(want[k]), fmt.Sprint(have))
			require.Equal(t, bytesOf(s.Items), s.Bytes())
		}
	})
	s, sum, item := SequenceOf(Int64), 0, New(Int64)
	for range 1 << 12 {
		var moved int
		s, moved = s.Inserted(len(s.Items), item)
		sum += moved
	}
	require.Less(t, sum, 2<<12)
	for range 1 << 12 { // a queue: in at the end, out in front
		var in, out int
		s, in = s.Inserted(len(s.Items), item)
		s, out = s.Erased(0)
		sum += in + out
	}
	require.Less(t, sum, 8<<12)
}

// TestSequencesGrowTogether: one sequence grows in many goroutines at once, as an input that several runs share does.
func TestSequencesGrowTogether(t *testing.T) {
	base, _ := SequenceOf(Int64).Inserted(0, New(Int64))
	var wait sync.WaitGroup
	for k := range 8 {
		wait.Go(func() {
			s := base
			for i := range 100 {
				s, _ = s.Inserted(len(s.Items), Of(Int64, nil, []int64{int64(100*k + i)}))
			}
			for i, item := range s.Items[1:] {
				require.EqualValues(t, 100*k+i, View[int64](item)[0])
			}
		})
	}
	wait.Wait()
}
