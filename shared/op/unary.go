package op

import (
	"fmt"
	"math"

	"assay/kernels/numeric"
	"assay/shared/graph"
	"assay/shared/tensor"
)

// unaryOps map each element of one input. Float32 runs through kernels; the other types exist for what shape
// computations do and for graphs that compute on integers.
var unaryOps = []*Op{
	unary("Relu", []int{1, 6, 13, 14}, RoleAbsorbed, relu, signed),
	unary("Sigmoid", []int{1, 6, 13}, RoleTable, plainUnary(numeric.Sigmoid), float32Only),
	unary("LeakyRelu", []int{1, 6, 16}, RoleTable, leakyRelu, float32Only, "alpha"),
	unary("Tanh", []int{1, 6, 13}, RoleFloat, plainUnary(numeric.Tanh), float32Only),
	unary("HardSigmoid", []int{1, 6}, RoleFloat, hardSigmoid, float32Only, "alpha", "beta"),
	unary("HardSwish", []int{14}, RoleFloat, plainUnary(hardSwish), float32Only),
	unary("Elu", []int{1, 6}, RoleFloat, elu, float32Only, "alpha"),
	unary("Selu", []int{1, 6}, RoleFloat, selu, float32Only, "alpha", "gamma"),
	unary("Softplus", []int{1}, RoleFloat, plainUnary(numeric.Softplus), float32Only),
	unary("Softsign", []int{1}, RoleFloat, plainUnary(softsign), float32Only),
	unary("Gelu", []int{20}, RoleFloat, gelu, float32Only, "approximate"),
	unary("Erf", []int{9, 13}, RoleFloat, plainUnary(numeric.Erf), float32Only),
	unary("Exp", []int{1, 6, 13}, RoleFloat, plainUnary(numeric.Exp), float32Only),
	unary("Log", []int{1, 6, 13}, RoleFloat, plainUnary(numeric.Log), float32Only),
	unary("Sin", []int{7}, RoleFloat, plainUnary(numeric.Sin), float32Only),
	unary("Cos", []int{7}, RoleFloat, plainUnary(numeric.Cos), float32Only),
	unary("Sqrt", []int{1, 6, 13}, RoleFloat, plainUnary(sqrt), floats),
	unary("Reciprocal", []int{1, 6, 13}, RoleFloat, plainUnary(func(v float32) float32 { return numeric.Canon(1 / v) }), floats),
	unary("Floor", []int{1, 6, 13}, RoleFloat, plainUnary(func(v float32) float32 { return numeric.Canon(float32(math.Floor(float64(v)))) }), floats),
	unary("Ceil", []int{1, 6, 13}, RoleFloat, plainUnary(func(v float32) float32 { return numeric.Canon(float32(math.Ceil(float64(v)))) }), floats),
	unary("Round", []int{11}, RoleFloat, plainUnary(func(v float32) float32 { return numeric.Canon(float32(math.RoundToEven(float64(v)))) }), floats),
	unary("Neg", []int{1, 6, 13}, RoleFloat, plainUnary(func(v float32) float32 { return numeric.Canon(-v) }), signed),
	unary("Abs", []int{1, 6, 13}, RoleFloat, plainUnary(func(v float32) float32 { return numeric.Canon(float32(math.Abs(float64(v)))) }), numericTypes),
	unary("Sign", []int{9, 13}, RoleFloat, plainUnary(sign[float32]), numericTypes),
	{
		Name: "Not", Opsets: []int{1}, Memory: MemoryAny, Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Types: boolOnly, Infer: same,
		Lower: func(l *Lower) (Kernel, error) {
			return elementwiseKernel(l, each(func(v uint8) uint8 { return truth(v == 0) }))
		},
	},
}

var floats = []tensor.DType{tensor.Float32, tensor.Float64}

// f32Func makes the float32 loop of a node.
type f32Func func(n *graph.Node) (func(dst, src []float32), error)

