package numeric

import "math"

// atanCoef is (-1)^k/(2k+1), Taylor's for atan(t)/t in powers of t*t on |t| <= tan(pi/8); the next term is below 1e-14.
var atanCoef = [17]float64{
	1, -1. / 3, 1. / 5, -1. / 7, 1. / 9, -1. / 11, 1. / 13, -1. / 15, 1. / 17, -1. / 19, 1. / 21, -1. / 23, 1. / 25,
	-1. / 27, 1. / 29, -1. / 31, 1. / 33,
}

// sinhCoef is 1/(2k+1)!, Taylor's for sinh(x)/x in powers of x*x on |x| <= 1.
var sinhCoef = [8]float64{
	1, 1. / 6, 1. / 120, 1. / 5040, 1. / 362880, 1. / 39916800, 1. / 6227020800, 1. / 1307674368000,
}

// tanEighth is tan(pi/8): beyond it atan is taken around pi/4.
const tanEighth = 0.41421356237309503

// atan64 is the arc tangent of x, infinities included, to a few 1e-14.
func atan64(x float64) float64 {
	a := math.Abs(x)
	base, sign := 0.0, 1.0
	switch {
	case a > 1/tanEighth:
		base, sign, a = math.Pi/2, -1, 1/a
	case a > tanEighth:
		base, a = math.Pi/4, (a-1)/(a+1)
	}
	v := base + float64(sign*float64(a*horner(atanCoef[:], float64(a*a))))
	return math.Copysign(v, x)
}

// Atan is the arc tangent, in radians; its sign is that of x, zero included.
func Atan(x float32) float32 { return Canon(float32(atan64(float64(x)))) }

// Asin is the arc sine in radians, NaN outside [-1, 1]; its sign is that of x, zero included.
func Asin(x float32) float32 {
	v := float64(x)
	return Canon(float32(atan64(v / math.Sqrt(float64((1-v)*(1+v))))))
}

// Acos is the arc cosine in radians, NaN outside [-1, 1].
func Acos(x float32) float32 {
	v := float64(x)
	return Canon(float32(2 * atan64(math.Sqrt((1-v)/(1+v)))))
}

// Sinh is the hyperbolic sine; its sign is that of x, zero included.
func Sinh(x float32) float32 {
	v := float64(x)
	if math.Abs(v) <= 1 {
		return float32(float64(v * horner(sinhCoef[:], float64(v*v))))
	}
	e := exp32(bound(v))
	return Canon(float32(float64((e - 1/e) / 2)))
}

// Cosh is the hyperbolic cosine.
func Cosh(x float32) float32 {
	e := exp32(bound(float64(x)))
	return Canon(float32(float64((e + 1/e) / 2)))
}

// logOnePlus is log(1+e) for e >= 0, without cancellation; +Inf gives +Inf.
func logOnePlus(e float64) float64 {
	if e <= 1 {
		return log1p(e)
	}
	return Log64(1 + e)
}

// Asinh is the inverse hyperbolic sine; its sign is that of x, zero included.
func Asinh(x float32) float32 {
	a := math.Abs(float64(x))
	if a > 0x1p60 { // the square would overflow for infinities only, but it no longer matters
		return Canon(float32(math.Copysign(Log64(a)+math.Ln2, float64(x))))
	}
	z := float64(a * a)
	return Canon(float32(math.Copysign(logOnePlus(a+z/(1+math.Sqrt(1+z))), float64(x))))
}

// Acosh is the inverse hyperbolic cosine, NaN below 1.
func Acosh(x float32) float32 {
	t := float64(x) - 1
	if !(t >= 0) {
		return NaN()
	}
	return Canon(float32(logOnePlus(t + math.Sqrt(float64(t*(2+t))))))
}

// Atanh is the inverse hyperbolic tangent: infinite at -1 and 1, NaN beyond.
func Atanh(x float32) float32 {
	a := math.Abs(float64(x))
	if !(a <= 1) {
		return NaN()
	}
	return float32(math.Copysign(float64(logOnePlus(2*a/(1-a))/2), float64(x)))
}
