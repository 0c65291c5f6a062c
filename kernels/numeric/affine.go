package numeric

import "unsafe"

// Affine relates integers and reals: real = (q - Zero) * Scale. Scale is finite and above 0; Zero lies in the range of the
// integer type.
type Affine struct {
	Scale float32
	Zero  int32
}

// Real is DequantizeLinear of q: float32(float32(q-Zero) * Scale), the difference modulo 2^32.
func (a Affine) Real(q int32) float32 { return float32(float32(q-a.Zero) * a.Scale) }

// Level is QuantizeLinear of v to integers of [lo, hi], whose distances from Zero are below 2^22: a division, rounding half to
// even, and only then the zero point. NaN becomes lo.
func (a Affine) Level(v float32, lo, hi int32) int32 {
	return RoundClamp(v/a.Scale, float32(lo-a.Zero), float32(hi-a.Zero)) + a.Zero
}

// Range returns the lowest and highest value of T, as Level takes them.
func Range[T ~uint8 | ~int8 | ~uint16 | ~int16]() (lo, hi int32) {
	var zero T
	ones := zero - 1 // all bits set: -1 when T is signed, else the highest value
	if ones > 0 {
		return 0, int32(ones)
	}
	bits := 8*int32(unsafe.Sizeof(zero)) - 1
	return -1 << bits, 1<<bits - 1
}
