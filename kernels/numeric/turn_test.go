package numeric

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSinCosTurn compares with package math and demands exact quarters.
func TestSinCosTurn(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7, 8, 10, 360, 1 << 20} {
		for j := 0; j < n; j += 1 + n/1000 {
			s, c := SinCosTurn(j, n)
			angle := 2 * math.Pi * float64(j) / float64(n)
			require.InDelta(t, math.Sin(angle), s, 1e-15, "%d/%d", j, n)
			require.InDelta(t, math.Cos(angle), c, 1e-15, "%d/%d", j, n)
		}
	}
	for j, want := range [][2]float64{{0, 1}, {1, 0}, {0, -1}, {-1, 0}} {
		s, c := SinCosTurn(j, 4)
		require.True(t, s == want[0] && c == want[1], "quarter %d: %v, %v", j, s, c)
	}
}
