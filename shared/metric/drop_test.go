package metric

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestParts: how many samples a limit lets go, and how many are enough for one; at the border the fraction decides.
func TestParts(t *testing.T) {
	for _, c := range []struct {
		limit        string
		relative     bool
		base         Value
		lost, enough int64
	}{
		{"0.001", false, Count(390, 400), 0, 1000},
		{"0.0025", false, Count(390, 400), 1, 400},
		{"0.00249", false, Count(390, 400), 0, 402},
		{"0.01", false, Count(1, 1000), 10, 100},
		{"0", false, Count(390, 400), 0, 0},
		{"0.01", true, Count(50, 100), 0, 200}, // a hundredth of a half
		{"0.02", true, Count(50, 100), 1, 100},
		{"0.01", true, Count(0, 100), 0, 0}, // a share of nothing
		{"3", false, Count(5, 10), 10, 1},   // more than all there are
		{"1e300", false, Count(5, 10), 10, 1},
		{"1e-300", false, Count(5, 10), 0, 0}, // more samples than can be counted
	} {
		t.Run(fmt.Sprintf("%s of %v relative %v", c.limit, c.base, c.relative), func(t *testing.T) {
			l, err := ParseLimit(c.limit, c.relative)
			require.NoError(t, err)
			lost, enough, ok := l.Parts(c.base)
			require.True(t, ok)
			require.Equal(t, [2]int64{c.lost, c.enough}, [2]int64{lost, enough})
		})
	}
	_, _, ok := Limit{}.Parts(Float(0.5))
	require.False(t, ok, "a rounded number has no parts")
}

// TestPartsAreWhatIsAllowed: that many may go and one more may not; among enough samples one may, among one less none.
func TestPartsAreWhatIsAllowed(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l, err := ParseLimit(fmt.Sprintf("%d.%04d", rapid.IntRange(0, 1).Draw(r, "whole"), rapid.IntRange(0, 9999).Draw(r, "limit")), false)
		require.NoError(r, err)
		d := rapid.Int64Range(1, 5000).Draw(r, "samples")
		lost, enough, ok := l.Parts(Count(d, d))
		require.True(r, ok)
		may := func(k, d int64) bool { return l.Allows(HigherBetter, Count(d, d), Count(d-k, d)) }
		require.True(r, may(lost, d))
		require.True(r, lost == d || !may(lost+1, d))
		require.Equal(r, enough == 0, l.Float() == 0)
		require.True(r, enough == 0 || may(1, enough))
		require.True(r, enough <= 1 || !may(1, enough-1))
	})
}
