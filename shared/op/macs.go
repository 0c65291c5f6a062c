package op

import (
	"math"

	"assay/shared/graph"
)

// MACs returns how many multiply-accumulate operations each node of g costs for concrete inputs, by node name; nodes that
// cost none are absent, and so are those whose shapes are known only when the model runs. A node with nested graphs costs
// what they cost: of an If the branch that runs, the dearer one where data decides; a body once for each iteration, and
// once where their number is unknown. inputs and errors are those of InferShapes. Reports give each operation's share
// of it. It depends on shapes only, never on a clock or a tier (design.md 5).
func MACs(g *graph.Graph, inputs map[string]Info) (map[string]int64, error) {
	env, err := InferShapes(g, inputs)
	if err != nil {
		return nil, err
	}
	return macsIn(env, g)
}

// macsIn is MACs among values that are known.
func macsIn(env map[string]Info, g *graph.Graph) (map[string]int64, error) {
	out := map[string]int64{}
	for _, n := range g.Nodes {
		o := Lookup(n.Domain, n.Op)
		if o == nil || o.MACs == nil || !known(env, n.Inputs) || o.Control == nil && !known(env, n.Outputs[:1]) {
			continue
		}
		x, err := gather(env, n)
		if err != nil {
			return nil, nodeError(n, err)
		}
		for i, name := range n.Outputs {
			x.Out[i] = env[name]
		}
		if k := o.MACs(x); k > 0 {
			out[n.Name] = k
		}
	}
	return out, nil
}

// known says that env has all of the names that are not empty. For nodes with nested graphs the outputs may be unknown,
// as their cost does not depend on them.
func known(env map[string]Info, names []string) bool {
	for _, name := range names {
		if _, ok := env[name]; !ok && name != "" {
			return false
		}
	}
	return true
}

// bodyMACs is what one run of a nested graph costs; 0 where its shapes do not follow from those around it. in are the
// body's formal inputs in order, nil for a branch. It is 0 and no error because a cost is an estimate: what is wrong
// with the shapes is told where they matter.
func (x *Infer) bodyMACs(g *graph.Graph, in []Info) int64 {
	env, err := bodyEnvironment(g, x.Outer, in)
	if err != nil {
		return 0
	}
	each, err := macsIn(env, g)
	if err != nil {
		return 0
	}
	total := int64(0)
	for _, k := range each {
		total = saturatingAdd(total, k)
	}
	return total
}

// times is what a body costs over so many iterations, which a model may claim to be any number.
func times(body, trips int64) int64 {
	if body > 0 && trips > math.MaxInt64/body {
		return math.MaxInt64
	}
	return body * max(0, trips)
}

// saturatingAdd is a + b for numbers that are not negative, the largest number where that is more.
func saturatingAdd(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// ifMACs is the branch that runs, or the dearer one where data decide.
func ifMACs(x *Infer) int64 {
	most := int64(0)
	for _, side := range []bool{false, true} {
		if c := x.In[0].Value; c != nil {
			if yes, err := truthOf(c); err != nil || yes != side {
				continue
			}
		}
		if g, err := Branch(x.Node, boolean(side)); err == nil {
			most = max(most, x.bodyMACs(g, nil))
		}
	}
	return most
}

// loopMACs is the body once for each trip, or once where nobody knows how many there are.
func loopMACs(x *Infer) int64 {
	g, in, err := x.loopInputs()
	if err != nil {
		return 0
	}
	trips := int64(1)
	if count := x.In[0].Value; count != nil {
		if trips, err = tripCount(count); err != nil {
			return 0
		}
	}
	return times(x.bodyMACs(g, in), min(trips, maxTrips))
}

// scanMACs is the body once for each step.
func scanMACs(x *Infer) int64 {
	s, in, length, err := x.scanInputs()
	if err != nil {
		return 0
	}
	return times(x.bodyMACs(s.body, in), int64(length))
}
