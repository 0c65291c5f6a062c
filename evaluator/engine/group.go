package engine

import (
	"slices"
	"strings"

	"assay/shared/graph"
	"assay/shared/op"
)

// group is a run of element-wise kernels that are computed together, a stretch of elements at a time: what one writes, the
// next reads from the cache. Invariants: every value between two members is read by members only; all members have
// as many elements. The step of a group stands where its last member stood, reads what the members read from outside and
// writes what the last one writes. Nothing of this changes a bit. A picture, with stretches of n elements and
// everything between in scratch:
//
//	conv out --> [ DQ -> Sigmoid -> Mul -> Q ] --> result        for at = 0, n, 2n ...: DQ, Sigmoid, Mul, Q of [at, at+n)
//
// A kernel may be a member only if it has Stretches, no scratch and one output; see grouper.elements.
type group struct {
	members []member
	count   int // elements
	stretch int // elements that are computed at a time
}

// member is a kernel of a group with the places of its operands. in is in the order of the node's inputs, absent for
// constants.
type member struct {
	kernel op.Kernel
	in     []source
	out    source
}

// source is where an operand of a member is: input at of the group's call, its output, or a place in the scratch. at is
// an index of In for outside, an offset in bytes for between, and 0 otherwise.
type source struct {
	from   origin
	at     int
	size   int // bytes of an element
	period int // see op.Stretches
}

type origin uint8

const (
	absent origin = iota // a constant, or nothing
	outside
	result1
	between
)

// stretchBytes is about the size of one operand of a stretch: half a dozen of them stay in the first-level cache.
const stretchBytes = 4 << 10

// calls makes the calls of the members of a group.
func (g *group) calls() []op.Call {
	c := make([]op.Call, len(g.members))
	for i, m := range g.members {
		c[i] = op.Call{In: make([][]byte, len(m.in)), Out: make([][]byte, 1)}
	}
	return c
}

// run computes the group for the call c of its step; parts are calls of the members. parts belong to the frame and are
// cleared at the end, since a frame at rest may hold no memory of a run. It allocates nothing.
func (g *group) run(c *op.Call, parts []op.Call) {
	for at := 0; at < g.count; at += g.stretch {
		n := min(g.stretch, g.count-at)
		for i := range g.members {
			m, p := &g.members[i], &parts[i]
			for j, s := range m.in {
				p.In[j] = s.cut(c, at, n)
			}
			p.Out[0] = m.out.cut(c, at, n)
			m.kernel.Stretches.Run(p, n)
		}
	}
	for i := range parts {
		clear(parts[i].In)
		clear(parts[i].Out)
	}
}

// cut is what a member is given for n elements from at on. Stretches begin and end at multiples of |period|, so the
// divisions are exact, but for the last one, which ends with the tensor.
func (s source) cut(c *op.Call, at, n int) []byte {
	var b []byte
	switch s.from {
	case absent:
		return nil
	case between:
		return c.Scratch[s.at:][: n*s.size : n*s.size]
	case result1:
		b = c.Out[0]
	case outside:
		b = c.In[s.at]
	}
	if s.period > 0 {
		return b
	}
	if s.period < 0 {
		at, n = at/-s.period, n/-s.period
	}
	return b[at*s.size:][: n*s.size : n*s.size]
}

// grouper finds the groups of a bound. readers has each step once for a slot.
type grouper struct {
	*bound
	readers [][]int // steps that read a slot
	taken   []bool  // steps that are members already
}

// group joins element-wise steps. It is called before slots have places. It goes from the last step to the first, so
// the group that a step could end is tried before the step could be a member of another.
func (b *bound) group() {
	g := &grouper{bound: b, readers: make([][]int, len(b.slots)), taken: make([]bool, len(b.steps))}
	for i, s := range b.steps {
		for _, in := range s.in {
			if in >= 0 && !slices.Contains(g.readers[in], i) {
				g.readers[in] = append(g.readers[in], i)
			}
		}
	}
	drop := make([]bool, len(b.steps))
	for last := len(b.steps) - 1; last >= 0; last-- {
		if members := g.grow(last); len(members) > 1 {
			if s, ok := b.joined(members); ok {
				b.steps[last] = s
				for _, i := range members {
					g.taken[i], drop[i] = true, i != last
				}
			}
		}
	}
	b.renumber(drop)
}

// elements is the number of elements that step i writes if it can be a member, else 0.
func (g *grouper) elements(i int) int {
	s := &g.steps[i]
	if g.taken[i] || s.kernel.Stretches == nil || s.kernel.Scratch > 0 || len(s.out) != 1 || s.out[0] < 0 {
		return 0
	}
	out := &g.slots[s.out[0]]
	return out.bytes / out.dtype.Size()
}

// grow lists the steps, in ascending order, that can be computed together with last: element-wise ones whose outputs
// nothing but these reads. A producer joins only if all its readers are members already and read it one for one: then
// nothing outside needs its bytes. Members have one number of elements, so one stretch fits all.
func (g *grouper) grow(last int) []int {
	n := g.elements(last)
	if n == 0 {
		return nil
	}
	members := []int{last}
	within := func(readers []int) bool {
		return !slices.ContainsFunc(readers, func(r int) bool { return !slices.Contains(members, r) })
	}
	for changed := true; changed && len(members) < maxMembers; {
		changed = false
		for _, m := range members {
			for j, in := range g.steps[m].in {
				if in < 0 || g.steps[m].kernel.Stretches.Period[j] != 0 {
					continue
				}
				s := &g.slots[in]
				if s.step < 0 || s.wanted() || slices.Contains(members, s.step) || g.elements(s.step) != n || !within(g.readers[in]) || g.whole(in) {
					continue
				}
				members, changed = append(members, s.step), true
			}
		}
	}
	slices.Sort(members)
	return members
}

