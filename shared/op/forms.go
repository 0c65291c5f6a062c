package op

import "slices"

// fastForms are the instruction-set tiers above plain that a family's float32 or 8-bit kernels have, and by operator those
// that are alone in their family. Everything runs on tier plain.
var fastForms = map[string]string{
	"convolution": "avx2, avx512vnni", "gemm": "avx2, avx512vnni", "matmul": "avx2, avx512vnni",
	"quantized convolution": "avx2, avx512vnni, amx", "quantized matmul": "avx2, avx512vnni, amx", "attention": "avx2, avx512vnni",
	"transposed convolution": "avx2, avx512vnni", "softmax": "avx2, avx512vnni",
	"pool": "avx2", "quantized pool": "avx2", "quantized binary": "avx2", "quantized tables": "avx512vnni", "clip": "avx2",
	"Add": "avx2", "Sub": "avx2", "Mul": "avx2", "Relu": "avx2", "LayerNormalization": "avx2", "QuantizeLinear": "avx2", "DequantizeLinear": "avx2",
	"Exp": "avx2, avx512vnni", "Sigmoid": "avx2, avx512vnni", "Tanh": "avx2, avx512vnni", "Erf": "avx2, avx512vnni", "Gelu": "avx2, avx512vnni",
	"Div": "avx2", "Max": "avx2", "Min": "avx2", "PRelu": "avx2", "LeakyRelu": "avx2", "HardSigmoid": "avx2", "HardSwish": "avx2",
	"Abs": "avx2", "Neg": "avx2", "Sqrt": "avx2", "Reciprocal": "avx2", "Floor": "avx2", "Ceil": "avx2", "Round": "avx2",
	"Einsum": "avx2, avx512vnni, of two operands", "SwiGLU": "avx2, avx512vnni", "CausalConvWithState": "avx2, avx512vnni",
	"ReduceSum": "avx2", "ReduceMean": "avx2", "ReduceMax": "avx2", "ReduceMin": "avx2, but along the last axis", "ReduceProd": "avx2, but along the last axis",
	"ReduceSumSquare": "avx2, but along the last axis", "ReduceL2": "avx2, but along the last axis",
	"Swish": "avx2, avx512vnni", "Mish": "avx2, avx512vnni, for its tanh", "LogSoftmax": "avx2, avx512vnni", "ReduceLogSumExp": "avx2, avx512vnni",
	"MatMulInteger": "avx2, avx512vnni, amx", "ConvInteger": "avx2, avx512vnni, amx",
	"recurrent": "avx2, avx512vnni, for its products",
	"Hardmax":   plainForm,
}

// What a form is called that has no instruction set of its own.
const (
	plainForm  = "plain"
	shapeForm  = "with the shapes"
	bodyForm   = "its graphs' own"
	wholeForm  = "between the kernels"
	spelledNow = "those of what it is read as"
)

// form is what OPERATORS.md says of an operator's tiers. An operator's own name wins over its family's, so that an
// exception (Hardmax beside Softmax) needs one line.
func form(family string, o *Op) string {
	if family == "respelled when read" {
		return spelledNow
	}
	for _, key := range []string{o.Name, family} {
		if s, ok := fastForms[key]; ok {
			return s
		}
	}
	switch {
	case o.Control != nil && o.Lower == nil && len(o.Attrs) > 0 && slices.ContainsFunc(o.Attrs, func(a string) bool { return a == "body" || a == "then_branch" }):
		return bodyForm
	case o.Control != nil && o.Lower == nil:
		return wholeForm
	case o.Lower == nil:
		return shapeForm
	}
	return plainForm
}

// Plain reports whether an operator that computes has the plain form only: Go code without vector instructions. Families
// that copy elements, or arrange them, are not meant, nor what follows from shapes. The bench of models lists them;
// nothing is decided by it.
func Plain(domain, name string) bool {
	o := Lookup(domain, name)
	if o == nil || o.Role == RolePassThrough || o.Role == RoleConcat || o.Role == RoleShape {
		return false
	}
	for _, f := range families {
		if slices.Contains(f.ops, o) {
			return !slices.Contains(copying, f.name) && form(f.name, o) == plainForm
		}
	}
	return false
}

// copying are families whose kernels copy.
var copying = []string{"moves", "slices", "gathers", "gathers of elements", "scatters", "shapes", "types", "blocks", "triangles", "selections"}
