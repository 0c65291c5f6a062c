package cause

import (
	"fmt"
	"math"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// weight looks for unequal output channels under one scale.
func (m *Model) weight(p plan.Point) []Cause {
	t := m.Graph.Consts[p.Value]
	n := m.nodes[p.Uses[0].Node]
	if p.Axis >= 0 || p.Zero[0] != 0 || t == nil || n == nil || t.DType != tensor.Float32 {
		return nil
	}
	axis := outputAxis(n, len(t.Shape))
	if axis < 0 {
		return nil
	}
	ratio, median, largest := imbalance(channelMaxima(t, axis))
	if ratio < channelRatio {
		return nil
	}
	return []Cause{{ChannelImbalance, p.Value, ratio, fmt.Sprintf(
		"the weights of the largest of %d channels reach to %v, those of the median one to %v, %v times less, and all share one scale", t.Shape[axis], digits(largest), digits(median), digits(ratio))}}
}

// outputAxis is the axis of the output channels of n's weight, -1 for operators without.
func outputAxis(n *graph.Node, rank int) int {
	switch {
	case n.Op == "Conv", n.Op == "Gemm" && n.Int("transB", 0) != 0:
		return 0
	case n.Op == "Gemm", n.Op == "MatMul":
		return rank - 1
	}
	return -1
}

// channelMaxima is the largest magnitude of t by index of axis.
func channelMaxima(t *tensor.Tensor, axis int) []float64 {
	out := make([]float64, t.Shape[axis])
	inner := tensor.Count(t.Shape[axis+1:])
	for i, v := range t.F32() {
		c := i / inner % len(out)
		out[c] = max(out[c], math.Abs(float64(v)))
	}
	return out
}

// bias looks for biases that reach the limit of int32, where the weight scale was raised to make room. The bias is the
// corrected one where the params correct it.
func (m *Model) bias(p plan.Point) []Cause {
	b := m.biasOf(p)
	raised, largest := 0, 0.0
	for c, v := range b {
		levels := math.Abs(float64(v)) / float64(p.Scale[c%len(p.Scale)])
		if levels >= 0.999*m.room(p) {
			raised++
		}
		largest = max(largest, levels)
	}
	if raised == 0 {
		return nil
	}
	name := p.Value
	if name == "" {
		name = p.Uses[0].Node + " bias"
	}
	return []Cause{{OverflowingBias, name, largest, fmt.Sprintf(
		"%d of %d biases take all of the %v levels that int32 leaves them, so that the weight scale of their channels was raised and their weights have fewer levels", raised, len(b), digits(largest))}}
}

// room is the number of levels that a bias may take: int32 less the sums of the layer, and biasLevels at most.
func (m *Model) room(p plan.Point) float64 {
	n := m.nodes[p.Uses[0].Node]
	if n == nil {
		return biasLevels
	}
	if n.Op == "Add" {
		for _, in := range n.Inputs {
			if above := m.index.Producer[in]; above != nil {
				n = above
			}
		}
	}
	w := m.Graph.Consts[n.Input(1)]
	if w == nil || len(w.Shape) < 2 {
		return biasLevels
	}
	depth := w.Len() / max(1, w.Shape[max(0, outputAxis(n, len(w.Shape)))])
	return min(biasLevels, float64(math.MaxInt32-depth*255*127))
}

// biasOf is the bias that is in place while p's group is INT8.
func (m *Model) biasOf(p plan.Point) []float32 {
	for _, x := range m.Params.Patches {
		if x.Use == p.Uses[0] {
			return x.Tensor().F32()
		}
	}
	if t := m.Graph.Consts[p.Value]; t != nil && t.DType == tensor.Float32 {
		return t.F32()
	}
	return nil
}
