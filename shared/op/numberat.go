package op

import (
	"math"

	"assay/shared/tensor"
)

// Readers and writers of single elements, for operators that take types which have no kernel: 16-bit and 8-bit floats,
// integers of less than a byte. They are an order of magnitude slower than loops over a Go type.

// numberAt returns the function that reads element i of type d as float64, exact but for integers beyond 2^53; nil for
// types that hold no real numbers. The readers take the index of an element, not a byte offset, and check nothing.
func numberAt(d tensor.DType) func(b []byte, i int) float64 {
	switch d {
	case tensor.Float32:
		return func(b []byte, i int) float64 { return float64(view[float32](b)[i]) }
	case tensor.Float64:
		return func(b []byte, i int) float64 { return view[float64](b)[i] }
	case tensor.Float16:
		return func(b []byte, i int) float64 { return float64(tensor.HalfToFloat(view[uint16](b)[i])) }
	case tensor.BFloat16:
		return func(b []byte, i int) float64 { return float64(tensor.BFloatToFloat(view[uint16](b)[i])) }
	}
	if table := tensor.SmallToFloat(d); table != nil {
		return func(b []byte, i int) float64 { return float64(table[b[i]]) }
	}
	if f := integerAt(d); f != nil {
		return func(b []byte, i int) float64 { return float64(f(b, i)) }
	}
	return nil
}

// integerAt is numberAt for integers and bool; uint64 wraps.
func integerAt(d tensor.DType) func(b []byte, i int) int64 {
	switch d {
	case tensor.Int8, tensor.Int4, tensor.Int2:
		return func(b []byte, i int) int64 { return int64(int8(b[i])) }
	case tensor.Uint8, tensor.Uint4, tensor.Uint2, tensor.Bool:
		return func(b []byte, i int) int64 { return int64(b[i]) }
	case tensor.Int16:
		return func(b []byte, i int) int64 { return int64(view[int16](b)[i]) }
	case tensor.Uint16:
		return func(b []byte, i int) int64 { return int64(view[uint16](b)[i]) }
	case tensor.Int32:
		return func(b []byte, i int) int64 { return int64(view[int32](b)[i]) }
	case tensor.Uint32:
		return func(b []byte, i int) int64 { return int64(view[uint32](b)[i]) }
	case tensor.Int64:
		return func(b []byte, i int) int64 { return view[int64](b)[i] }
	case tensor.Uint64:
		return func(b []byte, i int) int64 { return int64(view[uint64](b)[i]) }
	}
	return nil
}

// rounding says how numbers that a type cannot hold become ones that it can. Integers are cut towards zero and clamped.
// The zero value clamps and rounds to nearest, which is what QuantizeLinear wants; Cast sets all three fields.
type rounding struct {
	saturate bool // 8-bit floats: the largest number for what lies beyond
	wrap     bool // integers of less than a byte keep the low bits, as a Cast does, instead of being clamped
	scale    tensor.ScaleRounding
}

// putNumber returns the function that writes v as element i of type d; nil for types that hold no real numbers. v has
// been rounded to float32 for the 16-bit floats, so that each result is rounded once from what the caller computed.
// Integer results are cut here: whoever rounds half to even does it before.
func putNumber(d tensor.DType, r rounding) func(b []byte, i int, v float64) {
	switch d {
	case tensor.Float32:
		return func(b []byte, i int, v float64) { view[float32](b)[i] = float32(v) }
	case tensor.Float64:
		return func(b []byte, i int, v float64) { view[float64](b)[i] = v }
	case tensor.Float16:
		return func(b []byte, i int, v float64) { view[uint16](b)[i] = halfOf(v) }
	case tensor.BFloat16:
		return func(b []byte, i int, v float64) { view[uint16](b)[i] = tensor.BFloatFromFloat(float32(v)) }
	case tensor.Bool:
		return func(b []byte, i int, v float64) { b[i] = truth(v != 0) }
	case tensor.Float8E8M0:
		return func(b []byte, i int, v float64) { b[i] = tensor.FloatToScale(v, r.saturate, r.scale) }
	}
	if tensor.SmallToFloat(d) != nil {
		return func(b []byte, i int, v float64) { b[i] = tensor.SmallFromFloat(d, v, r.saturate) }
	}
	lo, hi, ok := integerLimits(d)
	if !ok {
		return nil
	}
	put := putInteger(d)
	if bits := d.Bits(); r.wrap && bits < 8 {
		up := 64 - bits
		return func(b []byte, i int, v float64) {
			n := cutTo(v, math.MinInt64, math.MaxInt64) << up
			if lo < 0 {
				b[i] = byte(n >> up)
				return
			}
			b[i] = byte(uint64(n) >> up)
		}
	}
	return func(b []byte, i int, v float64) { put(b, i, cutTo(v, lo, hi)) }
}

// integerLimits are the lowest and highest value of an integer type of at most 32 bits. ok is false for uint64, which
// int64 limits cannot express; Cast has its own loop for it.
func integerLimits(d tensor.DType) (lo, hi int64, ok bool) {
	bits := d.Bits()
	switch d {
	case tensor.Int2, tensor.Int4, tensor.Int8, tensor.Int16, tensor.Int32:
		return -1 << (bits - 1), 1<<(bits-1) - 1, true
	case tensor.Uint2, tensor.Uint4, tensor.Uint8, tensor.Uint16, tensor.Uint32:
		return 0, 1<<bits - 1, true
	case tensor.Int64:
		return math.MinInt64, math.MaxInt64, true
	}
	return 0, 0, false
}

// putInteger writes an integer that the type holds.
func putInteger(d tensor.DType) func(b []byte, i int, v int64) {
	switch d.Size() {
	case 1:
		return func(b []byte, i int, v int64) { b[i] = byte(v) }
	case 2:
		return func(b []byte, i int, v int64) { view[uint16](b)[i] = uint16(v) }
	case 4:
		return func(b []byte, i int, v int64) { view[uint32](b)[i] = uint32(v) }
	}
	return func(b []byte, i int, v int64) { view[uint64](b)[i] = uint64(v) }
}
