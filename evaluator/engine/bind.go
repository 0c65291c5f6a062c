package engine

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// slot is one buffer of a bound program. Producer -1 marks a graph input. Views are buffers of another layout name with
// the same bytes: they have no bytes of their own and root names the buffer that has. Who owns the bytes: the caller
// for inputs (step -1, never written), the caller as well for results (made by attach, given away by collect), the
// arena for everything else, the store for what resume takes from it. sum is the structural hash of the value, the same
// in both layouts.
type slot struct {
	name   string
	dtype  tensor.DType
	shape  []int
	layout op.Layout
	bytes  int
	step   int     // index of the step that writes it, -1 for inputs
	last   int     // index of the last step that reads it, -1 when none does
	result bool    // a wanted value: it lives in memory of its own, given to the caller
	shown  []shown // what Watch shows it as, right behind its step
	inside bool    // between members of a group, or read by nobody: it has no memory of its own
	offset int     // in the arena; meaningful for buffers that are neither input nor result
	sum    [32]byte
	keep   float64 // gain in picoseconds per byte when the store should hold it, else 0
}

// wanted says that the value has to be there when its step is done: as a result, or to be shown.
func (s *slot) wanted() bool { return s.result || len(s.shown) > 0 }

// step is one kernel with the slots it reads and writes; -1 stands for constants and omitted ones. Steps are in an
// order in which each reads what earlier ones wrote. len(in) and len(out) are those of the node's lists, or of the
// group's call.
type step struct {
	node    *graph.Node
	kernel  op.Kernel
	in, out []int
	group   *group  // runs in place of the kernel where there is one
	cost    float64 // estimated picoseconds
	layer   bool    // it multiplies integers by weights, as a plan that goes on from this one may not
}

// result is where a wanted value comes from: a slot, or a constant when slot is -1.
type result struct {
	name  string
	slot  int
	value *tensor.Tensor
}

// bound is a program bound to kernels for one set of input shapes. Once built it is not changed, but for its free
// frames and the choice of laps, and shared by concurrent runs; what differs between runs is a frame. Either parts is set or everything else
// is. packs holds one use of each packed weight until the bindings let go of it.
type bound struct {
	inputs  []int // slots of the program's inputs, in their order
	slots   []slot
	steps   []step
	results []result
	arena   int // bytes of slots
	scratch int // bytes of scratch, after the slots
	rowWise bool
	floats  bool // see onlyFloats
	packs   *holder
	frames  frames
	chosen  atomic.Pointer[choice]
	parts   *parts // instead of all else, where the program cannot be bound as a whole
}

// binder builds a bound. at says where a value lies in each layout it has been brought to; home is where it was made,
// which is where conversions start. A value has an entry in home exactly when some step has written it or it is an
// input.
type binder struct {
	*bound
	p     *Program
	graph *graph.Graph // p's, or one with branches in the place of Ifs
	sums  map[string][32]byte
	infos map[string]op.Info
	at    map[place]int
	home  map[string]op.Layout // the layout in which a value was made
	fed   map[string]bool      // values that depend on elements of the inputs, not only on their shapes
}

// place is a value in a layout.
type place struct {
	name   string
	layout op.Layout
}

// bind lowers the program for the given input shapes, in parts where some shape or kernel wants elements that are computed.
// A kernel's wish is heard when it is lowered; then the division is made anew. The loop ends: each round adds a value
// to need, and a wish for a value that is there already is returned as the error it is.
func (p *Program) bind(in map[string]op.Info) (*bound, error) {
	need := map[string]bool{}
	for {
		d, err := p.divide(in, need)
		if err != nil {
			return nil, err
		}
		if !d.whole() {
			x, err := p.split(d)
			return &bound{packs: &holder{packs: p.engine.packs, digest: p.engine.digest, keys: map[string]bool{}}, parts: x}, err
		}
		b, err := p.bindWhole(d)
		var u *wish
		if !errors.As(err, &u) || need[u.value] {
			return b, err
		}
		need[u.value] = true
	}
}

// wish is a kernel's need of elements that are computed. It unwraps to the *op.Unknown behind it.
type wish struct {
	value string
	error
}

func (w *wish) Unwrap() error { return w.error }

