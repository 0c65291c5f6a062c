package numeric

import "math"

// Erf is the error function; its sign is that of x, zero included.
func Erf(x float32) float32 {
	v := float64(x)
	a := math.Abs(v)
	switch {
	case a <= 1:
		return float32(float64(v * horner(erfCoef[:], float64(v*v))))
	case a < 4:
		q := horner(erfcCoef[:], 1/(a+2))
		return float32(math.Copysign(1-float64(q*exp32(-float64(a*a))), v))
	case a >= 4: // erfc(4) is below half a unit in the last place of 1
		return float32(math.Copysign(1, v))
	}
	return NaN()
}
