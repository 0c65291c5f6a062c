package numeric

import "math"

const (
	lowBits = 1<<29 - 1 // bits of a float64 below the last bit of a float32
	halfway = 1 << 28   // lowBits of a float64 that stands between two float32
	// leastNormal is the pattern of 2^-126. Below it a float32 has fewer bits, so lowBits does not tell a tie.
	leastNormal = uint64(1023-126) << 52
)

// FMA32 is x*y+z with one rounding, to nearest, ties to even: IEEE 754 fusedMultiplyAdd for binary32, as the VFMADD
// instructions compute it. The payload and sign of a NaN result are not specified; Canon is applied where it is stored.
//
// The product is exact in float64. Its sum with z, rounded to float64, rounds to the right float32 unless it lands
// between two of them, where the bits that the first rounding dropped decide: that case is computed in full.
func FMA32(x, y, z float32) float32 {
	s := float64(float64(x)*float64(y)) + float64(z)
	b := math.Float64bits(s)
	if b&lowBits == halfway || b&^(1<<63) < leastNormal {
		return fmaOdd(x, y, z)
	}
	return float32(s)
}

// fmaOdd rounds the sum to odd: an inexact result keeps or takes the neighbour with last bit 1, which no rounding to
// float32 mistakes for a tie (53 >= 24+2 bits).
func fmaOdd(x, y, z float32) float32 {
	p, c := float64(float64(x)*float64(y)), float64(z)
	s := p + c
	// TwoSum: s + err == p + c exactly. p and c are far from overflow, so err is NaN only if s is not finite.
	pp := s - c
	err := (p - pp) + (c - (s - pp))
	b := math.Float64bits(s)
	if b&1 == 0 && (err < 0 || err > 0) {
		if (err > 0) == (s > 0) {
			b++
		} else {
			b--
		}
		s = math.Float64frombits(b)
	}
	return float32(s)
}
