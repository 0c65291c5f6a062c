package graph

import (
	"fmt"
	"slices"
)

// Bounds of what Inline makes, because a few functions that call each other twice claim any number: nodes, bytes of their
// names, and functions within functions.
const (
	maxInlined      = 1 << 18
	maxInlinedNames = 1 << 28
	maxInlinedDepth = 64
)

// Inline replaces every node that stands for a model-local function by the function's nodes, functions within functions
// too, and drops the functions and the imports of their domains. The nodes are named caller/inner and so are their values;
// values that the caller names keep its names. Attributes take the caller's value, else the function's default, else they are
// absent. Nodes keep their spelling, and say which opset it is of where the function imports another than the model. It changes
// m in place; after an error m is in between and of no use. Recursion is refused, calls within calls are bounded by nodes and
// bytes of names and not by depth alone: thirty functions that each call the next one twice are 2^30 nodes.
func Inline(m *Model) error {
	if len(m.Functions) == 0 {
		return nil
	}
	x := &inliner{model: m, functions: map[[2]string]*Function{}, used: namer{}}
	for i := range m.Functions {
		f := &m.Functions[i]
		key := [2]string{f.Domain, f.Name}
		if x.functions[key] != nil {
			return fmt.Errorf("function %q of domain %q is defined twice", f.Name, f.Domain)
		}
		x.functions[key] = f
		x.adopt(f)
	}
	valueNames(m.Graph, x.used)
	if err := x.graph(m.Graph, nil); err != nil {
		return err
	}
	for _, f := range m.Functions {
		delete(m.Opsets, f.Domain)
	}
	m.Functions = nil
	NameNodes(m.Graph)
	return nil
}

// inliner is one call of Inline. used holds every value name of the model, so that inlined ones stay apart; made and named
// bound what calls within calls multiply.
type inliner struct {
	model     *Model
	functions map[[2]string]*Function
	used      namer
	made      int // nodes
	named     int // bytes of names
}

// spend counts the nodes of a list, nested ones too, that are to be made under a caller's name.
func (x *inliner) spend(nodes []*Node, caller string) error {
	walkNodes(&Graph{Nodes: nodes}, func(n *Node) {
		x.made++
		x.named += len(caller) + len(n.Name)
		for _, out := range n.Outputs {
			x.named += len(caller) + len(out)
		}
	})
	if x.made > maxInlined || x.named > maxInlinedNames {
		return fmt.Errorf("functions expand to more than %d nodes or %d bytes of names", maxInlined, maxInlinedNames)
	}
	return nil
}

// adopt adds a function's opset imports to the model's.
func (x *inliner) adopt(f *Function) {
	for domain, version := range f.Opsets {
		if domain == "" {
			continue
		}
		if _, ok := x.model.Opsets[domain]; ok {
			continue // nodes say where they differ
		}
		if x.model.Opsets == nil {
			x.model.Opsets = map[string]int{}
		}
		x.model.Opsets[domain] = version
	}
}

// versions marks nodes of a body whose domain the function imports at another opset than the model.
func (x *inliner) versions(body []*Node, f *Function) {
	walkNodes(&Graph{Nodes: body}, func(n *Node) {
		model := x.model.Opset
		if n.Domain != "" {
			model = x.model.Opsets[n.Domain]
		}
		if v := f.Opsets[n.Domain]; v != 0 && v != model {
			n.Opset = v
		}
	})
}

// graph expands the nodes of g in place; stack holds the functions under way, whose calls would not end.
func (x *inliner) graph(g *Graph, stack []*Function) error {
	nodes, err := x.nodes(g.Nodes, stack)
	g.Nodes = nodes
	return err
}

// nodes expands a list; stack holds the functions under way.
func (x *inliner) nodes(list []*Node, stack []*Function) ([]*Node, error) {
	out := make([]*Node, 0, len(list))
	for _, n := range list {
		f := x.functions[[2]string{n.Domain, n.Op}]
		if f == nil {
			for _, sub := range Nested(n) {
				if err := x.graph(sub, stack); err != nil {
					return nil, err
				}
			}
			out = append(out, n)
			continue
		}
		if slices.Contains(stack, f) {
			return nil, fmt.Errorf("%s: function %q calls itself", n.label(), f.Name)
		}
		if len(stack) == maxInlinedDepth {
			return nil, fmt.Errorf("%s: functions call each other deeper than %d", n.label(), maxInlinedDepth)
		}
		body, err := x.expand(n, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.label(), err)
		}
		if body, err = x.nodes(body, append(stack, f)); err != nil {
			return nil, err
		}
		out = append(out, body...)
	}
	return out, nil
}

// expand returns the nodes that stand for call. names maps the function's names to the caller's: inputs, then outputs,
// then everything else as it is met.
func (x *inliner) expand(call *Node, f *Function) ([]*Node, error) {
	if len(call.Inputs) > len(f.Inputs) || len(call.Outputs) > len(f.Outputs) {
		return nil, fmt.Errorf("function %q has %d inputs and %d outputs, the node %d and %d",
			f.Name, len(f.Inputs), len(f.Outputs), len(call.Inputs), len(call.Outputs))
	}
	if err := x.spend(f.Nodes, call.Name); err != nil {
		return nil, err
	}
	body := cloneNodes(f.Nodes)
	x.versions(body, f)
	names := map[string]string{}
	for i, in := range f.Inputs {
		names[in] = call.Input(i)
	}
	var after []*Node
	for i, out := range f.Outputs {
		if i >= len(call.Outputs) || call.Outputs[i] == "" {
			continue
		}
		if _, taken := names[out]; taken { // an input that passes through, or an output listed twice
			after = append(after, &Node{Op: "Identity", Inputs: []string{out}, Outputs: []string{call.Outputs[i]}})
			continue
		}
		names[out] = call.Outputs[i]
	}
	to := func(s string) string {
		name, ok := names[s]
		if !ok {
			if name = call.Name + "/" + s; x.used.has(name) {
				name = x.used.fresh(name)
			}
			x.used.add(name)
			names[s] = name
		}
		return name
	}
	rename(body, to)
	for _, n := range after {
		apply(n.Inputs, to)
	}
	body = append(body, after...)
	walkNodes(&Graph{Nodes: body}, func(n *Node) {
		if n.Name == "" {
			n.Name = n.Op
		}
		n.Name = call.Name + "/" + n.Name
	})
	// After renaming: a graph that is the caller's attribute reads the caller's names.
	return body, x.bind(body, call, f)
}

// bind resolves the attribute references of a body. A graph attribute is cloned for each reference, and counted,
// because renaming works in place.
func (x *inliner) bind(body []*Node, call *Node, f *Function) error {
	var err error
	walkNodes(&Graph{Nodes: body}, func(n *Node) {
		attrs := make([]Attr, 0, len(n.Attrs))
		for _, a := range n.Attrs {
			if a.Ref == "" {
				attrs = append(attrs, a)
				continue
			}
			value := f.value(call, a.Ref)
			if value == nil || err != nil {
				continue
			}
			bound := *value
			bound.Name = a.Name
			if bound.Graph != nil {
				err = x.spend(bound.Graph.Nodes, "")
				bound.Graph = bound.Graph.Clone()
			}
			attrs = append(attrs, bound)
		}
		n.Attrs = attrs
	})
	return err
}

// value is the caller's attribute or the default, nil when there is neither.
func (f *Function) value(call *Node, name string) *Attr {
	if a := call.Attr(name); a != nil {
		return a
	}
	for i := range f.Defaults {
		if f.Defaults[i].Name == name {
			return &f.Defaults[i]
		}
	}
	return nil
}
