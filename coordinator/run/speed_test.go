package run

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTimed: that the written model is not faster is said only where medians and turns agree on it after every pass; where it is
// faster one pass is enough.
func TestTimed(t *testing.T) {
	turns := func(n int, float, final float64) (out [][]float64) {
		for range n {
			out = append(out, []float64{float, 1, final})
		}
		return out
	}
	mixed := func(faster, slower int) [][]float64 { return append(turns(faster, 2, 1), turns(slower, 2, 3)...) }
	for _, c := range []struct {
		name      string
		passes    [][][]float64
		used      int
		notFaster bool
	}{
		{"faster", [][][]float64{turns(20, 2, 1)}, 1, false},
		{"slower each time", [][][]float64{turns(20, 1, 2), turns(20, 1, 2), turns(20, 1, 2)}, 3, true},
		{"slower once, by accident", [][][]float64{turns(5, 1, 2), turns(20, 2, 1)}, 2, false},
		{"slow on both sides of half", [][][]float64{mixed(9, 11), mixed(9, 11), mixed(9, 11)}, 3, false},
		{"mostly slower", [][][]float64{mixed(4, 16), mixed(4, 16), mixed(4, 16)}, 3, true},
		{"three turns of a slow machine", [][][]float64{turns(3, 1, 2), turns(3, 1, 2), turns(3, 1, 2)}, 3, true},
		{"the same computation", [][][]float64{turns(9, 1, 1), turns(9, 1, 1), turns(9, 1, 1)}, 3, false},
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
	s := judged([][]float64{{2, 1, 1.5}, {900, 1, 1.25}, {2.5, math.MaxFloat64, 800}})
	require.Equal(t, [3]float64{2.5, 1, 1.5}, [3]float64{s.Float, s.Int8, s.Final})
	require.False(t, s.NotFaster)
}
