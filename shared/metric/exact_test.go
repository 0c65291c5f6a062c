package metric

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anyValue draws a fraction, from a few samples to the ends of int64, or a floating-point number.
func anyValue(t *rapid.T, name string) Value {
	num := rapid.OneOf(rapid.Int64Range(-9, 9), rapid.Int64Range(-smallBound-2, smallBound+2), rapid.Int64()).Draw(t, name+" num")
	den := rapid.OneOf(rapid.Int64Range(1, 9), rapid.Int64Range(1, smallBound+2), rapid.Int64Range(1, math.MaxInt64)).Draw(t, name+" den")
	if rapid.IntRange(0, 3).Draw(t, name+" kind") == 0 {
		return Float(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 0.5, 1, math.NaN(), math.Inf(1), math.Inf(-1)})).Draw(t, name))
	}
	return Count(num, den)
}

// TestCompareIsExact: values compare as their fractions do, of any length, and floating-point numbers as numbers do.
func TestCompareIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := anyValue(t, "v"), anyValue(t, "w")
		if v.Exact() && rapid.Bool().Draw(t, "equal") {
			if k := rapid.Int64Range(1, 9).Draw(t, "times"); v.Den < smallBound && v.Num > -smallBound && v.Num < smallBound {
				w = Count(v.Num*k, v.Den*k)
			}
		}
		got := v.Compare(w)
		require.Equal(t, -got, w.Compare(v))
		if a, b := v.rat(), w.rat(); a != nil && b != nil {
			require.Equal(t, a.Cmp(b), got)
		}
	})
	require.Equal(t, -1, Count(math.MinInt64, 1).Compare(Count(math.MinInt64, 2)))
	require.Equal(t, 1, Count(math.MinInt64+1, math.MaxInt64).Compare(Count(math.MinInt64, math.MaxInt64)))
}

// TestSmallFractionsExceedAsAnyDo: the shorter way to a drop's excess over the limit gives the fraction and the rounded number of the long one.
func TestSmallFractionsExceedAsAnyDo(t *testing.T) {
	took := 0
	rapid.Check(t, func(t *rapid.T) {
		base, v := anyValue(t, "base"), anyValue(t, "v")
		l := Limit{Relative: rapid.Bool().Draw(t, "relative")}
		if text := rapid.SampledFrom([]string{"", "0", "0.01", "0.005", "1", "3", "0.00001", "0.1234567", "1e-30", "1e30"}).Draw(t, "limit"); text != "" {
			var err error
			l, err = ParseLimit(text, l.Relative)
			require.NoError(t, err)
		}
		d := rapid.SampledFrom([]Direction{HigherBetter, HigherWorse}).Draw(t, "direction")
		e := l.excess(d, base, v)
		if e == nil {
			require.False(t, l.Allows(d, base, v))
			require.True(t, math.IsNaN(l.Excess(d, base, v)))
			return
		}
		want, _ := e.Float64()
		require.Equal(t, want, l.Excess(d, base, v))
		if _, _, ok := l.small(d, base, v); ok {
			took++
		}
		if base.Exact() && v.Exact() {
			require.Equal(t, e.Sign() <= 0, l.Allows(d, base, v))
		}
	})
	require.Positive(t, took)
}
