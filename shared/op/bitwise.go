package op

import (
	"fmt"
	"math"

	"assay/shared/tensor"
)

// bitOps compute on the bits of integers, take remainders, and ask floats what they are. Mod has the sign of the divisor,
// with fmod 1 that of the dividend. BitShift fills with zeros; a shift by the width or more gives 0.
// IsInf detects both signs by default. BitCast keeps the bytes and refuses types of different size. Nothing here is
// quantized.
var bitOps = []*Op{
	bitwise("BitwiseAnd"), bitwise("BitwiseOr"), bitwise("BitwiseXor"),
	{
		Name: "BitwiseNot", Opsets: []int{18}, Memory: MemoryAny, Types: integerTypes, Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
		Infer: same, Lower: func(l *Lower) (Kernel, error) {
			return elementwiseKernel(l, each(func(v uint8) uint8 { return ^v }))
		},
	},
	{
		Name: "BitShift", Opsets: []int{11}, Memory: MemoryAny, RowWise: broadcastKeepsRows, Attrs: []string{"direction"},
		Types:  []tensor.DType{tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64},
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferBroadcast(tensor.Invalid), Lower: lowerShift,
	},
	{
		Name: "Mod", Opsets: []int{10, 13}, Memory: MemoryAny, RowWise: broadcastKeepsRows, Attrs: []string{"fmod"}, Types: numericTypes,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferBroadcast(tensor.Invalid), Lower: lowerMod,
	},
	{
		Name: "BitCast", Opsets: []int{26}, Memory: MemoryAny, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"to"},
		Infer: func(x *Infer) error {
			to, err := castTo(x.Node.Int("to", 0))
			if err != nil {
				return err
			}
			if to.Size() != x.In[0].DType.Size() {
				return fmt.Errorf("elements of %s and %s differ in size", x.In[0].DType, to)
			}
			x.put(0, to, x.In[0].Shape...)
			return nil
		},
		Lower: lowerCopy,
	},
	{
		Name: "IsNaN", Opsets: []int{9, 13, 20}, Memory: MemoryAny, Types: floats, Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
		Infer: asked, Lower: func(l *Lower) (Kernel, error) {
			return lowerAsked(l, func(v float64) bool { return v != v })
		},
	},
	{
		Name: "IsInf", Opsets: []int{10, 20}, Memory: MemoryAny, Types: floats, Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
		Attrs: []string{"detect_negative", "detect_positive"}, Infer: asked,
		Lower: func(l *Lower) (Kernel, error) {
			below, above := l.Node.Int("detect_negative", 1) != 0, l.Node.Int("detect_positive", 1) != 0
			return lowerAsked(l, func(v float64) bool { return below && math.IsInf(v, -1) || above && math.IsInf(v, 1) })
		},
	},
}

// integerTypes are all whole-byte integers; those of 4 and 2 bits are stored a byte each and would show garbage above
// their width under Not.
var integerTypes = []tensor.DType{
	tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64,
}

// bitwise reads signed integers as unsigned ones of the same size: And, Or and Xor do not care.
func bitwise(name string) *Op {
	return &Op{
		Name: name, Opsets: []int{18}, Memory: MemoryAny, Types: integerTypes, RowWise: broadcastKeepsRows,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferBroadcast(tensor.Invalid),
		Lower: func(l *Lower) (Kernel, error) {
			switch l.In[0].DType.Size() {
			case 1:
				return lowerPairs(l, bitPairs[uint8](name))
			case 2:
				return lowerPairs(l, bitPairs[uint16](name))
			case 4:
				return lowerPairs(l, bitPairs[uint32](name))
			}
			return lowerPairs(l, bitPairs[uint64](name))
		},
	}
}

// bitPairs is the loop of And, Or or Xor.
func bitPairs[T uint8 | uint16 | uint32 | uint64](name string) func(p *pairs, dst, a, b []byte) {
	switch name {
	case "BitwiseAnd":
		return pairLoop(func(a, b T) T { return a & b })
	case "BitwiseOr":
		return pairLoop(func(a, b T) T { return a | b })
	}
	return pairLoop(func(a, b T) T { return a ^ b })
}

