package engine

import (
	"cmp"
	"slices"
)

// region is a stretch of the arena for one slot, or for several that follow each other in place, from the step that
// writes the first to the last step that reads the last. Two regions with overlapping [from, to] never overlap in
// [offset, offset+padded(bytes)): that is all that keeps one step from writing over what another will read. Both ends
// of the interval count, as a step reads its inputs while it writes its outputs.
type region struct {
	bytes    int
	from, to int
	offset   int
	slots    []int
}

// liveness finds the last reader of each slot. A slot that nobody reads keeps last = -1 and lives for its own step only
// (regions takes the larger of last and step).
func (b *bound) liveness() {
	for i, s := range b.steps {
		for _, in := range s.in {
			if in >= 0 {
				b.slots[in].last = max(b.slots[in].last, i)
			}
		}
	}
}

// place gives each slot that is neither input nor result its offset in the arena. A kernel that may work in place does so
// when nothing reads its input afterwards. Larger regions are placed first, each into the smallest gap that holds it.
// Largest first, best fit: not optimal, and deterministic, since ties go by the first step and then by slot. Results
// and inputs have no offset: they belong to the caller.
func (b *bound) place() {
	var placed []*region
	all := b.regions()
	slices.SortStableFunc(all, func(x, y *region) int { return cmp.Or(-cmp.Compare(x.bytes, y.bytes), cmp.Compare(x.from, y.from)) })
	for _, r := range all {
		r.offset = gap(placed, r)
		b.arena = max(b.arena, r.offset+padded(r.bytes))
		for _, s := range r.slots {
			b.slots[s].offset = r.offset
		}
		at, _ := slices.BinarySearchFunc(placed, r.offset, func(p *region, o int) int { return cmp.Compare(p.offset, o) })
		placed = slices.Insert(placed, at, r)
	}
}

// padded is n rounded up to the arena's alignment.
func padded(n int) int { return (n + alignment - 1) / alignment * alignment }

// gap is the offset of the smallest gap between regions that live at the same time as r. placed is sorted by offset.
// What is alive at the same time as r is looked at only; the rest of the arena is free for it.
func gap(placed []*region, r *region) int {
	best, bestSize := -1, 0
	end := 0
	for _, p := range placed {
		if p.to < r.from || p.from > r.to {
			continue
		}
		if size := p.offset - end; size >= padded(r.bytes) && (best < 0 || size < bestSize) {
			best, bestSize = end, size
		}
		end = max(end, p.offset+padded(p.bytes))
	}
	if best >= 0 {
		return best
	}
	return end
}

// regions makes the regions, slots that continue in place joined. A chain of in-place steps is one region from the
// first writer to the last reader. Slots that are inside a group or row step are left out, their bytes being scratch.
func (b *bound) regions() (all []*region) {
	of := make([]*region, len(b.slots))
	for i := range b.slots {
		s := &b.slots[i]
		if s.step < 0 || s.result || s.inside {
			continue
		}
		if from := b.inherits(i); from >= 0 && of[from] != nil {
			r := of[from]
			r.slots = append(r.slots, i)
			r.to = max(s.last, s.step)
			of[i] = r
			continue
		}
		of[i] = &region{bytes: s.bytes, from: s.step, to: max(s.last, s.step), slots: []int{i}}
		all = append(all, of[i])
	}
	return all
}

// inherits returns the slot in whose place slot i may be written, -1 for none. All must hold: the kernel's Alias allows
// it for this output; the input was made by a step (an input of the graph is the caller's, read only); it is no result;
// this step is its last reader; and both have the same number of bytes.
func (b *bound) inherits(i int) int {
	s := b.slots[i]
	st := b.steps[s.step]
	a := st.kernel.Alias
	if a < 0 || a >= len(st.in) || st.out[0] != i || st.in[a] < 0 {
		return -1
	}
	from := b.slots[st.in[a]]
	if from.step < 0 || from.result || from.last != s.step || from.bytes != s.bytes {
		return -1
	}
	return st.in[a]
}
