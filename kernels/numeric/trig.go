package numeric

import (
	"math"
	"math/bits"
)

// Sin is the sine of x radians, NaN of infinities. Arguments of any size are reduced with enough digits of pi.
func Sin(x float32) float32 {
	q, r, ok := quadrant(float64(x))
	if !ok {
		return NaN()
	}
	return turn(q, r)
}

// Cos is the cosine of x radians, NaN of infinities.
func Cos(x float32) float32 {
	q, r, ok := quadrant(float64(x))
	if !ok {
		return NaN()
	}
	return turn(q+1, r)
}

// turn is sin(r + q*pi/2).
func turn(q int64, r float64) float32 {
	z := float64(r * r)
	var v float64
	if q&1 == 0 {
		v = float64(r * horner(sinCoef[:], z))
	} else {
		v = horner(cosCoef[:], z)
	}
	if q&2 != 0 {
		v = -v
	}
	return float32(v)
}

// quadrant writes x as q*pi/2 + r with |r| <= pi/4 (a little more after rounding); q counts modulo 4. ok is false for NaN
// and infinities.
func quadrant(x float64) (q int64, r float64, ok bool) {
	a := math.Abs(x)
	switch {
	case a < 1<<22:
		n := (float64(x*invHalfPi) + magic64) - magic64
		r = ((x - float64(n*halfPiHi)) - float64(n*halfPiMid)) - float64(n*halfPiLo)
		return int64(n), r, true
	case a <= math.MaxFloat32:
		q, r = quadrantLarge(a)
		if x < 0 {
			return -q, -r, true
		}
		return q, r, true
	}
	return 0, 0, false
}

// quadrantLarge is quadrant for a float32 a >= 2^22: a*2/pi modulo 4 from the digits of 2/pi that matter. With
// a = m*2^e, m an integer of 24 bits, digits of weight 4 and more in 2^e*2/pi only add multiples of 4.
func quadrantLarge(a float64) (q int64, r float64) {
	b := math.Float64bits(a)
	e := int(b>>52) - 1023 - 23
	m := (b&(1<<52-1) | 1<<52) >> 29
	first := uint(64 + e - 2) // position in twoOverPi of the digit of weight 2; e >= -1
	hi, lo := window(first), window(first+64)
	carry, low := bits.Mul64(lo, m)
	top := hi*m + carry // the product modulo 4, in units of 2^-62
	frac := int64(top<<2 | low>>62)
	q = int64(top >> 62)
	if frac < 0 { // above half a quadrant: the remainder is negative from the next one
		q++
	}
	return q & 3, float64(float64(frac) * (0x1p-64 * (math.Pi / 2)))
}

// window reads 64 bits of twoOverPi from position i.
func window(i uint) uint64 {
	w, s := i/64, i%64
	v := twoOverPi[w] << s
	if s > 0 && int(w)+1 < len(twoOverPi) {
		v |= twoOverPi[w+1] >> (64 - s)
	}
	return v
}
