package engine

import (
	"slices"

	"assay/shared/op"
)

// A Concat of the innermost axis makes rows of columns. Kernels whose results nothing else reads write their columns
// themselves, and the Concat is no step of its own: its bytes are written once instead of twice and read once less. The
// results between are values inside of the step, as they are in a group. Nothing of this changes a bit.

// column is a kernel that writes its part of each row. in counts the inputs of the joined step, not those of the
// kernel.
type column struct {
	write func(dst, src []byte, apart int, scratch []byte)
	in    int // the input of the step that it reads
	at    int // the byte of a row at which its part begins
}

// columns joins Concats with all that they join. It is called before slots have places. Its pattern, with parts that
// nothing else reads:
//
//	x -> Conv a -+
//	y -> Conv b -+-> Concat (channels, NHWC) -> out      one step: a writes columns [0, A) of each row of out, b [A, A+B)
//
// readers counts uses and not steps, so a Concat that names one part twice is left alone.
func (b *bound) columns() {
	readers := b.uses()
	drop := make([]bool, len(b.steps))
	for i := range b.steps {
		if !b.writeColumns(i, readers) {
			continue
		}
		members := make([]int, 0, len(b.steps[i].in)+1)
		for _, in := range b.steps[i].in {
			if in < 0 {
				continue
			}
			drop[b.slots[in].step] = true
			b.slots[in].inside = true
			members = append(members, b.slots[in].step)
		}
		b.steps[i] = b.rowStep(append(members, i))
	}
	b.renumber(drop)
}

// uses counts how often steps read each slot: a step that reads one twice counts twice.
func (b *bound) uses() []int {
	n := make([]int, len(b.slots))
	for _, s := range b.steps {
		for _, in := range s.in {
			if in >= 0 {
				n[in]++
			}
		}
	}
	return n
}

// writeColumns reports whether step i is a Concat all of whose inputs are written for it alone, by kernels that can write
// columns. An input that is no slot must be empty in columns: scale and zero point of a QLinearConcat are, a constant
// part is not.
func (b *bound) writeColumns(i int, readers []int) bool {
	s := &b.steps[i]
	if s.kernel.Columns == nil || s.out[0] < 0 {
		return false
	}
	for j, in := range s.in {
		if in < 0 && s.kernel.Columns[j] == s.kernel.Columns[j+1] {
			continue // a scale, or nothing
		}
		if in < 0 || readers[in] != 1 || b.slots[in].wanted() || b.slots[in].step < 0 {
			return false
		}
		if from := &b.steps[b.slots[in].step]; from.group != nil || from.kernel.WriteColumns == nil {
			return false
		}
	}
	return true
}

// rowStep makes the step of a Concat, the last of members, and of what writes its columns, in their order. Members run
// one after the other with one scratch, as large as the largest of them wants; they write disjoint columns, so their
// order does not matter.
func (b *bound) rowStep(members []int) step {
	last := &b.steps[members[len(members)-1]]
	offsets, size := last.kernel.Columns, b.slots[last.out[0]].dtype.Size()
	s := step{node: b.joinedNode(members), out: last.out, cost: last.cost}
	var parts []column
	scratch := 0
	for _, i := range members[:len(members)-1] {
		from := &b.steps[i]
		at := offsets[slices.Index(last.in, from.out[0])]
		parts = append(parts, column{from.kernel.WriteColumns, s.input(from.in[0]), size * at})
		s.cost += from.cost
		scratch = max(scratch, from.kernel.Scratch)
	}
	row := offsets[len(offsets)-1]
	s.kernel = op.Kernel{Alias: -1, Scratch: scratch, Run: func(c *op.Call) {
		if len(c.Out[0]) == 0 {
			return
		}
		for _, p := range parts {
			p.write(c.Out[0][p.at:], c.In[p.in], row, c.Scratch)
		}
	}}
	return s
}
