package op

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// maxKnown is the largest number of elements of a value that InferShapes computes: shapes, axes and indices are far
// smaller, and a weight that is computed from constants is the business of constant folding, which has its own limit.
const maxKnown = 1 << 12

// InferShapes returns type and shape of values of g for concrete inputs, and the elements of those that are constant or
// follow from shapes. What depends on elements that are computed from data is absent: the outputs of such a node, and all
// that follows from them. A graph input that inputs does not name must have a fixed type. Values captured from a
// surrounding graph are passed like inputs. g is not changed, and the result shares the shapes of inputs and constants with it; an
// error names the node and the input, and the result is then what was known before that node, nil without any. The result has
// every name that is known and no entry with an Invalid type. It is safe for concurrent use on one graph.
func InferShapes(g *graph.Graph, inputs map[string]Info) (map[string]Info, error) {
	env := make(map[string]Info, len(g.Nodes)+len(g.Consts)+len(inputs))
	for name, info := range inputs {
		env[name] = info
	}
	for _, p := range g.Inputs {
		if _, ok := env[p.Name]; ok {
			continue
		}
		if p.Type.DType.Container() {
			env[p.Name] = declaredItems(p.Type)
			continue
		}
		shape, ok := p.Type.Fixed()
		if !ok {
			return nil, fmt.Errorf("graph input %q: its shape %s is not fixed: say which shape to use", p.Name, dims(p.Type))
		}
		env[p.Name] = Info{DType: p.Type.DType, Shape: shape}
	}
	return env, inferNodes(env, g, false)
}

// declaredItems is what a model says of a container: how many items there are it never does.
func declaredItems(t graph.Type) Info {
	x := Info{DType: t.DType}
	if t.DType == tensor.Sequence && t.Elem != nil {
		x.Elem = t.Elem.DType
	}
	return x
}

// inferNodes adds to env the constants of g and what can be known of its nodes' outputs. A nested graph may read what env lacks: a
// value of the graphs around it that is known only when the model runs, and so is what follows from it. late marks
// values that hang on data: their readers are not asked, so one *Unknown costs one attempt and not a chain of them. An
// error that is no *Unknown ends the walk.
func inferNodes(env map[string]Info, g *graph.Graph, nested bool) error {
	for name, t := range g.Consts {
		env[name] = Info{DType: t.DType, Shape: t.Shape, Value: t}
	}
	late := map[string]bool{}
	open := func(in string) bool {
		_, known := env[in]
		return late[in] || nested && in != "" && !known
	}
	for _, n := range g.Nodes {
		var u *Unknown
		if slices.ContainsFunc(n.Inputs, open) {
			u = &Unknown{}
		} else if err := InferNode(env, n); err != nil && !errors.As(err, &u) {
			return err
		}
		for _, o := range n.Outputs {
			if _, ok := env[o]; !ok || u != nil {
				late[o] = o != ""
			}
		}
	}
	return nil
}

// dims prints the axes of a type as a model writes them.
func dims(t graph.Type) string {
	if !t.Ranked {
		return "(of unknown rank)"
	}
	s := make([]string, len(t.Shape))
	for i, d := range t.Shape {
		s[i] = d.Sym
		if d.N >= 0 {
			s[i] = fmt.Sprint(d.N)
		} else if d.Sym == "" {
			s[i] = "?"
		}
	}
	return fmt.Sprint(s)
}

// InferNode adds the outputs of n to env, computing their elements where all inputs are known and the result is small. An
// error may be an *Unknown; env is as before then. Of a node with nested graphs it may add some outputs only.
func InferNode(env map[string]Info, n *graph.Node) error {
	x, err := gather(env, n)
	if err == nil {
		err = Apply(x)
	}
	if err == nil {
		err = computeKnown(x)
	}
	if err != nil {
		return nodeError(n, err)
	}
	for i, name := range n.Outputs {
		if name != "" && x.Out[i].DType != tensor.Invalid {
			env[name] = x.Out[i]
		}
	}
	return nil
}

// nodeError says at which node err happened.
func nodeError(n *graph.Node, err error) error {
	return fmt.Errorf("node %q (%s): %w", n.Name, spelled(n.Domain, n.Op), err)
}

// spelled is the name of an operator as messages write it.
func spelled(domain, name string) string {
	if domain == "" {
		return name
	}
	return domain + "." + name
}

