package quant

import (
	"math"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// class is what the runtimes do with an operator between a DequantizeLinear and a QuantizeLinear.
type class uint8

const (
	classFloat       class = iota // runs in float
	classElementwise              // two data inputs, one integer operator: Add, Mul
	classTable                    // one data input, a 256-entry table: Sigmoid, LeakyRelu
	classPool                     // integer in and out with a scale of its own: AveragePool, GlobalAveragePool
	classConcat                   // integer when a QuantizeLinear follows; a copy where the scales agree
	classCarry                    // passes integers if a QuantizeLinear with the same parameters follows
	classTransparent              // passes integers with nothing behind it
	classClamp                    // Relu, Clip: absorbed by the range of the QuantizeLinear that follows
)

// classes is the table; classOf refines it by attributes. What is absent is classFloat.
var classes = map[string]class{
	"Add": classElementwise, "Mul": classElementwise,
	"Sigmoid": classTable, "LeakyRelu": classTable,
	"AveragePool": classPool, "GlobalAveragePool": classPool,
	"Concat":  classConcat,
	"Flatten": classCarry, "Split": classCarry, "Resize": classCarry, "DepthToSpace": classCarry, "Gather": classCarry, "Pad": classCarry,
	"MaxPool": classTransparent, "Transpose": classTransparent, "Reshape": classTransparent, "Squeeze": classTransparent,
	"Unsqueeze": classTransparent, "Slice": classTransparent,
	"Relu": classClamp, "Clip": classClamp,
}

// classOf is the class of n in this graph. It answers for this model and configuration: an ignored node and one that
// apart found are float whatever their operator. A nil node (the producer of an input) is float.
func (s *sketch) classOf(n *graph.Node) class {
	if n == nil || n.Domain != "" || s.cfg.ignores(n) || s.without.float[n.Name] != "" {
		return classFloat
	}
	c := classes[n.Op]
	switch n.Op {
	case "AveragePool":
		// QLinearAveragePool divides by the pixels inside; other forms run in float.
		if n.Int("count_include_pad", 0) != 0 && nonZero(n.Ints("pads")) || n.Int("ceil_mode", 0) != 0 || above1(n.Ints("dilations")) {
			return classFloat
		}
	case "MaxPool":
		if len(n.Outputs) > 1 && n.Outputs[1] != "" {
			return classFloat
		}
	case "Resize":
		if n.Str("mode", "nearest") != "nearest" || n.Str("coordinate_transformation_mode", "") == "tf_crop_and_resize" {
			return classFloat
		}
	case "Gather":
		if s.isConst(n.Input(0)) {
			return classFloat // an embedding
		}
	case "Pad":
		if !s.padKeepsRange(n) {
			return classFloat
		}
		if s.padsConv(n) {
			return classTransparent
		}
	case "Clip":
		if limits, ok := s.clampLimits(n); !ok || limits.lo > 0 || limits.hi < 0 {
			return classFloat
		}
	}
	return c
}

// padKeepsRange: zeros, or copies of what is there already.
func (s *sketch) padKeepsRange(n *graph.Node) bool {
	if n.Str("mode", "constant") != "constant" || n.Input(2) == "" {
		return true
	}
	t := s.g.Consts[n.Input(2)]
	return t != nil && t.DType == tensor.Float32 && t.Len() == 1 && t.F32()[0] == 0
}

// padsConv: both runtimes fold a Pad with zeros into the only Conv that reads it. A Pad with an axes input does not
// count.
func (s *sketch) padsConv(n *graph.Node) bool {
	uses := s.x.Uses[n.Outputs[0]]
	return n.Str("mode", "constant") == "constant" && n.Input(3) == "" && len(uses) == 1 && !uses[0].Sub && uses[0].Node.Op == "Conv" &&
		uses[0].Input == 0 && !s.x.Output[n.Outputs[0]]
}

// clampLimits returns the bounds of a Relu or Clip, ok when they are known. ok is false for bounds that cross or are
// equal too: such a Clip is a constant and no clamp.
func (s *sketch) clampLimits(n *graph.Node) (span, bool) {
	if n.Op == "Relu" {
		return span{0, math.Inf(1)}, true
	}
	limits := everything
	for i, bound := range []*float64{&limits.lo, &limits.hi} {
		name := n.Input(1 + i)
		if name == "" {
			continue
		}
		t := s.g.Consts[name]
		if t == nil || t.DType != tensor.Float32 || t.Len() != 1 {
			return everything, false
		}
		*bound = float64(t.F32()[0])
	}
	return limits, limits.lo < limits.hi
}

func (s *sketch) isConst(name string) bool { return s.g.Consts[name] != nil }

// dataInputs lists the inputs of n that carry data, for operators that an integer region may hold. Constants among them
// are not left out; fed and floatData look at those.
func dataInputs(n *graph.Node) []int {
	switch n.Op {
	case "Concat", "Add", "Mul", "Sub", "Div", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal":
		out := make([]int, len(n.Inputs))
		for i := range out {
			out[i] = i
		}
		return out
	}
	return []int{0}
}

func nonZero(v []int64) bool {
	for _, x := range v {
		if x != 0 {
			return true
		}
	}
	return false
}

func above1(v []int64) bool {
	for _, x := range v {
		if x > 1 {
			return true
		}
	}
	return false
}
