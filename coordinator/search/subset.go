package search

import (
	"cmp"
	"math"
	"slices"

	"assay/shared/metric"
)

// rankingSubset picks the size positions of the view that score groups for metric m: those on which the current model lost
// most against float first (pot-spec 2.3), in ascending order of position. The class of equal losses that does not fit is
// thinned evenly over the data order. worse counts the picked positions with a loss above 0.
func rankingSubset(m int, by Metric, float, current Records, n, size int) (positions []int, worse int) {
	loss := make([]float64, n)
	order := make([]int, n)
	for i := range n {
		loss[i] = sampleLoss(by, float.Sample(m, i), current.Sample(m, i))
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(loss[b], loss[a]) })
	if size < n {
		border := loss[order[size-1]]
		first := slices.IndexFunc(order, func(i int) bool { return loss[i] == border })
		tied := 0
		for _, i := range order[first:] {
			if loss[i] != border {
				break
			}
			tied++
		}
		want := size - first // 1 to tied, so that no two of the places below are equal
		picked := slices.Clone(order[:first])
		for k := range want {
			picked = append(picked, order[first+k*tied/want])
		}
		order = picked
	}
	for _, i := range order {
		if loss[i] > 0 {
			worse++
		}
	}
	slices.Sort(order)
	return order, worse
}

// sampleLoss is how much worse the current model is on a sample; never NaN. A current value that is no number is the greatest
// loss, unless float has none either.
func sampleLoss(m Metric, float, current float64) float64 {
	switch {
	case math.IsNaN(float):
		return 0
	case math.IsNaN(current):
		return math.Inf(1)
	case float == current: // also equal infinities, whose difference is NaN
		return 0
	case m.Direction == metric.HigherWorse:
		return current - float
	}
	return float - current
}
