package fuse

import (
	"math"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// dropClips removes a Relu or Clip whose only reader is a Q that saturates at least as narrowly. The layer's own
// saturation repeats it: integers below the zero point's level do not exist when that level is 0.
func dropClips(e *editor) (changed bool) {
	for _, n := range e.order() {
		if !is(n, "Relu", "Clip") {
			continue
		}
		use := e.only(n.Outputs[0])
		if use == nil || use.Input != 0 {
			continue
		}
		q, ok := e.quantizer(use.Node)
		if ok && (e.reluCovered(n, q) || e.clipCovered(n, q)) {
			e.setInput(use.Node, 0, n.Inputs[0])
			e.remove(n)
			changed = true
		}
	}
	return changed
}

// reluCovered reports whether Q's zero point is its lowest level.
func (e *editor) reluCovered(n *graph.Node, q linear) bool {
	lo, _, ok := q.limits()
	return n.Op == "Relu" && ok && q.single() && q.z != nil && q.z.DType.Size() == 1 && q.zero() == lo
}

// clipCovered reports whether [lowest, highest] of Q lies within the Clip up to one float32 epsilon.
func (e *editor) clipCovered(n *graph.Node, q linear) bool {
	lo, hi, ok := q.limits()
	low, high, bounded := e.clipBounds(n)
	if n.Op != "Clip" || !ok || !bounded || !q.scalar() || q.z == nil || q.z.DType.Size() != 1 {
		return false
	}
	const epsilon = 0x1p-23
	s := q.s.F32()[0]
	return float32(low-float32(s*float32(lo-q.zero()))) <= epsilon && float32(float32(s*float32(hi-q.zero()))-high) <= epsilon
}

// clipBounds returns the bounds of a Clip when they are constants; an omitted one is the end of float32.
func (e *editor) clipBounds(n *graph.Node) (low, high float32, ok bool) {
	low, high = -math.MaxFloat32, math.MaxFloat32
	for i, to := range []*float32{&low, &high} {
		name := n.Input(i + 1)
		if name == "" {
			continue
		}
		t := e.g.Consts[name]
		if t == nil || t.DType != tensor.Float32 || t.Len() != 1 {
			return 0, 0, false
		}
		*to = t.F32()[0]
	}
	return low, high, true
}

// redundant is the second, coarser rule that the integer patterns use for a Relu or Clip between an operator and its Q:
// the bounds, rounded to levels, are not inside the type's range. levels are rounded half to even; what does not fit
// int32 becomes its lowest number, as the runtime's conversion has it.
func (e *editor) redundant(n *graph.Node, q linear) bool {
	lo, hi, ok := q.limits()
	if !ok || !q.scalar() {
		return false
	}
	if n.Op == "Relu" {
		return q.zero() == lo
	}
	low, high, ok := e.clipBounds(n)
	if !ok {
		return false
	}
	level := func(x float32) float64 {
		l := math.RoundToEven(float64(float32(x / q.s.F32()[0])))
		if !(math.Abs(l) < 1<<31) {
			l = math.MinInt32
		}
		return l + float64(q.zero())
	}
	return level(low) <= float64(lo) && level(high) >= float64(hi)
}
