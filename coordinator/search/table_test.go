package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"assay/shared/metric"
	"assay/shared/plan"
)

// table answers trials from a description of samples, or from values written down per float set. It is the cluster of the
// transcripts: testdata/README.md documents its language.
type table struct {
	groups  int
	samples []condition      // when each sample is wrong
	values  map[string]Value // by where (all or subset) and float set; wins over samples
	second  map[string]Value // a second metric, 1 where nothing is said; none if nil
	fail    map[int]error    // by number of the round
	twist   func(*Answer)    // damages answers
	rounds  []Round
}

// condition is a disjunction of conjunctions over groups.
type condition [][]literal

// literal holds while the group is INT8, or while it is float.
type literal struct {
	group int
	float bool
}

// wrong reports whether a sample with condition c is wrong under p; the zero plan is the float model.
func (c condition) wrong(p plan.Plan) bool {
	return slices.ContainsFunc(c, func(all []literal) bool {
		for _, l := range all {
			if (p.Params.IsZero() || p.Has(l.group)) != l.float {
				return false
			}
		}
		return true
	})
}

// parseCondition reads "1&!2|3": wrong while 1 is INT8 and 2 float, or while 3 is INT8. "never" and "always" are what they say.
func parseCondition(s string) (condition, error) {
	switch s {
	case "never":
		return nil, nil
	case "always":
		return condition{{}}, nil
	}
	var c condition
	for all := range strings.SplitSeq(s, "|") {
		var ls []literal
		for word := range strings.SplitSeq(all, "&") {
			n, err := strconv.Atoi(strings.TrimPrefix(word, "!"))
			if err != nil {
				return nil, fmt.Errorf("condition %q: %q is no group", s, word)
			}
			ls = append(ls, literal{group: n, float: strings.HasPrefix(word, "!")})
		}
		c = append(c, ls)
	}
	return c, nil
}

// Ask answers all of r.Need and ignores the rest of r.
func (t *table) Ask(_ context.Context, r Round) ([]Answer, error) {
	t.rounds = append(t.rounds, r)
	if err := t.fail[len(t.rounds)]; err != nil {
		return nil, err
	}
	if len(t.rounds) > 4*t.groups+2 { // a ranking and a revert each, twice a group
		return nil, errEndless
	}
	var out []Answer
	for _, q := range r.Need {
		a := t.answer(q)
		if t.twist != nil {
			t.twist(&a)
		}
		out = append(out, a)
	}
	return out, nil
}

func (t *table) answer(q Trial) Answer {
	rec := make(perSample, len(q.View.Samples))
	right := 0
	for i, s := range q.View.Samples {
		if int(s) < len(t.samples) && !t.samples[s].wrong(q.Plan) {
			rec[i] = 1
			right++
		}
	}
	v := metric.Count(int64(right), int64(len(rec)))
	where := "all"
	if len(rec) < len(t.samples) {
		where = "subset"
	}
	if w, ok := t.values[where+" "+setName(q.Plan)]; ok {
		v = w
	}
	values := []Value{v}
	if t.second != nil {
		w, ok := t.second[where+" "+setName(q.Plan)]
		if !ok {
			w = metric.Count(1, 1)
		}
		values = append(values, w)
	}
	return Answer{Trial: q, Lo: values, Hi: values, Seen: len(rec), Records: rec}
}

// perSample are records that are the same for every metric.
type perSample []float64

func (r perSample) Sample(_, i int) float64 { return r[i] }

// setName writes a plan as the scripts do: "model" is float, "-" all INT8, else the float groups.
func setName(p plan.Plan) string {
	if p.Params.IsZero() {
		return "model"
	}
	return groupsName(p.FloatGroups())
}

func groupsName(groups []int) string {
	if len(groups) == 0 {
		return "-"
	}
	var words []string
	for _, g := range groups {
		words = append(words, strconv.Itoa(g))
	}
	return strings.Join(words, "+")
}

// exhaustive is the naive twin of every search: it measures all 2^G float sets and returns the best by the same order of
// merit, written down independently: within the limit, smallest drop, fewest groups.
func exhaustive(p Problem, t *table) (best plan.Plan, met bool) {
	base := t.answer(trial(plan.Plan{}, p.View)).Hi[0].F
	bestDrop := math.Inf(1)
	limit := p.Limit.Float()
	for bit := range uint64(1) << p.Groups {
		pl := plan.Plan{Params: p.Params}
		if bit != 0 {
			pl.Float = []uint64{bit}
		}
		drop := base - t.answer(trial(pl, p.View)).Hi[0].F
		if drop < bestDrop-1e-12 || drop < bestDrop+1e-12 && bits.OnesCount64(bit) < best.Count() {
			best, bestDrop = pl, drop
		}
	}
	return best, bestDrop <= limit+1e-12
}

var (
	errBroken  = errors.New("the broker is gone")
	errEndless = errors.New("the search does not end")
)
