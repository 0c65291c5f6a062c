package search

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/metric"
)

// TestQ10RankingSubset lists which samples score groups: worse ones first, a tie at the border thinned evenly.
func TestQ10RankingSubset(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		float, current perSample
		dir            metric.Direction
		size           int
		want           []int
		worse          int
	}{
		"worse first, then unchanged spread out": {
			float:   perSample{1, 1, 1, 1, 1, 0, 1, 1, 1, 1},
			current: perSample{1, 1, 1, 1, 1, 1, 1, 1, 1, 0},
			size:    5, want: []int{0, 2, 4, 7, 9}, worse: 1,
		},
		"better ones come last": {
			float:   perSample{0, 1, 0, 1},
			current: perSample{1, 1, 1, 0},
			size:    3, want: []int{0, 1, 3}, worse: 1,
		},
		"a tie of the worst is spread out": {
			float:   perSample{1, 1, 1, 1, 1, 1},
			current: perSample{0, 0, 0, 0, 0, 0},
			size:    2, want: []int{0, 3}, worse: 2,
		},
		"larger than the data means all":  {float: perSample{1, 1}, current: perSample{0, 1}, size: 300, want: []int{0, 1}, worse: 1},
		"a loss counts the other way":     {float: perSample{1, 1, 1}, current: perSample{2, 1, 0}, dir: metric.HigherWorse, size: 1, want: []int{0}, worse: 1},
		"larger losses first":             {float: perSample{5, 5, 5}, current: perSample{4, 1, 3}, size: 2, want: []int{1, 2}, worse: 2},
		"a NaN of the plan is the worst":  {float: perSample{5, 5, 5}, current: perSample{4, nan, -90}, size: 1, want: []int{1}, worse: 1},
		"a NaN of float says nothing":     {float: perSample{nan, 5, nan}, current: perSample{4, 4, nan}, size: 1, want: []int{1}, worse: 1},
		"a NaN of float is unchanged":     {float: perSample{nan, nan, 5, 1}, current: perSample{4, 4, 4, 2}, size: 2, want: []int{0, 2}, worse: 1},
		"equal infinities are unchanged":  {float: perSample{math.Inf(1), math.Inf(-1), 5, 1}, current: perSample{math.Inf(1), math.Inf(-1), 4, 2}, size: 3, want: []int{0, 1, 2}, worse: 1},
		"equal infinities are no loss":    {float: perSample{math.Inf(1), 5}, current: perSample{math.Inf(1), 4}, size: 1, want: []int{1}, worse: 1},
		"infinite loss is a loss as well": {float: perSample{1, math.Inf(1)}, current: perSample{0, 4}, size: 1, want: []int{1}, worse: 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := Metric{Direction: c.dir}
			got, worse := rankingSubset(0, m, c.float, c.current, len(c.float), c.size)
			require.Equal(t, c.want, got)
			require.Equal(t, c.worse, worse)
		})
	}
}
