package op

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// EvalGraph computes a graph node by node and returns all its values by name: the plain reference of the engine. in holds
// the graph's inputs and, for a nested graph, what it captures. Values beyond 4 GiB in all, and loops that run for ever or collect too
// much, end with an error; so does ctx, between two nodes. It is safe for concurrent use.
func EvalGraph(ctx context.Context, g *graph.Graph, in map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	return EvalBounded(ctx, g, in, maxEval)
}

// EvalBounded is EvalGraph where all values that are computed, and what one node needs beside them, take at most that many
// bytes; what the iterations of one Loop or Scan add to an output is there twice while they are joined. in is not changed; the
// tensors of the result may alias it and each other, and are to be left alone. Nothing is freed on the way, since all values are
// returned: it suits tests, not inference of large models.
func EvalBounded(ctx context.Context, g *graph.Graph, in map[string]*tensor.Tensor, bytes int64) (map[string]*tensor.Tensor, error) {
	e := evaluation{left: NewBudget(bytes), free: bytes}
	env := &environment{values: make(map[string]*tensor.Tensor, len(in)+len(g.Nodes))}
	for name, t := range in {
		env.values[name] = t
	}
	if err := e.graph(ctx, g, env); err != nil {
		return nil, err
	}
	return env.values, nil
}

// environment is the values of a graph with those around it. Writing goes to the innermost graph only, so a body's
// names cannot change what its siblings see.
type environment struct {
	values map[string]*tensor.Tensor
	outer  *environment
}

// get finds a value in this graph or the ones around it, nil when there is none.
func (env *environment) get(name string) *tensor.Tensor {
	for ; env != nil; env = env.outer {
		if t := env.values[name]; t != nil {
			return t
		}
	}
	return nil
}

// evaluation is one call of EvalGraph.
type evaluation struct {
	left *Budget
	free int64 // bytes that values may still take
}

// graph adds the values of g to env. Nodes are taken in the order of the list, which the reader has made topological. A
// value is never written twice.
func (e *evaluation) graph(ctx context.Context, g *graph.Graph, env *environment) error {
	for name, t := range g.Consts {
		env.values[name] = t
	}
	for _, n := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		out, err := e.node(ctx, n, env)
		if err != nil {
			return err
		}
		for i, name := range n.Outputs {
			if name != "" {
				env.values[name] = out[i]
			}
		}
	}
	return nil
}

// node computes one node. Values of nested graphs are charged to the same free bytes, and to the loops' budget as they
// collect.
func (e *evaluation) node(ctx context.Context, n *graph.Node, env *environment) ([]*tensor.Tensor, error) {
	in := make([]*tensor.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		if in[i] = env.get(name); in[i] == nil {
			return nil, nodeError(n, fmt.Errorf("input %d (%q) has no value", i, name))
		}
	}
	o := Lookup(n.Domain, n.Op)
	if o == nil || !o.Whole(slices.ContainsFunc(in, func(t *tensor.Tensor) bool { return t != nil && t.DType.Container() })) {
		out, err := evalWithin(n, in, Logical, e.free)
		for _, t := range out {
			if t != nil {
				e.free -= int64(len(t.Data))
			}
		}
		if err == nil && e.free < 0 {
			err = nodeError(n, errValues)
		}
		return out, err
	}
	e.left.Bytes = min(e.left.Bytes, e.free)
	before := e.left.Bytes
	made, err := RunControl(ctx, n, in, func(ctx context.Context, g *graph.Graph, args []*tensor.Tensor) ([]*tensor.Tensor, error) {
		inner := &environment{values: map[string]*tensor.Tensor{}, outer: env}
		for i, p := range g.Inputs {
			inner.values[p.Name] = args[i]
		}
		if err := e.graph(ctx, g, inner); err != nil {
			return nil, err
		}
		out := make([]*tensor.Tensor, len(g.Outputs))
		for i, p := range g.Outputs {
			if out[i] = inner.get(p.Name); out[i] == nil {
				return nil, fmt.Errorf("output %q has no value", p.Name)
			}
		}
		return out, nil
	}, e.left)
	if err != nil {
		return nil, err
	}
	// What the node collected and keeps: a body's values are charged already, and what was collected in a body has been given back.
	if e.free -= before - e.left.Bytes; e.free < 0 {
		return nil, nodeError(n, errValues)
	}
	return made, nil
}

// errValues is the bound of EvalBounded passed.
var errValues = errors.New("the values of the graph take more memory than is allowed")

// RunControl runs a node whose operator has a Control: it checks what the operator declares, and names the node in
// errors. The engine calls it with a Body that runs compiled programs, EvalGraph with one that evaluates: both go
// through the same checks.
func RunControl(ctx context.Context, n *graph.Node, in []*tensor.Tensor, body Body, left *Budget) ([]*tensor.Tensor, error) {
	o := Lookup(n.Domain, n.Op)
	x := &Infer{Node: n, In: make([]Info, len(in)), Out: make([]Info, len(n.Outputs))}
	for i, t := range in {
		if t != nil {
			x.In[i] = Info{DType: t.DType, Shape: t.Shape} // all that declared asks for
		}
	}
	err := o.declared(x)
	if err == nil {
		var out []*tensor.Tensor
		if out, err = o.Control(ctx, n, in, left.within(body), left); err == nil {
			return out, nil
		}
	}
	return nil, nodeError(n, err)
}
