package search

import (
	"math"
	"math/big"

	"assay/shared/metric"
)

// Value is a metric's value or a drop.
type Value = metric.Value

// rat is v exactly, nil for NaN and infinities.
func rat(v Value) *big.Rat {
	if v.Exact() {
		return big.NewRat(v.Num, v.Den)
	}
	return new(big.Rat).SetFloat64(v.F)
}

// value is r as a Value: exact when asked for and if it fits. Nil is NaN.
func value(r *big.Rat, exact bool) Value {
	if r == nil {
		return metric.Float(math.NaN())
	}
	f, _ := r.Float64()
	if exact && r.Num().IsInt64() && r.Denom().IsInt64() {
		return Value{Num: r.Num().Int64(), Den: r.Denom().Int64(), F: f}
	}
	return metric.Float(f)
}

// less is a - b, NaN when one of them is no finite number.
func less(a, b Value) Value {
	x, y := rat(a), rat(b)
	if x == nil || y == nil {
		return value(nil, false)
	}
	return value(x.Sub(x, y), a.Exact() && b.Exact())
}

// compareDrops orders drops: below 0 when a is the smaller one. NaN, the drop of a value that is no number, is larger than
// every drop and equal to itself.
func compareDrops(a, b Value) int {
	x, y := math.IsNaN(a.F), math.IsNaN(b.F)
	switch {
	case x && y:
		return 0
	case x:
		return 1
	case y:
		return -1
	}
	return a.Compare(b)
}
