package run

import (
	"cmp"
	"math/bits"
	"slices"

	"assay/shared/plan"
	"assay/shared/wire"
)

// request is one unknown cell with what a task needs to carry it. Block is the samples of its block.
type request struct {
	cell   plan.Cell
	digest plan.Digest // of cell
	plan   plan.Plan
	block  []uint32
}

// parcel is a task before and while it is published: every plan on every block. waiting counts its cells without a result.
// alone marks a cell under suspicion: it is published when nothing else is. deaths counts processes that fell silent on
// it, or on the parcel that it was cut from. spare marks a cell ahead of the search, see speculate.go. Invariant:
// len(cells) == len(task.Plans) * len(task.Blocks), plans inside blocks; waiting <= len(cells).
type parcel struct {
	task    wire.Task
	cells   []plan.Digest
	alone   bool
	spare   bool
	waiting int
	deaths  int
	holders []holder // of the deliveries since it was published
	seq     uint64   // in the task stream, 0 while the broker has not confirmed it
}

// Bounds of a task's length in seconds (design 4.3): long enough that the broker's cost vanishes, short enough that no slot
// waits long for the last one of a round.
const (
	shortest = 0.05
	longest  = 2.0
	perSlot  = 4 // parcels per live slot that a round is cut into
)

// pack cuts cells of one question into parcels of about the wanted seconds. Cells of one block go together, since plans that
// run on the same samples share the work before their first difference; blocks go together while they have the same plans.
// cost is the expected seconds of one cell. The sort makes packing a function of the set of requests and slots; a
// parcel has at most wire.MaxCells cells and at least one, however long that takes.
func pack(job string, requests []request, slots int, cost func(request) float64) []*parcel {
	if len(requests) == 0 {
		return nil
	}
	total := 0.0
	for _, r := range requests {
		total += cost(r)
	}
	target := min(longest, max(shortest, total/float64(perSlot*max(slots, 1))))
	sorted := slices.Clone(requests)
	slices.SortStableFunc(sorted, func(a, b request) int {
		return cmp.Or(compareQuestion(a.cell, b.cell), cmp.Compare(a.cell.Index, b.cell.Index), compareFloat(a.plan, b.plan))
	})
	var out []*parcel
	for len(sorted) > 0 {
		n := 1 // cells of the first block that fit
		seconds := cost(sorted[0])
		for n < len(sorted) && n < wire.MaxCells && sameBlock(sorted[0], sorted[n]) && seconds+cost(sorted[n]) <= target {
			seconds += cost(sorted[n])
			n++
		}
		p := newParcel(job, sorted[:n])
		sorted = sorted[n:]
		// More blocks join while each brings exactly the same plans.
		for len(sorted) >= n && (len(p.task.Blocks)+1)*n <= wire.MaxCells && joins(p, sorted, n) {
			more := 0.0
			for _, r := range sorted[:n] {
				more += cost(r)
			}
			if seconds+more > target {
				break
			}
			seconds += more
			p.task.Blocks = append(p.task.Blocks, sorted[0].cell.Index)
			for _, r := range sorted[:n] {
				p.cells = append(p.cells, r.digest)
			}
			sorted = sorted[n:]
		}
		p.waiting = len(p.cells)
		out = append(out, p)
	}
	return out
}

// newParcel makes a parcel of requests of one block of one question; it has no number before it is published.
func newParcel(job string, rs []request) *parcel {
	c := rs[0].cell
	p := &parcel{task: wire.Task{V: wire.Version, Problem: c.Problem, View: c.View, Blocks: []uint32{c.Index}, What: c.What, Ref: c.Ref, Job: job}}
	for _, r := range rs {
		p.task.Plans = append(p.task.Plans, r.plan)
		p.cells = append(p.cells, r.digest)
	}
	p.waiting = len(p.cells)
	return p
}

// joins reports whether the next n requests are one further block under the plans that p has.
func joins(p *parcel, rs []request, n int) bool {
	for i, r := range rs[:n] {
		if !sameBlock(rs[0], r) || compareQuestion(r.cell, plan.Cell{Problem: p.task.Problem, View: p.task.View, What: p.task.What, Ref: p.task.Ref}) != 0 {
			return false
		}
		if r.plan.Params != p.task.Plans[i].Params || !slices.Equal(r.plan.Float, p.task.Plans[i].Float) {
			return false
		}
	}
	return len(rs) == n || !sameBlock(rs[0], rs[n])
}

// compareQuestion orders cells by everything but plan and block.
func compareQuestion(a, b plan.Cell) int {
	return cmp.Or(slices.Compare(a.Problem[:], b.Problem[:]), cmp.Compare(a.What, b.What), slices.Compare(a.Ref[:], b.Ref[:]), slices.Compare(a.View[:], b.View[:]))
}

// compareFloat orders plans by the groups that are float, from the first group on, INT8 before float: groups are in topological order, so
// each plan comes behind the one that it has most in common with, and the first of a ranking computes what all others begin with.
func compareFloat(a, b plan.Plan) int {
	for i := range max(len(a.Float), len(b.Float)) {
		var x, y uint64
		if i < len(a.Float) {
			x = a.Float[i]
		}
		if i < len(b.Float) {
			y = b.Float[i]
		}
		if x != y {
			return cmp.Compare(bits.Reverse64(x), bits.Reverse64(y))
		}
	}
	return 0
}

// sameBlock reports whether two cells differ in their plan alone, so that what their plans share is computed once.
func sameBlock(a, b request) bool {
	return a.cell.Index == b.cell.Index && compareQuestion(a.cell, b.cell) == 0
}
