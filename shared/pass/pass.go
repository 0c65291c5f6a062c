// Package pass rewrites a graph into a simpler one that computes the same: what a model has to go through before it is
// quantized. A plan, a memory layout, a kernel's shape or a file format may not enter, and no pass ever permutes axes for speed.
//
// Contract: graph inputs and outputs keep their names, types and order; a value that keeps its name keeps its meaning; a
// node that stays keeps its name; every result satisfies graph.Validate when the argument did. Passes marked exact change
// no bit of any output. The others change float outputs by rounding only, within 1e-5 of the largest. The argument is
// changed in place, constants are replaced and never written to. Work and result are deterministic.
package pass

import (
	"fmt"
	"slices"

	"assay/shared/graph"
)

// pass is one rewrite over a whole graph; run reports whether it changed anything. exact is a promise that a test
// keeps: it compares outputs bit for bit.
type pass struct {
	name   string
	reason string
	exact  bool
	run    func(e *editor) (bool, error)
}

// passes is the table of all passes.
var passes = []pass{
	{"constants", "what follows from constants is a constant: weights that a graph reshapes, shapes of fixed inputs", true, foldConstants},
	{"identity", "Identity, Dropout at inference and Transposes that move nothing hide the pattern around them", true, dropIdentities},
	{"double", "a float32 value cast to double and back is itself; exporters write the pair to stop other optimisers", true, dropDoubleCasts},
	{"transpose", "two Transposes in a row are one, or none: exporters wrap every operator of the other layout in a pair", true, joinTransposes},
	{"reshape", "only the last of two Reshapes counts", true, joinReshapes},
	{"padaxes", "between Q and DQ ONNX Runtime cannot run a Pad that names its axes", true, fullPads},
	{"pad", "zeros in front of a Conv are padding of the Conv, which the kernels and the runtimes do for nothing", true, foldPads},
	{"gemm", "alpha, beta and transA of a Gemm with constant weights belong to its weights, its bias and a Transpose: integer layers have none of them", false, plainGemm},
	{"bias", "a constant per channel added to a layer is its bias, which integer layers hold in their accumulator", false, foldBias},
	{"batchnorm", "a BatchNormalization behind a layer is a factor of its weights and a summand of its bias", false, foldBatchNorm},
	{"limits", "Relu and Clip in a row are one Clip, which a quantized producer absorbs", true, joinLimits},
	{"dead", "nodes and constants that nobody reads would be shipped, digested and quantized", true, dropDead},
}

// normalize are the passes of Normalize, which are repeated until nothing changes.
var normalize = []string{
	"constants", "identity", "double", "gemm", "transpose", "reshape", "padaxes", "pad", "bias", "batchnorm", "limits", "dead",
}

// order lists which pass has to stand before which.
var order = []struct{ before, after, reason string }{
	{"constants", "batchnorm", "a weight that the graph computes has to be a constant before it can be scaled"},
	{"constants", "reshape", "shapes are compared as constants"},
	{"identity", "transpose", "an Identity between two Transposes hides the pair"},
	{"identity", "batchnorm", "likewise between a layer and what follows it"},
	{"double", "batchnorm", "likewise"},
	{"transpose", "pad", "a Pad in the other layout has its Transposes beside it"},
	{"constants", "padaxes", "amounts and axes are compared as constants"},
	{"constants", "gemm", "likewise for a weight that has a factor"},
	{"gemm", "transpose", "the Transpose of transA may meet another one"},
	{"gemm", "bias", "a layer with factors has no bias to add to"},
	{"pad", "batchnorm", "a Pad between two layers keeps the second one's BatchNormalization foldable, and is gone sooner"},
	{"bias", "batchnorm", "a constant between a layer and its BatchNormalization has to be inside the layer"},
	{"batchnorm", "dead", "folding leaves the statistics behind"},
	{"limits", "dead", "joining leaves bounds behind"},
}

// Normalize brings a model that was read into the form that is quantized. Numbers may change here, once: the digest of a
// job's model is taken afterwards. DequantizeLinear of a constant stays, since it says how a weight is to be stored. Nodes of
// nested graphs stay as they are. A second call changes nothing. An error names the pass; the graph is then valid and in between.
func Normalize(m *graph.Model) error { return run(m, normalize, nil) }

// maxRounds bounds the repetition; every pass but constants removes a node when it changes something, so chains end
// early. It is far above what models need.
const maxRounds = 64

// run repeats the named passes until none changes anything. check, where given, is called after every pass that did.
// The graph is valid whenever check is called. A graph that is still changing after maxRounds is returned as it is,
// since each of its states is right.
func run(m *graph.Model, names []string, check func(name string) error) error {
	for range maxRounds {
		changed := false
		for _, name := range names {
			p := passes[slices.IndexFunc(passes, func(p pass) bool { return p.name == name })]
			e := newEditor(m.Graph)
			did, err := p.run(e)
			if err != nil {
				return fmt.Errorf("pass %s: %w", name, err)
			}
			if !did {
				continue
			}
			changed = true
			e.done()
			if check != nil {
				if err := check(name); err != nil {
					return err
				}
			}
		}
		if !changed {
			return nil
		}
	}
	return nil
}
