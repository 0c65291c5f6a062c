package pass

import (
	"assay/shared/graph"
	"assay/shared/tensor"
)

// dtype is the element type of a value, Invalid where it does not follow. Hints of the file are not trusted. It is
// memoised in types for the life of the editor; passes change values' types never.
func (e *editor) dtype(value string) tensor.DType {
	if d, ok := e.types[value]; ok {
		return d
	}
	e.types[value] = tensor.Invalid // ends a walk around a cycle, which a valid graph has not
	d := e.dtypeOf(value)
	e.types[value] = d
	return d
}

// Outputs other than the first, and operators of other domains, are Invalid: exact passes then do nothing.
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

// always names the operators of ai.onnx whose output 0 has one element type whatever they read.
var always = map[string]tensor.DType{
	"Shape": tensor.Int64, "Size": tensor.Int64, "ArgMax": tensor.Int64, "ArgMin": tensor.Int64, "NonZero": tensor.Int64, "NonMaxSuppression": tensor.Int64,
	"Equal": tensor.Bool, "Less": tensor.Bool, "Greater": tensor.Bool, "LessOrEqual": tensor.Bool, "GreaterOrEqual": tensor.Bool,
	"And": tensor.Bool, "Or": tensor.Bool, "Xor": tensor.Bool, "Not": tensor.Bool, "IsNaN": tensor.Bool, "IsInf": tensor.Bool,
	"MatMulInteger": tensor.Int32, "ConvInteger": tensor.Int32, "DynamicQuantizeLinear": tensor.Uint8, "TfIdfVectorizer": tensor.Float32,
	"If": tensor.Invalid, "Loop": tensor.Invalid, "Scan": tensor.Invalid, // their graphs would have to be read
	"SequenceLength": tensor.Int64, "OptionalHasElement": tensor.Bool, "SequenceMap": tensor.Sequence, "SequenceEmpty": tensor.Sequence,
	"SequenceConstruct": tensor.Sequence, "SplitToSequence": tensor.Sequence, "Optional": tensor.Optional,
	"SequenceAt": tensor.Invalid, "ConcatFromSequence": tensor.Invalid, "OptionalGetElement": tensor.Invalid, // that of an item
}

// typed names the attribute that chooses the element type of output 0, where there is one and it is given.
var typed = map[string]string{
	"Cast": "to", "BitCast": "to", "EyeLike": "dtype", "QuantizeLinear": "output_dtype",
	"HannWindow": "output_datatype", "HammingWindow": "output_datatype", "BlackmanWindow": "output_datatype", "MelWeightMatrix": "output_datatype",
}

// result is the element type of output 0 of an operator of ai.onnx. What neither table nor case names has the type of its
// input 0; TestElementTypesOfConformanceModels finds an operator that is missing.
func (e *editor) result(n *graph.Node) tensor.DType {
	if d, ok := always[n.Op]; ok {
		return d
	}
	if d := n.Int(typed[n.Op], 0); d != 0 {
		return tensor.DType(d)
	}
	switch n.Op {
	case "CastLike", "Where", "DequantizeLinear":
		return e.dtype(n.Input(1))
	case "OneHot":
		return e.dtype(n.Input(2))
	case "QuantizeLinear":
		if z := n.Input(2); z != "" {
			return e.dtype(z)
		}
		return tensor.Uint8
	case "QLinearConv", "QLinearMatMul":
		return e.dtype(n.Input(7))
	case "ConstantOfShape":
		if a := n.Attr("value"); a != nil && a.Tensor != nil {
			return a.Tensor.DType
		}
		return tensor.Float32
	case "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix":
		return tensor.Float32
	}
	return e.dtype(n.Input(0))
}
