package op

import (
	"fmt"
	"math"

	"assay/kernels/numeric"
	"assay/kernels/quantize"
	"assay/shared/tensor"
)

// typeOps change the element type. Rules of Cast as ONNX gives them: floats to integers cut towards zero; integers
// wrap; anything but 0 is true; floats round to nearest, ties to even. saturate (default 1) is for 8-bit floats,
// round_mode (default up) for float8e8m0. What ONNX leaves open is fixed here: floats beyond an integer type are
// clamped and NaN gives 0, on every CPU. CastLike takes the type, and nothing else, of input 1. They stay float; a Cast
// between quantized parts ends the integer region.
var typeOps = []*Op{
	{
		Name: "Cast", Opsets: []int{6, 9, 13, 19, 21}, Role: RoleFloat, Memory: MemoryAny,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Attrs: []string{"round_mode", "saturate", "to"},
		Infer: func(x *Infer) error {
			to, err := castTo(x.Node.Int("to", 0))
			if err != nil {
				return err
			}
			x.put(0, to, x.In[0].Shape...)
			return nil
		},
		Lower: lowerCast,
	},
	{
		Name: "CastLike", Opsets: []int{15, 19, 21}, Role: RoleFloat, Memory: MemoryAny,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Attrs: []string{"round_mode", "saturate"},
		Infer: func(x *Infer) error {
			x.put(0, x.In[1].DType, x.In[0].Shape...)
			return nil
		},
		Lower: lowerCast,
	},
}

// castTo turns a TensorProto.DataType code into a type. 0, strings and types without a fixed size are refused.
func castTo(code int64) (tensor.DType, error) {
	if code < 1 || code > 255 || tensor.DType(code).Size() == 0 {
		return tensor.Invalid, fmt.Errorf("attribute to is %d, which is no supported element type", code)
	}
	return tensor.DType(code), nil
}

// lowerCast works in either layout: elements keep their places.
func lowerCast(l *Lower) (Kernel, error) {
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	r := rounding{saturate: l.Node.Int("saturate", 1) != 0, wrap: true, scale: tensor.ScaleRounding(l.Node.Str("round_mode", "up"))}
	f, err := converterTo(l.In[0].DType, l.Out[0].DType, r)
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) { f(c.Out[0], src.bytes(c)) }, Stretches: l.castStretches(src, f)}, nil
}

// convert returns t in another element type. t stays as it was; the result is always a new tensor, even of the same
// type.
func convert(t *tensor.Tensor, to tensor.DType) (*tensor.Tensor, error) {
	f, err := converter(t.DType, to)
	if err != nil {
		return nil, err
	}
	out := tensor.New(to, t.Shape...)
	f(out.Data, aligned(t))
	return out, nil
}

// converter returns the loop from one element type to another. Floats become integers by cutting towards zero and
// clamping (NaN gives 0), integers wrap, anything but zero is true. Each rounding happens once, to the nearest. The
// loops are total: no value of any type makes them fail. dst has room for as many elements as src holds.
func converter(from, to tensor.DType) (func(dst, src []byte), error) {
	return converterTo(from, to, rounding{saturate: true, wrap: true})
}

// converterTo is converter with a rounding of 8-bit floats.
func converterTo(from, to tensor.DType, r rounding) (func(dst, src []byte), error) {
	if from == to {
		return func(dst, src []byte) { copy(dst, src) }, nil
	}
	var f func(dst, src []byte)
	switch from {
	case tensor.Float32:
		f = fromFloat[float32](to)
	case tensor.Float64:
		f = fromFloat[float64](to)
	case tensor.Float16:
		f = through(to, tensor.HalfToFloat)
	case tensor.BFloat16:
		f = through(to, func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) })
	case tensor.Bool, tensor.Uint8:
		f = fromByte[uint8](to)
	case tensor.Int8:
		f = fromByte[int8](to)
	case tensor.Uint16:
		f = fromInt[uint16](to)
	case tensor.Int16:
		f = fromInt[int16](to)
	case tensor.Int32:
		f = fromInt[int32](to)
	case tensor.Uint32:
		f = fromInt[uint32](to)
	case tensor.Int64:
		f = fromInt[int64](to)
	case tensor.Uint64:
		f = fromInt[uint64](to)
	}
	if f == nil {
		f = oneByOne(from, to, r)
	}
	if f == nil {
		return nil, fmt.Errorf("a cast from %s to %s is not supported", from, to)
	}
	return f, nil
}

// oneByOne is the loop for types that no Go type stands for, nil where there is none.
func oneByOne(from, to tensor.DType, r rounding) func(dst, src []byte) {
	get, put, size := numberAt(from), putNumber(to, r), from.Size()
	if get == nil || put == nil {
		return nil
	}
	return func(dst, src []byte) {
		for i := range len(src) / size {
			put(dst, i, get(src, i))
		}
	}
}

// each is the loop of a conversion.
func each[S, D element](f func(S) D) func(dst, src []byte) {
	return func(dst, src []byte) {
		out := view[D](dst)
		for i, v := range view[S](src) {
			out[i] = f(v)
		}
	}
}

