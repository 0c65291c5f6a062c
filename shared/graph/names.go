package graph

import "strconv"

// NameNodes gives every node of g and of its nested graphs a name of its own. A name that comes first in order stays; a
// later node of the same name gets "_2", "_3" ... appended; a node without one is named after its operator and first
// output. It depends on nothing but the graph, and a second call changes nothing. It is called by every front end, so
// names in plans and reports are unique from then on.
func NameNodes(g *Graph) {
	used, seen := namer{}, map[string]bool{}
	walkNodes(g, func(n *Node) { used.add(n.Name) })
	walkNodes(g, func(n *Node) {
		name := n.Name
		if name == "" {
			name = n.Op
			for _, out := range n.Outputs {
				if out != "" {
					name += "_" + out
					break
				}
			}
		}
		if seen[name] || n.Name == "" && used.has(name) {
			name = used.fresh(name)
		}
		used.add(name)
		seen[name] = true
		n.Name = name
	})
}

// namer is a set of names in use that makes new ones. The number beside a name is the last suffix that was tried, so that
// many nodes of one name take linear time. The zero namer cannot be added to; make one with namer{}.
type namer map[string]int

func (u namer) has(name string) bool { _, ok := u[name]; return ok }

// add marks a name as taken; what fresh has counted for it stays.
func (u namer) add(name string) {
	if !u.has(name) {
		u[name] = 1
	}
}

// fresh appends the smallest number from 2 on that makes the name unused, and adds the result.
func (u namer) fresh(name string) string {
	for i := u[name] + 1; ; i++ {
		if s := name + "_" + strconv.Itoa(max(i, 2)); !u.has(s) {
			u[name] = max(i, 2)
			u.add(s)
			return s
		}
	}
}

// walkNodes calls f for each node in order, a node before those of its nested graphs.
func walkNodes(g *Graph, f func(*Node)) {
	for _, n := range g.Nodes {
		f(n)
		for _, sub := range Nested(n) {
			walkNodes(sub, f)
		}
	}
}

// Nested lists the graphs that a node's attributes hold, in order of the attributes.
func Nested(n *Node) []*Graph {
	var out []*Graph
	for _, a := range n.Attrs {
		if a.Graph != nil {
			out = append(out, a.Graph)
		}
		out = append(out, a.Graphs...)
	}
	return out
}
