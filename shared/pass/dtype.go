package pass

import (
	"assay/shared/graph"
	"assay/shared/tensor"
)

// dtype is the element type of a value, Invalid where it does not follow. Hints of the file are not trusted.
func (e *editor) dtype(value string) tensor.DType {
	if d, ok := e.types[value]; ok {
		return d
	}
	e.types[value] = tensor.Invalid // ends a walk around a cycle, which a valid graph has not
	d := e.dtypeOf(value)
	e.types[value] = d
	return d
}

func (e *editor) dtypeOf(value string) tensor.DType {
	if t := e.constant(value); t != nil {
		return t.DType
	}
	for _, p := range e.g.Inputs {
		if p.Name == value {
			return p.Type.DType
		}
	}
	n := e.producer(value)
	if n == nil || n.Outputs[0] != value {
		return tensor.Invalid
	}
	if n.Domain != "" {
		return tensor.Invalid
	}
	return e.result(n)
}

// result is the element type of output 0 of an operator of ai.onnx.
func (e *editor) result(n *graph.Node) tensor.DType {
	switch n.Op {
	case "Cast":
		return tensor.DType(n.Int("to", 0))
	case "CastLike", "Where":
		return e.dtype(n.Input(1))
	case "OneHot":
		return e.dtype(n.Input(2))
	case "DequantizeLinear":
		return e.dtype(n.Input(1))
	case "QuantizeLinear":
		if z := n.Input(2); z != "" {
			return e.dtype(z)
		}
		return tensor.Uint8
	case "QLinearConv", "QLinearMatMul":
		return e.dtype(n.Input(7))
	case "Shape", "Size", "ArgMax", "ArgMin":
		return tensor.Int64
	case "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor", "Not":
		return tensor.Bool
	case "ConstantOfShape":
		if a := n.Attr("value"); a != nil && a.Tensor != nil {
			return a.Tensor.DType
		}
		return tensor.Float32
	case "If", "Loop", "Scan":
		return tensor.Invalid
	}
	return e.dtype(n.Input(0))
}