// bindWhole lowers a division of early nodes only. Packs that a failed build had taken are given back here, or they
// would stay in use for ever. A spliced graph has hashes of its own, as branch nodes have none in p.sums.
func (p *Program) bindWhole(d *division) (*bound, error) {
	g, sums := p.graph, p.sums
	if d.spliced {
		g = d.with(d.early, p.inputs, p.want)
		sums = p.engine.digest.values(g, p.sums)
	}
	infos := d.infos
	if err := p.fits(g, infos); err != nil {
		return nil, err
	}
	b := &binder{
		bound: &bound{packs: &holder{packs: p.engine.packs, digest: p.engine.digest, keys: map[string]bool{}}, rowWise: !d.spliced},
		p:     p, graph: g, sums: sums, infos: infos, at: map[place]int{}, home: map[string]op.Layout{}, fed: map[string]bool{},
	}
	if err := b.build(); err != nil {
		p.engine.packs.release(b.packs.keys)
		return nil, err
	}
	return b.bound, nil
}

// fits refuses, before anything is packed or allocated, a program whose largest step alone or whose weights are over the
// limit. It is a lower bound: whatever the arena's layout, one step's operands are alive together. The exact arena is
// checked when it is acquired.
func (p *Program) fits(g *graph.Graph, infos map[string]op.Info) error {
	var weights, most int64
	for _, t := range g.Consts {
		weights += int64(len(t.Data))
	}
	for _, n := range g.Nodes {
		var sum int64
		for _, name := range append(n.Inputs[:len(n.Inputs):len(n.Inputs)], n.Outputs...) {
			if x, ok := infos[name]; ok && g.Consts[name] == nil {
				size, err := bytesOf(x)
				if err != nil {
					return fmt.Errorf("node %q (%s): value %q: %w", n.Name, n.Op, name, err)
				}
				if sum += size; sum < 0 {
					sum = math.MaxInt64
				}
			}
		}
		most = max(most, sum)
	}
	return p.engine.memory.check(most, weights)
}

