package engine

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/op"
)

// specialise returns the node that runs for the given shapes. ONNX Runtime computes a quantized average whose one window
// is the whole image as a global one: the sum is exact there and rounded once, while the windowed form sums dequantized
// floats; at equal scales they differ wherever the mean is a tie. n is not changed; it is called at binding, where
// shapes are known.
func specialise(n *graph.Node, infos map[string]op.Info) *graph.Node {
	if n.Domain != "com.microsoft" || n.Op != "QLinearAveragePool" || len(n.Inputs) != 5 {
		return n
	}
	shape, kernel := infos[n.Inputs[0]].Shape, n.Ints("kernel_shape")
	pads := n.Ints("pads")
	if len(shape) != len(kernel)+2 || n.Str("auto_pad", "NOTSET") != "NOTSET" || slices.ContainsFunc(pads, func(p int64) bool { return p != 0 }) {
		return n
	}
	for i, k := range kernel {
		if int64(shape[i+2]) != k {
			return n
		}
	}
	g := *n
	g.Op, g.Attrs = "QLinearGlobalAveragePool", nil
	return &g
}
