package engine

import (
	"fmt"

	"assay/shared/graph"
	"assay/shared/op"
)

// layoutFor is y for values that have channels to move, else Logical.
func layoutFor(y op.Layout, shape []int) op.Layout {
	if len(shape) < 3 {
		return op.Logical
	}
	return y
}

// choose is the layout in which n computes: what its operator demands, or, where it takes either, channels last as soon as
// one of its inputs lies so. A MemoryAny operator follows its inputs, because converting one operand costs a pass and
// converting back another.
func (b *binder) choose(o *op.Op, n *graph.Node) op.Layout {
	switch o.Memory {
	case op.MemorySpatial:
		if len(n.Inputs) > 0 && len(b.infos[n.Inputs[0]].Shape) >= 3 {
			return op.ChannelsLast
		}
	case op.MemoryAny:
		rank := b.rank(n)
		for _, name := range n.Inputs {
			if x := b.infos[name]; name != "" && x.Value == nil && rank >= 3 && len(x.Shape) == rank && b.home[name] == op.ChannelsLast {
				return op.ChannelsLast
			}
		}
	}
	return op.Logical
}

// rank is the number of axes of n's first output.
func (b *binder) rank(n *graph.Node) int {
	if len(n.Outputs) == 0 {
		return 0
	}
	return len(b.infos[n.Outputs[0]].Shape)
}

// inputLayout is where input i has to lie when n computes in y.
func (b *binder) inputLayout(o *op.Op, n *graph.Node, i int, y op.Layout) op.Layout {
	x := b.infos[n.Inputs[i]]
	if y == op.Logical || x.Value != nil || len(x.Shape) < 3 {
		return op.Logical
	}
	if o.Memory == op.MemorySpatial && (i == 0 || i == o.Residual) || o.Memory == op.MemoryAny && len(x.Shape) == b.rank(n) {
		return y
	}
	return op.Logical
}

// have returns the slot of a value in layout y, converting it once where it was made in the other one. Conversions are
// Transposes under the physical shapes; where only one axis has more than one element the bytes are the same already. A
// conversion is made once for each value and layout, and its slot is found in at from then on.
func (b *binder) have(name string, y op.Layout) (int, error) {
	if i, ok := b.at[place{name, y}]; ok {
		return i, nil
	}
	home, ok := b.home[name]
	if !ok {
		return 0, fmt.Errorf("value %q is used before it is computed", name)
	}
	from := b.at[place{name, home}]
	shape := b.infos[name].Shape
	if sameBytes(shape) {
		b.at[place{name, y}] = from
		return from, nil
	}
	if at := b.untransposed(from, y); at >= 0 && !b.p.engine.apart {
		b.at[place{name, y}] = at
		return at, nil
	}
	rank := len(shape)
	perm := make([]int64, rank)
	physical := make([]int, rank)
	for i := range perm {
		perm[i], physical[i] = int64(i), shape[i]
	}
	if y == op.ChannelsLast { // [n c h w] to [n h w c]
		copy(perm[1:], perm[2:])
		perm[rank-1] = 1
	} else { // [n h w c] to [n c h w]
		copy(physical[1:], shape[2:])
		physical[rank-1] = shape[1]
		copy(perm[2:], perm[1:rank-1])
		perm[1] = int64(rank - 1)
	}
	n := &graph.Node{Name: name + "/layout", Op: "Transpose", Inputs: []string{name}, Outputs: []string{name}}
	n.SetInts("perm", perm)
	return b.convert(n, name, from, y, physical, perm)
}

// convert appends the step that writes a value, which lies in slot from, in layout y. Its cost is estimated as twice a
// plain copy's, since strides miss the cache.
func (b *binder) convert(n *graph.Node, name string, from int, y op.Layout, physical []int, perm []int64) (int, error) {
	s := b.slots[from]
	turned := make([]int, len(perm))
	for i, p := range perm {
		turned[i] = physical[p]
	}
	l := &op.Lower{Node: n, Packs: b.packs,
		In:  []op.Arg{{Name: name, DType: s.dtype, Shape: physical}},
		Out: []op.Arg{{Name: name, DType: s.dtype, Shape: turned}},
	}
	o := op.Lookup("", "Transpose")
	if o == nil || o.Lower == nil {
		return 0, fmt.Errorf("value %q cannot be brought into another memory layout: there is no Transpose", name)
	}
	k, err := o.Lower(l)
	if err != nil {
		return 0, fmt.Errorf("value %q to another memory layout: %w", name, err)
	}
	to, err := b.slot(name, y, len(b.steps))
	if err != nil {
		return 0, err
	}
	b.scratch = max(b.scratch, k.Scratch)
	b.steps = append(b.steps, step{node: n, kernel: k, in: []int{from}, out: []int{to}, cost: float64(float64(s.bytes) * 600)})
	return to, nil
}

// sameBytes reports whether both layouts of a shape are the same bytes: one channel, or one pixel. shape has three axes
// or more.
func sameBytes(shape []int) bool {
	pixels := 1
	for _, d := range shape[2:] {
		pixels *= d
	}
	return shape[1] == 1 || pixels == 1
}
