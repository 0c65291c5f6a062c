package engine

import (
	"errors"
	"maps"
	"slices"

	"assay/shared/graph"
	"assay/shared/op"
)

// division sorts the nodes of a program for given inputs. early nodes have shapes that follow from the inputs' shapes;
// between are nodes that run on whole values (Loops, Scans, all that has to do with sequences and optionals) and read
// nothing but early values and each other's; late is everything else: nodes that need elements of early values before
// their own shapes are known, and all that follows. Where the condition of an If is known, the nodes
// of the branch stand in its place. Invariants: early, between and late together hold each node (or the branch in its
// place) once, each in the order of the graph; infos has every value of early nodes; after and infos are disjoint.
type division struct {
	graph   *graph.Graph // the program's, or a copy of it with branches spliced in
	infos   map[string]op.Info
	early   []*graph.Node
	between []*graph.Node
	late    []*graph.Node
	need    map[string]bool // early values whose elements the late nodes' shapes depend on
	after   map[string]bool // values that between and late nodes make
	ready   map[string]bool // those of after that between nodes make
	spliced bool
	names   map[string]bool // all value names of graph and of spliced branches; nil before the first branch
}

// divide walks the nodes once. need names values whose elements are known to be wanted, because a kernel asked for
// them. need grows while walking and is the caller's map.
func (p *Program) divide(in map[string]op.Info, need map[string]bool) (*division, error) {
	d := &division{graph: p.graph, infos: maps.Clone(in), need: need, after: map[string]bool{}, ready: map[string]bool{}}
	for name, t := range p.graph.Consts {
		d.infos[name] = op.Info{DType: t.DType, Shape: t.Shape, Value: t}
	}
	if err := d.walk(p.graph.Nodes); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *division) walk(nodes []*graph.Node) error {
	for _, n := range nodes {
		if err := d.node(n); err != nil {
			return err
		}
	}
	return nil
}

// node puts n into one of the lists. A node that reads anything late is late itself, even if its shape would follow: it
// could not run before. One on whole values may follow another, so that a chain of sequences is no chain of programs.
func (d *division) node(n *graph.Node) error {
	reads := n.Inputs
	nested := graph.Nested(n)
	if len(nested) > 0 {
		reads = append(slices.Clone(reads), graph.Captures(n)...)
	}
	o := op.Lookup(n.Domain, n.Op)
	whole := o != nil && o.Whole(slices.ContainsFunc(n.Inputs, func(in string) bool { return d.infos[in].DType.Container() }))
	branches := n.Op == "If" && whole
	switch {
	case whole && !branches && !slices.ContainsFunc(reads, func(in string) bool { return d.missing(in) && !d.ready[in] }):
		d.put(&d.between, n)
		for _, o := range n.Outputs {
			d.ready[o] = o != ""
		}
		return nil
	case slices.ContainsFunc(reads, d.missing):
		d.put(&d.late, n)
		return nil
	case branches:
		return d.branch(n)
	}
	var u *op.Unknown
	err := op.InferNode(d.infos, n)
	if errors.As(err, &u) {
		d.need[n.Input(u.Input)] = true
		d.put(&d.late, n)
		return nil
	}
	d.early = append(d.early, n)
	return err
}

// missing reports whether a value is computed too late, or its elements are wanted and not known yet. A value may have
// a known shape and be missing: its elements are what somebody wants.
func (d *division) missing(name string) bool {
	return d.after[name] || d.need[name] && d.infos[name].Value == nil
}

// put appends n to a list of nodes that do not run with the early ones.
func (d *division) put(list *[]*graph.Node, n *graph.Node) {
	*list = append(*list, n)
	for _, o := range n.Outputs {
		d.after[o] = o != ""
	}
}

// branch puts the nodes of the branch that runs in the place of an If, or postpones the If when its condition is
// computed. Names of the body get the If's name in front, and a number behind where that is taken, so that two branches, or a branch and
// the graph, do not meet.
// Its outputs pass through Identity nodes to keep the If's own names, whoever reads them.
func (d *division) branch(n *graph.Node) error {
	cond := d.infos[n.Input(0)].Value
	if cond == nil {
		d.need[n.Input(0)] = true
		d.put(&d.late, n)
		return nil
	}
	g, err := op.Branch(n, cond)
	if err != nil {
		return err
	}
	if !d.spliced {
		d.graph, d.spliced = d.graph.Clone(), true
	}
	if d.names == nil {
		d.names = graph.ValueNames(d.graph)
	}
	body := graph.Prefixed(g, n.Name+"/", d.names)
	for name, t := range body.Consts {
		d.graph.Consts[name] = t
		d.infos[name] = op.Info{DType: t.DType, Shape: t.Shape, Value: t}
	}
	if err := d.walk(body.Nodes); err != nil {
		return err
	}
	for i, o := range n.Outputs {
		if o == "" {
			continue
		}
		pass := &graph.Node{Name: n.Name + "/" + o, Op: "Identity", Inputs: []string{body.Outputs[i].Name}, Outputs: []string{o}}
		if err := d.node(pass); err != nil {
			return err
		}
	}
	return nil
}

// whole reports whether all nodes are early.
func (d *division) whole() bool { return len(d.between)+len(d.late) == 0 }

// port describes a value for a program that takes it as an input of any shape; nothing is known of one that nodes between
// make.
func (d *division) port(name string) graph.Port {
	return graph.Port{Name: name, Type: graph.Type{DType: d.infos[name].DType}}
}

// with is the division's graph with other nodes, and the inputs that they and the wanted values need. The constants are
// a copy that prune may thin out; tensors are shared.
func (d *division) with(nodes []*graph.Node, inputs []graph.Port, want []string) *graph.Graph {
	g := *d.graph
	g.Nodes, g.Consts = nodes, maps.Clone(d.graph.Consts)
	made := map[string]bool{}
	for _, p := range inputs {
		made[p.Name] = true
	}
	for _, n := range nodes {
		for _, o := range n.Outputs {
			made[o] = true
		}
	}
	g.Inputs = slices.Clone(inputs)
	for _, name := range append(readBy(nodes), want...) {
		if name != "" && !made[name] && g.Consts[name] == nil {
			made[name] = true
			g.Inputs = append(g.Inputs, d.port(name))
		}
	}
	prune(&g, want)
	return &g
}

// readBy lists the values that nodes read, captures too.
func readBy(nodes []*graph.Node) (names []string) {
	for _, n := range nodes {
		names = append(names, n.Inputs...)
		names = append(names, graph.Captures(n)...)
	}
	return names
}
