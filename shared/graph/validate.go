package graph

import (
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// Validate checks what the package comment promises: every name defined once and before it is read, no name hidden, node
// names present and unique over the model, attributes sorted, complete and of one kind, tensors whole, references to
// attributes in functions only. What operators mean (arity, attributes, types) is package op's to check. Tests run it between
// passes; the reader runs it last. It reports the first fault and changes nothing.
func Validate(m *Model) error {
	if m.Graph == nil {
		return fmt.Errorf("model has no graph")
	}
	if m.Opset < 1 {
		return fmt.Errorf("model has opset %d", m.Opset)
	}
	v := validator{names: map[string]bool{}}
	if err := v.graph(m.Graph, nil); err != nil {
		return err
	}
	seen := map[[2]string]bool{}
	for _, f := range m.Functions {
		key := [2]string{f.Domain, f.Name}
		if seen[key] {
			return fmt.Errorf("function %q of domain %q is defined twice", f.Name, f.Domain)
		}
		seen[key] = true
		if err := validateFunction(f); err != nil {
			return fmt.Errorf("function %q of domain %q: %w", f.Name, f.Domain, err)
		}
	}
	return nil
}

// validator walks one model. Inside functions node names may be missing or equal and attributes may be references.
type validator struct {
	names    map[string]bool
	function bool
}

// validateFunction checks a body as the graph of its inputs and outputs.
func validateFunction(f Function) error {
	body := &Graph{Nodes: f.Nodes}
	for _, name := range f.Inputs {
		body.Inputs = append(body.Inputs, Port{Name: name})
	}
	for _, name := range f.Outputs {
		body.Outputs = append(body.Outputs, Port{Name: name})
	}
	v := validator{function: true}
	for i := range f.Defaults {
		if err := v.attr(&f.Defaults[i]); err != nil {
			return fmt.Errorf("default of attribute %q: %w", f.Defaults[i].Name, err)
		}
	}
	return v.graph(body, nil)
}

// Types of values that no longer exist are no fault: hints may be stale.
func (v *validator) graph(g *Graph, outer *scope) error {
	s, err := newScope(g, outer)
	if err != nil {
		return err
	}
	for _, name := range sortedConsts(g) {
		t := g.Consts[name]
		if t == nil {
			return fmt.Errorf("constant %q has no tensor", name)
		}
		if err := t.Check(); err != nil {
			return fmt.Errorf("constant %q: %w", name, err)
		}
	}
	for _, p := range slices.Concat(g.Inputs, g.Outputs) {
		if err := checkType(p.Type); err != nil {
			return fmt.Errorf("input or output %q: %w", p.Name, err)
		}
	}
	for i, n := range g.Nodes {
		if err := v.node(n, i, s); err != nil {
			return err
		}
	}
	for _, p := range g.Outputs {
		if !s.has(p.Name) {
			return fmt.Errorf("graph output %q is not defined", p.Name)
		}
		if d, ok := g.Types[p.Name]; ok {
			return fmt.Errorf("graph output %q has a second type %s among the hints", p.Name, d)
		}
	}
	return nil
}

// node checks the node at position at of the graph whose scope is s.
func (v *validator) node(n *Node, at int, s *scope) error {
	if n.Op == "" {
		return fmt.Errorf("%s has no operator", n.label())
	}
	if !v.function {
		if n.Name == "" || v.names[n.Name] {
			return fmt.Errorf("%s: the name is missing or used before", n.label())
		}
		v.names[n.Name] = true
	}
	for i, in := range n.Inputs {
		if in == "" {
			continue
		}
		if !s.has(in) {
			return undefined(n, i)
		}
		if d, ok := s.names[in]; ok && d.node >= at {
			return fmt.Errorf("%s: input %d: value %q is the %s, which stands later", n.label(), i, in, d)
		}
	}
	for i := range n.Attrs {
		if i > 0 && n.Attrs[i-1].Name >= n.Attrs[i].Name {
			return fmt.Errorf("%s: attribute %q stands after %q", n.label(), n.Attrs[i].Name, n.Attrs[i-1].Name)
		}
		if err := v.attr(&n.Attrs[i]); err != nil {
			return fmt.Errorf("%s: attribute %q: %w", n.label(), n.Attrs[i].Name, err)
		}
	}
	for _, name := range Captures(n) {
		if d, ok := s.names[name]; ok && d.node >= at {
			return fmt.Errorf("%s: its nested graph reads %q, the %s, which stands later", n.label(), name, d)
		}
	}
	for _, sub := range Nested(n) {
		if err := v.graph(sub, s); err != nil {
			return fmt.Errorf("%s: nested graph %q: %w", n.label(), sub.Name, err)
		}
	}
	return nil
}

// attr: exactly the field that Kind names counts, and a graph in another field would be seen by Nested.
func (v *validator) attr(a *Attr) error {
	if a.Ref != "" {
		if !v.function {
			return fmt.Errorf("refers to attribute %q of a function, but stands outside of one", a.Ref)
		}
		return nil
	}
	var tensors []*tensor.Tensor
	var graphs []*Graph
	switch a.Kind {
	case KindTensor:
		tensors = []*tensor.Tensor{a.Tensor}
	case KindTensors:
		tensors = a.Tensors
	case KindGraph:
		graphs = []*Graph{a.Graph}
	case KindGraphs:
		graphs = a.Graphs
	case KindFloat, KindInt, KindString, KindFloats, KindInts, KindStrings, KindOther:
	default:
		return fmt.Errorf("unknown %s", a.Kind)
	}
	if a.Graph != nil && a.Kind != KindGraph || a.Graphs != nil && a.Kind != KindGraphs {
		return fmt.Errorf("holds a graph, but is of kind %s", a.Kind)
	}
	for _, t := range tensors {
		if t == nil {
			return fmt.Errorf("has no tensor")
		}
		if err := t.Check(); err != nil {
			return err
		}
	}
	for _, g := range graphs {
		if g == nil {
			return fmt.Errorf("has no graph")
		}
	}
	return nil
}
