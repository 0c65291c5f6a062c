package numeric

// The constants of the functions that are computed in float64, with separate multiplications and additions: all that are
// not in curve.go. The result is rounded to float32 once, so that it is nearly always the correctly rounded value.
// Polynomials list their coefficients by ascending power.
var (
	// expCoef is 1/k!, for exp(r) on |r| <= ln(2)/2. Exp and its kin use the first 11 (error 3e-13), Exp64 all.
	expCoef = [14]float64{
		1, 1, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800,
		1. / 39916800, 1. / 479001600, 1. / 6227020800,
	}
	// logCoef is 2/(2k+1), for log(m)/s = 2 atanh(s)/s in powers of s*s, s = (m-1)/(m+1), |s| <= 0.1716.
	logCoef = [11]float64{
		2, 2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15, 2. / 17, 2. / 19, 2. / 21,
	}
	// sinCoef and cosCoef are Taylor's, in powers of r*r on |r| <= pi/4; sin has one factor r before it.
	sinCoef = [7]float64{
		1, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800,
	}
	cosCoef = [8]float64{
		1, -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600, -1. / 87178291200,
	}
	// twoOverPi is the binary fraction of 2/pi after a word of zeros; 256 bits are enough for every float32.
	twoOverPi = [5]uint64{0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe60000000000000}
)

const (
	log2e = 1.4426950408889634
	// ln2Hi has 40 bits, so n*ln2Hi is exact for every exponent n; ln2Hi + ln2Lo is ln 2.
	ln2Hi = 0.6931471805592082
	ln2Lo = 7.371002565167799e-13

	invHalfPi = 0.6366197723675814
	// pi/2 in three parts; the first has 31 bits, so n*halfPiHi is exact for |n| < 2^22.
	halfPiHi  = 1.5707963267341256
	halfPiMid = 6.07710049817245e-11
	halfPiLo  = 8.333742918520879e-20

	sqrtHalfBits = 0x3fe6a09e667f3bcd // float64 pattern of sqrt(1/2)
)

// horner evaluates c[0] + c[1]*z + ..., from the highest power down.
func horner(c []float64, z float64) float64 {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = float64(s*z) + c[i]
	}
	return s
}
