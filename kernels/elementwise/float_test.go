package elementwise

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"assay/kernels/numeric"

	"github.com/stretchr/testify/require"
)

func bits(v []float32) []uint32 {
	b := make([]uint32, len(v))
	for i, x := range v {
		b[i] = math.Float32bits(x)
	}
	return b
}

// awkward returns n floats with NaN, infinities, zeros of both signs and denormals among them.
func awkward(rng *rand.Rand, n int) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0xffc00001), 1e-42, -1e-42, math.MaxFloat32}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64() * 3)
		if rng.IntN(6) == 0 {
			v[i] = special[rng.IntN(len(special))]
		}
	}
	return v
}

// at is the offset of element i of shape in an operand with the given steps.
func at(i int, shape, steps []int) int {
	o := 0
	for k := len(shape) - 1; k >= 0; k-- {
		o += i % shape[k] * steps[k]
		i /= shape[k]
	}
	return o
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// TestBinaryIsItsScalarEverywhere compares every operation and broadcast with one scalar call per element.
func TestBinaryIsItsScalarEverywhere(t *testing.T) { eachTier(t, binaryIsItsScalarEverywhere) }

func binaryIsItsScalarEverywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rank := rng.IntN(5)
		shape, a, b := make([]int, rank), make([]int, rank), make([]int, rank)
		for i := range shape {
			shape[i] = rng.IntN(6)
			if rng.IntN(4) > 0 {
				shape[i]++
			}
			a[i], b[i] = shape[i], shape[i]
			switch rng.IntN(5) {
			case 0:
				a[i] = 1
			case 1:
				b[i] = 1
			}
		}
		b = b[rng.IntN(rank+1):] // aligned at the last axis
		sa, ok := strides(shape, a)
		require.True(t, ok)
		sb, ok := strides(shape, b)
		require.True(t, ok)
		va, vb := awkward(rng, count(a)), awkward(rng, count(b))
		for op := Add; op <= PRelu; op++ {
			got, want := make([]float32, count(shape)), make([]float32, count(shape))
			for i := range want {
				want[i] = op.scalar()(va[at(i, shape, sa)], vb[at(i, shape, sb)])
			}
			Binary(op, got, va, vb, shape, sa, sb)
			require.Equalf(t, bits(want), bits(got), "op %d %v %v -> %v", op, a, b, shape)
			Map2(got, va, vb, shape, sa, sb, op.scalar())
			require.Equal(t, bits(want), bits(got))
		}
	}
}

func TestBinaryOfEveryLength(t *testing.T) { eachTier(t, binaryOfEveryLength) }

func binaryOfEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 100 {
		a, b := awkward(rng, n), awkward(rng, n)
		buf := make([]float32, n+32)
		for op := Add; op <= PRelu; op++ {
			f := op.scalar()
			for _, s := range [][2]int{{1, 1}, {1, 0}, {0, 1}} {
				dst := buf[16 : 16+n : 16+n]
				if n == 0 {
					continue
				}
				Binary(op, dst, a, b, []int{n}, []int{s[0]}, []int{s[1]})
				for i := range dst {
					require.Equal(t, math.Float32bits(f(a[i*s[0]], b[i*s[1]])), math.Float32bits(dst[i]))
				}
			}
		}
		for i := range 16 {
			require.Zero(t, buf[i])
			require.Zero(t, buf[16+n+i])
		}
	}
}

// TestPowersOfOneExponent: rows to the powers that models write, zeros, infinities and NaN among them.
func TestPowersOfOneExponent(t *testing.T) {
	v := awkward(rand.New(rand.NewPCG(9, 7)), 500)
	for _, b := range []float32{0, 0.5, 0.75, 1, 2, 3, -0.5, -1, float32(math.Inf(1))} {
		got, want := make([]float32, len(v)), make([]float32, len(v))
		for i, x := range v {
			want[i] = numeric.Canon(numeric.Pow(x, b))
		}
		Number(Pow, got, v, b)
		require.Equal(t, bits(want), bits(got), "%g", b)
	}
}

// TestMulAddIsFMA32: a step of a chain, of every length, in place too.
func TestMulAddIsFMA32(t *testing.T) { eachTier(t, mulAddIsFMA32) }

