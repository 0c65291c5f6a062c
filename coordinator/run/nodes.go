package run

import (
	"sort"
	"sync"
	"time"

	"assay/shared/wire"
)

// nodes is who is alive: what evaluators said of themselves within the last wire.NodeTimeout. ever keeps all that were
// heard or credited, for the report; last only those that did not say goodbye.
type nodes struct {
	numerics string
	now      func() time.Time
	timeout  time.Duration // wire.NodeTimeout, but for tests

	mu   sync.Mutex
	last map[string]seen
	ever map[string]Node
}

type seen struct {
	at      time.Time
	started int64
	slots   int
}

// holder is the process that claimed a delivery.
type holder struct {
	node    string
	started int64
}

// Node is an evaluator that took part in a job. Two processes of one name are one node.
type Node struct {
	Name  string `json:"name"`  // host and process, or what --name said
	Tier  string `json:"tier"`  // of its kernels, as tier.Tier prints it
	Build string `json:"build"` // version of the program
	Slots int    `json:"slots"` // tasks at a time, as of its last heartbeat; 0 if none was heard
	Cells uint64 `json:"cells"` // results that came from it, those nobody asked for in the end included
}

// newNodes knows nobody yet. Nodes of other numerics versions stay unknown to it.
func newNodes(numerics string) *nodes {
	return &nodes{numerics: numerics, now: time.Now, timeout: wire.NodeTimeout, last: map[string]seen{}, ever: map[string]Node{}}
}

// hear takes a heartbeat in. Nodes of another numerics version serve another queue and do not count.
func (n *nodes) hear(h wire.Heartbeat) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.Numerics != n.numerics {
		return
	}
	if h.Leaving {
		delete(n.last, h.Node)
	} else {
		n.last[h.Node] = seen{n.now(), h.Started, int(h.Slots)}
	}
	n.ever[h.Node] = Node{Name: h.Node, Tier: h.Tier, Build: h.Build, Slots: int(h.Slots), Cells: n.ever[h.Node].Cells}
}

// credit counts a cell for the node that made it.
func (n *nodes) credit(node, tier, build string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e, ok := n.ever[node]
	if !ok {
		e = Node{Name: node, Tier: tier, Build: build}
	}
	e.Cells++
	n.ever[node] = e
}

// lives reports whether that very process was heard of within the last wire.NodeTimeout. The start time tells a process
// from its successor under one name.
func (n *nodes) lives(h holder) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, ok := n.last[h.node]
	return ok && s.started == h.started && n.now().Sub(s.at) < n.timeout
}

// others is the number of live nodes that are not among some.
func (n *nodes) others(some map[string]bool) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, s := range n.last {
		if n.now().Sub(s.at) < n.timeout && !some[name] {
			count++
		}
	}
	return count
}

// slots is the number of tasks that can be in work now.
func (n *nodes) slots() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	total := 0
	for _, s := range n.last {
		if n.now().Sub(s.at) < n.timeout {
			total += s.slots
		}
	}
	return total
}

// all lists every node that computed at least one cell, by name.
func (n *nodes) all() []Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Node
	for _, e := range n.ever {
		if e.Cells > 0 {
			out = append(out, e)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
