package quant

import "assay/shared/graph"

// transformerFloat are the operations that POT's model_type transformer adds to the ignored ones, in ONNX's names (pot-spec
// 1.7). Squeeze, which POT lists too, is absent: it has no quantizer of its own, and an ignored operation takes no neighbour with it.
var transformerFloat = map[string]bool{"Add": true, "Pow": true, "Sub": true, "ReduceMean": true, "MeanVarianceNormalization": true, "Mul": true}

// ignores reports whether n stays float by request or because of the model's type.
func (r *resolved) ignores(n *graph.Node) bool {
	return r.Ignored.ignores(n) || r.Transformer && n.Domain == "" && transformerFloat[n.Op]
}

// productOperands marks the values that integer products of two computed operands read, behind transparent operators. A
// transformer's are symmetric whatever the preset.
func (s *sketch) productOperands() {
	if !s.cfg.Transformer {
		return
	}
	for _, n := range s.g.Nodes {
		if n.Op != "MatMul" || !s.integer[n] || s.layers[n] != nil {
			continue
		}
		for i := range n.Inputs {
			v, _ := s.root(n, i)
			s.products[v] = true
		}
	}
}

// symmetricAt reports whether the range of activation v is symmetric.
func (s *sketch) symmetricAt(v string) bool {
	return s.cfg.activationMode == Symmetric || s.products[v]
}

// attends reports whether g has attention: a product of two computed matrices one of which a Softmax made, or the
// operator that stands for it. It decides a default only (Config.For); who knows better names the preset.
func attends(g *graph.Graph) bool {
	x := graph.NewIndex(g)
	for _, n := range g.Nodes {
		switch n.Op {
		case "Attention", "MultiHeadAttention":
			return true
		case "MatMul":
			if g.Consts[n.Input(0)] == nil && g.Consts[n.Input(1)] == nil && weighs(x, n.Input(0)) {
				return true
			}
		}
	}
	return false
}

// weighs reports whether v is the result of a Softmax, behind operators that keep its values.
func weighs(x *graph.Index, v string) bool {
	for n := x.Producer[v]; n != nil && n.Domain == ""; n = x.Producer[v] {
		switch n.Op {
		case "Softmax":
			return true
		case "Where", "Cast", "Reshape", "Transpose", "Identity", "Dropout":
			v = n.Inputs[0]
			if n.Op == "Where" {
				v = n.Inputs[2]
			}
		case "Div": // written out: exponentials over their sum
			e := x.Producer[n.Inputs[0]]
			return e != nil && e.Op == "Exp"
		default:
			return false
		}
	}
	return false
}
