package reduce

import "math"

// Extremes are the smallest and the largest of x, whatever the sign of zeros; +Inf and -Inf of nothing. ok is false where x
// holds a NaN, and the others mean nothing then.
func Extremes(x []float32) (lo, hi float32, ok bool) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	l, h, rest, ok := fastExtremes(x, lo, hi)
	for _, v := range rest {
		ok = ok && v == v
		l, h = min(l, v), max(h, v)
	}
	return l, h, ok
}
