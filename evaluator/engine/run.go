package engine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"assay/shared/op"
	"assay/shared/tensor"
)

// Run computes the wanted values for one batch of inputs. key names the samples of the batch in this order: with one that
// is not zero, activations may be taken from, and are given to, the engine's store, so equal keys must mean equal inputs of
// this engine. in has the model's inputs that the wanted values need; others are passed over. The tensors returned, one for each
// wanted value, belong to the caller; in is only read, and may be again at the same time. An error names the input or the
// node, or is or wraps ctx's or a *MemoryError. After that one the same call may succeed later or with a smaller batch. Life of one call: bound for the shapes (bound or made), a
// frame and an arena taken, buffers attached, steps marked, kernels run in order in this goroutine, results collected,
// everything detached and given back. Nothing of the run is left in the frame, and the arena goes back dirty. A
// kernel's panic is an error of this run alone and costs the arena and the frame. ctx is asked in front of each kernel
// and not within one.
//
// A wanted sequence or optional shares its items with others; they are read-only.
func (p *Program) Run(ctx context.Context, in map[string]*tensor.Tensor, key [32]byte) (map[string]*tensor.Tensor, error) {
	return p.checked(ctx, in, terms{key: key})
}

// checked is within, for items of containers that the caller has made.
func (p *Program) checked(ctx context.Context, in map[string]*tensor.Tensor, t terms) (map[string]*tensor.Tensor, error) {
	for _, port := range p.inputs {
		if v := in[port.Name]; v != nil && v.DType.Container() && v.DType == port.Type.DType {
			if err := admitsItems(port.Type, v); err != nil {
				return nil, fmt.Errorf("input %q: %w", port.Name, err)
			}
		}
	}
	return p.within(ctx, in, t)
}

// within is Run, also as a part of another run.
func (p *Program) within(ctx context.Context, in map[string]*tensor.Tensor, t terms) (map[string]*tensor.Tensor, error) {
	b, shapes, err := p.boundFor(in)
	if err != nil {
		return nil, err
	}
	if b.parts != nil {
		p.shares.Store(true)
		t.laps = 0 // each part would take a whole share
		return b.parts.run(ctx, p, in, t)
	}
	if n := p.batchOf(in); n > 1 {
		if rows := p.few(b, n); rows < n {
			return p.inRows(ctx, in, t, b, n, rows)
		}
	}
	f := b.frames.get()
	arena, err := p.engine.memory.acquire(b.arena + b.scratch)
	if err != nil {
		b.frames.put(f)
		return nil, err
	}
	spare := p.results.take(b)
	f.attach(p, in, arena, spare)
	if t.key != [32]byte{} {
		if f.choice = nil; t.laps > 0 {
			f.choice = b.choose(p.engine.store.laps.share(t.laps))
		}
		f.resume(p.engine.store, t.key, shapes)
		f.claim(p.engine.store, t.first && !f.known)
	} else {
		f.everything()
	}
	err, fault := f.run(ctx, p.engine, nil)
	out := f.collect(in, spare)
	f.detach(p.engine.store)
	if fault {
		p.engine.memory.discard(arena)
		return nil, err
	}
	p.engine.memory.release(arena)
	b.frames.put(f)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// frame is what one run of a bound needs besides the arena; it is used again. Invariant between runs: no slice of it
// holds on to memory of a run, entries is empty.
type frame struct {
	b       *bound
	bufs    [][]byte
	calls   []op.Call
	parts   [][]op.Call // by step: the calls of a group's members
	need    []bool      // by slot
	do      []bool      // by step
	fresh   []freshness // by slot
	claims  []*entry    // by slot: where a fresh value is computed to stay
	entries []*entry
	samples [32]byte
	choice  *choice // of a run of a lap, else nil
	known   bool    // some value of this run was computed before on these samples
	scratch []byte
}

// freshness is what the store is told of a value when it is computed.
type freshness uint8

const (
	silent  freshness = iota // nothing
	noted                    // that it was computed
	copied                   // the value, a copy: it is a result
	entered                  // the value, which lies in the store's memory already
)

// frames keeps the frames of a bound that are not in use. There are as many frames as runs have ever been under way at
// once.
type frames struct {
	mu   sync.Mutex
	free []*frame
	b    *bound
}

func (fs *frames) init(b *bound) { fs.b = b }

func (fs *frames) get() *frame {
	fs.mu.Lock()
	if n := len(fs.free); n > 0 {
		f := fs.free[n-1]
		fs.free = fs.free[:n-1]
		fs.mu.Unlock()
		return f
	}
	fs.mu.Unlock()
	b := fs.b
	f := &frame{
		b: b, bufs: make([][]byte, len(b.slots)), calls: make([]op.Call, len(b.steps)), need: make([]bool, len(b.slots)),
		parts: make([][]op.Call, len(b.steps)), do: make([]bool, len(b.steps)), fresh: make([]freshness, len(b.slots)),
		claims: make([]*entry, len(b.slots)),
	}
	for i, s := range b.steps {
		f.calls[i] = op.Call{In: make([][]byte, len(s.in)), Out: make([][]byte, len(s.out))}
		if s.group != nil {
			f.parts[i] = s.group.calls()
		}
	}
	return f
}

func (fs *frames) put(f *frame) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.free = append(fs.free, f)
}

