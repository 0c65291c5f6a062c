package op

import (
	"fmt"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// maxEval is how many bytes the outputs and the scratch of one node may take in Eval: what a model claims is no reason to
// try more.
const maxEval = 1 << 32

// Eval applies one node to tensors: constant folding and tests. nil stands for an omitted input and, in the result, for an
// omitted output. in has as many entries as n has inputs; tensors are in logical layout and are not changed. Outputs are new
// tensors or, where the shape rule knew the elements, shared read-only ones. An error names the node; so does the refusal of
// outputs and scratch beyond 4 GiB. Operators with nested graphs, sequences or optionals are EvalGraph's. It is safe for
// concurrent use. The same kernels run as in a compiled program, so the bits are the same.
func Eval(n *graph.Node, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	return evalIn(n, in, Logical)
}

// evalIn is Eval with the memory layout that operators of MemoryAny are lowered in.
func evalIn(n *graph.Node, in []*tensor.Tensor, layout Layout) ([]*tensor.Tensor, error) {
	return evalWithin(n, in, layout, maxEval)
}

// evalWithin is Eval for a node whose outputs and scratch take at most limit bytes. What a file claims is checked
// before anything is allocated: names against tensors, each tensor against its own shape, then fits.
func evalWithin(n *graph.Node, in []*tensor.Tensor, layout Layout, limit int64) ([]*tensor.Tensor, error) {
	x := &Infer{Node: n, In: make([]Info, len(in)), Out: make([]Info, len(n.Outputs))}
	if len(in) != len(n.Inputs) {
		return nil, nodeError(n, fmt.Errorf("%d tensors are given for %d inputs", len(in), len(n.Inputs)))
	}
	for i, t := range in {
		if (t == nil) != (n.Inputs[i] == "") {
			return nil, nodeError(n, fmt.Errorf("input %d (%q): exactly the omitted inputs have no tensor", i, n.Inputs[i]))
		}
		if t == nil {
			continue
		}
		if err := t.Check(); err != nil {
			return nil, nodeError(n, fmt.Errorf("input %d (%q): %w", i, n.Inputs[i], err))
		}
		x.In[i] = Info{DType: t.DType, Shape: t.Shape, Value: t}
	}
	err := Apply(x)
	if err != nil {
		return nil, nodeError(n, err)
	}
	out, err := run(x, in, layout, limit)
	if err != nil {
		return nil, nodeError(n, err)
	}
	return out, nil
}

// run lowers and runs a node whose shapes are known. The first data input is passed as a computed tensor, all others as
// constants, so both ways that a kernel receives data are in use. Which input counts as computed is Op.data. An output
// whose elements the shape rule knows is returned as it is; where all are, no kernel is made, so operators without
// Lower (Shape, Range, NonZero) work here too.
func run(x *Infer, in []*tensor.Tensor, layout Layout, limit int64) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(x.Out))
	done := true
	for i, o := range x.Out {
		if x.Node.Outputs[i] != "" {
			out[i] = o.Value
			done = done && o.Value != nil
		}
	}
	if done {
		return out, nil
	}
	o := Lookup(x.Node.Domain, x.Node.Op)
	if o.Lower == nil {
		return nil, fmt.Errorf("its value does not follow from its inputs")
	}
	if err := fits(x, 0, limit); err != nil { // before Lower, which may make tables of that length
		return nil, err
	}
	l, c := prepare(o, x, in, layout, func(i int) bool { return i == o.data })
	k, err := o.Lower(l)
	if err != nil {
		return nil, err
	}
	if err := fits(x, k.Scratch, limit); err != nil {
		return nil, err
	}
	c.Scratch = make([]byte, k.Scratch)
	for i, a := range l.Out {
		if a.Name != "" {
			out[i] = tensor.New(a.DType, a.Shape...)
			c.Out[i] = out[i].Data
		}
	}
	k.Run(c)
	for i, a := range l.Out {
		if a.Name != "" && a.Layout == ChannelsLast {
			out[i] = toLogical(out[i])
		}
	}
	return out, nil
}

// fits refuses a node whose outputs and scratch are larger than limit. The additions cannot overflow: possible() has
// bounded each output by an int, and n is compared alone before it is added.
func fits(x *Infer, scratch int, limit int64) error {
	total := int64(scratch)
	if scratch < 0 {
		return fmt.Errorf("it wants more memory than there can be")
	}
	for i, out := range x.Out {
		if x.Node.Outputs[i] == "" || out.Value != nil {
			continue
		}
		n := int64(tensor.Count(out.Shape)) * int64(out.DType.Size()) // possible has bounded it
		if n > limit || total+n > limit || total > limit {
			return fmt.Errorf("its output %d of shape %v and its scratch of %d bytes take more than %d bytes", i, out.Shape, scratch, limit)
		}
		total += n
	}
	if total > limit {
		return fmt.Errorf("its scratch of %d bytes takes more than %d bytes", scratch, limit)
	}
	return nil
}

// prepare makes what Lower and Run see, in the layout that o.Memory calls for; inputs that are not computed are
// constants. c.Out and l.Out of omitted outputs stay empty, as the engine leaves them. Only inputs of the output's rank
// are turned for MemoryAny, and only input 0 for MemorySpatial: that is what those words promise a Lower.
func prepare(o *Op, x *Infer, in []*tensor.Tensor, layout Layout, computed func(i int) bool) (*Lower, *Call) {
	l := &Lower{Node: x.Node, In: make([]Arg, len(in)), Out: make([]Arg, len(x.Out)), Packs: unshared{}}
	c := &Call{In: make([][]byte, len(in)), Out: make([][]byte, len(x.Out))}
	rank := 0
	if len(x.Out) > 0 {
		rank = len(x.Out[0].Shape)
	}
	spatial := o.Memory == MemorySpatial && len(x.In[0].Shape) >= 3
	channelsLast := spatial || o.Memory == MemoryAny && layout == ChannelsLast && rank >= 3
	for i, t := range in {
		if t == nil {
			continue
		}
		l.In[i] = Arg{Name: x.Node.Inputs[i], DType: t.DType, Shape: t.Shape}
		if !computed(i) {
			l.In[i].Const = t
			continue
		}
		c.In[i] = aligned(t)
		if channelsLast && (i == 0 || !spatial) && (spatial || len(t.Shape) == rank) {
			l.In[i].Layout = ChannelsLast
			c.In[i] = toChannelsLast(t).Data
		}
	}
	for i, out := range x.Out {
		if x.Node.Outputs[i] == "" {
			continue
		}
		l.Out[i] = Arg{Name: x.Node.Outputs[i], DType: out.DType, Shape: slices.Clone(out.Shape)}
		if channelsLast && len(out.Shape) >= 3 {
			l.Out[i].Layout = ChannelsLast
		}
	}
	return l, c
}

// unshared builds every pack anew.
type unshared struct{}

// Get ignores the key: two equal keys cost two packings, which is right for one node of constant folding.
func (unshared) Get(_ string, build func() (any, int64, error)) (any, error) {
	p, _, err := build()
	return p, err
}

// Digest is worked out, though nobody asks for what is named by it.
func (unshared) Digest(t *tensor.Tensor) [32]byte { return t.Digest() }
