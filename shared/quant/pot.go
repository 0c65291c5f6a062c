package quant

import (
	"assay/shared/graph"
	"assay/shared/tensor"
)

// potTable is the published CPU table in ONNX's names, besides the layers: operations whose inputs are quantized
// wherever they stand.
var potTable = map[string]bool{
	"Add": true, "Mul": true, "Sub": true, "Div": true, "Pow": true, "AveragePool": true, "GlobalAveragePool": true, "ReduceMean": true,
	"Less": true, "LessOrEqual": true, "Greater": true, "GreaterOrEqual": true, "Equal": true,
}

// placePOT quantizes the inputs of every operation of the table that no ignored pattern holds. Concat and what carries
// integers follow where a region stays integer, as everywhere: the runtimes need a point behind them. Points on the
// results of layers are added as well, since without them ONNX Runtime would run the layers in float. fixed operations
// stay without being wanted, which is what "wherever they stand" says.
func (s *sketch) placePOT() {
	ignored := s.potPatterns()
	for n, why := range ignored {
		if l := s.layers[n]; l != nil {
			s.dropLayer(l, why)
		}
	}
	s.sortReasons()
	fixed := map[*graph.Node]bool{}
	for _, n := range s.g.Nodes {
		if n.Domain != "" || ignored[n] != "" || s.biasAdd[n] != nil || s.cfg.ignores(n) || s.anyCaptured(n) {
			continue
		}
		switch c := s.classOf(n); {
		case potTable[n.Op] || n.Op == "MatMul" && s.layers[n] == nil && !s.isConst(n.Input(0)) && !s.isConst(n.Input(1)):
			fixed[n] = s.floatData(n)
		case c == classConcat || c == classCarry:
			s.integer[n] = true
		}
		if fixed[n] {
			s.integer[n] = true
		}
	}
	s.prune(fixed)
}

// dropLayer makes a layer float. Its sites have not been made yet, so there is nothing else to undo.
func (s *sketch) dropLayer(l *layer, why string) {
	delete(s.layers, l.node)
	delete(s.integer, l.node)
	delete(s.owned, l.out)
	if s.biasAdd[l.biasNode] == l {
		delete(s.biasAdd, l.biasNode)
	}
	s.reasons = append(s.reasons, Reason{l.node.Name, l.node.Op, why})
}

// floatData: every data input of n is a float tensor that follows from samples and not from shapes, or a modest constant.
func (s *sketch) floatData(n *graph.Node) bool {
	some := false
	for _, i := range s.dataOf(n) {
		v := n.Input(i)
		if t := s.g.Consts[v]; t != nil {
			if t.DType != tensor.Float32 || !modest(t) {
				return false
			}
			continue
		}
		if s.dtypes[v] != tensor.Float32 || s.known[v] {
			return false
		}
		some = true
	}
	return some
}

// potPatterns finds the published sub-graphs in which nothing is quantized, with the reason for each node. The list is
// pot-spec 3.4's ignored patterns in ONNX's spelling.
func (s *sketch) potPatterns() map[*graph.Node]string {
	p := patterns{sketch: s, found: map[*graph.Node]string{}}
	for _, n := range s.g.Nodes {
		if n.Domain != "" || len(n.Outputs) == 0 {
			continue
		}
		switch n.Op {
		case "Exp":
			p.softmax(n)
		case "Sqrt":
			p.layerNorm(n)
		case "Erf", "Tanh":
			p.gelu(n)
		case "Sigmoid", "HardSigmoid":
			p.gate(n)
		case "Clip":
			p.clamp(n)
		case "TopK", "NonMaxSuppression":
			p.upstream(n)
		case "Mul", "Add", "Sub", "Div":
			p.constants(n)
		}
	}
	p.masks()
	return p.found
}