// attach gives every slot its memory: inputs where they are (copied if they start at an odd address), results in that of spare, or
// in memory of their own if it is nil, the rest in the arena. Full slice expressions keep kernels from reaching past their slot.
func (f *frame) attach(p *Program, in map[string]*tensor.Tensor, arena []byte, spare map[string]*tensor.Tensor) {
	b := f.b
	for i, port := range p.inputs {
		f.bufs[b.inputs[i]] = atWord(in[port.Name].Data)
	}
	for i := range b.slots {
		s := &b.slots[i]
		switch {
		case s.step < 0 || s.inside:
		case s.result && spare == nil:
			f.bufs[i] = make([]byte, s.bytes)
		case s.result: // below
		default:
			f.bufs[i] = arena[s.offset : s.offset+s.bytes : s.offset+s.bytes]
		}
	}
	for _, r := range b.results {
		if spare != nil && r.slot >= 0 && b.slots[r.slot].result {
			f.bufs[r.slot] = spare[r.name].Data
		}
	}
	f.scratch = arena[b.arena : b.arena+b.scratch]
}

// atWord returns data at an address that is a multiple of 8.
func atWord(data []byte) []byte {
	if len(data) == 0 || uintptr(unsafe.Pointer(&data[0]))%8 == 0 {
		return data
	}
	words := make([]uint64, (len(data)+7)/8)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(data))
	copy(b, data)
	return b
}

// everything marks all steps to be done. Nothing is stored then.
func (f *frame) everything() {
	for i := range f.do {
		f.do[i] = true
	}
	clear(f.fresh)
}

// resume marks the steps that the results need and the store does not make unnecessary. Going backwards, all readers of a
// slot are decided before the step that writes it. Invariant afterwards: every slot in need is an input, or taken from
// the store, or written by a step in do.
func (f *frame) resume(st *store, key, shapes [32]byte) {
	b := f.b
	f.known = false
	clear(f.need)
	clear(f.do)
	clear(f.fresh)
	var both [64]byte
	copy(both[:32], key[:])
	copy(both[32:], shapes[:])
	f.samples = sha256.Sum256(both[:])
	for _, r := range b.results {
		if r.slot >= 0 {
			f.need[r.slot] = true
		}
	}
	for i := len(b.steps) - 1; i >= 0; i-- {
		s := &b.steps[i]
		for _, o := range s.out {
			if o >= 0 && f.need[o] && !f.stored(st, o) {
				f.do[i] = true
			}
		}
		if !f.do[i] {
			continue
		}
		for _, in := range s.in {
			if in >= 0 {
				f.need[in] = true
			}
		}
	}
}

