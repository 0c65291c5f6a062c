package op

import "assay/shared/graph"

// MACs returns how many multiply-accumulate operations each node of g costs for concrete inputs, by node name; nodes that
// cost none are absent, and so are those whose shapes are known only when the model runs. inputs and errors are those of
// InferShapes.
func MACs(g *graph.Graph, inputs map[string]Info) (map[string]int64, error) {
	env, err := InferShapes(g, inputs)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, n := range g.Nodes {
		o := Lookup(n.Domain, n.Op)
		if o == nil || o.MACs == nil || !known(env, n.Inputs) || !known(env, n.Outputs[:1]) {
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

// known says that env has all of the names that are not empty.
func known(env map[string]Info, names []string) bool {
	for _, name := range names {
		if _, ok := env[name]; !ok && name != "" {
			return false
		}
	}
	return true
}
