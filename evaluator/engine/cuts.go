package engine

import "slices"

// cut is a place between two steps where few values are alive, so that holding those lets a run start there.
type cut struct {
	slots []int
	bytes float64
	cost  float64 // picoseconds of the steps since the cut before
}

// copying is the estimated time, in picoseconds per byte, of storing an activation and reading it back.
const copying = 150

// cuts chooses the slots that the activation store should hold for one batch: the values at cuts whose steps cost more
// than copying them, thinned by cost per byte until one batch takes at most half of the budget.
func (b *bound) cuts(budget float64) {
	list := worthwhile(b.narrow())
	total := 0.0
	for _, c := range list {
		total += c.bytes
	}
	for total > budget/2 {
		worst := 0
		for i, c := range list {
			if float64(c.cost*list[worst].bytes) < float64(list[worst].cost*c.bytes) {
				worst = i
			}
		}
		total -= list[worst].bytes
		if worst+1 < len(list) {
			list[worst+1].cost += list[worst].cost
		}
		list = slices.Delete(list, worst, worst+1)
	}
	for _, c := range list {
		for _, s := range c.slots {
			b.slots[s].keep += c.cost / c.bytes
		}
	}
}

// narrow lists the cuts in order: one live value, or one with up to three companions that together have an eighth of its
// bytes (masks, gates). Inputs of the graph are always there and do not count.
func (b *bound) narrow() (list []cut) {
	var live []int
	cost := 0.0
	for i, st := range b.steps {
		cost += st.cost
		live = slices.DeleteFunc(live, func(s int) bool { return b.slots[s].last <= i })
		for _, o := range st.out {
			if o >= 0 && b.slots[o].last > i {
				live = append(live, o)
			}
		}
		sum, most := 0, 0
		for _, s := range live {
			sum += b.slots[s].bytes
			most = max(most, b.slots[s].bytes)
		}
		if len(live) == 0 || len(live) > 4 || sum-most > most/8 || most == 0 {
			continue
		}
		list = append(list, cut{slots: slices.Clone(live), bytes: float64(sum), cost: cost})
		cost = 0
	}
	return list
}

// worthwhile drops cuts whose steps cost less than copying; the next cut then stands for those steps too.
func worthwhile(list []cut) (out []cut) {
	carry := 0.0
	for _, c := range list {
		c.cost += carry
		if c.cost < float64(c.bytes*copying) {
			carry = c.cost
			continue
		}
		carry = 0
		out = append(out, c)
	}
	return out
}
