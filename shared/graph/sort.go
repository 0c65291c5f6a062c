package graph

import (
	"container/heap"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func sortedConsts(g *Graph) []string { return slices.Sorted(maps.Keys(g.Consts)) }

// Sort puts the nodes of g and of its nested graphs in an order in which every value is defined before it is read. Among
// nodes that could come next the one that stood first does, so a sorted graph keeps its order. Names that are defined
// twice or hide one around them, read but never defined, or defined by a cycle are errors that name the nodes; after an error
// g is as it was. Each list of nodes is replaced, none is written to. The result is deterministic: files with the same nodes in
// another order may sort differently, one file always the same. Time is O((nodes + edges) log nodes).
func Sort(g *Graph) error {
	sorted := map[*Graph][]*Node{}
	if err := sortGraph(g, nil, sorted); err != nil {
		return err
	}
	for g, nodes := range sorted {
		g.Nodes = nodes
	}
	return nil
}

// sortGraph puts the order of g and of every graph within into sorted. A nested graph that is not in order seems to capture
// names of its own as well (free); since none of them is a name of a graph around it, that orders nothing.
func sortGraph(g *Graph, outer *scope, sorted map[*Graph][]*Node) error {
	s, err := newScope(g, outer)
	if err != nil {
		return err
	}
	for _, n := range g.Nodes {
		for _, sub := range Nested(n) {
			if err := sortGraph(sub, s, sorted); err != nil {
				return fmt.Errorf("%s: nested graph %q: %w", n.label(), sub.Name, err)
			}
		}
	}
	for _, p := range g.Outputs {
		if !s.has(p.Name) {
			return fmt.Errorf("graph output %q is not defined: no graph input, initializer or node output has this name; export the model again", p.Name)
		}
	}
	needs, err := dependencies(g, s)
	if err != nil {
		return err
	}
	order := topological(needs)
	if len(order) < len(g.Nodes) {
		return cycle(g, needs, order)
	}
	nodes := make([]*Node, len(order))
	for i, at := range order {
		nodes[i] = g.Nodes[at]
	}
	sorted[g] = nodes
	return nil
}

// dependencies lists for each node the nodes of the same graph that it reads from, in its nested graphs too.
func dependencies(g *Graph, s *scope) ([][]int, error) {
	needs := make([][]int, len(g.Nodes))
	for i, n := range g.Nodes {
		read := func(name string) {
			if d, ok := s.names[name]; ok && d.node >= 0 {
				needs[i] = append(needs[i], d.node)
			}
		}
		for j, in := range n.Inputs {
			if in != "" && !s.has(in) {
				return nil, undefined(n, j)
			}
			read(in)
		}
		for _, name := range Captures(n) {
			read(name)
		}
	}
	return needs, nil
}

// topological returns the positions in order, the smallest position first among those that are ready; nodes of cycles
// and behind cycles are missing. A node that reads another twice is listed twice on both sides, so counts agree.
func topological(needs [][]int) []int {
	waiting := make([]int, len(needs))
	readers := make([][]int, len(needs))
	var ready positions
	for i, list := range needs {
		waiting[i] = len(list)
		for _, j := range list {
			readers[j] = append(readers[j], i)
		}
		if len(list) == 0 {
			ready = append(ready, i) // ascending, so a heap already
		}
	}
	order := make([]int, 0, len(needs))
	for len(ready) > 0 {
		i := heap.Pop(&ready).(int)
		order = append(order, i)
		for _, r := range readers[i] {
			if waiting[r]--; waiting[r] == 0 {
				heap.Push(&ready, r)
			}
		}
	}
	return order
}

// cycle finds one cycle among the nodes that are not in order and names it, from its first node on.
func cycle(g *Graph, needs [][]int, order []int) error {
	done := make([]bool, len(needs))
	for _, i := range order {
		done[i] = true
	}
	// Every node that is left needs another that is left, so walking back from any of them runs into a cycle.
	at, step, path := slices.Index(done, false), map[int]int{}, []int{}
	for {
		if from, seen := step[at]; seen {
			path = path[from:]
			break
		}
		step[at] = len(path)
		path = append(path, at)
		at = needs[at][slices.IndexFunc(needs[at], func(j int) bool { return !done[j] })]
	}
	slices.Reverse(path)
	first := slices.Index(path, slices.Min(path))
	path = append(path[first:], path[:first]...)
	names := make([]string, 0, len(path)+1)
	for _, i := range path[:min(len(path), 10)] {
		names = append(names, g.Nodes[i].label())
	}
	if len(path) > 10 {
		names = append(names, fmt.Sprintf("%d more", len(path)-10))
	}
	return fmt.Errorf("nodes feed each other in a cycle: %s -> %s; export the model again", strings.Join(names, " -> "), g.Nodes[path[0]].label())
}

// positions is a heap of node positions, the smallest on top.
type positions []int

func (p positions) Len() int           { return len(p) }
func (p positions) Less(i, j int) bool { return p[i] < p[j] }
func (p positions) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *positions) Push(x any)        { *p = append(*p, x.(int)) }
func (p *positions) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}
