package plan

import (
	"fmt"
	"math/bits"
	"slices"
)

// All is the plan that leaves every group of params in INT8; params must not be nil, and it takes their digest.
func All(params *Params) Plan { return Plan{Params: params.Digest()} }

// Has reports whether group g is float; no group is that p's params do not have.
func (p Plan) Has(g int) bool { return g >= 0 && g/64 < len(p.Float) && p.Float[g/64]>>(g%64)&1 == 1 }

// Revert returns p with group g float as well; p keeps its words. A group that is float already gives an equal plan,
// because a replayed search asks again. groups is the number that p's params have; g outside it is an error.
func (p Plan) Revert(g, groups int) (Plan, error) {
	if g < 0 || g >= groups {
		return Plan{}, fmt.Errorf("plan %s: revert group %d: params end at group %d (state of another model?)", p.Params.Short(), g, groups-1)
	}
	f := slices.Clone(p.Float)
	f = append(f, make([]uint64, max(0, g/64+1-len(f)))...)
	f[g/64] |= 1 << (g % 64)
	return Plan{p.Params, f}, nil
}

// Restore returns p with group g in INT8 again; p keeps its words. It is the inverse of Revert and errs where Revert does.
func (p Plan) Restore(g, groups int) (Plan, error) {
	if g < 0 || g >= groups {
		return Plan{}, fmt.Errorf("plan %s: restore group %d: params end at group %d (state of another model?)", p.Params.Short(), g, groups-1)
	}
	if !p.Has(g) {
		return p, nil
	}
	f := slices.Clone(p.Float)
	f[g/64] &^= 1 << (g % 64)
	return Plan{p.Params, canonical(f)}, nil
}

// Count is the number of float groups.
func (p Plan) Count() int {
	n := 0
	for _, w := range p.Float {
		n += bits.OnesCount64(w)
	}
	return n
}

// FloatGroups lists the float groups in ascending order, nil for none.
func (p Plan) FloatGroups() []int {
	var out []int
	for i, w := range p.Float {
		for ; w != 0; w &= w - 1 {
			out = append(out, 64*i+bits.TrailingZeros64(w))
		}
	}
	return out
}

// Equal reports whether p and q are the same params with the same float groups.
func (p Plan) Equal(q Plan) bool { return p.Params == q.Params && slices.Equal(p.Float, q.Float) }

// Check refuses a plan that is not canonical or names a group that its params (groups of them) do not have.
func (p Plan) Check(groups int) error {
	if p.Params.IsZero() && len(p.Float) > 0 {
		return fmt.Errorf("plan without params names %d float groups", p.Count())
	}
	if n := len(p.Float); n > 0 {
		if p.Float[n-1] == 0 {
			return fmt.Errorf("plan %s: last of %d words is 0, so it is not the one encoding of its set", p.Params.Short(), n)
		}
		if last := 64*n - 1 - bits.LeadingZeros64(p.Float[n-1]); last >= groups {
			return fmt.Errorf("plan %s: group %d is float, params end at group %d (state of another model?)", p.Params.Short(), last, groups-1)
		}
	}
	return nil
}

// canonical drops zero words from the end: one set of groups has one encoding and one digest.
func canonical(f []uint64) []uint64 {
	for len(f) > 0 && f[len(f)-1] == 0 {
		f = f[:len(f)-1]
	}
	if len(f) == 0 {
		return nil
	}
	return f
}
