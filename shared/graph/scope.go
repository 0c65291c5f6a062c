package graph

import "fmt"

// scope is the set of names that a graph defines, with the scopes around it.
type scope struct {
	names map[string]definition
	outer *scope
}

// definition says where a name comes from: an input, a constant, or node (by index) of the graph.
type definition struct {
	what string
	node int
}

func (d definition) String() string {
	if d.node >= 0 {
		return "output of " + d.what
	}
	return d.what
}

// newScope collects the definitions of g. A name that is defined twice, or hides one of the graphs around g, is an error
// that names both places. All names are collected before any is read, so a scope knows names that come too late; node
// tells Validate which.
func newScope(g *Graph, outer *scope) (*scope, error) {
	s := &scope{names: make(map[string]definition, len(g.Inputs)+len(g.Consts)+len(g.Nodes)), outer: outer}
	for _, p := range g.Inputs {
		if p.Name == "" {
			return nil, fmt.Errorf("an input has no name")
		}
		if err := s.define(p.Name, definition{"a graph input", -1}); err != nil {
			return nil, err
		}
	}
	for _, name := range sortedConsts(g) {
		if name == "" {
			return nil, fmt.Errorf("a constant has no name")
		}
		if err := s.define(name, definition{"a constant", -1}); err != nil {
			return nil, err
		}
	}
	for i, n := range g.Nodes {
		if n == nil {
			return nil, fmt.Errorf("node %d is missing", i)
		}
		for _, out := range n.Outputs {
			if out == "" {
				continue
			}
			if err := s.define(out, definition{n.label(), i}); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// define adds a name that no scope around has either.
func (s *scope) define(name string, d definition) error {
	for at := s; at != nil; at = at.outer {
		if old, ok := at.names[name]; ok {
			return fmt.Errorf("value %q is defined twice: as %s and as %s", name, old, d)
		}
	}
	s.names[name] = d
	return nil
}

// has reports whether the name is visible.
func (s *scope) has(name string) bool {
	for at := s; at != nil; at = at.outer {
		if _, ok := at.names[name]; ok {
			return true
		}
	}
	return false
}

// label names a node in messages.
func (n *Node) label() string { return fmt.Sprintf("node %q (%s)", n.Name, n.Op) }

// undefined is the error for input i of n.
func undefined(n *Node, i int) error {
	return fmt.Errorf("%s: input %d: value %q is not defined: no graph input, initializer or node output has this name; export the model again", n.label(), i, n.Inputs[i])
}