// stored takes slot o from the store if it is there, and marks it to be stored if it should be there. An entry stays
// pinned until detach, since kernels read its bytes in place; a result is copied, as it will be the caller's.
func (f *frame) stored(st *store, o int) bool {
	s := &f.b.slots[o]
	if !f.sought(o) {
		return false
	}
	e, seen := st.get(f.key(o))
	f.known = f.known || seen
	if e == nil {
		f.fresh[o] = f.offer(o, seen)
		return false
	}
	if s.result {
		copy(f.bufs[o], e.data)
		st.unpin(e)
		return true
	}
	f.bufs[o] = e.data
	f.entries = append(f.entries, e)
	return true
}

// sought says that slot o may be in the store.
func (f *frame) sought(o int) bool {
	if f.choice != nil {
		return f.choice.wanted[o]
	}
	return f.b.slots[o].keep > 0
}

// offer is what the store is told of slot o, which it does not have. A lap tells of more than it keeps itself: a ranking on the same
// samples then keeps no more of its plans than what they share with this one.
func (f *frame) offer(o int, seen bool) freshness {
	switch {
	case f.choice != nil && f.choice.keep[o] || f.b.slots[o].keep > 0 && seen:
		return copied
	case f.b.slots[o].keep > 0:
		return noted
	}
	return silent
}

// claim decides what of the run is stored: what was computed before, or all of it. Such a value, unless it is a result, is computed
// where it stays. A step in place writes elsewhere then, as it does when what it reads comes from the store.
func (f *frame) claim(st *store, all bool) {
	for i := range f.b.steps {
		if !f.do[i] {
			continue
		}
		for _, o := range f.b.steps[i].out {
			if o < 0 || f.fresh[o] == silent || f.fresh[o] == noted && !all {
				continue
			}
			s := &f.b.slots[o]
			if f.fresh[o] = copied; s.result {
				continue
			}
			if e := f.room(st, o); e != nil {
				f.fresh[o], f.claims[o], f.bufs[o] = entered, e, e.data
			} else {
				f.fresh[o] = noted
			}
		}
	}
}

// room is where slot o is to stay, nil for nowhere.
func (f *frame) room(st *store, o int) *entry {
	s := &f.b.slots[o]
	if f.choice != nil && f.choice.keep[o] {
		return st.claimLap(f.key(o), s.bytes, f.choice.share, f.choice.alive)
	}
	return st.claim(f.key(o), s.bytes, s.keep)
}

// key names slot o on the run's samples.
func (f *frame) key(o int) storeKey {
	s := &f.b.slots[o]
	return storeKey{s.sum, f.samples, s.layout == op.ChannelsLast}
}

// keep tells the store of slot o, which was just computed.
func (f *frame) keep(st *store, o int) {
	switch f.fresh[o] {
	case noted:
		st.note(f.key(o))
	case copied:
		st.put(f.key(o), f.bufs[o], f.b.slots[o].keep)
	case entered:
		st.enter(f.claims[o])
	}
}

// run executes the marked steps. fault says that a kernel broke an invariant: its goroutine's memory is suspect then.
// What is fresh is offered to the store right behind its step, before a later step may reuse the place, and so is what
// see wants to see, which is nil in a run that nobody watches.
func (f *frame) run(ctx context.Context, e *Engine, see See) (err error, fault bool) {
	at, st := 0, e.store
	defer func() {
		if r := recover(); r != nil {
			n := f.b.steps[at].node
			err, fault = fmt.Errorf("node %q (%s): internal fault: %v", n.Name, n.Op, r), true
		}
	}()
	done := int64(0)
	for at = range f.b.steps {
		if !f.do[at] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err, false
		}
		if e.observe == nil {
			f.step(at)
		} else {
			begin := time.Now()
			f.step(at)
			e.observe(f.b.steps[at].node, time.Since(begin))
		}
		done++
		if see != nil {
			if err := f.show(at, see); err != nil {
				return err, false
			}
		}
		for _, o := range f.b.steps[at].out {
			if o >= 0 {
				f.keep(st, o)
			}
		}
	}
	st.steps.Add(done)
	return nil, false
}

