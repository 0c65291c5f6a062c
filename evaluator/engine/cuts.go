package engine

import (
	"math"
	"slices"
)

// cut is a place between two steps where few values are alive, so that holding those lets a run start there. slots are
// those alive behind the step, in the order they were made.
type cut struct {
	slots  []int
	cost   float64 // picoseconds of the steps since the cut before
	layers int     // steps behind it, up to the next cut, that a plan may turn to float
}

const (
	// copying is the estimated time, in picoseconds per byte, of storing an activation and reading it back: more than estimate takes for
	// making floats of bytes, which is done again.
	copying = 200
	// widest is the most values that may be alive at a cut: a branch or two beside the main line.
	widest = 4
)

// cuts chooses the slots that the activation store should hold for one batch: the values at cuts whose steps cost more
// than copying them, thinned by cost per byte until one batch takes at most half of the budget. A slot at several cuts
// gains from each. Half of the budget leaves room for the plans of a task to differ in what they keep.
func (b *bound) cuts(budget float64) {
	list := b.thin(b.worthwhile(b.narrow()), budget/2, func(c cut) float64 { return c.cost })
	for _, c := range list {
		for _, s := range c.slots {
			b.slots[s].keep += c.cost / b.bytes(c.slots, nil)
		}
	}
}

// bytes sums the sizes of slots that are not among without.
func (b *bound) bytes(slots, without []int) (sum float64) {
	for _, s := range slots {
		if !slices.Contains(without, s) {
			sum += float64(b.slots[s].bytes)
		}
	}
	return sum
}

// narrow lists the cuts in order. Inputs of the graph are always there and do not count. A slot read by no later step
// is not alive. Steps without a cut behind them (wide places) give their cost to the next one.
func (b *bound) narrow() (list []cut) {
	var live []int
	cost := 0.0
	for i, st := range b.steps {
		cost += st.cost
		if st.layer && len(list) > 0 {
			list[len(list)-1].layers++
		}
		live = slices.DeleteFunc(live, func(s int) bool { return b.slots[s].last <= i })
		for _, o := range st.out {
			if o >= 0 && b.slots[o].last > i {
				live = append(live, o)
			}
		}
		if len(live) == 0 || len(live) > widest {
			continue
		}
		list = append(list, cut{slots: slices.Clone(live), cost: cost})
		cost = 0
	}
	return list
}

// worthwhile drops cuts whose steps cost less than copying what the cut before does not hold already; the next cut then
// stands for those steps too. copying is charged only for bytes that the cut before does not hold already: a shared
// skip connection is copied once.
func (b *bound) worthwhile(list []cut) (out []cut) {
	var held []int
	carry := 0.0
	for _, c := range list {
		c.cost += carry
		extra := b.bytes(c.slots, held)
		if extra == 0 || c.cost < float64(extra*copying) {
			carry = c.cost
			if len(out) > 0 {
				out[len(out)-1].layers += c.layers
			}
			continue
		}
		carry, held = 0, c.slots
		out = append(out, c)
	}
	return out
}

// thin drops the cut that saves least, as worth says, for the bytes that it alone needs, until all cuts together need at most limit.
// The steps of a dropped cut fall to the next one, which then saves more, and the layers behind it to the one before. A cut all of whose slots others hold as well
// costs nothing and goes only when no other is left to drop.
func (b *bound) thin(list []cut, limit float64, worth func(cut) float64) []cut {
	users := map[int]int{}
	total := 0.0
	for _, c := range list {
		for _, s := range c.slots {
			if users[s]++; users[s] == 1 {
				total += float64(b.slots[s].bytes)
			}
		}
	}
	for total > limit && len(list) > 0 {
		worst, least, freed := 0, math.Inf(1), 0.0
		for i, c := range list {
			own := 0.0
			for _, s := range c.slots {
				if users[s] == 1 {
					own += float64(b.slots[s].bytes)
				}
			}
			if own > 0 && worth(c)/own < least || freed == 0 && own == 0 && math.IsInf(least, 1) {
				worst, freed = i, own
				if own > 0 {
					least = worth(c) / own
				}
			}
		}
		for _, s := range list[worst].slots {
			users[s]--
		}
		total -= freed
		if worst+1 < len(list) {
			list[worst+1].cost += list[worst].cost
		}
		if worst > 0 {
			list[worst-1].layers += list[worst].layers
		}
		list = slices.Delete(list, worst, worst+1)
	}
	return list
}

// choice is what a run of a lap looks for in the store and what it keeps there, by slot: what lies at any cut, and at the chosen ones.
// alive are the hashes of all that it looks for.
type choice struct {
	share  int
	wanted []bool
	keep   []bool
	alive  map[[32]byte]bool
}

// choose is the choice for a share of so many bytes; it is made once. The plan that comes next differs from this one behind a layer that nobody
// here knows: each that is still in integers is as likely. A cut saves the steps before it, and without it these are computed
// where that layer lies between it and the next cut.
func (b *bound) choose(share int) *choice {
	if c := b.chosen.Load(); c != nil && c.share == share {
		return c
	}
	c := &choice{share: share, wanted: make([]bool, len(b.slots)), keep: make([]bool, len(b.slots)), alive: map[[32]byte]bool{}}
	list := b.narrow()
	for _, x := range list {
		for _, s := range x.slots {
			if !b.slots[s].result {
				c.wanted[s], c.alive[b.slots[s].sum] = true, true
			}
		}
	}
	for _, x := range b.thin(b.worthwhile(list), float64(share), func(c cut) float64 { return c.cost * float64(c.layers) }) {
		for _, s := range x.slots {
			c.keep[s] = c.wanted[s] && x.layers > 0
		}
	}
	b.chosen.Store(c)
	return c
}
