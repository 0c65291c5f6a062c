package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"assay/shared/op"
	"assay/shared/tensor"
)

// shown is a wanted value that lies in a slot. Views have names and shapes of their own.
type shown struct {
	name  string
	shape []int
}

// See is shown a wanted value of a watched run: its name, its elements with their logical shape, and how they lie: with
// op.ChannelsLast, elements of shape [N C H W] stand in the order [N H W C]. v is the run's own memory: it is read only, and only
// until See returns. An error ends the run.
type See func(name string, v *tensor.Tensor, y op.Layout) error

// Watch runs the program as Run does without a key, and shows each wanted value once, as soon as it is there, instead of
// returning it: where it was made and how it lies there. No value outlives what reads it, none is converted, and the
// bytes are those of Run. see is called in this goroutine, in the order of computation; constants and inputs come first.
// A program that is bound in parts runs as Run does and shows results at the end, by name. Errors are those of Run, and see's as
// they are; a wanted sequence or optional that a step computes is one.
func (p *Program) Watch(ctx context.Context, in map[string]*tensor.Tensor, see See) error {
	w := p.watch()
	b, _, err := w.boundFor(in)
	if err != nil {
		return err
	}
	if b.parts != nil {
		out, err := p.Run(ctx, in, [32]byte{})
		for _, name := range slices.Sorted(maps.Keys(out)) {
			if err := see(name, out[name], op.Logical); err != nil {
				return err
			}
		}
		return err
	}
	f := b.frames.get()
	arena, err := p.engine.memory.acquire(b.arena + b.scratch)
	if err != nil {
		b.frames.put(f)
		return err
	}
	f.attach(w, in, arena, nil)
	f.everything()
	fault := false
	if err = f.showFirst(see); err == nil {
		err, fault = f.run(ctx, p.engine, see)
	}
	f.detach(p.engine.store)
	if fault {
		p.engine.memory.discard(arena)
		return err
	}
	p.engine.memory.release(arena)
	b.frames.put(f)
	return err
}

// showFirst shows what no step computes: constants, and inputs.
func (f *frame) showFirst(see See) error {
	for _, r := range f.b.results {
		if err := see(r.name, r.value, op.Logical); err != nil {
			return err
		}
	}
	for _, i := range f.b.inputs {
		if err := f.showSlot(i, see); err != nil {
			return err
		}
	}
	return nil
}

// show shows what step i wrote.
func (f *frame) show(i int, see See) error {
	for _, o := range f.b.steps[i].out {
		if o >= 0 {
			if err := f.showSlot(o, see); err != nil {
				return err
			}
		}
	}
	return nil
}

// showSlot shows a slot under its names.
func (f *frame) showSlot(i int, see See) error {
	s := &f.b.slots[i]
	for _, as := range s.shown {
		if s.dtype.Container() {
			return fmt.Errorf("value %q is %s, and only tensors are watched", as.name, s.dtype)
		}
		v := &tensor.Tensor{DType: s.dtype, Shape: as.shape, Data: f.bufs[i]}
		if err := see(as.name, v, s.layout); err != nil {
			return err
		}
	}
	return nil
}
