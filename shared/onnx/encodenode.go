package onnx

import (
	"errors"
	"fmt"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"

	"google.golang.org/protobuf/proto"
)

// Overloads are taken apart for domains other than ai.onnx, which has none.
func (e *encoder) nodes(list []*graph.Node) ([]*onnxpb.NodeProto, error) {
	out := make([]*onnxpb.NodeProto, len(list))
	for i, n := range list {
		op, overload := n.Op, (*string)(nil)
		if n.Domain != "" {
			op, overload = overloadOf(n.Op)
		}
		pb := &onnxpb.NodeProto{
			Name: text0(n.Name), Domain: text0(n.Domain), OpType: &op, Overload: overload, Input: n.Inputs, Output: n.Outputs, DocString: text0(n.Doc),
		}
		for _, a := range n.Attrs {
			attr, err := e.attr(a)
			if err != nil {
				return nil, fmt.Errorf("node %q (%s): attribute %q: %w", n.Name, n.Op, a.Name, err)
			}
			pb.Attribute = append(pb.Attribute, attr)
		}
		out[i] = pb
	}
	return out, nil
}

// attr writes the field of the attribute's kind. Empty strings are written as such: absent, they would be another kind.
func (e *encoder) attr(a graph.Attr) (*onnxpb.AttributeProto, error) {
	if a.Kind == graph.KindOther && a.Ref == "" {
		pb := &onnxpb.AttributeProto{}
		if err := unmarshal.Unmarshal(a.Raw, pb); err != nil {
			return nil, err
		}
		pb.Name = proto.String(a.Name)
		return pb, nil
	}
	pb := &onnxpb.AttributeProto{Name: proto.String(a.Name), RefAttrName: text0(a.Ref)}
	if a.Kind <= graph.KindGraphs {
		pb.Type = onnxpb.AttributeProto_AttributeType(a.Kind).Enum()
	}
	if a.Ref != "" {
		return pb, nil
	}
	var err error
	switch a.Kind {
	case graph.KindFloat:
		pb.F = proto.Float32(a.Float)
	case graph.KindInt:
		pb.I = proto.Int64(a.Int)
	case graph.KindString:
		if pb.S = a.Str; pb.S == nil {
			pb.S = []byte{}
		}
	case graph.KindFloats:
		pb.Floats = a.Floats
	case graph.KindInts:
		pb.Ints = a.Ints
	case graph.KindStrings:
		pb.Strings = a.Strs
	case graph.KindTensor:
		pb.T, err = attrTensor(a.Tensor)
	case graph.KindTensors:
		pb.Tensors, err = each(a.Tensors, attrTensor)
	case graph.KindGraph:
		pb.G, err = e.nested(a.Graph)
	case graph.KindGraphs:
		pb.Graphs, err = each(a.Graphs, e.nested)
	}
	return pb, err
}

func attrTensor(t *tensor.Tensor) (*onnxpb.TensorProto, error) {
	if t == nil {
		return nil, errors.New("has no tensor")
	}
	return encodeTensor("", t), t.Check()
}

// Constants of nested graphs stay inside (top is false).
func (e *encoder) nested(g *graph.Graph) (*onnxpb.GraphProto, error) {
	if g == nil {
		return nil, errors.New("has no graph")
	}
	return e.graph(g, "graph", false)
}

// each stops at the first error.
func each[T, U any](in []T, f func(T) (U, error)) ([]U, error) {
	out := make([]U, len(in))
	for i, x := range in {
		var err error
		if out[i], err = f(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}
