// Package fuse rewrites a graph with QuantizeLinear and DequantizeLinear nodes (Q and DQ below) into the integer
// operators that ONNX Runtime 1.32 makes of the same graph at its default optimisation level, so that a plan computes
// the integers its users will get. Kernels, layouts, samples and plans may not enter: it is a pass from graph to graph.
//
// Contract: what is not recognised stays literal (DQ, float operator, Q); nothing is ever refused. A value that keeps its
// name keeps its meaning, so callers may ask the result for any name it still holds. Graph outputs keep their names and
// are never fused away. The one deviation from the runtime is deliberate: a layer whose weight is plain float stays
// float here, while the runtime quantizes that weight by its own rule unless the file prevents it.
package fuse

import "assay/shared/graph"

// stage is one rewrite over the whole graph; it reports whether it changed anything.
type stage struct {
	name string
	why  string
	run  func(e *editor) bool
}

// The stages before the integer operators exist run until nothing changes, as the runtime's first level does.
var prepare = []stage{
	{"dead", "what nobody reads would count as a reader", (*editor).sweep},
	{"unique", "a DQ with several readers would stop each of their patterns", splitDequantizers},
	{"identity", "an Identity between two nodes hides the pattern around it", dropIdentities},
	{"same", "two Q of one value with the same parameters are one, else neither fuses", mergeQuantizers},
	{"pairs", "Q, DQ, Q, DQ in a row is one pair whose range is the intersection", mergePairs},
	{"pads", "a zero Pad in front of a Conv is padding of the Conv", foldPads},
	{"gemm", "MatMul and its bias are one Gemm, whose bias is an integer", joinBias},
	{"propagate", "operators that only move elements move integers, so that the next layer sees a DQ", propagate},
}

// The stages after that run once, in this order.
var finish = []stage{
	{"bias", "a float bias of an integer layer becomes int32; needs the DQ in front of the layer, so after propagate", quantizeBiases},
	{"saturate", "a Relu or Clip that the saturation of the next Q repeats; needs the bias of the layer before it done", dropClips},
	{"signed", "s8 between one Q and one DQ is u8 with a shifted zero point; before integer, which takes u8 only", shiftSigned},
	{"integer", "DQ, operator, Q becomes the integer operator", integers},
	{"casts", "float32 to double and back is what keeps the runtime from quantizing a layer; it has done so by now", dropCasts},
	{"activation", "a float Conv or Gemm absorbs the Relu or Clip after it; after integer, which looks for both", joinActivations},
	{"share", "the copies that unique made and no pattern took", shareDequantizers},
	{"cancel", "Q of a DQ with equal parameters gives the integers back", cancel},
}

// Graph returns the fused form of g, which is valid (graph.Validate) and stays as it is; the two share tensors, which nobody may
// change. The result is valid too, its nodes sorted. types holds what the caller knows of values beyond what g
// says (nil: nothing); an axis that may differ between runs is not fixed in it. What a MatMul with a bias becomes depends
// on the number of axes, and the removal of casts on element types; everything else is the graph's own. Ten rounds is
// the runtime's own limit (max_num_graph_transformation_steps).
func Graph(g *graph.Graph, types map[string]graph.Type) *graph.Graph {
	e := newEditor(g.Clone(), types)
	for range 10 {
		changed := false
		for _, s := range prepare {
			changed = s.run(e) || changed
		}
		if !changed {
			break
		}
	}
	for _, s := range finish {
		s.run(e)
	}
	return e.done()
}