// gather looks up the inputs of n. A name that env lacks is an error here; inferNodes has sorted out those that are
// merely late.
func gather(env map[string]Info, n *graph.Node) (*Infer, error) {
	x := &Infer{Node: n, In: make([]Info, len(n.Inputs)), Out: make([]Info, len(n.Outputs)), Outer: env}
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		info, ok := env[name]
		if !ok {
			return nil, fmt.Errorf("input %d (%q) is not defined before it is used", i, name)
		}
		x.In[i] = info
	}
	return x, nil
}

// Apply checks x against what the operator declares and runs its shape rule, which fills x.Out. x.Out has an entry for
// each output of the node. Control operators may leave outputs of type Invalid behind, which means unknown until the
// run, and only theirs may be containers; of all others both are faults of the shape rule.
func Apply(x *Infer) error {
	o := Lookup(x.Node.Domain, x.Node.Op)
	if o == nil {
		return fmt.Errorf("the operator is unknown (OPERATORS.md lists those that are supported)")
	}
	if err := o.declared(x); err != nil {
		return err
	}
	if err := o.Infer(x); err != nil {
		return err
	}
	for i, out := range x.Out {
		if x.Node.Outputs[i] == "" || o.Control != nil && (out.DType == tensor.Invalid || out.DType.Container()) {
			continue
		}
		if out.DType.Size() == 0 {
			return fmt.Errorf("output %d has no supported element type", i)
		}
		if err := possible(out.Shape, out.DType.Size()); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

// possible refuses shapes with a negative axis or whose size in bytes does not fit an int.
func possible(shape []int, size int) error {
	n := size
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt/d {
			return fmt.Errorf("shape %v is impossible", shape)
		}
		n *= d
	}
	return nil
}

// declared refuses nodes with too few or too many inputs or outputs, and element types that Lower does not evaluate.
// Attributes are not checked here but when the model is upgraded: shape rules run often, attributes do not change.
func (o *Op) declared(x *Infer) error {
	if err := o.Inputs.check("inputs", len(x.In)); err != nil {
		return err
	}
	if err := o.Outputs.check("outputs", len(x.Out)); err != nil {
		return err
	}
	for i := range o.Inputs.Least {
		if x.In[i].DType == tensor.Invalid {
			return fmt.Errorf("input %d is omitted but required", i)
		}
	}
	for i, in := range x.In {
		if x.Node.Inputs[i] != "" && in.DType.Size() == 0 && !(o.Control != nil && in.DType.Container()) {
			return fmt.Errorf("input %d (%q) has element type %s, which is not supported", i, x.Node.Inputs[i], in.DType)
		}
	}
	if o.Types != nil && len(x.In) > 0 && !slices.Contains(o.Types, x.In[0].DType) {
		return fmt.Errorf("element type %s is not supported (%v are)", x.In[0].DType, o.Types)
	}
	return nil
}

// check says how many there may be when n are too few or too many.
func (a Arity) check(what string, n int) error {
	if n >= a.Least && (a.Most < 0 || n <= a.Most) {
		return nil
	}
	if a.Least == a.Most {
		return fmt.Errorf("it has %d %s, %d are required", n, what, a.Least)
	}
	if a.Most < 0 {
		return fmt.Errorf("it has %d %s, at least %d are required", n, what, a.Least)
	}
	return fmt.Errorf("it has %d %s, %d to %d are allowed", n, what, a.Least, a.Most)
}

// computeKnown evaluates the node when all of its inputs are known and its outputs are small, so that chains of Shape,
// Gather, Concat ... give numbers to the operators that need them. total is in elements and bounded by maxKnown, so a
// hostile Range or Expand is never computed for its shape's sake. Errors of the kernel are errors of the node: it would
// fail at run time too.
func computeKnown(x *Infer) error {
	total, known := 0, true
	for i, out := range x.Out {
		if x.Node.Outputs[i] != "" {
			total += tensor.Count(out.Shape)
			known = known && out.Value != nil
		}
	}
	if o := Lookup(x.Node.Domain, x.Node.Op); known || total > maxKnown || o.Control != nil && o.Lower == nil {
		return nil
	}
	in := make([]*tensor.Tensor, len(x.In))
	for i, info := range x.In {
		if x.Node.Inputs[i] != "" && info.Value == nil {
			return nil
		}
		in[i] = info.Value
	}
	out, err := run(x, in, Logical, maxEval)
	if err != nil {
		return err
	}
	for i, t := range out {
		x.Out[i].Value = t
	}
	return nil
}