func mulAddIsFMA32(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 4))
	for n := range 80 {
		dst, src := awkward(rng, n), awkward(rng, n)
		for _, b := range []float32{0.3, -1.7, float32(math.Inf(1)), 0} {
			want := make([]float32, n)
			for i := range want {
				want[i] = numeric.Canon(numeric.FMA32(src[i], b, dst[i]))
			}
			got := append([]float32{}, dst...)
			MulAdd(got, src, b)
			require.Equal(t, bits(want), bits(got), "n %d b %g", n, b)
		}
	}
}

// TestGatedIsItsDefinition: gates of every length and stretched operands.
func TestGatedIsItsDefinition(t *testing.T) { eachTier(t, gatedIsItsDefinition) }

func gatedIsItsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 5))
	for _, n := range []int{1, 7, 8, 31, 255, 256, 257, 600} {
		for _, steps := range [][2]int{{1, 1}, {0, 1}, {1, 0}} {
			for _, alpha := range []float32{1, 1.7} {
				a, b := awkward(rng, n), awkward(rng, n)
				got, want := make([]float32, n), make([]float32, n)
				for i := range want {
					want[i] = numeric.Canon(float32(Func(Silu, alpha, 0)(a[i*steps[0]]) * b[i*steps[1]]))
				}
				Gated(got, a, b, []int{n}, steps[:1], steps[1:], alpha)
				require.Equal(t, bits(want), bits(got))
				if steps == [2]int{1, 1} {
					Gated(b, a, b, []int{n}, steps[:1], steps[1:], alpha)
					require.Equal(t, bits(want), bits(b), "in place")
				}
			}
		}
	}
}

// TestUnaryOfEveryLength: functions with instructions of their own leave what lies around alone.
func TestUnaryOfEveryLength(t *testing.T) { eachTier(t, unaryOfEveryLength) }

func unaryOfEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 6))
	for n := range 80 {
		v := awkward(rng, n)
		for op := Relu; op <= Tan; op++ {
			for _, p := range [][2]float32{{0.3, 1.2}, {1, 0}} {
				f := Func(op, p[0], p[1])
				buf := make([]float32, n+32)
				dst := buf[16 : 16+n : 16+n]
				Unary(op, dst, v, p[0], p[1])
				for i, x := range v {
					require.Equal(t, math.Float32bits(f(x)), math.Float32bits(dst[i]), "op %d of %g", op, x)
				}
				for i := range 16 {
					require.Zero(t, buf[i])
					require.Zero(t, buf[16+n+i])
				}
			}
		}
	}
}

func TestStridesRefuseWhatDoesNotBroadcast(t *testing.T) {
	for _, c := range []struct {
		to, operand, want []int
	}{
		{[]int{2, 3}, []int{3}, []int{0, 1}},
		{[]int{2, 3}, []int{2, 1}, []int{1, 0}},
		{[]int{2, 3}, []int{1, 2, 3}, []int{3, 1}},
		{[]int{2, 3}, nil, []int{0, 0}},
		{[]int{2, 3}, []int{2}, nil},
		{[]int{3}, []int{2, 3}, nil},
		{[]int{0, 3}, []int{1, 3}, []int{0, 1}},
	} {
		got, ok := strides(c.to, c.operand)
		require.Equal(t, c.want != nil, ok, "%v to %v", c.operand, c.to)
		if ok {
			require.Equal(t, c.want, got, "%v to %v", c.operand, c.to)
		}
	}
}

func TestUnaryIsItsScalarAndMayRunInPlace(t *testing.T) {
	eachTier(t, unaryIsItsScalarAndMayRunInPlace)
}

func unaryIsItsScalarAndMayRunInPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for op := Relu; op <= Tan; op++ {
		f := Func(op, 0.3, 1.2)
		for _, n := range []int{0, 1, 7, 8, 9, 65} {
			v := awkward(rng, n)
			want := make([]float32, n)
			for i, x := range v {
				want[i] = f(x)
				if x := want[i]; x != x {
					require.Equal(t, uint32(0x7fc00000), math.Float32bits(x), "op %d stores one NaN", op)
				}
			}
			Unary(op, v, v, 0.3, 1.2)
			require.Equalf(t, bits(want), bits(v), "op %d", op)
		}
	}
}

