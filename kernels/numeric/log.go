package numeric

import "math"

// log64 is the natural logarithm of a positive, normal, finite float64, within a few units in the last place.
func log64(x float64) float64 {
	b := math.Float64bits(x)
	// The mantissa goes to [sqrt(1/2), sqrt(2)), so that near 1 the exponent is 0 and nothing cancels.
	e := (int64(b) - sqrtHalfBits) >> 52
	m := math.Float64frombits(b - uint64(e)<<52)
	s := (m - 1) / (m + 1)
	n := float64(e)
	return float64(n*ln2Hi) + (float64(s*horner(logCoef[:], float64(s*s))) + float64(n*ln2Lo))
}

// log1p is log(1+e) for 0 <= e <= 1, without cancellation.
func log1p(e float64) float64 {
	s := e / (2 + e)
	if s < 0.1716 {
		return float64(s * horner(logCoef[:], float64(s*s)))
	}
	return log64(1 + e)
}

// Log is the natural logarithm: -Inf of either zero, NaN of negative numbers. It is Log64 rounded.
func Log(x float32) float32 { return Canon(float32(Log64(float64(x)))) }

// Log64 is the natural logarithm in float64, within a few units in the last place: -Inf of either zero, NaN of negative
// numbers. Per-sample losses use it.
func Log64(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x < 0 || x != x:
		return math.NaN()
	case x > math.MaxFloat64:
		return x
	case x < 0x1p-1022:
		return log64(float64(x*0x1p54)) - 54*math.Ln2
	}
	return log64(x)
}

// infinite is the pattern of 2^127: what is above it may round to an infinity.
const infinite = uint64(1023+127) << 52

// Pow is x to the power y with the special cases of IEEE 754 pow: a negative x needs an integer y, else it is NaN, and 1 and
// power 0 win over NaN. Squares and square roots are correctly rounded; others are rounded once from within 4e-13.
func Pow(x, y float32) float32 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return NaN()
	case y == 2:
		return float32(x * x)
	case y == 3: // GELU's tanh form
		v := float64(x)
		if r, ok := settled(float64(float64(v*v) * v)); ok {
			return r
		}
	case y == 0.75: // LRN's
		if v := math.Sqrt(float64(x)); v > 0 {
			if r, ok := settled(float64(v * math.Sqrt(v))); ok {
				return r
			}
		}
	case math.IsInf(float64(y), 0):
		return powInfinite(x, y)
	}
	integer, odd := parity(y)
	sign := float32(1)
	if odd && math.Signbit(float64(x)) {
		sign = -1
	}
	a := math.Abs(float64(x))
	switch {
	case a == 0 || math.IsInf(a, 0):
		if (a == 0) == (y < 0) {
			return float32(sign * float32(math.Inf(1)))
		}
		return float32(sign * 0)
	case x < 0 && !integer:
		return NaN()
	case y == 0.5:
		return float32(math.Sqrt(a))
	}
	return float32(sign * float32(exp32(bound(float64(float64(y)*log64(a))))))
}

// settled rounds r to float32 where that is what the general form of Pow rounds to. r and what the general form has before its
// rounding are within 2^-50 and 4e-13 of the true power, so they are less than 2^-40 of it apart, 2^13 units of r at most: ok
// is false where the border between two float32 is as near, and where float32 is not normal.
func settled(r float64) (v float32, ok bool) {
	b := math.Float64bits(r)
	to := int64(b&lowBits) - halfway
	magnitude := b &^ (1 << 63)
	return float32(r), (to > 1<<13 || to < -1<<13) && magnitude > leastNormal && magnitude < infinite
}

// powInfinite is Pow for y = +-Inf and x a number.
func powInfinite(x, y float32) float32 {
	a := math.Abs(float64(x))
	switch {
	case a == 1:
		return 1
	case (a > 1) == (y > 0):
		return float32(math.Inf(1))
	}
	return 0
}

// parity says whether a finite y is an integer, and an odd one.
func parity(y float32) (integer, odd bool) {
	a := math.Abs(float64(y))
	if a >= 1<<53 {
		return true, false
	}
	n := int64(a)
	return float64(n) == a, float64(n) == a && n&1 == 1
}
