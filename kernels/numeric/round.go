package numeric

import "math"

// magic is 1.5 * 2^23: a float32 of magnitude below 2^22 that is added to it is rounded to an integer, half to even,
// in the low bits of the sum.
const (
	magic     = float32(12582912)
	magicBits = int32(0x4b400000)
)

// Round returns v rounded to an integer, half to even. It needs |v| <= 2^22 - 1; RoundClamp takes any v.
func Round(v float32) int32 {
	return int32(math.Float32bits(v+magic)) - magicBits
}

// RoundClamp limits v to [lo, hi] and rounds half to even: the canonical way from float to a small integer. The limits
// are integers of magnitude below 2^22. NaN becomes lo, as in ONNX Runtime on x86.
func RoundClamp(v, lo, hi float32) int32 {
	if !(v > lo) {
		v = lo
	}
	if v > hi {
		v = hi
	}
	return Round(v)
}

// Requant turns an exact int32 accumulator into an unsigned byte:
//
//	y = clamp(rne(float32(float32(acc) * m)) + Zero, 0, 255)
//
// with m = float32(float32(sx*sw)/sy), one in Mult for all channels or one for each. Invariant: 0 <= Zero <= 255. Signed
// outputs are the same with Zero+128 and the sign bit of the result flipped. NewRequant makes one; Mult is read-only then. One
// that is made otherwise gives the same bytes but is not Bounded, so that slower kernels serve it.
type Requant struct {
	Mult    []float32
	Zero    int32
	bounded bool
}

// NewRequant is the Requant of these multipliers, which it keeps and does not copy, and zero point.
func NewRequant(mult []float32, zero int32) Requant {
	r := Requant{Mult: mult, Zero: zero, bounded: true}
	for _, m := range mult {
		r.bounded = r.bounded && m > -1 && m < 1
	}
	return r
}

// Bounded says that every multiplier is below 1 in magnitude, so that no product leaves int32 and saturating to narrower
// integers is all the clamp that kernels need.
func (r Requant) Bounded() bool { return r.bounded }

// At requantizes acc of channel c; c does not matter when Mult has one entry. A multiplier that is NaN makes 0 of everything.
func (r Requant) At(acc int32, c int) uint8 {
	if len(r.Mult) == 1 {
		c = 0
	}
	return uint8(RoundClamp(float32(float32(acc)*r.Mult[c]), float32(-r.Zero), float32(255-r.Zero)) + r.Zero)
}
