package metric

import (
	"fmt"
	"math"
	"math/big"
)

// Limit is the largest drop that the user accepts. It keeps the decimal text's exact value. The zero Limit allows no
// drop at all, absolutely.
type Limit struct {
	Relative bool
	max      *big.Rat // nil is 0
}

// slack is what a drop may exceed the limit by when a value is known in floating point only; exact fractions have none.
var slack = big.NewRat(1, 1_000_000_000)

// ParseLimit reads maximal_drop from its decimal text: a number of at least 0.
func ParseLimit(text string, relative bool) (Limit, error) {
	r, err := decimal(text)
	if err != nil {
		return Limit{}, fmt.Errorf("maximal drop %w", err)
	}
	if r.Sign() < 0 {
		return Limit{}, fmt.Errorf("maximal drop %s: 0 or more is needed", text)
	}
	return Limit{relative, r}, nil
}

// rat is the limit as a fraction. The caller does not change it.
func (l Limit) rat() *big.Rat {
	if l.max == nil {
		return new(big.Rat)
	}
	return l.max
}

// Float is the limit rounded to float64.
func (l Limit) Float() float64 { f, _ := l.rat().Float64(); return f }

// Drop is how much worse v is than base, positive for worse: base - v where higher is better. Relative to |base| when
// the limit is relative, so a negative base does not turn the direction; a relative drop from 0 is 0, +Inf or -Inf.
// The result is exact when both values are and the fraction fits 64 bits, and NaN when one of them is not finite.
func (l Limit) Drop(d Direction, base, v Value) Value {
	diff := difference(d, base, v)
	if diff == nil {
		return Float(math.NaN())
	}
	if l.Relative {
		b := base.rat()
		if b.Sign() == 0 {
			if diff.Sign() != 0 {
				return Float(math.Inf(diff.Sign()))
			}
			return Count(0, 1)
		}
		diff.Quo(diff, b.Abs(b))
	}
	f, _ := diff.Float64()
	if base.Exact() && v.Exact() && diff.Num().IsInt64() && diff.Denom().IsInt64() {
		return Value{diff.Num().Int64(), diff.Denom().Int64(), f}
	}
	return Float(f)
}

// Allows says whether v's drop from base is within the limit. A drop equal to the limit is; where a value is known in floating
// point only, 1e-9 more (in Excess's unit) count as equal. NaN and infinities never are.
func (l Limit) Allows(d Direction, base, v Value) bool {
	if num, _, ok := l.small(d, base, v); ok {
		return num <= 0
	}
	e := l.excess(d, base, v)
	if e == nil {
		return false
	}
	if !base.Exact() || !v.Exact() {
		e.Sub(e, slack)
	}
	return e.Sign() <= 0
}

// Excess is drop - limit in the metric's own unit (for a relative limit: drop - limit*|base|), rounded; it is at most 0
// where the limit holds exactly, without what Allows adds for floating point. NaN when a value is not finite.
func (l Limit) Excess(d Direction, base, v Value) float64 {
	if num, den, ok := l.small(d, base, v); ok {
		return float64(num) / float64(den)
	}
	e := l.excess(d, base, v)
	if e == nil {
		return math.NaN()
	}
	f, _ := e.Float64()
	return f
}

// smallBound: products of three numbers below it, and sums of two such, are integers that a float64 holds, and their quotient is the
// fraction rounded once.
const smallBound = 1 << 16

// small is excess as a fraction, not in lowest terms, where all numbers are small fractions, as with counts of samples and a limit of a few
// digits.
func (l Limit) small(d Direction, base, v Value) (num, den int64, ok bool) {
	if !base.Exact() || !v.Exact() || !isSmall(base) || !isSmall(v) {
		return 0, 0, false
	}
	most := Value{Num: 0, Den: 1}
	if l.max != nil {
		if !l.max.Num().IsInt64() || !l.max.Denom().IsInt64() {
			return 0, 0, false
		}
		if most = (Value{Num: l.max.Num().Int64(), Den: l.max.Denom().Int64()}); !isSmall(most) {
			return 0, 0, false
		}
	}
	diff, allowed := base.Num*v.Den-v.Num*base.Den, base.Den
	if d == HigherWorse {
		diff = -diff
	}
	if l.Relative {
		allowed = max(base.Num, -base.Num)
	}
	return diff*most.Den - most.Num*allowed*v.Den, base.Den * v.Den * most.Den, true
}

// isSmall says that both numbers of a fraction are below smallBound.
func isSmall(v Value) bool { return v.Num > -smallBound && v.Num < smallBound && v.Den < smallBound }

// excess is drop - limit exactly, in the unit of the metric: a relative limit is multiplied by |base| instead of dividing the
// drop, so that a base of 0 needs no case. nil when a value is not finite.
func (l Limit) excess(d Direction, base, v Value) *big.Rat {
	diff := difference(d, base, v)
	if diff == nil {
		return nil
	}
	allowed := new(big.Rat).Set(l.rat())
	if l.Relative {
		b := base.rat()
		allowed.Mul(allowed, b.Abs(b))
	}
	return diff.Sub(diff, allowed)
}

// Parts says how finely the limit can be judged on a base that counts d = base.Den equal parts, as samples are: lost is how
// many parts may go at most, floor(allowed*d), and enough the smallest d of which one may, ceil(1/allowed). allowed is the
// limit in the metric's own unit. enough is 0 where nothing may be lost, or more parts than an int64 counts would be
// needed; ok is false for a base that is no fraction.
func (l Limit) Parts(base Value) (lost, enough int64, ok bool) {
	if !base.Exact() {
		return 0, 0, false
	}
	allowed := new(big.Rat).Set(l.rat())
	if l.Relative {
		b := base.rat()
		allowed.Mul(allowed, b.Abs(b))
	}
	n := new(big.Int).Mul(allowed.Num(), big.NewInt(base.Den))
	if n.Quo(n, allowed.Denom()); !n.IsInt64() {
		return base.Den, 1, true
	}
	lost = min(n.Int64(), base.Den)
	if allowed.Sign() == 0 {
		return lost, 0, true
	}
	d := new(big.Int).Add(allowed.Denom(), allowed.Num())
	if d.Sub(d, big.NewInt(1)).Quo(d, allowed.Num()); d.IsInt64() {
		enough = d.Int64()
	}
	return lost, enough, true
}

// difference is sign * (base - v), nil when one of them is not finite.
func difference(d Direction, base, v Value) *big.Rat {
	b, x := base.rat(), v.rat()
	if b == nil || x == nil {
		return nil
	}
	diff := new(big.Rat).Sub(b, x)
	if d == HigherWorse {
		diff.Neg(diff)
	}
	return diff
}
