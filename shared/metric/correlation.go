package metric

import (
	"cmp"
	"math"
	"slices"
)

// standard brings v to mean 0 and mean square 1: two passes, sums in order. NaN everywhere when a value is NaN or infinite,
// or when all are equal: then there is no correlation.
func standard(v []float64) []float64 {
	n := float64(len(v))
	var sum, square float64
	for _, x := range v {
		sum += x
	}
	mean := sum / n
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x - mean
		square += float64(out[i] * out[i])
	}
	scale := math.Sqrt(square / n)
	if scale == 0 {
		scale = math.NaN()
	}
	for i := range out {
		out[i] /= scale
	}
	return out
}

// ranks are 1 for the smallest value upwards; equal values share the mean of their ranks. A NaN gives NaN everywhere: there
// is no order with it.
func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	out := make([]float64, len(v))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && v[order[to]] == v[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+1+to) / 2
		}
		from = to
	}
	if slices.ContainsFunc(v, math.IsNaN) {
		for i := range out {
			out[i] = math.NaN()
		}
	}
	return out
}

func unchanged(v []float64) []float64 { return v }

// correlated is a kind that correlates what the model says, brought to a scale by of, with what is right.
//
// A correlation r of standardised columns x and y is 1 - mean((x-y)^2)/2, which splits it into one value a sample. Its
// bounds before the last sample are those of every correlation.
func correlated(name, what string, of func([]float64) []float64) kind {
	each := func(_ Meter, _ Spec, records []byte) []float64 {
		said, right := pairsOf(records)
		x, y := standard(of(said)), standard(of(right))
		for i := range x {
			d := x[i] - y[i]
			x[i] = 1 - float64(d*d)/2
		}
		return x
	}
	value := func(_ Meter, _ Spec, records []byte) Value {
		said, right := pairsOf(records)
		x, y := standard(of(said)), standard(of(right))
		var sum float64
		for i := range x {
			sum += float64(x[i] * y[i])
		}
		return Float(min(1, max(-1, sum/float64(len(x)))))
	}
	return kind{
		name: name, what: what, direction: HigherBetter, adapters: []string{Similarity, Regression}, value: value, each: each,
		bounds: func(m Meter, s Spec, seen, rest []byte) (lo, hi Value) {
			if len(rest) > 0 {
				return Float(-1), Float(1)
			}
			v := value(m, s, seen)
			return v, v
		},
	}
}
