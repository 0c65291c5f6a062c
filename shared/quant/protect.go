package quant

import (
	"assay/shared/graph"
	"assay/shared/tensor"
)

// ONNX Runtime (1.21 and later, WeightBiasQuantization) quantizes the float weight of a Conv, ConvTranspose, Gemm or
// MatMul with bias that reads a DequantizeLinear: per tensor and asymmetric, so a layer that a search gave back to
// float would run in integers after all, and badly. One pattern per operator prevents it in every version tried, and
// both runtimes remove it again, so it costs nothing:
//
//   - Conv, ConvTranspose: Cast to double and back in front, in front of a Pad that is folded into it;
//   - Gemm: a bias of shape [1,N], zeros if there was none;
//   - MatMul with a bias Add: a bias of shape [1,N]. The same shape keeps the two apart where the MatMul is INT8 and
//     its input has more than two axes; joined, the bias would be rounded for some batch sizes and not for others.
//
// It applies to every float layer behind a DequantizeLinear, whatever the reason that it is float.

const (
	floatType  = int64(tensor.Float32)
	doubleType = int64(tensor.Float64)
)

// protect writes the patterns into a graph that has its pairs. The index has to be fresh (flush before); what protect
// adds needs another flush.
func (w *writer) protect() {
	for _, n := range w.g.Nodes {
		if n.Domain != "" || len(n.Inputs) == 0 {
			continue
		}
		switch n.Op {
		case "Conv", "ConvTranspose":
			if !w.quantized[n] && w.behindDQ(n.Inputs[0]) {
				w.castInFront(n)
			}
		case "Gemm":
			if !w.quantized[n] && w.behindDQ(n.Inputs[0]) {
				w.gemmRow(n)
			}
		case "MatMul":
			if w.behindDQ(n.Inputs[0]) || w.behindDQ(n.Input(1)) {
				w.addRow(n)
			}
		}
	}
}

// behindDQ reports whether v is a dequantized activation, directly or through operators that the runtimes move a
// DequantizeLinear across. A weight's DequantizeLinear counts too: addRow serves INT8 products as well.
func (w *writer) behindDQ(v string) bool {
	for {
		p := w.x.Producer[v]
		if p == nil || p.Domain != "" {
			return false
		}
		if p.Op == "DequantizeLinear" {
			return true
		}
		switch classes[p.Op] {
		case classTransparent, classCarry:
			v = p.Inputs[0]
		case classConcat:
			for _, in := range p.Inputs {
				if w.behindDQ(in) {
					return true
				}
			}
			return false
		default:
			return false
		}
	}
}

// castInFront lets n, or the Pad that only n reads, read its input through two casts.
func (w *writer) castInFront(n *graph.Node) {
	at := n
	if p := w.x.Producer[n.Inputs[0]]; p != nil && p.Op == "Pad" && len(w.x.Uses[p.Outputs[0]]) == 1 && !w.x.Output[p.Outputs[0]] {
		at = p
	}
	at.Inputs[0] = w.doubleCast(at.Inputs[0], &w.before, at)
}

// doubleCast casts v to double and back, once per value, in list at node at. list is w.before or w.after. float32 to
// double and back is exact, so the cast changes no bit in any runtime.
func (w *writer) doubleCast(v string, list *map[*graph.Node][]*graph.Node, at *graph.Node) string {
	if c := w.casts[v]; c != "" {
		return c
	}
	up := &graph.Node{Name: w.fresh(v+"/Cast", w.nodeNames), Op: "Cast", Inputs: []string{v}, Outputs: []string{w.fresh(v+"/double", w.values)}}
	up.SetInt("to", doubleType)
	down := &graph.Node{Name: w.fresh(v+"/Cast", w.nodeNames), Op: "Cast", Inputs: up.Outputs, Outputs: []string{w.fresh(v+"/kept_float", w.values)}}
	down.SetInt("to", floatType)
	(*list)[at] = append((*list)[at], up, down)
	w.casts[v] = down.Outputs[0]
	return down.Outputs[0]
}

// floatConv reports whether v is the result of a Conv with float weights, perhaps behind Relu or Clip.
func (w *writer) floatConv(v string) bool {
	p := w.x.Producer[v]
	if p != nil && classes[p.Op] == classClamp {
		p = w.x.Producer[p.Inputs[0]]
	}
	return p != nil && (p.Op == "Conv" || p.Op == "ConvTranspose") && !w.quantized[p]
}

// gemmRow gives a Gemm a bias of shape [1,N]; where its bias is computed it takes casts instead.
func (w *writer) gemmRow(n *graph.Node) {
	weight := w.g.Consts[n.Input(1)]
	if weight == nil || len(weight.Shape) != 2 {
		return // two computed operands are left alone by the pass
	}
	columns := weight.Shape[1-n.Int("transB", 0)&1]
	name := n.Input(2)
	bias := tensor.New(tensor.Float32, columns)
	if name != "" {
		t := w.g.Consts[name]
		switch {
		case t == nil || t.DType != tensor.Float32 || t.Len() != columns && t.Len() != 1:
			w.castInFront(n)
			return
		case len(t.Shape) == 2 && t.Len() == columns && t.Shape[0] == 1:
			return
		}
		b := bias.F32()
		for i := range b {
			b[i] = t.F32()[i%t.Len()]
		}
	}
	for len(n.Inputs) < 3 {
		n.Inputs = append(n.Inputs, "")
	}
	n.Inputs[2] = w.row(n.Name+"/bias", name, bias)
}

// addRow gives the bias Add that alone reads MatMul n a bias of shape [1,N], unless the bias is an int32 one.
func (w *writer) addRow(n *graph.Node) {
	uses := w.x.Uses[n.Outputs[0]]
	if len(uses) != 1 || uses[0].Sub || uses[0].Node.Op != "Add" || w.x.Output[n.Outputs[0]] {
		return
	}
	add, i := uses[0].Node, 1-uses[0].Input
	t := w.g.Consts[add.Input(i)]
	if t == nil || len(t.Shape) != 1 || t.DType != tensor.Float32 {
		return
	}
	add.Inputs[i] = w.row(add.Name+"/bias", add.Inputs[i], t)
}

// row adds t as [1,N], once per original constant. Without an original (zeros that were not there) each gets its own
// constant.
func (w *writer) row(hint, original string, t *tensor.Tensor) string {
	if original != "" {
		if c := w.casts["row "+original]; c != "" {
			return c
		}
	}
	name := w.constant(hint+"/row", &tensor.Tensor{DType: t.DType, Shape: []int{1, t.Len()}, Data: t.Data})
	if original != "" {
		w.casts["row "+original] = name
	}
	return name
}
