package quant

import (
	"fmt"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// layer is a Conv, ConvTranspose, Gemm or MatMul with a constant weight, its bias, and the Relu or Clip behind it.
// Invariants: weight names a float constant of channels*depth elements; end == node's output unless a MatMul's Add is
// the bias; out == end unless act is set; limits is everything without act. ownsOut implies !floating.
type layer struct {
	node     *graph.Node
	data     int // which input is data
	at       int // which input is the weight
	weight   string
	axis     int // of the weight's output channels; -1 when scales cannot run along it
	channels int // of the output; a multiple of the scales, where the groups of a ConvTranspose share them
	depth    int // products per output element

	// floating: weight and data are INT8 and ONNX Runtime computes in float on what they stand for, since it has no integer
	// form. No point on the result is needed for the layer's own sake.
	floating bool

	bias      string      // the constant, "" when there is none
	biasNode  *graph.Node // whose input biasInput the bias is: node itself, or the Add behind a MatMul
	biasInput int
	intBias   bool // the runtimes take the bias as int32: not where more than two axes keep MatMul and Add apart

	end    string // the value behind the bias
	act    *graph.Node
	out    string // the value behind act
	limits span   // of act

	// ownsOut: the integer form exists only with a QuantizeLinear at out, so the layer has a point there.
	ownsOut bool
}

// layerOf describes n as a layer, or says why it stays float. Both results are empty for operators that never are one.
// The reasons are sentences' ends for reports. The sum's bound is exactness in int32: depth * 255 * 127 < 2^31
// (weights.go).
func (s *sketch) layerOf(n *graph.Node) (*layer, string) {
	if n.Domain != "" {
		return nil, ""
	}
	var l *layer
	var why string
	switch n.Op {
	case "Conv":
		l, why = s.convLayer(n)
	case "Gemm":
		l, why = s.gemmLayer(n)
	case "MatMul":
		l, why = s.matMulLayer(n)
	case "ConvTranspose":
		l, why = s.deconvLayer(n)
	}
	if l == nil {
		return nil, why
	}
	switch w := s.g.Consts[l.weight]; {
	case s.cfg.ignores(n):
		why = "ignored by the job"
	case s.without.float[n.Name] != "":
		why = s.without.float[n.Name]
	case w.DType != tensor.Float32 || w.Len() == 0:
		why = fmt.Sprintf("its weight is %s%v", w.DType, w.Shape)
	case s.isConst(n.Input(l.data)):
		why = "both operands are constant"
	case l.depth > maxDepth:
		why = fmt.Sprintf("sums of %d products do not fit int32, %d do", l.depth, maxDepth)
	}
	if why != "" {
		return nil, why
	}
	// A nested graph reads the value itself and not what a pair makes of it, so that the result has a second reader anyway.
	captured := s.captured(n.Outputs[0]) || s.captured(l.end) || s.captured(l.out)
	l.ownsOut = l.ownsOut && !captured && !s.without.point[n.Name]
	return l, ""
}

// captured reports whether a nested graph reads v.
func (s *sketch) captured(v string) bool {
	for _, u := range s.x.Uses[v] {
		if u.Sub {
			return true
		}
	}
	return false
}

// convLayer: weight [OC][C/group][kernel], scales along axis 0. Every group has its own channels of the output, so
// per-channel scales do for depthwise, too.
func (s *sketch) convLayer(n *graph.Node) (*layer, string) {
	w := s.g.Consts[n.Input(1)]
	if w == nil {
		return nil, "its weight is computed"
	}
	if len(w.Shape) < 3 {
		return nil, fmt.Sprintf("its weight has shape %v", w.Shape)
	}
	l := &layer{node: n, at: 1, weight: n.Input(1), axis: 0, channels: w.Shape[0], depth: tensor.Count(w.Shape[1:])}
	return s.withInputBias(l)
}

// deconvLayer: the weight is [in][out/group][kernel], so that the groups share the scales along axis 1. ONNX Runtime has no
// integer form, OpenVINO has one. The bias is int32 all the same: ONNX Runtime would round a float one to that scale.
func (s *sketch) deconvLayer(n *graph.Node) (*layer, string) {
	w := s.g.Consts[n.Input(1)]
	if w == nil {
		return nil, "its weight is computed"
	}
	group := int(n.Int("group", 1))
	if len(w.Shape) < 3 || group < 1 {
		return nil, fmt.Sprintf("its weight has shape %v", w.Shape)
	}
	l := &layer{node: n, at: 1, weight: n.Input(1), axis: 1, channels: w.Shape[1] * group, depth: w.Shape[0] / group * tensor.Count(w.Shape[2:]), floating: true}
	return s.withInputBias(l)
}

// gemmLayer refuses what QGemm cannot say: transA, alpha, beta.
func (s *sketch) gemmLayer(n *graph.Node) (*layer, string) {
	w := s.g.Consts[n.Input(1)]
	switch {
	case w == nil:
		return nil, "its weight is computed"
	case len(w.Shape) != 2:
		return nil, fmt.Sprintf("its weight has shape %v", w.Shape)
	case n.Int("transA", 0) != 0:
		return nil, "transA has no integer form"
	case n.Float("alpha", 1) != 1, n.Input(2) != "" && n.Float("beta", 1) != 1:
		return nil, "alpha or beta is not 1"
	}
	l := &layer{node: n, at: 1, weight: n.Input(1), axis: 1, channels: w.Shape[1], depth: w.Shape[0]}
	if n.Int("transB", 0) != 0 {
		l.axis, l.channels, l.depth = 0, w.Shape[0], w.Shape[1]
	}
	return s.withInputBias(l)
}

// withInputBias completes a Conv or Gemm, whose bias is input 2.
func (s *sketch) withInputBias(l *layer) (*layer, string) {
	l.biasNode, l.biasInput, l.intBias = l.node, 2, true
	if l.bias = l.node.Input(2); l.bias != "" {
		b := s.g.Consts[l.bias]
		if b == nil {
			return nil, "its bias is computed"
		}
		if !rowOf(b, l.channels) && b.Len() != 1 || b.DType != tensor.Float32 {
			return nil, fmt.Sprintf("its bias is %s%v", b.DType, b.Shape)
		}
	}
	l.end = l.node.Outputs[0]
	s.absorb(l)
	l.ownsOut = !l.floating && (l.node.Op == "Conv" || l.act != nil)
	return l, ""
}

// rowOf reports whether t is n elements along its last axis and 1 along all others.
func rowOf(t *tensor.Tensor, n int) bool {
	return len(t.Shape) > 0 && t.Shape[len(t.Shape)-1] == n && t.Len() == n
}

// matMulLayer: MatMul's constant B never has scales along axis 0 (ort-semantics 6.5). The Add behind it is a bias when
// it alone reads the product and adds one row; for two axes the runtimes join it as int32, for more they keep it float.
func (s *sketch) matMulLayer(n *graph.Node) (*layer, string) {
	w := s.g.Consts[n.Input(1)]
	switch {
	case w == nil && s.isConst(n.Input(0)):
		return s.leftLayer(n)
	case w == nil:
		return nil, "both operands are computed"
	case len(w.Shape) < 2:
		return nil, fmt.Sprintf("its weight has shape %v", w.Shape)
	}
	rank := len(w.Shape)
	l := &layer{node: n, at: 1, weight: n.Input(1), axis: rank - 1, channels: w.Shape[rank-1], depth: w.Shape[rank-2], end: n.Outputs[0]}
	if rank > 2 {
		l.axis = -1 // a stack of matrices: one scale for all
	}
	twoAxes := rank == 2 && s.rank(n.Input(0)) == 2
	if u := s.only(l.end); u != nil && u.Node.Op == "Add" && u.Node.Domain == "" && !s.cfg.Ignored.ignores(u.Node) {
		other := u.Node.Input(1 - u.Input)
		if b := s.g.Consts[other]; b != nil && b.DType == tensor.Float32 && rowOf(b, l.channels) && len(b.Shape) <= max(rank, s.rank(n.Input(0))) {
			l.bias, l.biasNode, l.biasInput, l.end = other, u.Node, 1-u.Input, u.Node.Outputs[0]
			l.intBias = twoAxes
		}
	}
	s.absorb(l)
	// MatMul and bias on more than two axes stay apart (Apply writes the bias as [1,N]), so a Relu behind them hinders nothing.
	l.ownsOut = l.act != nil && (l.bias == "" || l.intBias)
	return l, ""
}

// leftLayer is a MatMul whose constant is the first operand: its rows are the output's channels. ONNX Runtime's integer
// products want one scale there, and one scale for rows of unequal size would lose the small ones, so it is floating.
func (s *sketch) leftLayer(n *graph.Node) (*layer, string) {
	w := s.g.Consts[n.Input(0)]
	rank := len(w.Shape)
	if rank < 2 {
		return nil, fmt.Sprintf("its weight has shape %v", w.Shape)
	}
	l := &layer{node: n, data: 1, weight: n.Input(0), axis: rank - 2, channels: w.Shape[rank-2], depth: w.Shape[rank-1], end: n.Outputs[0], floating: true}
	s.absorb(l)
	return l, ""
}

// absorb finds the Relu or Clip that alone reads l.end.
func (s *sketch) absorb(l *layer) { l.act, l.out, l.limits = s.clampBehind(l.end) }

// clampBehind returns the Relu or Clip that alone reads v, with its result and bounds; v itself when there is none. A
// clamp that excludes zero cannot be absorbed: zero has to be a level.
func (s *sketch) clampBehind(v string) (*graph.Node, string, span) {
	u := s.only(v)
	if u == nil || s.classOf(u.Node) != classClamp || u.Input != 0 {
		return nil, v, everything
	}
	limits, ok := s.clampLimits(u.Node)
	if !ok || limits.lo > 0 || limits.hi < 0 {
		return nil, v, everything
	}
	return u.Node, u.Node.Outputs[0], limits
}

// only is the single use of v, nil when there are more, when a nested graph reads v, or when v is an output of the graph.
func (s *sketch) only(v string) *graph.Use {
	uses := s.x.Uses[v]
	if len(uses) != 1 || uses[0].Sub || s.x.Output[v] {
		return nil
	}
	return &uses[0]
}

// rank is the number of axes of v, 0 when unknown.
func (s *sketch) rank(v string) int { return s.ranks[v] }
