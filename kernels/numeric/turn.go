package numeric

import "math"

// SinCosTurn returns sine and cosine of j/n turns, 0 <= j < n, within 1e-15 of the true values and exact at quarter turns: the
// angle is brought to an eighth of a turn in integers first.
func SinCosTurn(j, n int) (sin, cos float64) {
	eighth := 8 * j / n
	rest := 8*j - eighth*n // angle is (eighth + rest/n) / 8 turns
	if eighth&1 != 0 {
		rest = n - rest
	}
	r := float64(float64(rest) / float64(n) * (math.Pi / 4))
	z := float64(r * r)
	s, c := float64(r*horner(sinTurnCoef[:], z)), horner(cosTurnCoef[:], z)
	if (eighth+1)&2 != 0 {
		s, c = c, s
	}
	if eighth >= 4 {
		s = -s
	}
	if eighth >= 2 && eighth < 6 {
		c = -c
	}
	return s, c
}

// sinTurnCoef and cosTurnCoef are Taylor's in powers of r*r on |r| <= pi/4, to below the last bit of float64.
var (
	sinTurnCoef = [10]float64{
		1, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800, -1. / 1307674368000,
		1. / 355687428096000, -1. / 121645100408832000,
	}
	cosTurnCoef = [10]float64{
		1, -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600, -1. / 87178291200,
		1. / 20922789888000, -1. / 6402373705728000,
	}
)
