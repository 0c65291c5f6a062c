package run

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTimed: that the written model is not faster is said only where medians and turns agree on it. One pass is enough where nearly
// all turns agree, a few where it is faster in the median.
func TestTimed(t *testing.T) {
	turns := func(n int, float, final float64) (out [][]float64) {
		for range n {
			out = append(out, []float64{float, 1, final})
		}
		return out
	}
	mixed := func(faster, slower int) [][]float64 { return append(turns(faster, 2, 1), turns(slower, 2, 3)...) }
	repeat := func(pass [][]float64) [][][]float64 { return slices.Repeat([][][]float64{pass}, speedPasses) }
	for _, c := range []struct {
		name      string
		passes    [][][]float64
		used      int
		notFaster bool
	}{
		{"faster", repeat(turns(20, 2, 1)), 1, false},
		{"slower each time", repeat(turns(20, 1, 2)), 1, true},
		{"slower once, by accident", append([][][]float64{turns(5, 1, 2)}, repeat(turns(20, 2, 1))...), 3, false},
		{"slow on both sides of half", repeat(mixed(9, 11)), speedPasses, false},
		{"fast on both sides of half", repeat(mixed(11, 9)), speedEnough, false},
		{"mostly slower", repeat(mixed(4, 16)), 2, true},
		{"three slow turns a pass", repeat(turns(3, 1, 2)), 4, true},
		{"three fast turns a pass", repeat(turns(3, 2, 1)), speedEnough, false},
		{"the same computation", repeat(turns(9, 1, 1)), speedPasses, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			s, err := timed(func() ([][]float64, error) { n++; return c.passes[n-1], nil })
			require.NoError(t, err)
			require.Equal(t, c.used, n)
			require.Equal(t, c.notFaster, s.NotFaster)
			all := 0
			for _, p := range c.passes[:n] {
				all += len(p)
			}
			require.Equal(t, all, s.Turns)
		})
	}
	broken := errors.New("no clock")
	_, err := timed(func() ([][]float64, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
}

// TestMedianOfTurns: one turn that was disturbed changes no number.
func TestMedianOfTurns(t *testing.T) {
	s, faster := judged([][]float64{{2, 1, 1.5}, {900, 1, 1.25}, {2.5, math.MaxFloat64, 800}})
	require.Equal(t, [3]float64{2.5, 1, 1.5}, [3]float64{s.Float, s.Int8, s.Final})
	require.False(t, s.NotFaster)
	require.False(t, faster, "two turns of three may be an accident")
	require.Equal(t, 2.0, middle([]float64{9, 1, 2, 3}), "the lower of two")
}
