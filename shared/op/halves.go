package op

import (
	"slices"
	"sync"

	"assay/shared/tensor"
)

// halfTypes are computed in float32: operands are widened, which is exact, and each result is rounded once as it is stored.
var halfTypes = []tensor.DType{tensor.Float16, tensor.BFloat16}

// admitHalves lets an operator whose first input may be float32 take float16 and bfloat16 too. Quantized operators are
// left out, because their 16-bit scales are read by themselves; so are operators of other domains. It replaces Lower,
// so it is called once per operator, by the registry.
func admitHalves(o *Op) {
	if o.Lower == nil || o.Role == RoleQuantized || o.Domain != "" || !slices.Contains(o.Types, tensor.Float32) {
		return
	}
	inner := o.Lower
	o.Types = slices.Clone(o.Types)
	for _, d := range halfTypes {
		if !slices.Contains(o.Types, d) {
			o.Types = append(o.Types, d)
		}
	}
	o.Lower = func(l *Lower) (Kernel, error) {
		if !slices.Contains(halfTypes, l.In[0].DType) {
			return inner(l)
		}
		return lowerHalves(l, inner)
	}
}

// half is one input or output that the kernel sees as float32: at is its place in scratch.
type half struct {
	index, at, size int
	convert         func(dst, src []byte)
}

// lowerHalves lowers the node as if it were of float32 and converts around the kernel. Alias is given up: the buffers have
// other sizes. Constants are widened here, once. Layout and shape are untouched, so the inner Lower cannot tell the
// difference.
func lowerHalves(l *Lower, inner func(*Lower) (Kernel, error)) (Kernel, error) {
	wide := &Lower{Node: l.Node, In: slices.Clone(l.In), Out: slices.Clone(l.Out), Packs: l.Packs}
	var in, out []half
	scratch := 0
	for i := range wide.In {
		a := &wide.In[i]
		if !slices.Contains(halfTypes, a.DType) {
			continue
		}
		up, err := converter(a.DType, tensor.Float32)
		if err != nil {
			return Kernel{}, err
		}
		if a.Const != nil {
			if a.Const, err = convert(a.Const, tensor.Float32); err != nil {
				return Kernel{}, err
			}
		} else if a.Name != "" {
			in = append(in, half{i, scratch, 4 * tensor.Count(a.Shape), up})
			scratch += spaced(4 * tensor.Count(a.Shape))
		}
		a.DType = tensor.Float32
	}
	for i := range wide.Out {
		a := &wide.Out[i]
		if a.Name == "" || !slices.Contains(halfTypes, a.DType) {
			continue
		}
		down, err := converter(tensor.Float32, a.DType)
		if err != nil {
			return Kernel{}, err
		}
		out = append(out, half{i, scratch, 4 * tensor.Count(a.Shape), down})
		scratch += spaced(4 * tensor.Count(a.Shape))
		a.DType = tensor.Float32
	}
	k, err := inner(wide)
	if err != nil {
		return Kernel{}, err
	}
	return widened(k, in, out, scratch, len(l.In), len(l.Out)), nil
}

// spaced rounds a size up so that what follows is aligned for every kernel.
func spaced(n int) int { return (n + 63) &^ 63 }

// widened wraps a kernel of float32 in the conversions of its inputs and outputs, whose float32 forms fill the first
// bytes of scratch. The inner Call comes from a pool, as Run may not allocate; buffers are cleared before it goes back,
// since a pool must not keep an arena alive.
func widened(k Kernel, in, out []half, scratch, ins, outs int) Kernel {
	calls := sync.Pool{New: func() any { return &Call{In: make([][]byte, ins), Out: make([][]byte, outs)} }}
	return Kernel{Scratch: scratch + k.Scratch, Alias: -1, Run: func(c *Call) {
		w := calls.Get().(*Call)
		copy(w.In, c.In)
		copy(w.Out, c.Out)
		w.Scratch = c.Scratch[scratch:]
		for _, h := range in {
			w.In[h.index] = c.Scratch[h.at : h.at+h.size]
			h.convert(w.In[h.index], c.In[h.index])
		}
		for _, h := range out {
			w.Out[h.index] = c.Scratch[h.at : h.at+h.size]
		}
		k.Run(w)
		for _, h := range out {
			h.convert(c.Out[h.index], w.Out[h.index])
		}
		clear(w.In)
		clear(w.Out)
		w.Scratch = nil
		calls.Put(w)
	}}
}
