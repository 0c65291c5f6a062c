package fuse

import (
	"slices"

	"assay/shared/graph"
)

// arity is how many inputs (at least, at most, -1: any) and outputs (at most) a node of an operator may name.
type arity struct{ least, most, outputs int }

// arities are those of the operators that patterns look at. What has another number of inputs is no such operator, only a
// fault that whoever runs the graph will report.
var arities = map[string]arity{
	"Add": {2, 2, 1}, "AveragePool": {1, 1, 1}, "Cast": {1, 1, 1}, "Clip": {1, 3, 1}, "Concat": {1, -1, 1}, "Conv": {2, 3, 1},
	"ConvTranspose": {2, 3, 1}, "DepthToSpace": {1, 1, 1}, "DequantizeLinear": {2, 3, 1}, "Expand": {2, 2, 1}, "Flatten": {1, 1, 1},
	"Gather": {2, 2, 1}, "GatherElements": {2, 2, 1}, "Gemm": {2, 3, 1}, "GlobalAveragePool": {1, 1, 1}, "Identity": {1, 1, 1},
	"LeakyRelu": {1, 1, 1}, "MatMul": {2, 2, 1}, "MaxPool": {1, 1, 2}, "Mul": {2, 2, 1}, "Pad": {2, 4, 1}, "QuantizeLinear": {2, 3, 1},
	"Relu": {1, 1, 1}, "Reshape": {2, 2, 1}, "Resize": {1, 4, 1}, "Sigmoid": {1, 1, 1}, "Slice": {3, 5, 1}, "Softmax": {1, 1, 1},
	"SpaceToDepth": {1, 1, 1}, "Split": {1, 2, -1}, "Squeeze": {1, 2, 1}, "Tile": {2, 2, 1}, "Transpose": {1, 1, 1}, "Unsqueeze": {2, 2, 1},
}

// is reports whether n is one of ONNX's operators ops, with as many inputs and outputs as it has to have, none of the
// required ones left out. nil is none of them.
func is(n *graph.Node, ops ...string) bool {
	if n == nil || n.Domain != "" || !slices.Contains(ops, n.Op) {
		return false
	}
	return formed(n)
}

// formed checks n against the arity of its operator.
func formed(n *graph.Node) bool {
	a, ok := arities[n.Op]
	return ok && len(n.Inputs) >= a.least && (a.most < 0 || len(n.Inputs) <= a.most) &&
		!slices.Contains(n.Inputs[:a.least], "") && len(n.Outputs) > 0 && n.Outputs[0] != "" && (a.outputs < 0 || len(n.Outputs) <= a.outputs)
}