// maxMembers bounds the search for members.
const maxMembers = 32

// whole reports whether a reader wants all of a slot, or not one element for each of its own.
func (g *grouper) whole(slot int) bool {
	return slices.ContainsFunc(g.readers[slot], func(r int) bool {
		s := &g.steps[r]
		for j, in := range s.in {
			if in == slot && (s.kernel.Stretches == nil || s.kernel.Stretches.Period[j] != 0) {
				return true
			}
		}
		return false
	})
}

// joined makes the step of a group. ok is false where rows are too long for a stretch. places maps a slot to where its
// stretch lies while the group runs. The group stands at the last member's place in the order, which is after every
// producer of its inputs.
func (b *bound) joined(members []int) (s step, ok bool) {
	last := b.steps[members[len(members)-1]]
	g := &group{}
	s = step{node: b.joinedNode(members), out: last.out, group: g, kernel: op.Kernel{Alias: -1}}
	if g.stretch, ok = b.stretchOf(members); !ok {
		return s, false
	}
	out := &b.slots[last.out[0]]
	g.count = out.bytes / out.dtype.Size()
	rooms := rooms{length: g.stretch}
	places := map[int]source{last.out[0]: {from: result1, size: out.dtype.Size()}}
	for k, i := range members {
		st := &b.steps[i]
		s.cost += st.cost
		m := member{kernel: st.kernel}
		for j, in := range st.in {
			at := source{}
			if p, inner := places[in]; inner {
				at = p
			} else if in >= 0 {
				at = source{from: outside, at: s.input(in), size: b.slots[in].dtype.Size(), period: st.kernel.Stretches.Period[j]}
			}
			m.in = append(m.in, at)
		}
		if i != members[len(members)-1] {
			v := &b.slots[st.out[0]]
			v.inside = true
			rooms.free(b, members[k:], places)
			places[st.out[0]] = rooms.take(v.dtype.Size())
		}
		m.out = places[st.out[0]]
		g.members = append(g.members, m)
	}
	s.kernel.Scratch = rooms.bytes
	s.kernel.Alias = s.inPlace(b)
	b.scratch = max(b.scratch, s.kernel.Scratch)
	return b.tabulated(s), true
}

// input is the index of a slot among the step's inputs, to which it is added if it is new.
func (s *step) input(slot int) int {
	if i := slices.Index(s.in, slot); i >= 0 {
		return i
	}
	s.in = append(s.in, slot)
	return len(s.in) - 1
}

// inPlace is an input of a group whose place its output may take: every member reads it stretch by stretch. A repeated
// or single operand is read again in every stretch, and would be overwritten.
func (s *step) inPlace(b *bound) int {
	for i, in := range s.in {
		cut := b.slots[in].bytes == b.slots[s.out[0]].bytes
		for _, m := range s.group.members {
			for _, o := range m.in {
				cut = cut && (o.from != outside || o.at != i || o.period == 0)
			}
		}
		if cut {
			return i
		}
	}
	return -1
}

// stretchOf is the length of stretches of a group: whole rows of every member. row is the least common multiple of all
// periods.
func (b *bound) stretchOf(members []int) (n int, ok bool) {
	row, size := 1, 1
	for _, i := range members {
		s := &b.steps[i]
		size = max(size, b.slots[s.out[0]].dtype.Size())
		for _, p := range s.kernel.Stretches.Period {
			if p = max(p, -p); p > 1 {
				row = row / gcd(row, p) * p
			}
		}
		if row > 4*stretchBytes {
			return 0, false
		}
	}
	return max(1, stretchBytes/size/row) * row, true
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// joinedNode names a group after its last node and all its operators.
func (b *bound) joinedNode(members []int) *graph.Node {
	var ops []string
	for _, i := range members {
		ops = append(ops, b.steps[i].node.Op)
	}
	return &graph.Node{Name: b.steps[members[len(members)-1]].node.Name, Op: strings.Join(ops, "+")}
}

// rooms gives values between members their places in the scratch. bytes is what has been handed out so far, each place
// padded to 64.
type rooms struct {
	length int // elements of a stretch
	bytes  int
	spare  []source
}

// take is a place for a value with elements of that size.
func (r *rooms) take(size int) source {
	for i, s := range r.spare {
		if s.size == size {
			r.spare = slices.Delete(r.spare, i, i+1)
			return s
		}
	}
	s := source{from: between, at: r.bytes, size: size}
	r.bytes += padded(r.length * size)
	return s
}

// free makes the places of values that none of the members to come after the first reads spare. The first may write where it
// reads.
func (r *rooms) free(b *bound, members []int, places map[int]source) {
	first, rest := &b.steps[members[0]], members[1:]
	for _, in := range first.in {
		p, inner := places[in]
		if !inner || p.from != between || slices.Contains(r.spare, p) {
			continue
		}
		if !slices.ContainsFunc(rest, func(i int) bool { return slices.Contains(b.steps[i].in, in) }) {
			r.spare = append(r.spare, p)
		}
	}
}

// renumber removes steps that became part of others. A slot whose step was dropped is inside a group and gets the
// number of the step behind it, which nobody asks for.
func (b *bound) renumber(drop []bool) {
	to, kept := make([]int, len(b.steps)), b.steps[:0]
	for i, s := range b.steps {
		if to[i] = len(kept); !drop[i] {
			kept = append(kept, s)
		}
	}
	b.steps = kept
	for i := range b.slots {
		if s := &b.slots[i]; s.step >= 0 {
			s.step = to[s.step]
		}
	}
}
