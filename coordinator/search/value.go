package search

import (
	"math"
	"math/big"
	"strconv"
)

// Value is what a metric yields: the exact fraction Num/Den when Den > 0 (counts), else the number F.
type Value struct {
	Num, Den int64
	F        float64
}

// Count returns the exact value num/den.
func Count(num, den int64) Value { return Value{Num: num, Den: den, F: float64(num) / float64(den)} }

// Float returns the inexact value f.
func Float(f float64) Value { return Value{F: f} }

// Exact reports whether v is a fraction of counts.
func (v Value) Exact() bool { return v.Den > 0 }

// Number returns v as the nearest float64.
func (v Value) Number() float64 {
	if v.Exact() {
		return float64(v.Num) / float64(v.Den)
	}
	return v.F
}

// Equal reports whether v and w stand for the same number by the same kind; NaN equals NaN.
func (v Value) Equal(w Value) bool {
	if v.Exact() != w.Exact() {
		return false
	}
	if v.Exact() {
		a, _ := v.rat()
		b, _ := w.rat()
		return a.Cmp(b) == 0
	}
	return v.F == w.F || math.IsNaN(v.F) && math.IsNaN(w.F)
}

// String prints counts as a fraction and other numbers in the shortest form that reads back.
func (v Value) String() string {
	if v.Exact() {
		return strconv.FormatInt(v.Num, 10) + "/" + strconv.FormatInt(v.Den, 10)
	}
	return strconv.FormatFloat(v.F, 'g', -1, 64)
}

// rat returns v exactly; ok is false for NaN and infinities, which no model that works has.
func (v Value) rat() (r *big.Rat, ok bool) {
	if v.Exact() {
		return big.NewRat(v.Num, v.Den), true
	}
	if math.IsNaN(v.F) || math.IsInf(v.F, 0) {
		return nil, false
	}
	return new(big.Rat).SetFloat64(v.F), true
}
