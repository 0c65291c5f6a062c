package quant

import (
	"fmt"
	"math"
)

// span is the range of values that a point represents, lo <= 0 <= hi.
type span struct{ lo, hi float64 }

// Floors of the published formulas: no half-range below absFloor, no weight channel below relFloor of the largest.
const (
	absFloor  = 8e-5
	relFloor  = 0.01
	pairFloor = 8e-4 // asymmetric ranges narrower than this are widened by it on both sides
)

// symmetricActivation spans [0, m] when nothing negative was seen, else 256 levels of step m/127 with zero at level 128:
// [-m*256/254, m]. signed forces the second form. pot-spec 3.2, symmetric activations: levels/(levels-2) = 256/254. m
// is the folded maximum of |x|, minimum the folded minimum.
func symmetricActivation(minimum, m float64, signed bool) span {
	m = max(m, absFloor)
	if minimum >= 0 && !signed {
		return span{0, m}
	}
	return span{-float64(m * 256 / 254), m}
}

// asymmetric spans [lo, hi] with zero included and exactly on one of 256 levels: one end is moved outwards, the one
// that gives the wider span. POT leaves a span whose zero point rounds to an end as it is, so that zero is missed by up
// to half a level (quirk Q18); here that end becomes zero. pot-spec 3.2 with L = 255: q = rne(-lo*L/(hi-lo)); a =
// q/(q-L)*hi moves the lower end and keeps hi, b = (q-L)/q*lo the other way round. Reference: (-1, 1) gives (-1.00787,
// 1), q 128; (-0.5, 3) gives (-0.5, 3.04167), q 36.
func asymmetric(lo, hi float64) span {
	const l = 255
	if hi-lo <= pairFloor {
		lo, hi = lo-pairFloor, hi+pairFloor
	}
	lo, hi = min(lo, 0), max(hi, 0)
	q := math.RoundToEven(float64(-lo*l) / (hi - lo))
	switch q {
	case 0:
		return span{0, hi}
	case l:
		return span{lo, 0}
	}
	a := float64(q / (q - l) * hi)
	b := float64((q - l) / q * lo)
	if hi-a > b-lo {
		return span{a, hi}
	}
	return span{lo, b}
}

// weightHalfRange raises the per-channel maxima m of |w| to the floors, so that an empty channel gets a finite scale. m
// := max(m, 8e-5, 0.01 * max over channels of m), pot-spec 3.2. A channel of zeros gets at least a hundredth of the
// widest one's scale, so sx*sw stays far from 0 and its bias fits.
func weightHalfRange(m []float64) []float64 {
	top := 0.0
	for _, v := range m {
		top = max(top, v)
	}
	out := make([]float64, len(m))
	for i, v := range m {
		out[i] = max(v, absFloor, float64(relFloor*top))
	}
	return out
}

// u8 turns the span into scale and zero point. The zero point lies on a level exactly; the scale is the span's step
// rounded to float32. Inside limits (a Clip that is to be absorbed) the step shrinks until no level passes them: ONNX
// Runtime removes the Clip only then. Invariants of the result: 0 <= zero <= 255, scale > 0 and finite,
// (255-zero)*scale <= limits.hi and -zero*scale >= limits.lo, all in float64. The loop at the end takes a few steps: it
// undoes the rounding of step to float32.
func (s span) u8(limits span) (scale float32, zero int32, err error) {
	z := math.RoundToEven(float64(-s.lo*255) / (s.hi - s.lo))
	z = min(max(z, 0), 255)
	step := float64((s.hi - s.lo) / 255)
	if z < 255 {
		step = min(step, float64(limits.hi/(255-z)))
	}
	if z > 0 {
		step = min(step, float64(-limits.lo/z))
	}
	scale = float32(step)
	for scale > 0 && (float64(float64(scale)*(255-z)) > limits.hi || float64(float64(scale)*-z) < limits.lo) {
		scale = math.Nextafter32(scale, 0)
	}
	if !(scale > 0) || math.IsInf(float64(scale), 0) {
		return 0, 0, fmt.Errorf("range [%g, %g] has no scale in float32", s.lo, s.hi)
	}
	return scale, int32(z), nil
}

// everything limits nothing.
var everything = span{math.Inf(-1), math.Inf(1)}

// union spans both. everything swallows what it meets; the zero span {0, 0} is neutral for spans that hold zero.
func (s span) union(t span) span { return span{min(s.lo, t.lo), max(s.hi, t.hi)} }

// width is hi - lo.
func (s span) width() float64 { return s.hi - s.lo }

// onTies reports whether most of values, quantized with scale and zero, lie within 1e-3 of the middle between two
// levels. The runtimes then round differently (one divides, one multiplies by the reciprocal and adds the zero point
// with one rounding) and a bit of the input is lost. No values are on no ties.
func onTies(values []float64, scale float32) bool {
	near := 0
	for _, v := range values {
		x := v / float64(scale)
		if math.Abs(x-math.Floor(x)-0.5) < 1e-3 {
			near++
		}
	}
	return 2*near > len(values)
}
