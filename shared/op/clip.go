package op

import (
	"fmt"
	"math"

	"assay/kernels/numeric"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// clipOps limit elements: min(max(x, lo), hi), so that the upper bound wins where they cross, and NaN stays NaN. The bounds
// moved from attributes to inputs 1 and 2 at opset 11; an omitted one does not limit. Refused: bounds that are computed from
// data, that are NaN, of another type than the data or of more than one element. In a plan a Clip with constant bounds
// vanishes in the saturation of what computes its input: the range of that point is cut to the bounds.
var clipOps = []*Op{{
	Name: "Clip", Opsets: []int{6, 11, 12, 13}, Role: RoleAbsorbed, Memory: MemoryAny, Upgrade: upgradeClip, Types: numericTypes,
	Inputs: Arity{1, 3}, Outputs: Arity{1, 1}, Infer: inferClip, Lower: lowerClip,
}}

// inferClip: bounds are single elements of the data's type, of any rank.
func inferClip(x *Infer) error {
	if err := x.alike(1, 2); err != nil {
		return err
	}
	for i := 1; i < len(x.In); i++ {
		if x.has(i) && tensor.Count(x.In[i].Shape) != 1 {
			return fmt.Errorf("input %d has shape %v, a single value is required", i, x.In[i].Shape)
		}
	}
	return same(x)
}

// clampOf reads the constant bounds of a Clip of float32: without one there is no limit on that side. lo above hi is
// allowed and gives hi everywhere, because numeric.Clamp takes the maximum first. NaN bounds are refused, as no clamp
// follows from them.
func clampOf(lo, hi *tensor.Tensor) (numeric.Clamp, error) {
	c := numeric.Clamp{On: true, Lo: float32(math.Inf(-1)), Hi: float32(math.Inf(1))}
	if lo != nil {
		c.Lo = lo.F32()[0]
	}
	if hi != nil {
		c.Hi = hi.F32()[0]
	}
	if c.Lo != c.Lo || c.Hi != c.Hi {
		return c, fmt.Errorf("a bound is NaN")
	}
	return c, nil
}

// lowerClip: bounds that are computed from data are *Unknown, since kernels take them as numbers.
func lowerClip(l *Lower) (Kernel, error) {
	var bounds [2]*tensor.Tensor
	for i := range bounds {
		if !l.present(i + 1) {
			continue
		}
		if bounds[i] = l.In[i+1].Const; bounds[i] == nil {
			return Kernel{}, &Unknown{Input: i + 1, What: "bound"}
		}
	}
	if l.In[0].DType == tensor.Float32 {
		c, err := clampOf(bounds[0], bounds[1])
		if err != nil {
			return Kernel{}, err
		}
		return elementwiseKernel(l, clampLoop(c))
	}
	return clipTyped(l, bounds)
}

// clipTyped takes the maximum with the lower, then the minimum with the upper bound. clipTyped is the form of integers
// and float64, which have no Clamp. The second pass reads what the first wrote; without bounds it is a copy, skipped
// where the engine let output and input share a buffer.
func clipTyped(l *Lower, bounds [2]*tensor.Tensor) (Kernel, error) {
	d, n := l.In[0].DType, tensor.Count(l.In[0].Shape)
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	var loops [2]func(p *pairs, dst, a, b []byte)
	var limit [2][]byte
	for i, name := range []string{"Max", "Min"} {
		if loops[i], err = binaryLoop(name, d); err != nil {
			return Kernel{}, err
		}
		if bounds[i] != nil {
			limit[i] = aligned(bounds[i])
		}
	}
	p := newPairs([]int{n}, []int{1}, []int{0})
	return Kernel{Alias: 0, Run: func(c *Call) {
		in := src.bytes(c)
		for i, b := range limit {
			if b != nil {
				loops[i](p, c.Out[0], in, b)
				in = c.Out[0]
			}
		}
		if len(in) > 0 && &in[0] != &c.Out[0][0] {
			copy(c.Out[0], in)
		}
	}}, nil
}

// activation is the clamp that attributes activation and activation_params of a fused operator say: none, Relu or
// Clip with the bounds [min, max]. The clamp is applied as results are stored, after the last rounding of the chain, so
// a fused layer has the bits of the layer followed by the operator.
func activation(n *graph.Node) (numeric.Clamp, error) {
	switch name, p := n.Str("activation", ""), params(n); name {
	case "":
		return numeric.Clamp{}, nil
	case "Relu":
		return numeric.Relu(), nil
	case "Clip":
		if len(p) != 2 || p[0] != p[0] || p[1] != p[1] {
			return numeric.Clamp{}, fmt.Errorf("activation Clip has parameters %v, min and max are required", p)
		}
		return numeric.Clamp{On: true, Lo: p[0], Hi: p[1]}, nil
	default:
		return numeric.Clamp{}, fmt.Errorf("activation %q is not supported (Relu and Clip are)", name)
	}
}

// params is attribute activation_params, nil when it is absent.
func params(n *graph.Node) []float32 {
	if a := n.Attr("activation_params"); a != nil {
		return a.Floats
	}
	return nil
}
