package graph

import (
	"slices"
	"strconv"
)

// rename puts f(name) for each name that nodes define or read, in their nested graphs too. Lists are written in place,
// so nodes must be clones.
func rename(nodes []*Node, f func(string) string) {
	for _, n := range nodes {
		apply(n.Inputs, f)
		apply(n.Outputs, f)
		for _, sub := range Nested(n) {
			renameGraph(sub, f)
		}
	}
}

func apply(names []string, f func(string) string) {
	for i, name := range names {
		if name != "" {
			names[i] = f(name)
		}
	}
}

// renameGraph renames what g defines and reads, in place; f is asked once for each place and answers the same for the same
// name.
func renameGraph(g *Graph, f func(string) string) {
	for i := range g.Inputs {
		g.Inputs[i].Name = f(g.Inputs[i].Name)
	}
	for i := range g.Outputs {
		g.Outputs[i].Name = f(g.Outputs[i].Name)
	}
	g.Consts = renameKeys(g.Consts, f)
	g.Types = renameKeys(g.Types, f)
	rename(g.Nodes, f)
}

func renameKeys[V any](m map[string]V, f func(string) string) map[string]V {
	out := make(map[string]V, len(m))
	for name, v := range m {
		out[f(name)] = v
	}
	return out
}

// defined lists the names that g itself defines: inputs, constants by name, outputs of nodes. Outputs of nested graphs'
// nodes are not among them.
func defined(g *Graph) []string {
	var out []string
	for _, p := range g.Inputs {
		out = append(out, p.Name)
	}
	out = append(out, sortedConsts(g)...)
	for _, n := range g.Nodes {
		out = append(out, n.Outputs...)
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// valueNames collects every value name of g and of its nested graphs.
func valueNames(g *Graph, into namer) {
	for _, name := range defined(g) {
		into.add(name)
	}
	for _, p := range g.Outputs {
		into.add(p.Name)
	}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			into.add(in)
		}
		for _, sub := range Nested(n) {
			valueNames(sub, into)
		}
	}
}

// Unhide renames what nested graphs define under a name that a graph around them defines too. ONNX forbids such names,
// some exporters write them and mean the inner value. It changes nested graphs in place and leaves g's own names alone.
func Unhide(g *Graph) {
	used := namer{}
	valueNames(g, used)
	unhide(g, map[string]int{}, used)
}

// unhide handles the graphs in g; around counts the definitions of each name in the graphs around g. around is as it
// was when the call returns.
func unhide(g *Graph, around map[string]int, used namer) {
	own := defined(g)
	for _, name := range own {
		around[name]++
	}
	for _, n := range g.Nodes {
		for _, sub := range Nested(n) {
			fresh := map[string]string{}
			for _, name := range defined(sub) {
				if around[name] > 0 && fresh[name] == "" {
					fresh[name] = used.fresh(name)
				}
			}
			if len(fresh) > 0 {
				renameGraph(sub, func(s string) string {
					if to := fresh[s]; to != "" {
						return to
					}
					return s
				})
			}
			unhide(sub, around, used)
		}
	}
	for _, name := range own {
		around[name]--
	}
}

// ValueNames is the set of all value names of g and of its nested graphs, defined or read. The map is the caller's.
func ValueNames(g *Graph) map[string]bool {
	used := namer{}
	valueNames(g, used)
	delete(used, "")
	out := make(map[string]bool, len(used))
	for name := range used {
		out[name] = true
	}
	return out
}

// Prefixed returns a copy of g, as Clone makes it, in which every value that g itself defines is called prefix + its name, with
// "_2", "_3" ... behind it where that is in used already. The new names are added to used, so with the ValueNames of the graph
// that the copy goes into they meet none there. What g captures, what its nested graphs define and the names of nodes stay: those
// of nodes are unique over a model, so two copies of g need NameNodes.
func Prefixed(g *Graph, prefix string, used map[string]bool) *Graph {
	c := g.Clone()
	own := map[string]string{}
	for _, name := range defined(g) {
		to := prefix + name
		for i := 2; used[to]; i++ {
			to = prefix + name + "_" + strconv.Itoa(i)
		}
		used[to] = true
		own[name] = to
	}
	renameGraph(c, func(s string) string {
		if to, ok := own[s]; ok {
			return to
		}
		return s
	})
	return c
}
