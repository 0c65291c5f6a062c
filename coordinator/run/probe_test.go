package run

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/metric"
)

// TestSignTest: exact one-sided probabilities of fair tosses.
func TestSignTest(t *testing.T) {
	for _, c := range []struct {
		wins, losses int
		want         float64
	}{{0, 0, 1}, {0, 5, 1}, {5, 0, 1.0 / 32}, {1, 1, 0.75}, {43, 21, 0.004073451114349284}, {64, 0, math.Pow(2, -64)}, {2000, 2000, 0.5063074370779174}} {
		require.InEpsilon(t, c.want, signTest(c.wins, c.losses), 1e-3, "%v", c)
	}
}

// racer has records of so many right answers with a lead, then wrong ones with another.
func racer(like string, right int, lead float32, wrong int, behind float32) *candidate {
	c := &candidate{like: like}
	for range right {
		c.records = append(c.records, metric.Record{Margin: lead, Span: 1})
	}
	for range wrong {
		c.records = append(c.records, metric.Record{Rank: 1, Behind: behind, Span: 1})
	}
	return c
}

// TestLeaders: most right answers lead; only who loses clearly in a sign test on leads is out.
func TestLeaders(t *testing.T) {
	for name, c := range map[string]struct {
		all  []*candidate
		best string
		left []string
	}{
		"clear":                 {[]*candidate{racer("a", 10, 0.1, 54, 0.1), racer("b", 60, 0.5, 4, 0.1)}, "b", []string{"b"}},
		"equal":                 {[]*candidate{racer("a", 40, 0.5, 24, 0.1), racer("b", 40, 0.5, 24, 0.1)}, "a", []string{"a", "b"}},
		"few more right":        {[]*candidate{racer("a", 43, 0.5, 21, 0.1), racer("b", 40, 0.5, 24, 0.1)}, "a", []string{"a", "b"}},
		"as right, more sure":   {[]*candidate{racer("a", 43, 0.5, 21, 0.1), racer("b", 43, 0.6, 21, 0.1)}, "b", []string{"b"}},
		"more right, less sure": {[]*candidate{racer("a", 44, 0.5, 20, 0.1), racer("b", 43, 0.6, 21, 0.1)}, "a", []string{"a", "b"}},
		"scores say nothing":    {[]*candidate{racer("a", 20, 0.5, 10, 0.1), racer("b", 20, float32(math.NaN()), 10, float32(math.NaN()))}, "a", []string{"a"}},
		"one does not fit":      {[]*candidate{racer("a", 20, 0.5, 10, 0.1), {like: "b", misfit: "channels"}}, "a", []string{"a"}},
		"none fits":             {[]*candidate{{like: "b", misfit: "channels"}}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			best, left := leaders(c.all)
			var names []string
			for _, x := range left {
				names = append(names, x.like)
			}
			require.Equal(t, c.left, names)
			if best != nil {
				require.Equal(t, c.best, best.like)
			} else {
				require.Empty(t, c.best)
			}
		})
	}
}

// TestEvenly: ascending, without doubles, from the first on.
func TestEvenly(t *testing.T) {
	require.Equal(t, []int{0, 1, 2}, evenly(3, 64))
	require.Equal(t, []int{0, 2, 5, 7}, evenly(10, 4))
	require.Len(t, evenly(10_000, 64), 64)
}

// TestDecibels: shares as ratios of signal to noise.
func TestDecibels(t *testing.T) {
	for kept, want := range map[float64]string{1: "no noise", 0: "nothing but noise", 0.5: "0.0 dB", 0.99: "20.0 dB", 0.999: "30.0 dB", 1.0 / 11: "-10.0 dB"} {
		require.Equal(t, want, decibels(kept))
	}
}

// TestShifted: answers that fit the labels plus or minus one far better refuse the labels; a few do not.
func TestShifted(t *testing.T) {
	m := metric.Meter{Adapter: metric.Classification, Output: "y"}
	var samples []uint32
	class := func(of func(label int) int) []byte {
		var b []byte
		for _, l := range m.Labels {
			b = append(b, recordOf(uint32(of(int(l))))...)
		}
		return b
	}
	for i := range 60 {
		m.Labels, samples = append(m.Labels, int32(i%7)), append(samples, uint32(i))
	}
	require.NoError(t, shifted(m, samples, class(func(l int) int { return l })))
	require.NoError(t, shifted(m, samples, class(func(int) int { return 0 })))
	require.ErrorContains(t, shifted(m, samples, class(func(l int) int { return l + 1 })), "has_background")
	require.ErrorContains(t, shifted(m, samples, class(func(l int) int { return l - min(l, 1) })), "take one off")
	m.Labels = nil
	require.NoError(t, shifted(m, samples, nil))
}

// recordOf is a record with that class.
func recordOf(class uint32) []byte {
	b := make([]byte, 24)
	b[0] = byte(class)
	return b
}
