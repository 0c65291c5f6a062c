package pass

import (
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// layer is a node with constant weights whose output channels can be scaled and shifted: a Conv or ConvTranspose, or a Gemm
// or MatMul with the bias that follows it. bias, where set, has one number or channels of them. last == node but for a
// MatMul.
type layer struct {
	node     *graph.Node
	last     *graph.Node // the Add of a MatMul, else node
	weight   *tensor.Tensor
	bias     *tensor.Tensor // nil when there is none
	channels int            // of the output
	axis     int            // of the weight, along which the channels lie
	groups   int            // of a ConvTranspose: each part of the weight's first axis has channels of its own along axis; else 1
}

// layer recognises the layer that computes value; nothing else reads what it computes on the way. Only constant float32
// weights and biases qualify; a Gemm must be plain (plainGemm comes before). Whether something else reads the result is
// the caller's to ask (sole).
func (e *editor) layer(value string) (layer, bool) {
	n := e.producer(value)
	if is(n, "Add") {
		return e.biasedMatMul(n)
	}
	if !is(n, "Conv", "ConvTranspose", "Gemm", "MatMul") {
		return layer{}, false
	}
	l := layer{node: n, last: n, weight: e.constant(n.Input(1)), groups: 1}
	if l.weight == nil || l.weight.DType != tensor.Float32 || len(l.weight.Shape) < 2 {
		return layer{}, false
	}
	switch n.Op {
	case "ConvTranspose":
		l.axis, l.groups = 1, int(n.Int("group", 1))
		if l.groups < 1 || l.weight.Shape[0]%l.groups != 0 {
			return layer{}, false
		}
	case "Gemm":
		if n.Float("alpha", 1) != 1 || n.Float("beta", 1) != 1 {
			return layer{}, false
		}
		l.axis = 1 - int(min(n.Int("transB", 0), 1))
	case "MatMul":
		if len(l.weight.Shape) != 2 {
			return layer{}, false
		}
		l.axis = 1
	}
	l.channels = l.weight.Shape[l.axis] * l.groups
	if name := n.Input(2); name != "" {
		if l.bias = e.constant(name); l.bias == nil || l.bias.DType != tensor.Float32 || !perChannel(l.bias.Shape, l.channels, 0) {
			return layer{}, false
		}
	}
	return l, true
}

// biasedMatMul recognises MatMul with a constant right side and a constant bias behind it. A bias of three axes or more may
// give the sum an axis that the product has not, so that channels are counted along another one.
func (e *editor) biasedMatMul(add *graph.Node) (layer, bool) {
	for i := range 2 {
		l, ok := e.layer(add.Input(i))
		b := e.constant(add.Input(1 - i))
		if ok && l.node.Op == "MatMul" && l.last == l.node && b != nil && b.DType == tensor.Float32 &&
			len(b.Shape) <= 2 && perChannel(b.Shape, l.channels, 0) && e.sole(l.node.Outputs[0]) == add {
			l.last, l.bias = add, b
			return l, true
		}
	}
	return layer{}, false
}

// perChannel reports whether a tensor of shape holds one number, or one for each channel along the axis that has behind
// axes after it, and stretches no other. Gemm and MatMul have their channels last (behind 0), a Conv has its spatial
// axes behind them.
func perChannel(shape []int, channels, behind int) bool {
	if n := tensor.Count(shape); n == 1 {
		return true
	} else if n != channels || len(shape) <= behind {
		return false
	}
	return shape[len(shape)-1-behind] == channels
}

// spread returns the numbers of t for all channels; absent ones are 0.
func spread(t *tensor.Tensor, channels int) []float64 {
	out := make([]float64, channels)
	if t == nil || t.Len() == 0 {
		return out
	}
	v := t.F32()
	for i := range out {
		out[i] = float64(v[i%len(v)])
	}
	return out
}

// rescaled returns l's weight with channel c multiplied by factor[c], each product rounded once. The index of the
// channel is that along axis, plus, for a ConvTranspose, the group's first channel. The products are formed in float64,
// so each is rounded once.
func (l *layer) rescaled(factor []float64) *tensor.Tensor {
	out := tensor.New(tensor.Float32, l.weight.Shape...)
	inner, along := max(tensor.Count(l.weight.Shape[l.axis+1:]), 1), max(l.weight.Shape[l.axis], 1)
	group := max(out.Len()/l.groups, 1)
	v := out.F32()
	for i, w := range l.weight.F32() {
		v[i] = float32(float64(w) * factor[i/group*along+i/inner%along])
	}
	return out
}

// floats32 makes a constant of one axis, each number rounded once.
func floats32(v []float64) *tensor.Tensor {
	out := tensor.New(tensor.Float32, len(v))
	for i, x := range v {
		out.F32()[i] = float32(x)
	}
	return out
}

// foldBatchNorm scales the weights of a layer by scale/sqrt(variance+epsilon) and sets its bias to
// (bias-mean)*scale/sqrt(variance+epsilon) + shift, computed in float64 and rounded once.
//
//	y = (layer(x) + b - mean) * f + shift,  f = scale / sqrt(variance + epsilon)     so  w' = w*f,  b' = (b - mean)*f + shift
//
// Three forms: the bias of a Conv or Gemm, the Add of a MatMul, and for a MatMul without one the BatchNormalization
// itself becomes the Add. It is not exact: the sum is rounded in another order, within the bound of the package
// comment.
func foldBatchNorm(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		if !is(n, "BatchNormalization") || n.Int("training_mode", 0) != 0 || len(n.Inputs) != 5 {
			return nil
		}
		l, ok := e.layer(n.Inputs[0])
		if !ok || e.sole(l.last.Outputs[0]) != n {
			return nil
		}
		if l.node.Op == "MatMul" && !e.matrix(l.node.Inputs[0]) {
			return nil // the channels of a BatchNormalization are axis 1, those of a product the last axis
		}
		factor, shift, ok := e.batchNorm(n, l)
		if !ok {
			return nil
		}
		e.setInput(l.node, 1, e.addConst(l.node.Name+"/weight", l.rescaled(factor)))
		bias := e.addConst(l.node.Name+"/bias", floats32(shift))
		switch {
		case l.last != l.node:
			e.setInput(l.last, 1-slices.Index(l.last.Inputs, l.node.Outputs[0]), bias)
			e.takeOver(l.last, n)
		case l.node.Op == "MatMul":
			e.setInput(n, 1, bias)
			e.shorten(n, 2)
			n.Op, n.Attrs = "Add", nil
		default:
			e.setInput(l.node, 2, bias)
			e.takeOver(l.node, n)
		}
		changed = true
		return nil
	})
	return changed, err
}

