package metric

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// Value is a metric's value. Den > 0: the exact fraction Num/Den, not always in lowest terms, and F is it rounded. Den == 0: F
// alone counts, which is NaN when nothing was measured. Compare, and not ==, says which are equal. The zero Value is 0.
type Value struct {
	Num, Den int64
	F        float64
}

// Count is the exact value n of d; nothing counted (d of 0 or less) gives a value of NaN.
func Count(n, d int64) Value {
	if d <= 0 {
		return Value{F: math.NaN()}
	}
	return Value{Num: n, Den: d, F: float64(n) / float64(d)}
}

// Float is a value that is known in floating point only.
func Float(f float64) Value { return Value{F: f} }

// ParseValue reads a decimal number exactly where its fraction fits 64 bits, rounded otherwise, as a baseline in a job file has
// it. More than 64 characters and exponents beyond what a float64 holds are errors.
func ParseValue(s string) (Value, error) {
	r, err := decimal(s)
	if err != nil {
		return Value{}, fmt.Errorf("value %w", err)
	}
	f, _ := r.Float64()
	if r.Num().IsInt64() && r.Denom().IsInt64() {
		return Value{Num: r.Num().Int64(), Den: r.Denom().Int64(), F: f}, nil
	}
	return Float(f), nil
}

// maxDigits bounds the text of a number, and maxExponent its size: 1e999999999 would cost memory.
const (
	maxDigits   = 64
	maxExponent = 400
)

// decimal reads the text of a number as the fraction that it says.
func decimal(s string) (*big.Rat, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || len(s) > maxDigits || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fmt.Errorf("%q: a decimal number is needed, such as 0.01", s)
	}
	if e, ok := exponent(s); !ok || e < -maxExponent {
		return nil, fmt.Errorf("%q: its exponent is out of range", s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("%q: a decimal number is needed, such as 0.01", s)
	}
	return r, nil
}

// exponent is the number behind e or p, 0 without one.
func exponent(s string) (int, bool) {
	for i, c := range s {
		if c == 'e' || c == 'E' || c == 'p' || c == 'P' {
			e, err := strconv.Atoi(s[i+1:])
			return e, err == nil
		}
	}
	return 0, true
}

// Exact says that v is a fraction and not a rounded number.
func (v Value) Exact() bool { return v.Den > 0 }

// rat is v as a fraction, nil for NaN and infinities.
func (v Value) rat() *big.Rat {
	if v.Exact() {
		return big.NewRat(v.Num, v.Den)
	}
	return new(big.Rat).SetFloat64(v.F)
}

// Compare orders values exactly: -1, 0 or +1. NaN comes before everything and equals NaN; infinities are at the ends.
func (v Value) Compare(w Value) int {
	if v.Exact() && w.Exact() {
		return compareProducts(v.Num, w.Den, w.Num, v.Den)
	}
	if !v.Exact() && !w.Exact() {
		return compareFloats(v.F, w.F)
	}
	a, b := v.rat(), w.rat()
	if a != nil && b != nil {
		return a.Cmp(b)
	}
	return compareFloats(v.F, w.F)
}

// compareProducts orders a*b and c*d, where b and d are above 0, in 128 bits: searches that are played to foresee their end compare
// values hundreds of thousands of times, and fractions of any length took 2 % of a small job.
func compareProducts(a, b, c, d int64) int {
	if s, t := cmp.Compare(a, 0), cmp.Compare(c, 0); s != t || s == 0 {
		return cmp.Compare(s, t)
	} else if s < 0 {
		return compareProducts128(c, d, a, b)
	}
	return compareProducts128(a, b, c, d)
}

// compareProducts128 orders |a|*b and |c|*d.
func compareProducts128(a, b, c, d int64) int {
	h, l := bits.Mul64(magnitude(a), uint64(b))
	i, m := bits.Mul64(magnitude(c), uint64(d))
	return cmp.Or(cmp.Compare(h, i), cmp.Compare(l, m))
}

// magnitude is |a|, of the lowest number too.
func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

// compareFloats is Compare of values that are no fractions, or of a fraction and none.
func compareFloats(x, y float64) int {
	switch {
	case math.IsNaN(x) && math.IsNaN(y) || x == y:
		return 0
	case math.IsNaN(x) || x < y:
		return -1
	}
	return 1
}

// String is the fraction and its decimal form, "76/100 (0.76)", or the decimal form alone.
func (v Value) String() string {
	f := strconv.FormatFloat(v.F, 'g', 6, 64)
	if !v.Exact() {
		return f
	}
	return fmt.Sprintf("%d/%d (%s)", v.Num, v.Den, f)
}
