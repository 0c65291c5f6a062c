package graph

// Use is one place where a value is read: input Input of node Node of the same graph, or, with Sub set, somewhere in a
// graph nested in that node (Input is then meaningless).
type Use struct {
	Node  *Node
	Input int
	Sub   bool
}

// Index answers who makes and who reads a value of one graph, by the names that it defines or captures. It is a snapshot: whoever
// changes the graph makes a new one. Position changes with every insertion; Producer and Uses hold pointers and survive a
// reordering. It knows nothing of values within nested graphs, and nothing for "". Any number may read one.
type Index struct {
	Producer map[string]*Node // absent for graph inputs and constants
	Uses     map[string][]Use // in node order, then input order
	Output   map[string]bool  // the value is an output of the graph
	Position map[*Node]int    // index in Nodes
}

// NewIndex makes the index of g. Names captured by nested graphs count as uses by the node that holds them.
func NewIndex(g *Graph) *Index {
	x := &Index{Producer: map[string]*Node{}, Uses: map[string][]Use{}, Output: map[string]bool{}, Position: map[*Node]int{}}
	for i, n := range g.Nodes {
		x.Position[n] = i
		for j, in := range n.Inputs {
			if in != "" {
				x.Uses[in] = append(x.Uses[in], Use{Node: n, Input: j})
			}
		}
		for _, name := range Captures(n) {
			x.Uses[name] = append(x.Uses[name], Use{Node: n, Sub: true})
		}
		for _, out := range n.Outputs {
			if out != "" {
				x.Producer[out] = n
			}
		}
	}
	for _, p := range g.Outputs {
		x.Output[p.Name] = true
	}
	return x
}

// Captures lists the names that n's nested graphs read from outside themselves, each once, in order of first use. A
// name that a nested graph defines before it reads it is its own; nested graphs within are looked into.
func Captures(n *Node) []string {
	var out []string
	seen := map[string]bool{}
	for _, a := range n.Attrs {
		subs := a.Graphs
		if a.Graph != nil {
			subs = append(subs[:len(subs):len(subs)], a.Graph)
		}
		for _, g := range subs {
			free(g, func(name string) {
				if !seen[name] {
					seen[name] = true
					out = append(out, name)
				}
			})
		}
	}
	return out
}

// free calls f for each name that g reads and does not define. Nodes are taken in order, so a name that is read before
// g defines it counts as captured.
func free(g *Graph, f func(string)) {
	defined := map[string]bool{}
	for _, p := range g.Inputs {
		defined[p.Name] = true
	}
	for name := range g.Consts {
		defined[name] = true
	}
	read := func(name string) {
		if name != "" && !defined[name] {
			f(name)
		}
	}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			read(in)
		}
		for _, name := range Captures(n) {
			read(name)
		}
		for _, o := range n.Outputs {
			defined[o] = true
		}
	}
	for _, p := range g.Outputs {
		read(p.Name)
	}
}
