package op

import (
	"fmt"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// unaryOps map each element of one input. Float32 runs through kernels; the other types exist for what shape computations do
// and for graphs that compute on integers, which wrap. Curves are those of kernels/numeric, the same bits in every tier.
// Defaults are ONNX's: alpha 0.01 (LeakyRelu), 1 (Elu, Celu, ThresholdedRelu, Swish), 0.2 and beta 0.5 (HardSigmoid), lambd
// 0.5 and bias 0 (Shrink), approximate none (Gelu). Round takes halves to even. In a plan Relu vanishes in the saturation of
// its producer, Sigmoid and LeakyRelu are tables of 256 bytes; the rest stay float, since the runtimes have no integer form
// of them.
var unaryOps = []*Op{
	unary("Relu", []int{1, 6, 13, 14}, RoleAbsorbed, plain(elementwise.Relu), signed),
	unary("Sigmoid", []int{1, 6, 13}, RoleTable, plain(elementwise.Sigmoid), floats),
	unary("LeakyRelu", []int{1, 6, 16}, RoleTable, alphaBeta(elementwise.LeakyRelu, 0.01, 0), float32Only, "alpha"),
	unary("Tanh", []int{1, 6, 13}, RoleFloat, plain(elementwise.Tanh), floats),
	unary("HardSigmoid", []int{1, 6}, RoleFloat, alphaBeta(elementwise.HardSigmoid, 0.2, 0.5), float32Only, "alpha", "beta"),
	unary("HardSwish", []int{14}, RoleFloat, plain(elementwise.HardSwish), float32Only),
	unary("Elu", []int{1, 6}, RoleFloat, alphaBeta(elementwise.Elu, 1, 0), float32Only, "alpha"),
	unary("Selu", []int{1, 6}, RoleFloat, selu, float32Only, "alpha", "gamma"),
	unary("Celu", []int{12}, RoleFloat, alphaBeta(elementwise.Celu, 1, 0), float32Only, "alpha"),
	unary("ThresholdedRelu", []int{10}, RoleFloat, alphaBeta(elementwise.ThresholdedRelu, 1, 0), float32Only, "alpha"),
	unary("Softplus", []int{1}, RoleFloat, plain(elementwise.Softplus), float32Only),
	unary("Softsign", []int{1}, RoleFloat, plain(elementwise.Softsign), float32Only),
	unary("Mish", []int{18}, RoleFloat, plain(elementwise.Mish), float32Only),
	unary("Gelu", []int{20}, RoleFloat, gelu, float32Only, "approximate"),
	unary("Erf", []int{9, 13}, RoleFloat, plain(elementwise.Erf), float32Only),
	unary("Exp", []int{1, 6, 13}, RoleFloat, plain(elementwise.Exp), floats),
	unary("Log", []int{1, 6, 13}, RoleFloat, plain(elementwise.Log), floats),
	unary("Sin", []int{7}, RoleFloat, plain(elementwise.Sin), float32Only),
	unary("Cos", []int{7}, RoleFloat, plain(elementwise.Cos), float32Only),
	unary("Tan", []int{7}, RoleFloat, plain(elementwise.Tan), float32Only),
	unary("Asin", []int{7}, RoleFloat, scalarCurve(numeric.Asin), float32Only),
	unary("Acos", []int{7}, RoleFloat, scalarCurve(numeric.Acos), float32Only),
	unary("Atan", []int{7}, RoleFloat, scalarCurve(numeric.Atan), float32Only),
	unary("Sinh", []int{9}, RoleFloat, scalarCurve(numeric.Sinh), float32Only),
	unary("Cosh", []int{9}, RoleFloat, scalarCurve(numeric.Cosh), float32Only),
	unary("Asinh", []int{9}, RoleFloat, scalarCurve(numeric.Asinh), float32Only),
	unary("Acosh", []int{9}, RoleFloat, scalarCurve(numeric.Acosh), float32Only),
	unary("Atanh", []int{9}, RoleFloat, scalarCurve(numeric.Atanh), float32Only),
	unary("Swish", []int{24}, RoleFloat, alphaBeta(elementwise.Silu, 1, 0), float32Only, "alpha"),
	unary("Shrink", []int{9}, RoleFloat, shrink, float32Only, "bias", "lambd"),
	unary("Sqrt", []int{1, 6, 13}, RoleFloat, plain(elementwise.Sqrt), floats),
	unary("Reciprocal", []int{1, 6, 13}, RoleFloat, plain(elementwise.Reciprocal), floats),
	unary("Floor", []int{1, 6, 13}, RoleFloat, plain(elementwise.Floor), floats),
	unary("Ceil", []int{1, 6, 13}, RoleFloat, plain(elementwise.Ceil), floats),
	unary("Round", []int{11}, RoleFloat, plain(elementwise.Round), floats),
	unary("Neg", []int{1, 6, 13}, RoleFloat, plain(elementwise.Neg), signed),
	unary("Abs", []int{1, 6, 13}, RoleFloat, plain(elementwise.Abs), numericTypes),
	unary("Sign", []int{9, 13}, RoleFloat, plain(elementwise.Sign), numericTypes),
	{
		Name: "Not", Opsets: []int{1}, Memory: MemoryAny, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Types: boolOnly, Infer: same,
		Lower: func(l *Lower) (Kernel, error) {
			return elementwiseKernel(l, each(func(v uint8) uint8 { return truth(v == 0) }))
		},
	},
}

// floats are the types whose functions have a float64 twin (double).
var floats = []tensor.DType{tensor.Float32, tensor.Float64}

// curve is a float function of one number with its parameters. Exactly one of op and scalar is used. alpha and beta
// mean what the kernel of op says.
type curve struct {
	op          elementwise.Op1
	alpha, beta float32
	scalar      func(float32) float32 // in place of op where kernels have no loop of its own
}

// loop applies k to every element.
func (k curve) loop() func(dst, src []byte) {
	if k.scalar == nil {
		return func(dst, src []byte) {
			elementwise.Unary(k.op, view[float32](dst), view[float32](src), k.alpha, k.beta)
		}
	}
	return func(dst, src []byte) {
		out := view[float32](dst)
		for i, v := range view[float32](src) {
			out[i] = k.scalar(v)
		}
	}
}

// unary is one row of the family: f reads the node's attributes.
func unary(name string, opsets []int, role Role, f func(n *graph.Node) (curve, error), types []tensor.DType, attrs ...string) *Op {
	return &Op{
		Name: name, Opsets: opsets, Role: role, Memory: MemoryAny, Attrs: attrs, Types: types,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Infer: same,
		Lower: func(l *Lower) (Kernel, error) {
			if d := l.In[0].DType; d != tensor.Float32 {
				k, err := typedUnary(name, d)
				if err != nil {
					return Kernel{}, err
				}
				return elementwiseKernel(l, k)
			}
			k, err := f(l.Node)
			if err != nil {
				return Kernel{}, err
			}
			return elementwiseKernel(l, k.loop())
		},
	}
}

// elementwiseKernel lowers a loop over the elements of input 0, whatever their layout. Alias 0 and Stretches are right
// because f reads element i only for element i: f has to have that property.
func elementwiseKernel(l *Lower, f func(dst, src []byte)) (Kernel, error) {
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{
		Alias: 0, Run: func(c *Call) { f(c.Out[0], src.bytes(c)) }, Stretches: l.plainStretches(src, f),
	}, nil
}

// clampLoop limits every element.
func clampLoop(c numeric.Clamp) func(dst, src []byte) {
	return func(dst, src []byte) { elementwise.Clip(view[float32](dst), view[float32](src), c) }
}

// plain is a function that reads no attribute.
func plain(op elementwise.Op1) func(*graph.Node) (curve, error) {
	return func(*graph.Node) (curve, error) { return curve{op: op}, nil }
}

// scalarCurve is a function of package numeric.
func scalarCurve(f func(float32) float32) func(*graph.Node) (curve, error) {
	return func(*graph.Node) (curve, error) { return curve{scalar: f}, nil }
}

// shrink moves numbers beyond lambd towards zero by bias and makes the others zero. NaN stays; lambd and bias are not
// checked for sign, as in ONNX.
func shrink(n *graph.Node) (curve, error) {
	lambd, bias := n.Float("lambd", 0.5), n.Float("bias", 0)
	return curve{scalar: func(x float32) float32 {
		switch {
		case x < -lambd:
			return numeric.Canon(x + bias)
		case x > lambd:
			return numeric.Canon(x - bias)
		case x != x:
			return numeric.NaN()
		}
		return 0
	}}, nil
}

// alphaBeta is a function of attributes alpha and beta, with the operator's defaults.
func alphaBeta(op elementwise.Op1, alpha, beta float32) func(*graph.Node) (curve, error) {
	return func(n *graph.Node) (curve, error) {
		return curve{op: op, alpha: n.Float("alpha", alpha), beta: n.Float("beta", beta)}, nil
	}
}

// selu is gamma * (x, or alpha*(exp(x) - 1) below 0); the defaults are ONNX's float32 constants.
func selu(n *graph.Node) (curve, error) {
	return curve{op: elementwise.Selu, alpha: n.Float("alpha", 1.67326319217681884765625), beta: n.Float("gamma", 1.05070102214813232421875)}, nil
}

// gelu reads approximate; an unknown word is refused and not taken for none.
func gelu(n *graph.Node) (curve, error) {
	switch mode := n.Str("approximate", "none"); mode {
	case "none":
		return curve{op: elementwise.Gelu}, nil
	case "tanh":
		return curve{op: elementwise.GeluTanh}, nil
	default:
		return curve{}, fmt.Errorf("attribute approximate is %q, none and tanh are known", mode)
	}
}

// sign is -1, 0 or 1. It is written without a conversion, as T may be unsigned: v - v - 1 is then never reached.
func sign[T element](v T) T {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return v - v - 1
	}
	return v // zero, or NaN
}
