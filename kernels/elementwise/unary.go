package elementwise

import (
	"math"
	"sync"

	"assay/kernels/curve"
	"assay/kernels/numeric"
)

// Op1 is a float function of one operand, with up to two parameters alpha and beta.
type Op1 uint8

// The functions of Unary, in ONNX's definitions. Where a formula has several operations, each rounds to float32.
const (
	Relu            Op1 = iota
	LeakyRelu           // x where x >= 0, else alpha*x
	Elu                 // x where x >= 0, else alpha*(exp(x)-1)
	Selu                // beta * Elu (gamma is passed as beta)
	Celu                // max(0,x) + min(0, alpha*(exp(x/alpha)-1))
	ThresholdedRelu     // x where x > alpha, else 0
	Sigmoid
	HardSigmoid // max(0, min(1, alpha*x + beta))
	HardSwish   // x * HardSigmoid(x) with alpha 1/6, beta 0.5
	Silu        // x * sigmoid(alpha*x)
	Tanh
	Softplus
	Softsign // x / (1+|x|)
	Mish     // x * tanh(softplus(x))
	Gelu     // x/2 * (1 + erf(x/sqrt 2))
	GeluTanh // x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
	Erf
	Exp
	Log
	Sqrt
	Reciprocal
	Abs
	Neg
	Floor
	Ceil
	Round // half to even
	Sign  // -1, 0, 1; NaN stays
	Sin
	Cos
	Tan // Sin / Cos
)

// Unary writes op(src) to dst, which may be src. dst is at least as long as src; what is behind stays. Parameters that op has
// none of are ignored. Every tier gives the bits of Func(op, alpha, beta): vectors run the same operations in the same order, and
// the elements behind their last block go through the scalar form.
//
// NaN comes out as NaN in its canonical form, of comparisons too: x <= alpha is false for it, so ThresholdedRelu keeps it, and
// x < 0 is, so Elu and Celu do.
func Unary(op Op1, dst, src []float32, alpha, beta float32) {
	dst = dst[:len(src)]
	switch op {
	case Relu:
		Clip(dst, src, numeric.Relu())
		return
	case Exp:
		curve.Exp(dst, src)
		return
	case Sigmoid:
		curve.Sigmoid(dst, src)
		return
	case Tanh:
		curve.Tanh(dst, src)
		return
	case Erf:
		curve.Erf(dst, src)
		return
	case Silu:
		if alpha == 1 {
			curve.Silu(dst, src)
			return
		}
		inBlocks(dst, src, func(x, t []float32) {
			rowVS(Mul, t, x, alpha)
			curve.Sigmoid(t, t)
			rowVV(Mul, t, x, t)
		})
		return
	case Gelu:
		curve.Gelu(dst, src)
		return
	case GeluTanh:
		inBlocks(dst, src, geluTanhBlock)
		return
	case Mish:
		inBlocks(dst, src, func(x, t []float32) {
			for i, v := range x {
				t[i] = numeric.Softplus(v)
			}
			curve.Tanh(t, t)
			rowVV(Mul, t, x, t)
		})
		return
	}
	k := fastUnary(op, dst, src, alpha, beta)
	if dst, src = dst[k:], src[k:]; len(src) == 0 {
		return
	}
	dst = dst[:len(src)]
	if f := curves[op]; f != nil {
		for i, v := range src {
			dst[i] = f(v)
		}
		return
	}
	for i, v := range src {
		dst[i] = parametric(op, v, alpha, beta)
	}
}

// blocks are lent to inBlocks: a local one would be allocated in every call, since it is handed to a function in a table.
var blocks = sync.Pool{New: func() any { return new([256]float32) }}

// inBlocks computes a function a block at a time, in steps that are passes of vectors over the nearest cache: f makes t, which
// becomes dst, of x, which it must not write.
func inBlocks(dst, src []float32, f func(x, t []float32)) {
	block := blocks.Get().(*[256]float32)
	defer blocks.Put(block)
	for len(src) > 0 {
		n := min(len(block), len(src))
		f(src[:n], block[:n])
		copy(dst, block[:n])
		dst, src = dst[n:], src[n:]
	}
}

// geluTanhBlock is GeluTanh with the roundings of geluTanh: each step is one operation of its formula. A second block holds
// x/2.
func geluTanhBlock(x, t []float32) {
	half := blocks.Get().(*[256]float32)
	defer blocks.Put(half)
	h := half[:len(x)]
	rowVV(Mul, t, x, x)
	rowVV(Mul, t, x, t)
	rowVS(Mul, t, t, geluCube)
	rowVV(Add, t, x, t)
	rowVS(Mul, t, t, sqrt2OverPi)
	curve.Tanh(t, t)
	rowVS(Add, t, t, 1)
	rowVS(Mul, h, x, 0.5)
	rowVV(Mul, t, h, t)
}

