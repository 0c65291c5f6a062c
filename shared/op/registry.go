package op

import "slices"

// Lookup finds an operator by domain and name; nil when it is unknown. The Op is shared and read-only. domain "" is
// ai.onnx; the reader has replaced the spelling "ai.onnx".
func Lookup(domain, name string) *Op { return registry[[2]string{domain, name}] }

// Names lists the operators of all domains, sorted, each once.
func Names() []string {
	var out []string
	for k := range registry {
		out = append(out, k[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// families is the table of all operators, one row per family file. A new family is one line.
var families = []struct {
	name string
	ops  []*Op
}{
	{"control flow", controlOps},
	{"sequences", sequenceOps},
	{"optionals", optionalOps},
	{"optimizers", optimizerOps},
	{"features", featureOps},
	{"integers", integerOps},
	{"respelled when read", contribOps},
	{"recurrent", recurrentOps},
	{"shapes", shapeOps},
	{"moves", moveOps},
	{"slices", sliceOps},
	{"gathers", gatherOps},
	{"types", typeOps},
	{"quantize, dequantize", linearOps},
	{"quantized convolution", qconvOps},
	{"quantized matmul", qmatmulOps},
	{"quantized tables", qtableOps},
	{"convolution", convOps},
	{"transposed convolution", transposeOps},
	{"pool", poolOps},
	{"pool of volumes", volumePoolOps},
	{"normalize", normOps},
	{"reduce", reduceOps},
	{"softmax", softmaxOps},
	{"quantized pool", qpoolOps},
	{"quantized binary", qbinaryOps},
	{"quantized softmax", qsoftmaxOps},
	{"gemm", gemmOps},
	{"matmul", matmulOps},
	{"unary", unaryOps},
	{"binary", binaryOps},
	{"pow", powOps},
	{"clip", clipOps},
	{"spectra", spectrumOps},
	{"n-grams", ngramOps},
	{"einsum", einsumOps},
	{"matrices", matrixOps},
	{"attention", attentionOps},
	{"positions and states", stateOps},
	{"resize", resizeOps},
	{"samples", sampleOps},
	{"boxes", boxOps},
	{"patches", patchOps},
	{"bits", bitOps},
	{"triangles", triangleOps},
	{"cumulative", cumulativeOps},
	{"losses", lossOps},
	{"normalize samples", sampleNormOps},
	{"scatters", scatterOps},
	{"gathers of elements", gatherElementOps},
	{"ranking", topkOps},
	{"blocks", blockOps},
	{"selections", selectOps},
}

// registry is filled after every family, which may itself evaluate operators through Lookup.
var registry map[[2]string]*Op

// It is an init and no initialiser of the variable, as Lower functions call Lookup: a cycle that Go refuses in
// variables.
func init() {
	registry = map[[2]string]*Op{}
	for _, f := range families {
		for _, o := range f.ops {
			admitHalves(o)
			registry[[2]string{o.Domain, o.Name}] = o
		}
	}
}
