package engine

import (
	"slices"

	"assay/shared/op"
)

// tabulated replaces a group whose result at a place is a function of one byte, the same one everywhere or one for each column, by
// tables of that function.
func (b *bound) tabulated(s step) step {
	if len(s.in) != 1 || b.slots[s.in[0]].dtype.Size() != 1 {
		return s
	}
	n, ok := s.group.columns()
	switch size := b.slots[s.out[0]].dtype.Size(); {
	case !ok:
	case size == 1 && n == 1 && s.group.count >= 256:
		return s.tables(256, func(f func(dst, src []byte)) (op.Kernel, error) { return op.Table(f), nil })
	case size == 4 && s.group.count >= rowsToTabulate*n && s.cost > float64(lookupCost*s.group.count):
		return s.tables(256*n, func(f func(dst, src []byte)) (op.Kernel, error) { return op.Tables(n, b.packs, f) })
	}
	return s
}

const (
	// rowsToTabulate is how many rows a batch must have for tables, which take 256 to make. A program runs dozens of batches.
	rowsToTabulate = 128
	// lookupCost is the estimate, in picoseconds, above which computing an element takes longer than looking it up: half a dozen
	// float operators, or fewer with a curve among them.
	lookupCost = 5000
)

// tables replaces the group by what build makes of it: a function that runs it on count elements.
func (s step) tables(count int, build func(f func(dst, src []byte)) (op.Kernel, error)) step {
	g, scratch := *s.group, s.kernel.Scratch
	g.count = count
	k, err := build(func(dst, src []byte) {
		g.run(&op.Call{In: [][]byte{src}, Out: [][]byte{dst}, Scratch: make([]byte, scratch)}, g.calls())
	})
	if err != nil {
		return s // no memory for tables: it runs as it was
	}
	s.kernel, s.group = k, nil
	return s
}

// columns is the number of columns whose functions differ: 1 where all elements have one function. ok is false where the function
// depends on the place in another way.
func (g *group) columns() (n int, ok bool) {
	n = 1
	for _, m := range g.members {
		for _, p := range m.kernel.Stretches.Period {
			if p < 0 || p > 1 && n > 1 && p != n {
				return 0, false
			}
			n = max(n, p)
		}
	}
	return n, g.count%n == 0 && !slices.ContainsFunc(g.members, func(m member) bool {
		return slices.ContainsFunc(m.in, func(s source) bool { return s.from == outside && s.period != 0 })
	})
}
