package engine

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"assay/evaluator/engine/fuse"
	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// Program is a compiled graph. It binds itself to kernels for each shape of inputs that Run sees and keeps the last few, so that a
// first run of a shape takes longer. It is safe for concurrent use. Programs of one engine share packed weights and stored
// activations. graph is not changed after Compile. sums has a
// hash for every value of it. A Program holds its bounds until it is garbage.
type Program struct {
	engine *Engine
	graph  *graph.Graph // fused, only what want needs, constants folded
	inputs []graph.Port // the model's inputs that graph reads
	want   []string
	sums   map[string][32]byte
	rows   func() bool
	nested bool            // it has nodes on whole values: If, Loop, Scan, sequences
	known  map[string]bool // inputs whose elements its shapes depend on: it is bound for those too

	watched bool            // wanted values are shown and not returned
	watch   func() *Program // the same program, watched

	bindings *bindings
	results  spares      // what Reuse was given
	pieces   spares      // inputs of parts of a batch, without bytes
	shares   atomic.Bool // it was bound in parts: what it returns may share memory
}

// Compile fuses m's graph and keeps what the wanted values need; nil wants the graph's outputs. A wanted value may be any
// value of m's graph: one that fusion took away is computed literally beside the fused graph, so that asking for it
// changes no bit of another value. m must not change afterwards. The steps: fuse (ONNX Runtime's integer operators),
// supply what was asked for and is gone, prune, fold constants, prune what folding left. It is safe for concurrent use
// and packs nothing yet. Errors: a graph that is not valid, a wanted value that it does not have, operators that are not
// supported (all of them in one error), constants that cannot be computed.
func (e *Engine) Compile(m *graph.Model, want []string) (*Program, error) {
	if want == nil {
		for _, p := range m.Graph.Outputs {
			want = append(want, p.Name)
		}
	}
	if err := graph.Validate(m); err != nil {
		return nil, err
	}
	g := fuse.Graph(m.Graph, knownTypes(m.Graph))
	if err := supply(g, m.Graph, want); err != nil {
		return nil, err
	}
	prune(g, want)
	if err := fold(g); err != nil {
		return nil, err
	}
	prune(g, want)
	if err := known(g); err != nil {
		return nil, err
	}
	return e.program(g, want, e.digest.values(g, nil)), nil
}

// program makes a Program of a graph that is ready to be bound; sums has a digest for each of its values. The cleanup
// must not refer to p, only to its bindings, or p would live for ever.
func (e *Engine) program(g *graph.Graph, want []string, sums map[string][32]byte) *Program {
	p := &Program{
		engine: e, graph: g, inputs: g.Inputs, want: slices.Clone(want), sums: sums,
		bindings: &bindings{packs: e.packs, bounds: map[string]*bound{}},
		nested: slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool {
			o := op.Lookup(n.Domain, n.Op)
			return o != nil && o.Whole(false)
		}),
	}
	p.rows = sync.OnceValue(p.rowWise)
	p.watch = sync.OnceValue(func() *Program {
		w := e.program(p.graph, p.want, p.sums)
		w.known, w.watched = p.known, true
		return w
	})
	runtime.AddCleanup(p, (*bindings).close, p.bindings)
	return p
}

// Wants lists the values that Run returns, as they were asked for. The list is the caller's.
func (p *Program) Wants() []string { return slices.Clone(p.want) }

// Operators counts the nodes of the fused graph by operator, those of com.microsoft without their domain: how much of a plan is
// computed in integers. Nodes of nested graphs do not count.
func (p *Program) Operators() map[string]int {
	count := map[string]int{}
	for _, n := range p.graph.Nodes {
		count[n.Op]++
	}
	return count
}

// knownTypes finds element types and the axes that do not depend on the inputs' free axes, by trying two sizes for those.
// It knows nothing when the graph cannot be inferred that way. Axes that agree for sizes 2 and 3 are taken as fixed: an
// axis that depends on an input would differ.
func knownTypes(g *graph.Graph) map[string]graph.Type {
	a, errA := op.InferShapes(g, sized(g, 2))
	b, errB := op.InferShapes(g, sized(g, 3))
	if errA != nil || errB != nil {
		return nil
	}
	types := make(map[string]graph.Type, len(a))
	for name, x := range a {
		y := b[name]
		if len(x.Shape) != len(y.Shape) || x.DType.Container() {
			continue
		}
		t := graph.FixedType(x.DType, x.Shape...)
		for i := range t.Shape {
			if x.Shape[i] != y.Shape[i] {
				t.Shape[i].N = -1
			}
		}
		types[name] = t
	}
	return types
}

