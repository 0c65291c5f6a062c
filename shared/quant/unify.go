package quant

import "assay/shared/graph"

// maxUnequal is how many times wider than a branch a common range may be: beyond that the branch would keep fewer than
// four bits.
const maxUnequal = 16

// unify gives one range to what meets at a Concat, and to input and results of operators that merely carry integers, so
// that the integers are copied. A value stays apart when the common range would cost it most of its levels, or when a
// Relu or Clip before it could then not be absorbed, which would put its layer into float; the runtimes requantize it
// at the Concat by a table. Spans only ever grow, and by unions of what is there, so rounds end; len(nodes) bounds them
// should rounding ever disagree. pot-spec 3.6 takes the union likewise, for every group of unified scales and whatever
// it costs.
func (b *builder) unify(spans, limits map[string]span) {
	for changed, rounds := true, 0; changed && rounds < len(b.g.Nodes); rounds++ {
		changed = false
		for _, n := range b.g.Nodes {
			c := b.classOf(n)
			if !b.integer[n] || c != classConcat && c != classCarry {
				continue
			}
			if b.unifyAt(n, spans, limits) {
				changed = true
			}
		}
	}
}

// unifyAt widens the values at n to their union where they allow it; it reports whether any changed. limits of an
// absorbed clamp are bounds that a level may not pass (span.u8), so a union beyond them is refused.
func (b *builder) unifyAt(n *graph.Node, spans, limits map[string]span) bool {
	var members []string
	for _, i := range dataInputs(n) {
		if v, _ := b.root(n, i); !b.isConst(n.Input(i)) {
			members = append(members, v)
		}
	}
	for _, o := range n.Outputs {
		_, out, _ := b.clampBehind(o)
		members = append(members, out)
	}
	var all span
	for _, v := range members {
		all = all.union(spans[v]) // an absent one is empty at zero
	}
	changed := false
	for _, v := range members {
		sp, ok := spans[v]
		if !ok || sp == all || all.width() > maxUnequal*sp.width() || all.lo < limits[v].lo || all.hi > limits[v].hi {
			continue
		}
		spans[v], changed = all, true
	}
	return changed
}
