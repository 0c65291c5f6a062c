package engine

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/op"
)

// view gives the output of a node that only drops or adds axes of one element behind the channels the bytes of its input,
// channels last, where that is where the input lies. It reports whether the node needs no step.
//
//	[N C H W] -> Reshape/Squeeze/Unsqueeze -> [N C H W 1]      channels last both are [N][H][W][C]: the same bytes
//
// The condition: N and C stay, and the spatial sizes other than 1 are the same in the same order.
func (b *binder) view(n *graph.Node) bool {
	if n.Domain != "" || n.Op != "Squeeze" && n.Op != "Unsqueeze" && n.Op != "Reshape" {
		return false
	}
	in, out := n.Inputs[0], n.Outputs[0]
	from, to := b.infos[in].Shape, b.infos[out].Shape
	if b.infos[in].Value != nil || b.home[in] != op.ChannelsLast || len(from) < 3 || len(to) < 3 || sameBytes(to) ||
		!slices.Equal(from[:2], to[:2]) || !slices.Equal(wide(from[2:]), wide(to[2:])) {
		return false
	}
	at, ok := b.at[place{in, op.ChannelsLast}]
	if !ok {
		return false
	}
	b.at[place{out, op.ChannelsLast}], b.home[out] = at, op.ChannelsLast
	b.fed[out] = b.fed[in]
	return true
}

// wide are the sizes that are not 1.
func wide(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(d int) bool { return d == 1 })
}

// untransposed is the slot that a Transpose read, if its bytes are those of the output channels last; else -1. Models that
// come from channels-last frameworks are full of such Transposes.
//
//	x [N H W C] -> Transpose(0,3,1,2) -> Conv                  Conv wants channels last, which is x itself
//
// The axes of the result, taken channels last, must run through x's axes in order; axes of one element may stand
// anywhere.
func (b *binder) untransposed(slot int, y op.Layout) int {
	s := &b.slots[slot]
	if y != op.ChannelsLast || s.step < 0 || s.layout != op.Logical {
		return -1
	}
	st := &b.steps[s.step]
	if st.node.Op != "Transpose" || st.node.Domain != "" || st.in[0] < 0 || st.out[0] != slot || st.node.Name == s.name+"/layout" {
		return -1
	}
	shape := b.infos[st.node.Inputs[0]].Shape
	perm := st.node.Ints("perm")
	if len(perm) != len(shape) {
		return -1
	}
	last := -1
	for i := range perm {
		axis := perm[lastAxes(i, len(perm))]
		if axis < 0 || int(axis) >= len(shape) {
			return -1
		}
		if shape[axis] == 1 {
			continue
		}
		if int(axis) < last {
			return -1
		}
		last = int(axis)
	}
	return st.in[0]
}

// lastAxes is the logical axis at place i of rank axes channels last.
func lastAxes(i, rank int) int {
	switch i {
	case 0:
		return 0
	case rank - 1:
		return 1
	}
	return i + 1
}

// sweep drops steps whose outputs nobody reads any more. Steps lose their last reader when views and untransposed made
// a Transpose or a conversion needless. Going backwards settles chains in one pass.
func (b *bound) sweep() {
	readers, drop := make([]int, len(b.slots)), make([]bool, len(b.steps))
	for _, s := range b.steps {
		for _, in := range s.in {
			if in >= 0 {
				readers[in]++
			}
		}
	}
	for i := len(b.steps) - 1; i >= 0; i-- {
		s := &b.steps[i]
		if slices.ContainsFunc(s.out, func(o int) bool { return o >= 0 && (readers[o] > 0 || b.slots[o].wanted()) }) {
			continue
		}
		drop[i] = true
		for _, in := range s.in {
			if in >= 0 {
				readers[in]--
			}
		}
		for _, o := range s.out {
			if o >= 0 {
				b.slots[o].inside = true
			}
		}
	}
	b.renumber(drop)
}
