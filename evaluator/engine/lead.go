package engine

import (
	"slices"
	"strings"

	"assay/shared/graph"
	"assay/shared/op"
)

// A group may follow a lead: a kernel, a convolution say, that tells as it goes which elements of its output are final. The
// members work on those at once, while they are in the cache, and in place: what the lead writes is where the group's
// result goes. Invariants: the lead's output is read by members only, element by element, and is as large as theirs;
// nothing else that the step reads lies there, since no input of a step with a lead gives its place to the output.

// runLead runs the lead; members follow as it tells.
func (p *pass) runLead() {
	f, m := &p.first, p.lead
	for j, s := range m.in {
		if f.In[j] = nil; s.from == outside {
			f.In[j] = p.call.In[s.at]
		}
	}
	f.Out[0], f.Scratch = p.call.Out[0], p.call.Scratch[m.out.at:][:m.kernel.Scratch]
	m.kernel.Run(f)
	clear(f.In)
	clear(f.Out)
	f.Scratch = nil
}

// ledBytes is the size of an output of which a second-level cache has lost the beginning when it is complete. Smaller ones
// gain nothing by a lead.
const ledBytes = 1 << 20

// leads gives steps of quick element-wise kernels the kernel right before them as a lead where that is possible. It does
// so for outputs of at least so many bytes. Slow kernels are left alone: they wait for no memory, and measured with leads
// Swish and integer sums took 1 to 4 % longer.
func (b *bound) leads(least int) {
	readers := make([]int, len(b.slots))
	for _, s := range b.steps {
		for i, in := range s.in {
			if in >= 0 && !slices.Contains(s.in[:i], in) {
				readers[in]++
			}
		}
	}
	drop := make([]bool, len(b.steps))
	for i := 1; i < len(b.steps); i++ {
		lead := &b.steps[i-1]
		if drop[i-1] || !lead.kernel.Stripes || len(lead.out) != 1 || readers[lead.out[0]] != 1 ||
			b.slots[lead.out[0]].result || b.slots[lead.out[0]].bytes < least {
			continue
		}
		if s, ok := b.follower(i, lead.out[0]); ok {
			b.steps[i], drop[i-1] = b.led(s, lead), true
		}
	}
	b.renumber(drop)
}

// follower is step i as a group that can follow the kernel which writes slot v.
func (b *bound) follower(i, v int) (s step, ok bool) {
	if s = b.steps[i]; s.group == nil {
		if s.kernel.Stretches == nil || s.kernel.Scratch > 0 || len(s.out) != 1 || s.out[0] < 0 {
			return s, false
		}
		if s, ok = b.joined([]int{i}); !ok {
			return s, false
		}
	}
	at := slices.Index(s.in, v)
	if at < 0 || b.slots[v].bytes != b.slots[s.out[0]].bytes || b.slots[v].dtype.Size() != b.slots[s.out[0]].dtype.Size() {
		return s, false
	}
	for _, m := range s.group.members {
		if m.kernel.Stretches.Slow {
			return s, false
		}
		for _, o := range m.in {
			if o.from == outside && o.at == at && o.period != 0 {
				return s, false
			}
		}
	}
	return s, true
}

// led is the step of a group that follows lead.
func (b *bound) led(s step, lead *step) step {
	v := lead.out[0]
	at := slices.Index(s.in, v)
	g := *s.group
	g.members = slices.Clone(g.members)
	for i := range g.members {
		m := &g.members[i]
		m.in = slices.Clone(m.in)
		for j, o := range m.in {
			switch {
			case o.from != outside || o.at < at:
			case o.at == at:
				m.in[j] = source{from: result1, size: o.size}
			default:
				m.in[j].at--
			}
		}
	}
	s.in = slices.Delete(slices.Clone(s.in), at, at+1)
	g.lead = &member{kernel: lead.kernel, out: source{from: between, at: padded(s.kernel.Scratch)}}
	for _, in := range lead.in {
		from := source{}
		if in >= 0 {
			from = source{from: outside, at: s.input(in)}
		}
		g.lead.in = append(g.lead.in, from)
	}
	s.kernel = op.Kernel{Alias: -1, Scratch: padded(s.kernel.Scratch) + lead.kernel.Scratch}
	b.scratch = max(b.scratch, s.kernel.Scratch)
	b.slots[v].inside = true
	s.group, s.cost = &g, s.cost+lead.cost
	s.node = &graph.Node{Name: s.node.Name, Op: strings.Join([]string{lead.node.Op, s.node.Op}, "+")}
	return s
}