// unary is one row of the family.
func unary(name string, opsets []int, role Role, f f32Func, types []tensor.DType, attrs ...string) *Op {
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
			return elementwiseKernel(l, func(dst, src []byte) { k(view[float32](dst), view[float32](src)) })
		},
	}
}

// elementwiseKernel lowers a loop over the elements of input 0, whatever their layout.
func elementwiseKernel(l *Lower, f func(dst, src []byte)) (Kernel, error) {
	src, err := l.operand(0, l.layout())
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: 0, Run: func(c *Call) { f(c.Out[0], src.bytes(c)) }}, nil
}

// mapF32 is the loop of a function of one number.
func mapF32(f func(float32) float32) func(dst, src []float32) {
	return func(dst, src []float32) {
		for i, v := range src {
			dst[i] = f(v)
		}
	}
}

// plainUnary is a function that reads no attribute.
func plainUnary(f func(float32) float32) f32Func {
	return func(*graph.Node) (func(dst, src []float32), error) { return mapF32(f), nil }
}

func relu(*graph.Node) (func(dst, src []float32), error) { return clampLoop(numeric.Relu()), nil }

// clampLoop limits every element.
func clampLoop(c numeric.Clamp) func(dst, src []float32) { return mapF32(c.Apply) }

func leakyRelu(n *graph.Node) (func(dst, src []float32), error) {
	alpha := n.Float("alpha", 0.01)
	return mapF32(func(v float32) float32 {
		if v < 0 {
			v *= alpha
		}
		return numeric.Canon(v)
	}), nil
}

// linearClamp is max(0, min(1, alpha*x + beta)), the product rounded first.
func linearClamp(v, alpha, beta float32) float32 {
	return numeric.Max(0, numeric.Min(1, float32(alpha*v)+beta))
}

func hardSigmoid(n *graph.Node) (func(dst, src []float32), error) {
	alpha, beta := n.Float("alpha", 0.2), n.Float("beta", 0.5)
	return mapF32(func(v float32) float32 { return linearClamp(v, alpha, beta) }), nil
}

func hardSwish(v float32) float32 { return numeric.Canon(v * linearClamp(v, 1.0/6, 0.5)) }

func elu(n *graph.Node) (func(dst, src []float32), error) {
	alpha := n.Float("alpha", 1)
	return mapF32(func(v float32) float32 {
		if v < 0 {
			v = alpha * numeric.Expm1(v)
		}
		return numeric.Canon(v)
	}), nil
}

func selu(n *graph.Node) (func(dst, src []float32), error) {
	alpha, gamma := n.Float("alpha", 1.67326319217681884765625), n.Float("gamma", 1.05070102214813232421875)
	return mapF32(func(v float32) float32 {
		if v <= 0 {
			v = alpha * numeric.Expm1(v)
		}
		return numeric.Canon(gamma * v)
	}), nil
}

func softsign(v float32) float32 {
	return numeric.Canon(v / (1 + float32(math.Abs(float64(v)))))
}

func sqrt(v float32) float32 { return numeric.Canon(float32(math.Sqrt(float64(v)))) }

// gelu is x/2 (1 + erf(x / sqrt 2)), or its approximation by tanh, from left to right, each step rounded.
func gelu(n *graph.Node) (func(dst, src []float32), error) {
	switch mode := n.Str("approximate", "none"); mode {
	case "none":
		return mapF32(func(v float32) float32 {
			e := 1 + numeric.Erf(float32(v*0.70710678118654752440))
			return numeric.Canon(float32(0.5*v) * e)
		}), nil
	case "tanh":
		return mapF32(func(v float32) float32 {
			cube := float32(float32(v*v) * v)
			t := 1 + numeric.Tanh(float32(0.79788456080286535588*(v+float32(0.044715*cube))))
			return numeric.Canon(float32(0.5*v) * t)
		}), nil
	default:
		return nil, fmt.Errorf("attribute approximate is %q, none or tanh are known", mode)
	}
}

func sign[T element](v T) T {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return v - v - 1
	}
	return v // zero, or NaN
}