// lowerShift requires direction, which ONNX gives no default. The shift count has the data's type and is unsigned, so
// Go's shift cannot panic.
func lowerShift(l *Lower) (Kernel, error) {
	left := true
	switch d := l.Node.Str("direction", ""); d {
	case "LEFT":
	case "RIGHT":
		left = false
	default:
		return Kernel{}, fmt.Errorf("attribute direction is %q, LEFT and RIGHT are known", d)
	}
	switch l.In[0].DType {
	case tensor.Uint8:
		return lowerPairs(l, shifted[uint8](left))
	case tensor.Uint16:
		return lowerPairs(l, shifted[uint16](left))
	case tensor.Uint32:
		return lowerPairs(l, shifted[uint32](left))
	}
	return lowerPairs(l, shifted[uint64](left))
}

// shifted moves bits; those that leave are lost, and a shift by the width or more gives 0.
func shifted[T uint8 | uint16 | uint32 | uint64](left bool) func(p *pairs, dst, a, b []byte) {
	if left {
		return pairLoop(func(a, b T) T { return a << b })
	}
	return pairLoop(func(a, b T) T { return a >> b })
}

// asked is the shape rule of questions about each element.
func asked(x *Infer) error {
	x.put(0, tensor.Bool, x.In[0].Shape...)
	return nil
}

// float16 and bfloat16 come here widened (admitHalves), which keeps NaN and infinity; float64 is asked in its own
// width, since a number beyond float32 is not infinite.
func lowerAsked(l *Lower, f func(float64) bool) (Kernel, error) {
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	loop := each(func(v float32) uint8 { return truth(f(float64(v))) })
	if l.In[0].DType == tensor.Float64 {
		loop = each(func(v float64) uint8 { return truth(f(v)) })
	}
	return Kernel{Alias: -1, Run: func(c *Call) { loop(c.Out[0], src.bytes(c)) }}, nil
}

// lowerMod: with fmod the remainder has the dividend's sign, as in C, else the divisor's, as in Python. Of a division by
// zero integers give 0 and floats NaN.
func lowerMod(l *Lower) (Kernel, error) {
	c := l.Node.Int("fmod", 0) != 0
	switch l.In[0].DType {
	case tensor.Float32:
		return lowerPairs(l, pairLoop(func(a, b float32) float32 { return float32(floatMod(float64(a), float64(b), c)) }))
	case tensor.Float64:
		return lowerPairs(l, pairLoop(func(a, b float64) float64 { return floatMod(a, b, c) }))
	case tensor.Int8:
		return lowerPairs(l, pairLoop(remainder[int8](c)))
	case tensor.Int16:
		return lowerPairs(l, pairLoop(remainder[int16](c)))
	case tensor.Int32:
		return lowerPairs(l, pairLoop(remainder[int32](c)))
	case tensor.Int64:
		return lowerPairs(l, pairLoop(remainder[int64](c)))
	case tensor.Uint8:
		return lowerPairs(l, pairLoop(remainder[uint8](c)))
	case tensor.Uint16:
		return lowerPairs(l, pairLoop(remainder[uint16](c)))
	case tensor.Uint32:
		return lowerPairs(l, pairLoop(remainder[uint32](c)))
	}
	return lowerPairs(l, pairLoop(remainder[uint64](c)))
}

// remainder is a - b*trunc(a/b) (c, like C and fmod 1) or a - b*floor(a/b) (like Python and fmod 0). The correction by
// b is needed exactly when the truncated remainder and b differ in sign.
func remainder[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64](c bool) func(a, b T) T {
	return func(a, b T) T {
		if b == 0 {
			return 0
		}
		r := a % b
		if !c && r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return r
	}
}

// floatMod is exact: the remainder of two floats is one. A float32 remainder of float32 numbers is one, too. math.Mod
// is exact for any pair of float64 numbers, so rounding to float32 afterwards changes nothing. The sum r + b is the
// only rounded step; it matches numpy.mod.
func floatMod(a, b float64, c bool) float64 {
	r := math.Mod(a, b)
	if r != r {
		return canonical64
	}
	if !c && r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r
}

// canonical64 is the NaN that results in float64 are stored as.
var canonical64 = math.Float64frombits(0x7ff8000000000000)