// MulAdd writes dst + src*b, the sum of the exact product rounded once: a step of a chain of fused multiply-adds. dst and src
// have one length and do not overlap, or are the same.
func MulAdd(dst, src []float32, b float32) {
	src = src[:len(dst)]
	k := fastMulAdd(dst, src, b)
	dst, src = dst[k:], src[k:]
	for i, v := range src {
		dst[i] = numeric.Canon(numeric.FMA32(v, b, dst[i]))
	}
}

// Clip writes c.Apply(src) to dst, which may be src.
func Clip(dst, src []float32, c numeric.Clamp) {
	dst = dst[:len(src)]
	if !c.On {
		copy(dst, src)
		numeric.CanonAll(dst)
		return
	}
	k := fastClip(dst, src, c.Lo, c.Hi)
	src, dst = src[k:], dst[k:]
	for i, v := range src {
		dst[i] = numeric.Canon(min(max(v, c.Lo), c.Hi))
	}
}

// Func returns op as a function of one number: what Unary applies and what tables of 8-bit operators are made from. For an op
// with parameters it allocates the closure that holds them; the result may be called from many goroutines.
func Func(op Op1, alpha, beta float32) func(float32) float32 {
	if f := curves[op]; f != nil {
		return f
	}
	return func(x float32) float32 { return parametric(op, x, alpha, beta) }
}

// parametric is op, one of those with parameters, of one number. Unary calls it instead of Func, which allocates.
func parametric(op Op1, x, alpha, beta float32) float32 {
	switch op {
	case LeakyRelu:
		return prelu(x, alpha)
	case Elu:
		return elu(x, alpha)
	case Selu:
		return numeric.Canon(float32(beta * elu(x, alpha)))
	case Celu:
		if x < 0 {
			x = float32(alpha * numeric.Expm1(x/alpha))
		}
		return numeric.Canon(x)
	case ThresholdedRelu:
		if x <= alpha {
			return 0
		}
		return numeric.Canon(x)
	case HardSigmoid:
		return hardSigmoid(x, alpha, beta)
	}
	return numeric.Canon(float32(x * numeric.Sigmoid(float32(alpha*x)))) // Silu
}

// curves are the functions without parameters.
var curves = [...]func(float32) float32{
	Relu:       func(x float32) float32 { return numeric.Max(x, 0) },
	Sigmoid:    numeric.Sigmoid,
	HardSwish:  func(x float32) float32 { return numeric.Canon(float32(x * hardSigmoid(x, swishAlpha, swishBeta))) },
	Tanh:       numeric.Tanh,
	Softplus:   numeric.Softplus,
	Softsign:   func(x float32) float32 { return numeric.Canon(x / (1 + abs(x))) },
	Mish:       func(x float32) float32 { return numeric.Canon(float32(x * numeric.Tanh(numeric.Softplus(x)))) },
	Gelu:       numeric.Gelu,
	GeluTanh:   geluTanh,
	Erf:        numeric.Erf,
	Exp:        numeric.Exp,
	Log:        numeric.Log,
	Sqrt:       func(x float32) float32 { return numeric.Canon(float32(math.Sqrt(float64(x)))) },
	Reciprocal: func(x float32) float32 { return numeric.Canon(1 / x) },
	Abs:        func(x float32) float32 { return numeric.Canon(abs(x)) },
	Neg:        func(x float32) float32 { return numeric.Canon(-x) },
	Floor:      func(x float32) float32 { return numeric.Canon(float32(math.Floor(float64(x)))) },
	Ceil:       func(x float32) float32 { return numeric.Canon(float32(math.Ceil(float64(x)))) },
	Round:      func(x float32) float32 { return numeric.Canon(float32(math.RoundToEven(float64(x)))) },
	Sign:       sign,
	Sin:        numeric.Sin,
	Cos:        numeric.Cos,
	Tan:        func(x float32) float32 { return numeric.Canon(numeric.Sin(x) / numeric.Cos(x)) },
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func elu(x, alpha float32) float32 {
	if x < 0 {
		x = float32(alpha * numeric.Expm1(x))
	}
	return numeric.Canon(x)
}

func hardSigmoid(x, alpha, beta float32) float32 {
	return numeric.Canon(max(0, min(1, float32(alpha*x)+beta)))
}

func geluTanh(x float32) float32 {
	return numeric.Canon(float32(float32(0.5*x) * (1 + numeric.Tanh(geluInner(x)))))
}

// The constants of GeluTanh.
const (
	sqrt2OverPi = float32(0.79788456080286536)
	geluCube    = float32(0.044715)
)

// geluInner is sqrt(2/pi) * (x + 0.044715 x^3), the cube as x*(x*x), each product and the sum rounded; geluTanhBlock
// repeats this order in passes.
func geluInner(x float32) float32 {
	return float32(sqrt2OverPi * (x + float32(geluCube*float32(x*float32(x*x)))))
}

// The parameters of HardSwish's HardSigmoid.
const swishAlpha, swishBeta = float32(1. / 6), float32(0.5)

func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return numeric.NaN()
}