func TestUnaryFormulas(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		op          Op1
		alpha, beta float32
		exact       func(x float64) float64
	}{
		{LeakyRelu, 0.1, 0, func(x float64) float64 { return max(x, 0) + 0.1*min(x, 0) }},
		{Elu, 1.5, 0, func(x float64) float64 { return max(x, 0) + 1.5*math.Expm1(min(x, 0)) }},
		{Selu, 1.67, 1.05, func(x float64) float64 { return 1.05 * (max(x, 0) + 1.67*math.Expm1(min(x, 0))) }},
		{Celu, 2, 0, func(x float64) float64 { return max(x, 0) + 2*math.Expm1(min(x, 0)/2) }},
		{ThresholdedRelu, 1, 0, func(x float64) float64 {
			if x > 1 {
				return x
			}
			return 0
		}},
		{HardSigmoid, 0.2, 0.5, func(x float64) float64 { return max(0, min(1, 0.2*x+0.5)) }},
		{HardSwish, 0, 0, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) }},
		{Silu, 1, 0, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
		{Softplus, 0, 0, func(x float64) float64 { return math.Log1p(math.Exp(x)) }},
		{Softsign, 0, 0, func(x float64) float64 { return x / (1 + math.Abs(x)) }},
		{Mish, 0, 0, func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }},
		{Gelu, 0, 0, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }},
		{GeluTanh, 0, 0, func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }},
		{Sqrt, 0, 0, math.Sqrt}, {Reciprocal, 0, 0, func(x float64) float64 { return 1 / x }}, {Abs, 0, 0, math.Abs}, {Floor, 0, 0, math.Floor},
		{Ceil, 0, 0, math.Ceil}, {Round, 0, 0, math.RoundToEven}, {Neg, 0, 0, func(x float64) float64 { return -x }}, {Tan, 0, 0, math.Tan},
	} {
		for x := -6.0; x < 6; x += 0.0625 {
			want, got := c.exact(x), float64(Func(c.op, c.alpha, c.beta)(float32(x)))
			if math.IsNaN(want) {
				require.True(t, math.IsNaN(got))
				continue
			}
			if math.Abs(want) == inf {
				require.Equal(t, want, got)
				continue
			}
			require.InDelta(t, want, got, 1e-6*max(1, math.Abs(want)), "op %d of %v", c.op, x)
		}
	}
	for x, want := range map[float32]float32{-2: -1, 0: 0, 3: 1} {
		require.Equal(t, want, Func(Sign, 0, 0)(x))
	}
}

func TestClipLimitsAndKeepsNaN(t *testing.T) { eachTier(t, clipLimitsAndKeepsNaN) }

func clipLimitsAndKeepsNaN(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, c := range []numeric.Clamp{{}, numeric.Relu(), {On: true, Lo: 0, Hi: 6}, {On: true, Lo: -1, Hi: 1}} {
		for n := range 40 {
			v := awkward(rng, n)
			got := make([]float32, n)
			Clip(got, v, c)
			for i := range v {
				require.Equal(t, math.Float32bits(c.Apply(v[i])), math.Float32bits(got[i]))
			}
		}
	}
}

func BenchmarkFloat(b *testing.B) {
	const n = 1 << 14
	x, y, d := make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range x {
		x[i], y[i] = float32(i%13)-6, float32(i%7)
	}
	for name, f := range map[string]func(){
		"add":     func() { Binary(Add, d, x, y, []int{n}, []int{1}, []int{1}) },
		"channel": func() { Binary(Mul, d, x, y, []int{n / 64, 64}, []int{64, 1}, []int{0, 1}) },
		"clip":    func() { Clip(d, x, numeric.Clamp{On: true, Lo: 0, Hi: 6}) },
		"relu":    func() { Unary(Relu, d, x, 0, 0) },
		"sigmoid": func() { Unary(Sigmoid, d, x, 0, 0) },
	} {
		b.Run(fmt.Sprint(name), func(b *testing.B) {
			b.SetBytes(4 * n)
			for b.Loop() {
				f()
			}
		})
	}
}

// strides returns, for an operand of the given shape that is broadcast to shape to as in ONNX (aligned at the last axis,
// axes of 1 repeat), the step in elements along each axis of to; 0 where it repeats. ok is false when the shapes do not
// fit. It allocates; callers do it once.
func strides(to, operand []int) (s []int, ok bool) {
	s = make([]int, len(to))
	step := 1
	for i := len(operand) - 1; i >= 0; i-- {
		j := len(to) - len(operand) + i
		switch {
		case j < 0:
			if operand[i] != 1 {
				return nil, false
			}
		case operand[i] == to[j]:
			s[j] = step
		case operand[i] != 1:
			return nil, false
		}
		step *= operand[i]
	}
	// An axis of one element never steps; saying so lets neighbouring axes merge.
	for j, n := range to {
		if n == 1 {
			s[j] = 0
		}
	}
	return s, true
}
