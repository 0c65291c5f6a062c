package search

import (
	"fmt"
	"math/big"
)

// DropType says what a limit is a share of.
type DropType uint8

// Absolute limits are in the metric's own unit, relative ones a share of the baseline's magnitude.
const (
	Absolute DropType = iota
	Relative
)

// String returns the word of the job file.
func (t DropType) String() string {
	if t == Relative {
		return "relative"
	}
	return "absolute"
}

// Limit is the drop that is allowed, inclusive, for every metric. Drop is exact: 0.01 means 1/100 and not the float64
// beside it. 0 means no drop at all.
type Limit struct {
	Drop *big.Rat
	Type DropType
}

// ParseLimit reads a decimal such as 0.01 or 1e-3 exactly.
func ParseLimit(decimal string, t DropType) (Limit, error) {
	r, ok := new(big.Rat).SetString(decimal)
	if !ok || len(decimal) > 64 {
		return Limit{}, fmt.Errorf("limit %.64q: want a decimal number such as 0.01", decimal)
	}
	if r.Sign() < 0 {
		return Limit{}, fmt.Errorf("limit %s: a drop below 0 asks for a model better than float; want 0 or more", decimal)
	}
	return Limit{Drop: r, Type: t}, nil
}

// slack is what rounding of two float64 metric values may add to a drop; counts get none.
var slack = big.NewRat(1, 1_000_000_000)

// Allowed returns the drop that l allows under baseline, in the metric's own unit.
func (l Limit) Allowed(baseline Value) *big.Rat {
	if l.Type == Absolute {
		return new(big.Rat).Set(l.Drop)
	}
	b, ok := baseline.rat()
	if !ok {
		return new(big.Rat)
	}
	return b.Mul(b.Abs(b), l.Drop)
}

// Within reports whether v's drop under baseline is at most what l allows. Equality counts; when either value is no
// fraction of counts, so does an excess up to 1e-9.
func (l Limit) Within(m Metric, baseline, v Value) bool {
	d := m.Drop(baseline, v)
	if d == nil {
		return false
	}
	a := l.Allowed(baseline)
	if !baseline.Exact() || !v.Exact() {
		a.Add(a, slack)
	}
	return d.Cmp(a) <= 0
}

// compareDrops orders drops; nil is a value that is no number and worse than every drop.
func compareDrops(a, b *big.Rat) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Cmp(b)
}
