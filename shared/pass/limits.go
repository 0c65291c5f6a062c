package pass

import (
	"math"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// interval is what a Relu or a Clip with constant bounds limits floats to: max with lo, then min with hi. lo may be
// above hi: then everything becomes hi.
type interval struct{ lo, hi float32 }

// interval returns the bounds of n if it limits float32 values by constants. Relu is [+0, +Inf): +0 and not -0 is part
// of the numbers (+0 > -0 in Max, design.md 6).
func (e *editor) interval(n *graph.Node) (interval, bool) {
	none := interval{float32(math.Inf(-1)), float32(math.Inf(1))}
	if n == nil || e.dtype(n.Input(0)) != tensor.Float32 {
		return none, false
	}
	switch {
	case is(n, "Relu"):
		return interval{0, none.hi}, true
	case is(n, "Clip"):
		v := none
		for i, to := range []*float32{&v.lo, &v.hi} {
			if n.Input(i+1) == "" {
				continue
			}
			t := e.constant(n.Input(i + 1))
			if t == nil || t.DType != tensor.Float32 || t.Len() != 1 || t.F32()[0] != t.F32()[0] {
				return none, false
			}
			*to = t.F32()[0]
		}
		return v, true
	}
	return none, false
}

// limit is what the interval makes of a number.
func (v interval) limit(x float32) float32 { return min(max(x, v.lo), v.hi) }

// joinLimits makes one operator of a Relu or Clip that reads nothing but another one's result. With lo <= hi in the first,
// the second applied to both bounds gives the bounds of both: limiting is monotonic. NaN passes both, so the joined one
// keeps it as well.
func joinLimits(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		up := e.producer(n.Input(0))
		second, ok := e.interval(n)
		if !ok {
			return nil
		}
		first, ok := e.interval(up)
		if !ok || !(first.lo <= first.hi) || e.sole(up.Outputs[0]) != n {
			return nil
		}
		e.setLimits(n, interval{second.limit(first.lo), second.limit(first.hi)})
		e.setInput(n, 0, up.Inputs[0])
		changed = true
		return nil
	})
	return changed, err
}

// setLimits makes n the operator for bounds v: Relu for everything from +0 on, else Clip.
func (e *editor) setLimits(n *graph.Node, v interval) {
	for i := len(n.Inputs) - 1; i > 0; i-- {
		e.setInput(n, i, "")
	}
	n.Inputs = n.Inputs[:1]
	if math.Float32bits(v.lo) == 0 && math.IsInf(float64(v.hi), 1) {
		n.Op = "Relu"
		return
	}
	n.Op = "Clip"
	if !math.IsInf(float64(v.lo), -1) {
		e.setInput(n, 1, e.addConst(n.Name+"/min", tensor.Of(tensor.Float32, nil, []float32{v.lo})))
	}
	if !math.IsInf(float64(v.hi), 1) {
		e.setInput(n, 2, e.addConst(n.Name+"/max", tensor.Of(tensor.Float32, nil, []float32{v.hi})))
	}
}
