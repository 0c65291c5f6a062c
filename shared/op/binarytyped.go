package op

import (
	"fmt"

	"assay/kernels/elementwise"
	"assay/shared/tensor"
)

// binaryLoop is the loop of a binary operator for one element type. An unknown pair of name and type is an error and
// not a panic, because bool admits Equal but not Less, and Lower is the first to see both. The forms by type:
//
//	float32           vector kernels where floatOps names one, else comparisons
//	float64           plain loops, products rounded before sums by construction: each function is one operation
//	8 to 64 bits      plain loops; Add, Sub, Mul wrap modulo 2^bits as Go's do
//	bool              truth tables over bytes of 0 and 1
func binaryLoop(name string, d tensor.DType) (func(p *pairs, dst, a, b []byte), error) {
	var f func(p *pairs, dst, a, b []byte)
	switch d {
	case tensor.Float32:
		f = floatPairs(name)
	case tensor.Float64:
		f = numberPairs[float64](name, func(a, b float64) float64 { return a / b })
	case tensor.Bool:
		f = boolPairs(name)
	case tensor.Int8:
		f = numberPairs(name, quotient[int8])
	case tensor.Int16:
		f = numberPairs(name, quotient[int16])
	case tensor.Int32:
		if f = numberPairs(name, quotient[int32]); name == "Equal" {
			f = equalPairs
		}
	case tensor.Int64:
		f = numberPairs(name, quotient[int64])
	case tensor.Uint8:
		f = numberPairs(name, quotient[uint8])
	case tensor.Uint16:
		f = numberPairs(name, quotient[uint16])
	case tensor.Uint32:
		f = numberPairs(name, quotient[uint32])
	case tensor.Uint64:
		f = numberPairs(name, quotient[uint64])
	}
	if f == nil {
		return nil, fmt.Errorf("element type %s is not supported", d)
	}
	return f, nil
}

// floatPairs are the float32 forms; comparisons are the same for all numbers.
func floatPairs(name string) func(p *pairs, dst, a, b []byte) {
	if op, ok := floatOps[name]; ok {
		return floatLoop(op)
	}
	return comparePairs[float32](name)
}

// floatOps are the operators that kernels have a float function for.
var floatOps = map[string]elementwise.Op2{
	"Add": elementwise.Add, "Sub": elementwise.Sub, "Mul": elementwise.Mul, "Div": elementwise.Div,
	"Max": elementwise.Max, "Min": elementwise.Min, "Pow": elementwise.Pow, "PRelu": elementwise.PRelu,
}

// numberPairs are the forms of integers, which wrap, and of float64. Max and Min of float64 are Go's: NaN wins and +0
// is above -0, which is also design.md 6's rule. div is passed in because integers need quotient and float64 does not.
func numberPairs[T element](name string, div func(a, b T) T) func(p *pairs, dst, a, b []byte) {
	switch name {
	case "Add":
		return pairLoop(func(a, b T) T { return a + b })
	case "Sub":
		return pairLoop(func(a, b T) T { return a - b })
	case "Mul":
		return pairLoop(func(a, b T) T { return T(a * b) })
	case "Div":
		return pairLoop(div)
	case "Max":
		return pairLoop(func(a, b T) T { return max(a, b) })
	case "Min":
		return pairLoop(func(a, b T) T { return min(a, b) })
	}
	return comparePairs[T](name)
}

// comparePairs gives 1 or 0 per pair; nil for a name that is no comparison, which binaryLoop turns into its error.
func comparePairs[T element](name string) func(p *pairs, dst, a, b []byte) {
	switch name {
	case "Equal":
		return pairLoop(func(a, b T) uint8 { return truth(a == b) })
	case "Less":
		return pairLoop(func(a, b T) uint8 { return truth(a < b) })
	case "Greater":
		return pairLoop(func(a, b T) uint8 { return truth(a > b) })
	case "LessOrEqual":
		return pairLoop(func(a, b T) uint8 { return truth(a <= b) })
	case "GreaterOrEqual":
		return pairLoop(func(a, b T) uint8 { return truth(a >= b) })
	}
	return nil
}

// equalPairs is the comparison of int32.
func equalPairs(p *pairs, dst, a, b []byte) {
	if len(dst) > 0 {
		elementwise.EqualPairs(dst, view[int32](a), view[int32](b), p.shape, p.a, p.b)
	}
}

// boolPairs reads any byte but 0 as true, as files may hold others; results are 0 and 1 only.
func boolPairs(name string) func(p *pairs, dst, a, b []byte) {
	switch name {
	case "And":
		return pairLoop(func(a, b uint8) uint8 { return truth(a != 0 && b != 0) })
	case "Or":
		return pairLoop(func(a, b uint8) uint8 { return truth(a != 0 || b != 0) })
	case "Xor", "Equal":
		return pairLoop(func(a, b uint8) uint8 { return truth((a != 0 != (b != 0)) == (name == "Xor")) })
	}
	return nil
}

// quotient divides integers towards zero; a division by zero gives 0, where C leaves it open. The one overflow, the
// lowest number divided by -1, wraps to itself as Go defines it (x86's IDIV would trap).
func quotient[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64](a, b T) T {
	if b == 0 {
		return 0
	}
	return a / b
}
