package numeric

import "math"

// Exp, Sigmoid, Tanh and Erf are computed in float32, of NaN to NaN(), by additions, divisions and fused multiply-adds that every tier has
// 8 or 16 lanes of. They are within 2 units in the last place of the true value, denormal results included, which a test
// can show for each of the 2^32 arguments. A power of two is made, or multiplied by, in the exponent's bits, and only so
// that neither leaves the normal numbers; where a result may be denormal, one last operation rounds it.

// Coefficients by ascending power, in hexadecimal because they are exact. `go run ./fit` in kernels/gen finds them (minimax,
// Remez's exchange), with the largest error of each rounded polynomial in exact arithmetic.
var (
	// expCoef32 is exp(r) on |r| <= ln(2)/2; relative error 2^-28.0. The first two are 1 so that exp(r)-1 is as good.
	expCoef32 = [7]float32{
		1, 1, 0x1.fffffcp-02, 0x1.555492p-03, 0x1.5558f2p-05, 0x1.1239d6p-07, 0x1.6a2448p-10,
	}
	// erfCoef32 is erf(x)/x - 1 in powers of x*x on |x| <= 1; its error is 2^-28.6 of erf(x)/x.
	erfCoef32 = [7]float32{
		0x1.06eba8p-03, -0x1.81273ep-02, 0x1.ce2cf8p-04, -0x1.b7f90ep-06, 0x1.5405b2p-08, -0x1.a3f7p-11, 0x1.496a32p-14,
	}
	// erfcCoef32 is log2(1-erf(x)) on 1 <= x <= 4; the error that it makes in erf(x) is 2^-27.5.
	erfcCoef32 = [7]float32{
		-0x1.0252f8p-11, -0x1.a0448cp+00, -0x1.d75f3ap-01, -0x1.30a4aep-03, 0x1.02182cp-05, -0x1.16b25p-08, 0x1.19f326p-12,
	}
	// exp2Coef32 is 2^r on |r| <= 1/2; relative error 2^-23.1. It serves 1-erf(x), at most 0.19 of erf(x).
	exp2Coef32 = [6]float32{
		1, 0x1.62e42ap-01, 0x1.ebf9bcp-03, 0x1.c6b752p-05, 0x1.3cea88p-07, 0x1.5bba14p-10,
	}
)

const (
	log2e32 = 0x1.715476p+00
	// ln2Hi32 is ln 2 rounded, ln2Lo32 the rest. x - n*ln2Hi32 is exact where n is x/ln(2) rounded to an integer.
	ln2Hi32 = 0x1.62e43p-01
	ln2Lo32 = -0x1.05c61p-29

	expHigh   = 89   // exp of more is infinite
	expLow    = -104 // exp of less is 0
	sigHigh   = 20   // sigmoid of more is 1
	sigShift  = 40   // sigmoid is 2^-40 / (2^-40 + 2^-40 exp(-x)): of normal numbers for all x in [expLow, sigHigh]
	sigOne    = 1. / (1 << sigShift)
	sigMagic  = magic + bias32 - sigShift
	tanhHigh  = 10 // tanh of more is 1
	tanhMagic = magic + bias32
	erfNear   = 1 // up to here erf is x times a polynomial
	erfHigh   = 4 // erf of more is 1

	exponent = 23 // bits below the exponent
	bias32   = 127

	invSqrt2 = 0.70710678118654752
)

// poly32 is c[0] + c[1]*x + ..., from the highest power down.
func poly32(c []float32, x float32) float32 {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = FMA32(s, x, c[i])
	}
	return s
}

// raise multiplies p by 2^n, where n stands in the low 9 bits of t and both p and the product are normal.
func raise(p float32, t uint32) float32 {
	return math.Float32frombits(math.Float32bits(p) + t<<exponent)
}

// Exp is e to the power x: 0 below about -103.97, +Inf above about 88.72.
func Exp(x float32) float32 {
	switch {
	case x != x:
		return NaN()
	case x < expLow:
		return 0
	}
	x = min(x, expHigh)
	t := FMA32(x, log2e32, magic)
	n := t - magic
	p := poly32(expCoef32[:], FMA32(n, -ln2Lo32, FMA32(n, -ln2Hi32, x)))
	// 2^n in two factors: n is in [-150, 128]. Only the second may round.
	b := math.Float32bits(t)
	h := b >> 1
	return float32(raise(p, h) * raise(1, b-h))
}

// Sigmoid is 1/(1+exp(-x)): 1 above about 17, 0 below about -103.97.
func Sigmoid(x float32) float32 {
	if x != x {
		return NaN()
	}
	x = min(max(x, expLow), sigHigh)
	t := FMA32(x, -log2e32, sigMagic)
	h, power := expm1Parts(x, t, t-sigMagic)
	return sigOne / (FMA32(power, h, sigOne) + power)
}

// Tanh is the hyperbolic tangent, (exp(2|x|)-1) / (exp(2|x|)+1); its sign is that of x, zero included.
func Tanh(x float32) float32 {
	if x != x {
		return NaN()
	}
	a := min(abs32(x), tanhHigh)
	t := FMA32(a, -2*log2e32, tanhMagic)
	h, power := expm1Parts(a+a, t, t-tanhMagic)
	return sign32(FMA32(power, h, power-1)/FMA32(power, h, power+1), x)
}

// expm1Parts is exp(-x) as power*(h+1), where n is -x/ln(2) rounded and t has the exponent of power in its low 9 bits.
func expm1Parts(x, t, n float32) (h, power float32) {
	r := FMA32(n, -ln2Lo32, -FMA32(n, ln2Hi32, x))
	h = FMA32(float32(poly32(expCoef32[2:], r)*r), r, r)
	return h, math.Float32frombits(math.Float32bits(t) << exponent)
}

// Erf is the error function; its sign is that of x, zero included.
func Erf(x float32) float32 {
	a := abs32(x)
	switch {
	case x != x:
		return NaN()
	case a <= erfNear:
		return FMA32(x, poly32(erfCoef32[:], float32(x*x)), x)
	}
	l := poly32(erfcCoef32[:], min(a, erfHigh))
	t := l + magic
	p := poly32(exp2Coef32[:], l-(t-magic))
	return sign32(1-raise(p, math.Float32bits(t)), x)
}

// Silu is x times Sigmoid of x, the product rounded; so it is NaN of -Inf.
func Silu(x float32) float32 { return Canon(float32(x * Sigmoid(x))) }

// Gelu is x/2 times 1+Erf(x*sqrt(1/2)), each step rounded; so it is NaN of -Inf.
func Gelu(x float32) float32 {
	return Canon(float32(float32(0.5*x) * (1 + Erf(float32(x*invSqrt2)))))
}

const signBit = 1 << 31

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ signBit) }

// sign32 is v with the sign of x.
func sign32(v, x float32) float32 {
	return math.Float32frombits(math.Float32bits(v)&^signBit | math.Float32bits(x)&signBit)
}
