package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"assay/evaluator/engine/fuse"
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// parts are what a bound consists of when shapes depend on data, or nodes on whole values stand among the nodes: a program
// for what can be bound at once, the nodes on whole values that follow, and a program for the rest, which is bound when the elements that its shapes
// depend on are there, and may fall into parts itself. Run goes first, between in order, rest, handing values on in a
// map by name. Values of first that rest reads are results of first, with memory of their own; a sequence or an optional
// lives in that map only, never in an arena or the store.
type parts struct {
	first   *Program // nil when the rest needs nothing but inputs
	between []*control
	rest    *Program
}

// control is a node that runs on whole values. bodies has a program for each nested graph, by identity.
type control struct {
	node   *graph.Node
	bodies map[*graph.Graph]*Program
	consts map[string]*tensor.Tensor // inputs of node that are constants
}

// split makes the parts of a division that is not whole. It refuses a division that makes no progress: nothing early,
// nothing between, and no wanted elements among the inputs.
func (p *Program) split(d *division) (*parts, error) {
	if len(d.early)+len(d.between) == 0 && !slices.ContainsFunc(p.inputs, func(in graph.Port) bool { return d.need[in.Name] && !p.known[in.Name] }) {
		n := d.late[0]
		return nil, fmt.Errorf("node %q (%s): what its shape depends on cannot be computed before it", n.Name, n.Op)
	}
	e, sums := p.engine, p.sums
	if d.spliced {
		sums = e.digest.values(d.with(slices.Concat(d.early, d.between, d.late), p.inputs, p.want), p.sums)
	}
	rest := d.with(d.late, nil, p.want)
	x := &parts{rest: e.program(rest, p.want, sums)}
	x.rest.known = maps.Clone(d.need)
	maps.Copy(x.rest.known, p.known)
	var first []string
	for _, name := range slices.Concat(names(rest.Inputs), readBy(d.between)) {
		if name != "" && !d.after[name] && d.graph.Consts[name] == nil && !slices.Contains(first, name) {
			first = append(first, name)
		}
	}
	if len(d.early) > 0 && len(first) > 0 {
		x.first = e.program(d.with(d.early, p.inputs, first), first, sums)
		x.first.known = p.known
	}
	for _, n := range d.between {
		c := &control{node: n, bodies: map[*graph.Graph]*Program{}, consts: d.graph.Consts}
		for _, g := range graph.Nested(n) {
			body, err := e.body(g, d)
			if err != nil {
				return nil, fmt.Errorf("node %q (%s): its body: %w", n.Name, n.Op, err)
			}
			c.bodies[g] = body
		}
		x.between = append(x.between, c)
	}
	return x, nil
}

func names(ports []graph.Port) (out []string) {
	for _, p := range ports {
		out = append(out, p.Name)
	}
	return out
}

// body compiles a nested graph: constants that it captures become its own, other captured values its inputs. Its inputs
// lose their declared shapes, because carried values may change theirs from one iteration to the next, as an optional may
// become what it holds.
func (e *Engine) body(g *graph.Graph, d *division) (*Program, error) {
	c := g.Clone()
	if c.Consts == nil {
		c.Consts = map[string]*tensor.Tensor{}
	}
	for _, name := range graph.Captures(&graph.Node{Attrs: []graph.Attr{{Kind: graph.KindGraph, Graph: g}}}) {
		if t := d.graph.Consts[name]; t != nil {
			c.Consts[name] = t
			continue
		}
		c.Inputs = append(c.Inputs, d.port(name))
	}
	for i := range c.Inputs {
		c.Inputs[i].Type.Ranked, c.Inputs[i].Type.Shape = false, nil // carried values may grow
		if c.Inputs[i].Type.DType.Container() {
			c.Inputs[i].Type = graph.Type{}
		}
	}
	want := names(c.Outputs)
	f := fuse.Graph(c, nil)
	prune(f, want)
	if err := fold(f); err != nil {
		return nil, err
	}
	prune(f, want)
	return e.program(f, want, e.digest.values(f, nil)), nil
}

// run computes the wanted values of p for one batch. One budget serves all loops of a run, those within bodies too. The key
// goes to first and rest alike: entries of the store are told apart by the value's hash.
func (x *parts) run(ctx context.Context, p *Program, in map[string]*tensor.Tensor, t terms) (map[string]*tensor.Tensor, error) {
	env := maps.Clone(in)
	if t.budget == nil {
		t.budget = op.NewBudget(p.engine.memory.limit)
	}
	if x.first != nil {
		out, err := x.first.within(ctx, env, t)
		if err != nil {
			return nil, err
		}
		maps.Copy(env, out)
	}
	for _, c := range x.between {
		if err := c.run(ctx, env, t.budget); err != nil {
			return nil, err
		}
	}
	return x.rest.within(ctx, env, t)
}

// run adds the outputs of the node to env, where they stay until the run ends: tensors that its bodies made are charged. Bodies run with a zero key: iterations have no samples of their own to
// be found under.
func (c *control) run(ctx context.Context, env map[string]*tensor.Tensor, budget *op.Budget) error {
	in := make([]*tensor.Tensor, len(c.node.Inputs))
	for i, name := range c.node.Inputs {
		if in[i] = env[name]; in[i] == nil {
			in[i] = c.consts[name]
		}
	}
	before := budget.Bytes
	out, err := op.RunControl(ctx, c.node, in, func(ctx context.Context, g *graph.Graph, args []*tensor.Tensor) ([]*tensor.Tensor, error) {
		p := c.bodies[g]
		values := maps.Clone(env)
		for i, port := range g.Inputs {
			values[port.Name] = args[i]
		}
		made, err := p.within(ctx, values, terms{budget: budget})
		if err != nil {
			return nil, err
		}
		out := make([]*tensor.Tensor, len(g.Outputs))
		for i, port := range g.Outputs {
			out[i] = made[port.Name]
		}
		return out, nil
	}, budget)
	if err != nil {
		return err
	}
	if len(c.bodies) > 0 {
		if err := budget.Keep(out, before-budget.Bytes); err != nil {
			return fmt.Errorf("node %q (%s): %w", c.node.Name, c.node.Op, err)
		}
	}
	for i, name := range c.node.Outputs {
		if name != "" {
			env[name] = out[i]
		}
	}
	return nil
}
