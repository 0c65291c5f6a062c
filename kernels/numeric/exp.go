package numeric

import "math"

// magic64 does for float64 what magic does for float32: adding it rounds to an integer, half to even.
const magic64 = 3 << 51

// expLimit bounds arguments of the float32 functions: exp(-expLimit) is below half the least float32 and exp(expLimit)
// above the largest one, and both are normal float64.
const expLimit = 104

// exp32 is exp(x) in float64, good to 3e-13, for |x| <= 2*expLimit. NaN gives NaN.
func exp32(x float64) float64 {
	n := (float64(x*log2e) + magic64) - magic64
	r := x - float64(n*ln2Hi) - float64(n*ln2Lo)
	z := float64(r * r)
	c := &expCoef
	even := float64((float64((float64((float64((float64(c[10]*z)+c[8])*z)+c[6])*z)+c[4])*z)+c[2])*z) + c[0]
	odd := float64((float64((float64((float64(c[9]*z)+c[7])*z)+c[5])*z)+c[3])*z) + c[1]
	return float64((even + float64(odd*r)) * math.Float64frombits(uint64(int64(n)+1023)<<52))
}

// bound limits x to [-expLimit, expLimit] and keeps NaN.
func bound(x float64) float64 { return min(max(x, -expLimit), expLimit) }

// Softplus is log(1+exp(x)), without overflow: 0 of -Inf, +Inf of +Inf.
func Softplus(x float32) float32 {
	v := float64(x)
	if v != v {
		return NaN()
	}
	e := exp32(bound(-math.Abs(v)))
	l := log1p(e)
	if v > 0 {
		l += v
	}
	return float32(l)
}

// Expm1 is exp(x)-1 without cancellation near zero: the negative side of Elu and Celu. Its sign is that of x, zero included.
func Expm1(x float32) float32 {
	v := float64(x)
	if math.Abs(v) < 0x1p-10 {
		// Four Taylor terms; the next is below 2^-52 of the first.
		return float32(float64(v * (1 + float64(v*(1./2+float64(v*(1./6+float64(v*(1./24+float64(v*(1./120)))))))))))
	}
	return Canon(float32(exp32(bound(v)) - 1))
}

// Exp64 is e to the power x in float64, within a few units in the last place. Per-sample losses use it; results below
// the least normal float64 are 0, and NaN stays as it is.
func Exp64(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -708.3:
		return 0
	}
	n := (float64(x*log2e) + magic64) - magic64
	r := x - float64(n*ln2Hi) - float64(n*ln2Lo)
	// 2^n in two factors: n may be 1024.
	h := int64(n) / 2
	p := float64(horner(expCoef[:], r) * math.Float64frombits(uint64(h+1023)<<52))
	return float64(p * math.Float64frombits(uint64(int64(n)-h+1023)<<52))
}
