package op

import (
	"math"
	"unsafe"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// powOps raise numbers to powers. The exponent may have another type than the base, which is the output's type (since opset
// 12). Integers wrap. Refused: bases of other types than the table's, shapes that do not stretch to each other. It stays
// float.
var powOps = []*Op{{
	Name: "Pow", Opsets: []int{6, 7, 12, 13, 15}, Role: RoleFloat, Memory: MemoryAny, Types: []tensor.DType{tensor.Float32, tensor.Int32, tensor.Int64},
	Upgrade: upgradeBroadcast, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferPow, Lower: lowerPow, RowWise: broadcastKeepsRows,
}}

// inferPow stretches base and exponent to each other; the type is the base's.
func inferPow(x *Infer) error {
	out, err := broadcast(x.In[0].Shape, x.In[1].Shape)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, out...)
	return nil
}

// lowerPow brings the exponent to the base's type first (through scratch where it is computed). Conversion to the
// base's type is exact where it matters: int exponents below 2^24 to float32. Integer bases with float exponents go
// their own way, because an exponent of 0.5 must not become 0.
func lowerPow(l *Lower) (Kernel, error) {
	out, y := l.Out[0], l.layout()
	base, bs, err := l.broadcastOperand(0, out.Shape, y)
	if err != nil {
		return Kernel{}, err
	}
	exponent, es, err := l.broadcastOperand(1, out.Shape, y)
	if err != nil {
		return Kernel{}, err
	}
	from, to := l.In[1].DType, l.In[0].DType
	toBase, err := converter(from, to)
	if err != nil {
		return Kernel{}, err
	}
	loop := floatPairs("Pow")
	switch to {
	case tensor.Int32:
		loop = pairLoop(intPow[int32])
	case tensor.Int64:
		loop = pairLoop(intPow[int64])
	}
	if to != tensor.Float32 && (from == tensor.Float32 || from == tensor.Float64) {
		return lowerPowCut(base, exponent, newPairs(physical(y, out.Shape), bs, es), from, to)
	}
	p := newPairs(physical(y, out.Shape), bs, es)
	size := tensor.Count(exponent.shape) * to.Size()
	if from == to {
		size = 0
	}
	return Kernel{Alias: -1, Scratch: size, Run: func(c *Call) {
		e := exponent.bytes(c)
		if from != to {
			toBase(c.Scratch[:size], e)
			e = c.Scratch[:size]
		}
		loop(p, c.Out[0], base.bytes(c), e)
	}}, nil
}

// lowerPowCut raises integers to float powers in float32 and cuts the results back to integers.
func lowerPowCut(base, exponent operand, p *pairs, from, to tensor.DType) (Kernel, error) {
	loop := map[[2]tensor.DType]func(p *pairs, dst, a, b []byte){
		{tensor.Int32, tensor.Float32}: powCut[int32, float32], {tensor.Int32, tensor.Float64}: powCut[int32, float64],
		{tensor.Int64, tensor.Float32}: powCut[int64, float32], {tensor.Int64, tensor.Float64}: powCut[int64, float64],
	}[[2]tensor.DType{to, from}]
	return Kernel{Alias: -1, Run: func(c *Call) { loop(p, c.Out[0], base.bytes(c), exponent.bytes(c)) }}, nil
}

// float32 is what numeric.Pow has; integers beyond 2^24 lose low bits there.
func powCut[T int32 | int64, E float32 | float64](p *pairs, dst, a, b []byte) {
	if len(dst) == 0 {
		return
	}
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if unsafe.Sizeof(T(0)) == 4 {
		lo, hi = math.MinInt32, math.MaxInt32
	}
	elementwise.Map2(view[T](dst), view[T](a), view[E](b), p.shape, p.a, p.b, func(x T, y E) T {
		return T(cutTo(float64(numeric.Pow(float32(x), float32(y))), lo, hi))
	})
}

// intPow wraps as multiplication does; a negative power of anything but 1 and -1 is cut to 0. Squaring: r * a^b is the
// invariant of the loop. With b < 0 the parity of b decides the sign for -1; -b&1 is right for the lowest b too.
func intPow[T int32 | int64](a, b T) T {
	if b < 0 {
		switch a {
		case 1:
			return 1
		case -1:
			return 1 - 2*(-b&1)
		}
		return 0
	}
	r := T(1)
	for ; b > 0; b >>= 1 {
		if b&1 != 0 {
			r *= a
		}
		a *= a
	}
	return r
}