// sized gives each free axis of an input the size n.
func sized(g *graph.Graph, n int) map[string]op.Info {
	in := map[string]op.Info{}
	for _, p := range g.Inputs {
		if g.Consts[p.Name] != nil || !p.Type.Ranked {
			continue
		}
		shape := make([]int, len(p.Type.Shape))
		for i, d := range p.Type.Shape {
			if shape[i] = d.N; d.N < 0 {
				shape[i] = n
			}
		}
		in[p.Name] = op.Info{DType: p.Type.DType, Shape: shape}
	}
	return in
}

// supply adds to g what is missing of the wanted values: nodes of the unfused graph that compute them from values that g
// still has. Such a value is the literal one (DQ, float operator), which may differ from what the fused graph would
// have there.
func supply(g, whole *graph.Graph, want []string) error {
	made := map[string]bool{}
	for _, p := range g.Inputs {
		made[p.Name] = true
	}
	for _, n := range g.Nodes {
		for _, o := range n.Outputs {
			made[o] = true
		}
	}
	x := graph.NewIndex(whole)
	var get func(name string) error
	get = func(name string) error {
		if name == "" || made[name] || g.Consts[name] != nil {
			return nil
		}
		if t := whole.Consts[name]; t != nil {
			g.Consts[name] = t
			return nil
		}
		n := x.Producer[name]
		if n == nil {
			return fmt.Errorf("value %q is not in the graph", name)
		}
		for _, in := range append(slices.Clone(n.Inputs), graph.Captures(n)...) {
			if err := get(in); err != nil {
				return err
			}
		}
		c := *n
		c.Outputs = slices.Clone(n.Outputs)
		for i, o := range c.Outputs {
			if made[o] {
				c.Outputs[i] = "" // the fused graph computes it already
			}
			made[o] = true
		}
		g.Nodes = append(g.Nodes, &c)
		return nil
	}
	for _, name := range want {
		if err := get(name); err != nil {
			return err
		}
	}
	return nil
}

// prune drops nodes, constants and inputs that the wanted values do not need. Nodes must be in topological order. want
// becomes g's outputs.
func prune(g *graph.Graph, want []string) {
	need := map[string]bool{}
	for _, name := range want {
		need[name] = true
	}
	keep := make([]bool, len(g.Nodes))
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		if !slices.ContainsFunc(n.Outputs, func(o string) bool { return o != "" && need[o] }) {
			continue
		}
		keep[i] = true
		for _, in := range append(slices.Clone(n.Inputs), graph.Captures(n)...) {
			need[in] = true
		}
	}
	var nodes []*graph.Node
	for i, n := range g.Nodes {
		if keep[i] {
			nodes = append(nodes, n)
		}
	}
	g.Nodes = nodes
	for name := range g.Consts {
		if !need[name] {
			delete(g.Consts, name)
		}
	}
	g.Inputs = slices.DeleteFunc(slices.Clone(g.Inputs), func(p graph.Port) bool { return !need[p.Name] || g.Consts[p.Name] != nil })
	g.Outputs = nil
	for _, name := range want {
		g.Outputs = append(g.Outputs, graph.Port{Name: name, Type: g.Types[name]})
	}
}

// foldable are the operators that are computed at compile time when all their inputs are constants: those whose result is
// at most eight times their inputs. Everything else constant is the reader's business.
var foldable = []string{"Cast", "DequantizeLinear", "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}

// fold computes foldable nodes: weights that stay quantized in the file but are used in float. Results are at most
// maxEval bytes (package op).
func fold(g *graph.Graph) error {
	var nodes []*graph.Node
	for _, n := range g.Nodes {
		constant := n.Domain == "" && slices.Contains(foldable, n.Op)
		in := make([]*tensor.Tensor, len(n.Inputs))
		for i, name := range n.Inputs {
			in[i] = g.Consts[name]
			constant = constant && (name == "" || in[i] != nil)
		}
		if !constant {
			nodes = append(nodes, n)
			continue
		}
		out, err := op.Eval(n, in)
		if err != nil {
			return err
		}
		for i, o := range n.Outputs {
			if o != "" {
				g.Consts[o] = out[i]
			}
		}
	}
	g.Nodes = nodes
	return nil
}

// known refuses operators that cannot be run, all in one error.
func known(g *graph.Graph) error {
	if missing := unknownOps(g, nil); len(missing) > 0 {
		return fmt.Errorf("operators %v cannot be run: they are not among the supported ones (OPERATORS.md)", missing)
	}
	return nil
}

// unknownOps appends the operators of g and its nested graphs that op does not have to missing, each once.
func unknownOps(g *graph.Graph, missing []string) []string {
	for _, n := range g.Nodes {
		name := n.Op
		if n.Domain != "" {
			name = n.Domain + "." + n.Op
		}
		if op.Lookup(n.Domain, n.Op) == nil && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
		for _, sub := range graph.Nested(n) {
			missing = unknownOps(sub, missing)
		}
	}
	return missing
}
