package op

import (
	"math"

	"assay/kernels/numeric"
)

// sigmoid64 is 1/(1+exp(-x)) in float64. A large negative x makes exp overflow to +Inf, and 1/Inf is the right 0.
func sigmoid64(x float64) float64 { return 1 / (1 + numeric.Exp64(-x)) }

// tanh64 is the hyperbolic tangent in float64: by its series near zero, where the exponentials cancel. Below 1e-3 the
// series x - x^3/3 + 2x^5/15 has an error of about 17/315*x^6 relative, less than 1e-19. Elsewhere tanh|x| =
// (1-e)/(1+e) with e = exp(-2|x|) in (0, 1], so nothing overflows, and the sign, that of -0 too, is x's.
func tanh64(x float64) float64 {
	if a := math.Abs(x); a < 1e-3 {
		z := float64(x * x)
		return float64(x * (1 - float64(z*(1./3-float64(z*(2./15))))))
	}
	e := numeric.Exp64(float64(-2 * math.Abs(x)))
	return math.Copysign((1-e)/(1+e), x)
}

// lowerMatMulDouble is the product of stacks of float64 matrices: one chain for each element, k ascending, products
// rounded. It has no vector form, and nothing is packed.
func lowerMatMulDouble(l *Lower, s stack) (Kernel, error) {
	a, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	b, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		left, right, dst := view[float64](a.bytes(c)), view[float64](b.bytes(c)), view[float64](c.Out[0])
		for i := range s.left {
			x, y, out := left[s.left[i]*s.m*s.k:], right[s.right[i]*s.k*s.n:], dst[i*s.m*s.n:]
			for j := range s.m * s.n {
				sum := 0.0
				for k := range s.k {
					sum += float64(x[j/s.n*s.k+k] * y[k*s.n+j%s.n])
				}
				if sum != sum {
					sum = canonical64
				}
				out[j] = sum
			}
		}
	}}, nil
}

// softmaxDouble normalises along the middle axis of [outer][n][inner], or gives logarithms. The maximum is subtracted
// first, so the largest term is exp(0) = 1 and sum >= 1. n = 0 writes nothing.
func softmaxDouble(dst, src []float64, outer, n, inner int, logarithm bool) {
	for i := range outer * inner {
		base := i/inner*n*inner + i%inner
		top, sum := math.Inf(-1), 0.0
		for k := range n {
			top = max(top, src[base+k*inner])
		}
		for k := range n {
			sum += numeric.Exp64(src[base+k*inner] - top)
		}
		for k := range n {
			v := src[base+k*inner] - top
			if logarithm {
				v -= numeric.Log64(sum)
			} else {
				v = numeric.Exp64(v) / sum
			}
			if v != v {
				v = canonical64
			}
			dst[base+k*inner] = v
		}
	}
}