// bytesOf is the size of a value; impossible ones are errors, not overflows. The bound of half an int64 lets two sizes
// be added.
func bytesOf(x op.Info) (int64, error) {
	n := int64(x.DType.Size())
	if n == 0 {
		return 0, fmt.Errorf("elements of type %s cannot be computed with", x.DType)
	}
	for _, d := range x.Shape {
		if d < 0 || d > 0 && n > math.MaxInt64/2/int64(d) {
			return 0, fmt.Errorf("shape %v is impossible", x.Shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// The order matters: results are noted before sweep, which would drop their steps; grouping and columns renumber steps,
// so liveness comes after; place needs liveness; cuts need both. Tests compare with an engine that is apart: the same
// program without views, groups and columns.
func (b *binder) build() error {
	for _, port := range b.p.inputs {
		i, err := b.slot(port.Name, op.Logical, -1)
		if err != nil {
			return err
		}
		b.inputs = append(b.inputs, i)
		b.fed[port.Name] = true
	}
	for _, n := range b.residuals(b.swishes()) {
		if b.settled(n) {
			continue
		}
		if !b.p.engine.apart && b.view(n) {
			continue
		}
		if err := b.node(specialise(n, b.infos)); err != nil {
			err = fmt.Errorf("node %q (%s): %w", n.Name, n.Op, err)
			var u *op.Unknown
			if errors.As(err, &u) {
				return &wish{n.Input(u.Input), err}
			}
			return err
		}
	}
	if err := b.wanted(); err != nil {
		return err
	}
	b.sweep()
	if !b.p.engine.apart {
		b.group()
		b.peaks()
		b.columns()
	}
	b.liveness()
	b.place()
	b.floats = b.onlyFloats()
	b.cuts(float64(b.p.engine.memory.storeBudget))
	b.frames.init(b.bound)
	return nil
}

// settled reports whether all outputs of n are known without running anything. Such a node has no step; whoever reads
// its outputs gets constants.
func (b *binder) settled(n *graph.Node) bool {
	for _, o := range n.Outputs {
		if o != "" && b.infos[o].Value == nil {
			return false
		}
	}
	return true
}

// slot makes the buffer of a value in a layout, written by a step. The first layout in which a value is made becomes
// its home.
func (b *binder) slot(name string, y op.Layout, step int) (int, error) {
	x, ok := b.infos[name]
	if !ok {
		return 0, fmt.Errorf("value %q has no known shape", name)
	}
	var n int64
	if !x.DType.Container() || step >= 0 { // an input that passes: it has no memory here
		var err error
		if n, err = bytesOf(x); err != nil {
			return 0, fmt.Errorf("value %q: %w", name, err)
		}
	}
	i := len(b.slots)
	b.slots = append(b.slots, slot{
		name: name, dtype: x.DType, shape: x.Shape, layout: y, bytes: int(n), step: step, last: -1, sum: b.sums[name],
	})
	b.at[place{name, y}] = i
	if _, made := b.home[name]; !made {
		b.home[name] = y
	}
	return i, nil
}

// node lowers n in the best layout it takes. An operator of either layout that refuses the channels-last one (operands of
// fewer axes, say) is lowered in the other.
func (b *binder) node(n *graph.Node) error {
	o := op.Lookup(n.Domain, n.Op)
	if o == nil || o.Lower == nil {
		return fmt.Errorf("cannot be run")
	}
	y := b.choose(o, n)
	err := b.lower(o, n, y)
	if err != nil && y == op.ChannelsLast && o.Memory == op.MemoryAny {
		return b.lower(o, n, op.Logical)
	}
	return err
}

// lower binds n with outputs in layout y and appends its step, after the conversions that its inputs need. The step's
// index is len(b.steps) at the time its outputs get slots, so conversions of inputs have to be appended before.
func (b *binder) lower(o *op.Op, n *graph.Node, y op.Layout) error {
	l := &op.Lower{Node: n, In: make([]op.Arg, len(n.Inputs)), Out: make([]op.Arg, len(n.Outputs)), Packs: b.packs}
	x := &op.Infer{Node: n, In: make([]op.Info, len(n.Inputs)), Out: make([]op.Info, len(n.Outputs))}
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		info := b.infos[name]
		x.In[i] = info
		l.In[i] = op.Arg{Name: name, DType: info.DType, Shape: info.Shape, Const: info.Value, Layout: b.inputLayout(o, n, i, y)}
	}
	for i, name := range n.Outputs {
		if name == "" {
			continue
		}
		info := b.infos[name]
		x.Out[i] = info
		l.Out[i] = op.Arg{Name: name, DType: info.DType, Shape: info.Shape, Layout: layoutFor(y, info.Shape)}
	}
	k, err := o.Lower(l)
	if err != nil {
		return err
	}
	s := step{node: n, kernel: k, cost: estimate(o, x), layer: o.MACs != nil && len(x.In) > 0 && x.In[0].DType != tensor.Float32}
	for i, a := range l.In {
		at := -1
		if a.Name != "" && a.Const == nil {
			if at, err = b.have(a.Name, a.Layout); err != nil {
				return fmt.Errorf("input %d: %w", i, err)
			}
		}
		s.in = append(s.in, at)
	}
	for _, a := range l.Out {
		at := -1
		if a.Name != "" {
			if at, err = b.slot(a.Name, a.Layout, len(b.steps)); err != nil {
				return err
			}
		}
		s.out = append(s.out, at)
	}
	b.rowWise = b.rowWise && b.rowsAlone(o, l)
	b.scratch = max(b.scratch, k.Scratch)
	b.steps = append(b.steps, s)
	return nil
}

// wanted notes where each result comes from and makes those slots results; of a watched program, what computed values are
// shown as, where they were made. A wanted input of the graph is no result
// slot: collect copies it, since the caller owns the tensor he gave.
func (b *binder) wanted() error {
	for _, name := range b.p.want {
		r := result{name: name, slot: -1, value: b.infos[name].Value}
		if home, made := b.home[name]; b.p.watched && made && r.value == nil {
			s := &b.slots[b.at[place{name, home}]]
			s.shown = append(s.shown, shown{name, b.infos[name].Shape})
			continue
		}
		if r.value == nil {
			var err error
			if r.slot, err = b.have(name, op.Logical); err != nil {
				return err
			}
			b.slots[r.slot].result = b.slots[r.slot].step >= 0
		}
		b.results = append(b.results, r)
	}
	return nil
}

// estimate is a rough time of one step in picoseconds. It decides what the activation store keeps, nothing else: 25 for
// a float multiply-accumulate, 6 for an integer one, 150 for each byte read or written. Only ratios matter, and only to
// the store: a wrong one costs time and no bit.
func estimate(o *op.Op, x *op.Infer) float64 {
	var bytes, macs float64
	for _, v := range append(x.In[:len(x.In):len(x.In)], x.Out...) {
		n := float64(v.DType.Size())
		for _, d := range v.Shape {
			n *= float64(d)
		}
		bytes += n
	}
	if o.MACs != nil {
		macs = float64(o.MACs(x))
	}
	per := 25.0
	if len(x.In) > 0 && x.In[0].DType != tensor.Float32 {
		per = 6
	}
	return float64(macs*per) + float64(bytes*150)
}
