package quant

import (
	"math"
	"slices"

	"assay/shared/graph"
)

// The ends below which smooth activations are as good as flat. Swish, Mish and Elu miss their limit by less than 0.003 at
// -8, half a level of a result that reaches 1.4; Gelu by less than 0.0002 at -4. Sigmoid and Tanh are flat in float32
// itself at 16 and 9: they are often scores, whose order close to 1 counts.
const (
	smoothFloor  = -8.0
	geluFloor    = -4.0
	sigmoidReach = 16.0
	tanhReach    = 9.0
)

// told is the span of v's values that its readers can tell apart: HardSwish is 0 wherever v is below -3, so levels there
// would be wasted. Whoever reads beyond makes it everything, as do a nested graph and an output of the graph. It is exact
// for the piecewise linear functions and as good as exact for the others. The span includes zero. v without a reader,
// or one whose readers only ask its shape, is everything. POT's placement does not do this, so ranges there are the
// published ones.
func (s *sketch) told(v string) span {
	if s.cfg.Placement == POT || s.x.Output[v] || len(s.x.Uses[v]) == 0 {
		return everything
	}
	all := span{math.Inf(1), math.Inf(-1)}
	for _, u := range s.x.Uses[v] {
		if u.Node.Op == "Shape" || u.Node.Op == "Size" {
			continue
		}
		r := everything
		if !u.Sub && u.Node.Domain == "" {
			r = s.toldBy(u.Node, v)
		}
		all = all.union(r)
	}
	if !(all.lo <= all.hi) {
		return everything
	}
	return span{min(all.lo, 0), max(all.hi, 0)}
}

// toldBy is the span of v that n can tell apart.
func (s *sketch) toldBy(n *graph.Node, v string) span {
	top := math.Inf(1)
	switch n.Op {
	case "HardSwish":
		return span{-3, top}
	case "HardSigmoid":
		return hardSigmoidReach(n)
	case "Sigmoid":
		if s.onlyGates(n, v) {
			return span{smoothFloor, sigmoidReach}
		}
		return span{-sigmoidReach, sigmoidReach}
	case "Tanh":
		return span{-tanhReach, tanhReach}
	case "Gelu":
		return span{geluFloor, top}
	case "Mish", "Elu", "Selu":
		return span{smoothFloor, top}
	case "Swish":
		if a := float64(n.Float("alpha", 1)); a > 0 {
			return span{smoothFloor / a, top}
		}
	case "Celu":
		if a := float64(n.Float("alpha", 1)); a > 0 {
			return span{float64(smoothFloor * a), top}
		}
	case "Mul": // v times its own gate: Swish written out
		return s.toldByGate(n, v)
	}
	return everything
}

// onlyGates: whatever reads n's result multiplies it by v.
func (s *sketch) onlyGates(n *graph.Node, v string) bool {
	uses := s.x.Uses[n.Outputs[0]]
	return len(uses) > 0 && !s.x.Output[n.Outputs[0]] && !slices.ContainsFunc(uses, func(u graph.Use) bool {
		return u.Sub || u.Node.Domain != "" || u.Node.Op != "Mul" || u.Node.Input(1-u.Input) != v
	})
}

// toldByGate: v * HardSigmoid(v) is 0 where the gate is, v * Sigmoid(v) as good as 0 from smoothFloor down.
func (s *sketch) toldByGate(mul *graph.Node, v string) span {
	for _, in := range mul.Inputs {
		gate := s.x.Producer[in]
		if gate == nil || gate.Domain != "" || gate.Input(0) != v {
			continue
		}
		switch gate.Op {
		case "HardSigmoid":
			return span{hardSigmoidReach(gate).lo, math.Inf(1)}
		case "Sigmoid":
			return span{smoothFloor, math.Inf(1)}
		}
	}
	return everything
}

// hardSigmoidReach is where max(0, min(1, alpha*x + beta)) is not flat.
func hardSigmoidReach(n *graph.Node) span {
	alpha, beta := float64(n.Float("alpha", 0.2)), float64(n.Float("beta", 0.5))
	if !(alpha > 0) {
		return everything
	}
	return span{-beta / alpha, (1 - beta) / alpha}
}
