package quant

import (
	"fmt"
	"math"
	"slices"
)

// aggregators fold the samples' results of one channel; x is never empty and is theirs to reorder. Names are those of
// job files, definitions those of pot-spec 3.3. The table there gives reference values: 0..3 has mean 1.5, min 0, max 3
// and everything else 1.5.
var aggregators = map[string]func(x []float64) float64{
	"mean":               mean,
	"min":                slices.Min[[]float64],
	"max":                slices.Max[[]float64],
	"median":             median,
	"mean_no_outliers":   func(x []float64) float64 { return mean(inliers(x)) },
	"median_no_outliers": func(x []float64) float64 { return median(inliers(x)) },
	"hl_estimator":       hodgesLehmann,
	"batch_mean":         mean, // every row is one sample, so the mean over a batch of one is followed by the mean over rows
}

// Aggregate folds rows[sample][channel] into one number a channel, in float64, by an aggregator of job files: mean, min, max,
// median, mean_no_outliers, median_no_outliers, hl_estimator or batch_mean (pot-spec 3.3 defines them). The rows stand in sample
// order; the result does not depend on how they were gathered. An unknown name and no rows are errors; rows of different lengths are
// a fault of the caller. It is safe for concurrent use and leaves rows alone.
func Aggregate(name string, rows [][]float64) ([]float64, error) {
	f := aggregators[name]
	if f == nil {
		return nil, fmt.Errorf("aggregator %q is unknown", name)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("aggregator %s: no samples", name)
	}
	out := make([]float64, len(rows[0]))
	x := make([]float64, len(rows))
	for c := range out {
		for i, r := range rows {
			x[i] = r[c]
		}
		out[c] = f(x)
	}
	return out, nil
}

// mean adds in sample order, in float64: the order is part of the params' bytes.
func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// median is the mean of the two middle ones for an even number. It sorts x.
func median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// inliers keeps what lies within the 1 % and 99 % quantiles, in order. It is never empty: the borders lie between the
// smallest and the largest element; with two elements that exclude both, all stay.
func inliers(x []float64) []float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	lo, hi := quantile(s, 0.01), quantile(s, 0.99)
	var out []float64
	for _, v := range x {
		if v >= lo && v <= hi {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return x
	}
	return out
}

// hodgesLehmann is half the median of the sums of all pairs of different samples. It selects by bisection on the order
// of float64s instead of listing the pairs: O(n log n) with n numbers of memory. The factor is 1/4 because kthSum is
// called twice, for the two middle sums, and each is a sum of two samples (0.5 x median of all pairwise sums, pot-spec
// 3.3).
func hodgesLehmann(x []float64) float64 {
	n := len(x)
	if n == 1 {
		return x[0]
	}
	slices.Sort(x)
	pairs := n * (n - 1) / 2
	return (kthSum(x, (pairs-1)/2) + kthSum(x, pairs/2)) / 4
}

// kthSum is the k-th smallest (from 0) of x[i]+x[j], i < j, x sorted and finite. The answer is a sum that occurs: the
// smallest float64 t with more than k sums at most t. At most 64 rounds of countSums, since ordered maps to 64 bits.
func kthSum(x []float64, k int) float64 {
	n := len(x)
	lo, hi := ordered(x[0]+x[1]), ordered(x[n-2]+x[n-1])
	for lo < hi {
		mid := lo + (hi-lo)/2
		if countSums(x, unordered(mid)) > k {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return unordered(lo)
}

// countSums counts the pairs with a sum of at most t. Rounded addition is monotone, so two fingers suffice. x is
// sorted, t any float64.
func countSums(x []float64, t float64) int {
	count, j := 0, len(x)-1
	for i := 0; i < j; {
		if x[i]+x[j] <= t {
			count += j - i
			i++
		} else {
			j--
		}
	}
	return count
}

// ordered maps float64s to uint64s of the same order; unordered is its inverse. Negative numbers have all bits flipped,
// positive ones the sign bit. NaN does not come here: NewStats refuses it.
func ordered(f float64) uint64 {
	b := math.Float64bits(f)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

func unordered(u uint64) float64 {
	if u>>63 == 1 {
		return math.Float64frombits(u &^ (1 << 63))
	}
	return math.Float64frombits(^u)
}
