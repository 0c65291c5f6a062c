package quant

import (
	"slices"

	"assay/shared/graph"
)

// groups puts sites together that must leave together so that no operation is half quantized: sites that share an
// operation, transitively. That is the closure of the published removal (down from a point over pass-through operators
// to the operations that read it, up from each to its other points, and again) on sites, whose nodes are those
// operations. Results of Concat and of operators that merely carry integers join their inputs, as pass-through
// operators there. The groups come in topological order of their first site. It is a union-find over sites with the
// lower index as root, so the group's first site is its root. Invariant of the result: every site is in exactly one
// group, members ascend, and groups ascend by their first member.
//
// An owned point does not join its readers (readSite leaves it out of their nodes), which keeps groups small: pot-spec
// 2.7 joins whatever shares a quantizer.
func (s *sketch) groups(sites []*site) [][]uint32 {
	parent := make([]int, len(sites))
	for i := range parent {
		parent[i] = i
	}
	var find func(i int) int
	find = func(i int) int {
		if parent[i] != i {
			parent[i] = find(parent[i])
		}
		return parent[i]
	}
	join := func(i, j int) {
		i, j = find(i), find(j)
		parent[max(i, j)] = min(i, j)
	}
	first := map[*graph.Node]int{}
	for i, t := range sites {
		for _, n := range t.nodes {
			if j, ok := first[n]; ok {
				join(i, j)
			} else {
				first[n] = i
			}
		}
	}
	for i, t := range sites {
		n := s.passOut(t)
		if j, ok := first[n]; ok {
			join(i, j)
		}
	}
	members := map[int][]uint32{}
	var order []int
	for i := range sites {
		r := find(i)
		if r == i {
			order = append(order, r)
		}
		members[r] = append(members[r], uint32(i))
	}
	slices.Sort(order)
	out := make([][]uint32, len(order))
	for g, r := range order {
		out[g] = members[r]
	}
	return out
}

// passOut is the Concat or carrying operation whose result t quantizes for its readers, nil otherwise. Owned points are
// left out: their layer's group is theirs.
func (s *sketch) passOut(t *site) *graph.Node {
	if t.owner != nil {
		return nil
	}
	n := s.opOut(t.value)
	if c := s.classOf(n); c == classConcat || c == classCarry {
		return n
	}
	return nil
}
