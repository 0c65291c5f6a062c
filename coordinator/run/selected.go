package run

import (
	"slices"

	"assay/shared/graph"
)

// selected are the values of g that hold a selection: how many rows they have, and which, follows from the samples' values
// and not from their shapes. NonMaxSuppression, NonZero, Compress and Unique select, and whatever is computed from a
// selection holds one. Exporters also write NonZero to count up to a size; what follows from shapes alone selects nothing.
func selected(g *graph.Graph) map[string]bool {
	data, out := map[string]bool{}, map[string]bool{}
	for _, p := range g.Inputs {
		data[p.Name] = true
	}
	for _, n := range g.Nodes {
		computed, selection := false, false
		for _, v := range append(graph.Captures(n), n.Inputs...) {
			computed, selection = computed || data[v], selection || out[v]
		}
		switch n.Op {
		case "Shape", "Size":
			computed = false
		case "NonMaxSuppression", "NonZero", "Compress", "Unique":
			selection = selection || computed
		}
		for _, v := range n.Outputs {
			data[v], out[v] = computed, selection
		}
	}
	return out
}

// switches lists those of outputs that a Sigmoid makes: noise in front of it shows where the result switches, and nowhere else.
func switches(g *graph.Graph, outputs []string) []string {
	made := map[string]bool{}
	for _, n := range g.Nodes {
		if n.Domain == "" && (n.Op == "Sigmoid" || n.Op == "HardSigmoid") {
			made[n.Outputs[0]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(outputs), func(name string) bool { return !made[name] })
}
