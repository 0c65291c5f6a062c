package config

import (
	"strings"
	"sync"
)

// node is a key with the keys below it.
type node struct {
	key      key
	children []*node // in the order of the table
	element  *node   // of a list
}

// schema is the table as a tree. Its root stands for the whole file.
var schema = sync.OnceValue(func() *node {
	root := &node{key: key{kind: object}}
	for _, k := range keysOf() {
		at := root
		for part := range strings.SplitSeq(k.path, ".") {
			name, inner := strings.CutSuffix(part, "[]")
			at = at.grow(name)
			if inner {
				if at.element == nil {
					at.element = &node{}
				}
				at = at.element
			}
		}
		at.key = k
	}
	return root
})

// grow is the child called name, made when there is none.
func (n *node) grow(name string) *node {
	if c := n.child(name); c != nil {
		return c
	}
	c := &node{key: key{path: name}}
	n.children = append(n.children, c)
	return c
}

// child is the key called name directly below n, nil when there is none. Names are compared as they are: case counts.
func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.key.name() == name {
			return c
		}
	}
	return nil
}

// names lists the keys that a user may write here: not the refused ones.
func (n *node) names() []string {
	var out []string
	for _, c := range n.children {
		if c.key.refused == "" {
			out = append(out, c.key.name())
		}
	}
	return out
}