// step runs one kernel.
func (f *frame) step(i int) {
	s, c := &f.b.steps[i], &f.calls[i]
	for j, in := range s.in {
		if in >= 0 {
			c.In[j] = f.bufs[in]
		}
	}
	for j, out := range s.out {
		if out >= 0 {
			c.Out[j] = f.bufs[out]
		}
	}
	c.Scratch = f.scratch[:s.kernel.Scratch]
	if s.group != nil {
		s.group.run(c, f.parts[i])
		return
	}
	s.kernel.Run(c)
}

// collect makes the tensors that Run returns, those of spare if it is not nil. A result that is an input or a constant is copied, so
// the caller owns whatever he gets. Shapes are copied as well.
func (f *frame) collect(in, spare map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	out := spare
	if out == nil {
		out = make(map[string]*tensor.Tensor, len(f.b.results))
	}
	for _, r := range f.b.results {
		if r.slot >= 0 && f.b.slots[r.slot].dtype.Container() {
			out[r.name] = in[f.b.slots[r.slot].name] // no step makes one
			continue
		}
		v := f.b.valueOf(r)
		data, own := f.bytesOf(r)
		t := out[r.name]
		if t == nil {
			t = &tensor.Tensor{DType: v.dtype, Shape: slices.Clone(v.shape), Data: []byte{}}
			out[r.name] = t
		}
		if own {
			t.Data = data
		} else {
			t.Data = append(t.Data[:0], data...)
		}
	}
	return out
}

// bytesOf are the bytes of a result, and whether they are memory that the run gives away.
func (f *frame) bytesOf(r result) (data []byte, own bool) {
	if r.slot < 0 {
		return r.value.Data, false
	}
	return f.bufs[r.slot], f.b.slots[r.slot].step >= 0
}

// detach lets go of everything that belongs to the run.
func (f *frame) detach(st *store) {
	clear(f.bufs)
	for i := range f.calls {
		c := &f.calls[i]
		clear(c.In)
		clear(c.Out)
		c.Scratch = nil
	}
	for _, e := range f.entries {
		st.unpin(e)
	}
	for _, e := range f.claims {
		if e != nil {
			st.settle(e)
		}
	}
	clear(f.claims)
	clear(f.entries)
	f.entries = f.entries[:0]
	f.scratch = nil
}

// boundFor checks the inputs and returns the program bound to their shapes, and a digest of those. A key of usual
// length lives on the stack: finding a bound allocates nothing.
func (p *Program) boundFor(in map[string]*tensor.Tensor) (*bound, [32]byte, error) {
	var buf [256]byte
	key := buf[:0]
	for _, port := range p.inputs {
		t := in[port.Name]
		if t == nil {
			return nil, [32]byte{}, fmt.Errorf("input %q is missing", port.Name)
		}
		if err := admits(port, t); err != nil {
			return nil, [32]byte{}, fmt.Errorf("input %q: %w", port.Name, err)
		}
		for _, d := range t.Shape {
			key = strconv.AppendInt(key, int64(d), 10)
			key = append(key, ',')
		}
		key = append(key, ';')
		if port.Type.DType == tensor.Invalid {
			key = strconv.AppendInt(key, int64(t.DType), 10) // a value of whatever type a node gave it
			key = append(key, ':')
		}
		if p.known[port.Name] {
			sum := t.Digest()
			key = append(key, sum[:]...)
		}
	}
	if b := p.bindings.find(key); b != nil {
		return b, sha256.Sum256(key), nil
	}
	infos := map[string]op.Info{}
	for _, port := range p.inputs {
		t := in[port.Name]
		x := op.Info{DType: t.DType, Shape: slices.Clone(t.Shape), Elem: t.Elem}
		if p.known[port.Name] && !t.DType.Container() {
			x.Value = &tensor.Tensor{DType: t.DType, Shape: x.Shape, Data: slices.Clone(t.Data)}
		}
		infos[port.Name] = x
	}
	b, err := p.bindings.make(string(key), func() (*bound, error) { return p.bind(infos) })
	return b, sha256.Sum256(key), err
}