// fromByte is fromInt with the kernel that knows bytes where there is one: a level of scale 1.
func fromByte[S int8 | uint8](to tensor.DType) func(dst, src []byte) {
	if to != tensor.Float32 {
		return fromInt[S](to)
	}
	return func(dst, src []byte) {
		quantize.Dequantize(view[float32](dst), view[S](src), numeric.Affine{Scale: 1})
	}
}

// fromInt wraps as Go's conversions do, whose result is defined for every pair of integer types.
func fromInt[S int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64](to tensor.DType) func(dst, src []byte) {
	switch to {
	case tensor.Float32:
		return each(func(v S) float32 { return float32(v) })
	case tensor.Float64:
		return each(func(v S) float64 { return float64(v) })
	case tensor.Float16:
		return each(func(v S) uint16 { return halfOf(float64(v)) })
	case tensor.BFloat16:
		return each(func(v S) uint16 { return tensor.BFloatFromFloat(float32(v)) })
	case tensor.Bool:
		return each(func(v S) uint8 { return truth(v != 0) })
	case tensor.Int8, tensor.Uint8:
		return each(func(v S) uint8 { return uint8(v) })
	case tensor.Int16, tensor.Uint16:
		return each(func(v S) uint16 { return uint16(v) })
	case tensor.Int32, tensor.Uint32:
		return each(func(v S) uint32 { return uint32(v) })
	case tensor.Int64, tensor.Uint64:
		return each(func(v S) uint64 { return uint64(v) })
	}
	return nil
}

// fromFloat goes through float64, which holds every float32 exactly, so each result is rounded or cut once.
func fromFloat[S float32 | float64](to tensor.DType) func(dst, src []byte) {
	switch to {
	case tensor.Float32:
		return each(func(v S) float32 { return float32(v) })
	case tensor.Float64:
		return each(func(v S) float64 { return float64(v) })
	case tensor.Float16:
		return each(func(v S) uint16 { return halfOf(float64(v)) })
	case tensor.BFloat16:
		return each(func(v S) uint16 { return tensor.BFloatFromFloat(float32(v)) })
	case tensor.Bool:
		return each(func(v S) uint8 { return truth(v != 0) })
	case tensor.Int8:
		return each(func(v S) int8 { return int8(cutTo(float64(v), math.MinInt8, math.MaxInt8)) })
	case tensor.Uint8:
		return each(func(v S) uint8 { return uint8(cutTo(float64(v), 0, math.MaxUint8)) })
	case tensor.Int16:
		return each(func(v S) int16 { return int16(cutTo(float64(v), math.MinInt16, math.MaxInt16)) })
	case tensor.Uint16:
		return each(func(v S) uint16 { return uint16(cutTo(float64(v), 0, math.MaxUint16)) })
	case tensor.Int32:
		return each(func(v S) int32 { return int32(cutTo(float64(v), math.MinInt32, math.MaxInt32)) })
	case tensor.Uint32:
		return each(func(v S) uint32 { return uint32(cutTo(float64(v), 0, math.MaxUint32)) })
	case tensor.Int64:
		return each(func(v S) int64 { return cutTo(float64(v), math.MinInt64, math.MaxInt64) })
	case tensor.Uint64:
		return each(func(v S) uint64 { return cutUnsigned(float64(v)) })
	}
	return nil
}

// through converts a 16-bit float by way of float32, which holds all of its values.
func through(to tensor.DType, f func(uint16) float32) func(dst, src []byte) {
	switch to {
	case tensor.Float32:
		return each(f)
	case tensor.Float64:
		return each(func(h uint16) float64 { return float64(f(h)) })
	case tensor.Float16:
		return each(func(h uint16) uint16 { return halfOf(float64(f(h))) })
	case tensor.BFloat16:
		return each(func(h uint16) uint16 { return tensor.BFloatFromFloat(f(h)) })
	case tensor.Bool:
		return each(func(h uint16) uint8 { return truth(f(h) != 0) })
	case tensor.Int8, tensor.Uint8:
		return each(func(h uint16) uint8 { return uint8(cutTo(float64(f(h)), math.MinInt8, math.MaxUint8)) })
	case tensor.Int32:
		return each(func(h uint16) int32 { return int32(cutTo(float64(f(h)), math.MinInt32, math.MaxInt32)) })
	case tensor.Int64:
		return each(func(h uint16) int64 { return cutTo(float64(f(h)), math.MinInt64, math.MaxInt64) })
	}
	return nil
}

// truth is a bool as ONNX stores it.
func truth(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// cutTo cuts v towards zero and clamps it to [lo, hi]; NaN gives 0. The conversion itself is then defined on every CPU.
func cutTo(v float64, lo, hi int64) int64 {
	switch {
	case v != v:
		return 0
	case v >= float64(hi):
		return hi
	case v <= float64(lo):
		return lo
	}
	return int64(v)
}

// cutUnsigned is cutTo for the type whose upper half int64 cannot name.
func cutUnsigned(v float64) uint64 {
	switch {
	case !(v > 0):
		return 0
	case v >= math.MaxUint64:
		return math.MaxUint64
	}
	return uint64(v)
}