// shorten drops the inputs from i on.
func (e *editor) shorten(n *graph.Node, i int) {
	for k := len(n.Inputs) - 1; k >= i; k-- {
		e.setInput(n, k, "")
	}
	n.Inputs = n.Inputs[:i]
}

// batchNorm returns factor and summand of every channel of l, ok when the statistics are constants that fit and all results
// are finite.
func (e *editor) batchNorm(n *graph.Node, l layer) (factor, shift []float64, ok bool) {
	var p [4][]float32
	for i := range p {
		t := e.constant(n.Inputs[i+1])
		if t == nil || t.DType != tensor.Float32 || t.Len() != l.channels {
			return nil, nil, false
		}
		p[i] = t.F32()
	}
	epsilon := float64(n.Float("epsilon", 1e-5))
	factor, shift = make([]float64, l.channels), spread(l.bias, l.channels)
	for c := range factor {
		factor[c] = float64(p[0][c]) / math.Sqrt(float64(p[3][c])+epsilon)
		shift[c] = float64((shift[c]-float64(p[2][c]))*factor[c]) + float64(p[1][c])
		if !finite32(factor[c]) || !finite32(shift[c]) {
			return nil, nil, false
		}
	}
	return factor, shift, true
}

// finite32 reports whether v rounds to a finite float32.
func finite32(v float64) bool { return math.Abs(v) <= math.MaxFloat32 }

// foldBias adds a constant per channel behind a Conv, ConvTranspose or Gemm to its bias. A MatMul with an Add stays as it is: how the pair
// is quantized is decided elsewhere. b' = b + c in float64, rounded once.
func foldBias(e *editor) (changed bool, err error) {
	err = e.nodes(func(n *graph.Node) error {
		if !is(n, "Add") {
			return nil
		}
		for i := range 2 {
			l, ok := e.layer(n.Input(i))
			c := e.constant(n.Input(1 - i))
			if !ok || !is(l.node, "Conv", "ConvTranspose", "Gemm") || c == nil || c.DType != tensor.Float32 || e.sole(l.node.Outputs[0]) != n {
				continue
			}
			rank, behind := len(l.weight.Shape), 0
			if l.node.Op != "Gemm" {
				behind = rank - 2
			}
			if len(c.Shape) > rank || !perChannel(c.Shape, l.channels, behind) {
				continue
			}
			sum, extra := spread(l.bias, l.channels), spread(c, l.channels)
			for k := range sum {
				sum[k] += extra[k]
			}
			e.setInput(l.node, 2, e.addConst(l.node.Name+"/bias", floats32(sum)))
			e.takeOver(l.node, n)
			changed = true
			return nil
		}
		return nil
	})
	return changed, err
}
