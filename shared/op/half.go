package op

import "math"

// halfToFloat widens an IEEE binary16 number; every one is a float32.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&0x3ff
	switch {
	case exp == 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
	v := float32(float32(frac) * 0x1p-24) // exact: a subnormal is a multiple of the smallest one
	return math.Float32frombits(sign | math.Float32bits(v))
}

// halfOf rounds to the nearest binary16 number, ties to even; what is too large becomes infinite.
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

// bfloatOf rounds a float32 to bfloat16, ties to even.
func bfloatOf(v float32) uint16 {
	b := math.Float32bits(v)
	if v != v {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
