package op

import (
	"fmt"
	"math"

	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// typedUnary is the loop of a unary operator over elements that are no float32. A row whose Types promise more than
// there is here is found at lowering, as an error.
func typedUnary(name string, d tensor.DType) (func(dst, src []byte), error) {
	var f func(dst, src []byte)
	switch d {
	case tensor.Float64:
		f = double(name)
	case tensor.Int8:
		f = integer[int8](name)
	case tensor.Int16:
		f = integer[int16](name)
	case tensor.Int32:
		f = integer[int32](name)
	case tensor.Int64:
		f = integer[int64](name)
	case tensor.Uint8:
		f = integer[uint8](name)
	case tensor.Uint16:
		f = integer[uint16](name)
	case tensor.Uint32:
		f = integer[uint32](name)
	case tensor.Uint64:
		f = integer[uint64](name)
	}
	if f == nil {
		return nil, fmt.Errorf("element type %s is not supported", d)
	}
	return f, nil
}

// double holds the float64 forms; nil for names without one.
func double(name string) func(dst, src []byte) {
	f := map[string]func(float64) float64{
		"Sqrt": math.Sqrt, "Floor": math.Floor, "Ceil": math.Ceil, "Round": math.RoundToEven, "Abs": math.Abs,
		"Neg": func(v float64) float64 { return -v }, "Sign": sign[float64],
		"Exp": numeric.Exp64, "Log": numeric.Log64, "Sigmoid": sigmoid64, "Tanh": tanh64,
		"Reciprocal": func(v float64) float64 { return 1 / v },
		"Relu":       func(v float64) float64 { return max(v, 0) },
	}[name]
	if f == nil {
		return nil
	}
	return each(f)
}

// integer wraps: -min is min, and Abs of min is min.
func integer[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64](name string) func(dst, src []byte) {
	switch name {
	case "Neg":
		return each(func(v T) T { return -v })
	case "Abs":
		return each(func(v T) T { return max(v, -v*T(truth(v < 0))) })
	case "Sign":
		return each(sign[T])
	case "Relu":
		return each(func(v T) T { return max(v, 0) })
	}
	return nil
}
