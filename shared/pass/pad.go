package pass

import (
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// foldPads adds the zeros of a Pad to the padding of the Conv that reads it, and to that of an AveragePool that counts
// padding. A maximum would see zeros where its own padding is minus infinity, so MaxPool keeps its Pad. Zero padding of
// a Conv multiplies +0 (design.md 6), exactly what a Pad's zeros did; that is why the padding value must be +0.
func foldPads(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		pad := e.producer(n.Input(0))
		if !is(n, "Conv", "AveragePool") || !is(pad, "Pad") || !takesPads(n) {
			return nil
		}
		spatial, ok := e.zeroPads(pad, e.spatialRank(n))
		if !ok {
			return nil
		}
		own := n.Ints("pads")
		if own == nil {
			own = make([]int64, len(spatial))
		}
		if len(own) != len(spatial) || n.Op == "AveragePool" && !countsPads(n, own) {
			return nil
		}
		sum := make([]int64, len(own))
		for i := range own {
			sum[i] = own[i] + spatial[i]
		}
		if n.Op == "AveragePool" && reaches(sum, n.Ints("kernel_shape")) {
			return nil
		}
		n.SetInts("pads", sum)
		n.Unset("auto_pad")
		if n.Op == "AveragePool" {
			n.SetInt("count_include_pad", 1)
		}
		e.setInput(n, 0, pad.Inputs[0])
		changed = true
		return nil
	})
	return changed, err
}

// takesPads reports whether n's padding is given by numbers: SAME depends on the size of the input, and a ceiling may let a
// window reach behind the zeros.
func takesPads(n *graph.Node) bool {
	mode := n.Str("auto_pad", "NOTSET")
	return (mode == "NOTSET" || mode == "VALID") && n.Int("ceil_mode", 0) == 0
}

// countsPads reports whether an AveragePool divides by padding as if it were data, or has none of its own.
func countsPads(n *graph.Node, pads []int64) bool {
	return n.Int("count_include_pad", 0) != 0 || !slices.ContainsFunc(pads, func(p int64) bool { return p != 0 })
}

// reaches reports whether some padding is as wide as the kernel, which pools refuse.
func reaches(pads, kernel []int64) bool {
	for i, p := range pads {
		if p >= kernel[i%len(kernel)] {
			return true
		}
	}
	return false
}

// spatialRank is the number of spatial axes of a Conv or pool, -1 when it does not say.
func (e *editor) spatialRank(n *graph.Node) int {
	if k := n.Ints("kernel_shape"); k != nil {
		return len(k)
	}
	if w := e.constant(n.Input(1)); w != nil && n.Op == "Conv" {
		return len(w.Shape) - 2
	}
	return -1
}

// zeroPads returns the padding of the spatial axes, before all and after all, if that is all that pad does: constant mode,
// the value +0, nothing negative, nothing on batch and channels. pads come as all begins, then all ends, and axes may
// be named.
func (e *editor) zeroPads(pad *graph.Node, spatial int) ([]int64, bool) {
	amounts := e.constant(pad.Input(1))
	if spatial < 1 || pad.Str("mode", "constant") != "constant" || amounts == nil {
		return nil, false
	}
	if v := pad.Input(2); v != "" {
		t := e.constant(v)
		if t == nil || t.DType != tensor.Float32 || t.Len() != 1 || math.Float32bits(t.F32()[0]) != 0 {
			return nil, false
		}
	}
	v, err := amounts.Ints()
	if err != nil {
		return nil, false
	}
	rank := spatial + 2
	axes := make([]int64, 0, rank)
	for i := range rank {
		axes = append(axes, int64(i))
	}
	if name := pad.Input(3); name != "" {
		t := e.constant(name)
		if t == nil {
			return nil, false
		}
		if axes, err = t.Ints(); err != nil {
			return nil, false
		}
	}
	if len(v) != 2*len(axes) {
		return nil, false
	}
	out := make([]int64, 2*spatial)
	for i, a := range axes {
		if a < 0 {
			a += int64(rank)
		}
		before, after := v[i], v[len(axes)+i]
		switch {
		case before < 0 || after < 0 || a < 0 || a >= int64(rank):
			return nil, false
		case before == 0 && after == 0: // of any axis, batch and channels too
		case a < 2:
			return nil, false
		default:
			out[a-2] += before
			out[int(a)-2+spatial] += after
		}
	}
	return out, true
}
