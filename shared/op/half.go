package op

import "math"

// halfOf rounds a float64 to the nearest binary16 number in one step, ties to even (tensor.HalfFromFloat would round
// twice); what is too large becomes infinite. binary16 has 10 bits of fraction, exponents -14 to 15. Below 2^-14
// numbers are multiples of 2^-24, so scaling by 2^24 and rounding gives the bit pattern itself, the carry into the
// smallest normal number included. A signalling NaN becomes the quiet one 0x7e00.
func halfOf(v float64) uint16 {
	sign := uint16(0)
	if math.Signbit(v) {
		sign = 0x8000
	}
	v = math.Abs(v)
	switch {
	case v != v:
		return sign | 0x7e00
	case v >= 65520: // half way between the largest number and the next power of two
		return sign | 0x7c00
	case v < 0x1p-14:
		return sign | uint16(math.RoundToEven(float64(v*0x1p24)))
	}
	frac, exp := math.Frexp(v) // v = frac * 2^exp, frac in [0.5, 1)
	m := uint16(math.RoundToEven(float64(frac * 0x1p11)))
	return sign | (uint16(exp+13)<<10 + m) // m carries the leading one, so it adds 1 to the exponent
}
