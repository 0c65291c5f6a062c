package engine

import (
	"slices"

	"assay/shared/op"
)

// peaks joins a GlobalMaxPool with the tables whose values it alone reads: see op.Peak. It is called behind group, before slots have
// places.
//
//	QLinearConv -> [DQ -> Add -> GELU] -> GlobalMaxPool        the values of GELU are looked up for two bytes of each channel
func (b *bound) peaks() {
	readers := b.uses()
	drop := make([]bool, len(b.steps))
	for i := range b.steps {
		s := &b.steps[i]
		if s.group != nil || s.node.Domain != "" || s.node.Op != "GlobalMaxPool" || s.in[0] < 0 {
			continue
		}
		v := &b.slots[s.in[0]]
		if v.step < 0 || readers[s.in[0]] != 1 || v.wanted() || v.layout != op.ChannelsLast {
			continue
		}
		from := &b.steps[v.step]
		batch, channels := v.shape[0], v.shape[1]
		k, ok := op.Peak(from.kernel, batch, v.bytes/v.dtype.Size()/max(1, batch*channels), channels)
		if !ok {
			continue
		}
		node := b.joinedNode([]int{v.step, i})
		drop[v.step], v.inside = true, true
		*s = step{node: node, kernel: k, in: slices.Clone(from.in), out: s.out, cost: s.cost + from.cost}
		b.scratch = max(b.scratch, k.Scratch)
	}
	b.renumber(drop)
}
