package op_test

import (
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"
)

// Fields of onnx-data.proto: SequenceProto and OptionalProto number them alike, tensors as 3 and sequences as 5.
const (
	tensorField   protowire.Number = 3
	sequenceField protowire.Number = 5
)

// readValue reads a value of the suite. A file does not say what it holds; the model's declaration of the value does.
func readValue(path string, declared graph.Type) (*tensor.Tensor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	v, err := decodeValue(b, declared)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return v, nil
}

// decodeValue decodes a TensorProto, a SequenceProto or an OptionalProto. An optional without a value has neither field.
func decodeValue(b []byte, declared graph.Type) (*tensor.Tensor, error) {
	if !declared.DType.Container() {
		return decodeTensor(b)
	}
	var elem graph.Type
	if declared.Elem != nil {
		elem = *declared.Elem
	}
	var items []*tensor.Tensor
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, fmt.Errorf("is no %s", declared.DType)
		}
		size := protowire.ConsumeFieldValue(num, typ, b[n:])
		if size < 0 {
			return nil, fmt.Errorf("is no %s", declared.DType)
		}
		if num == tensorField || num == sequenceField {
			inner, _ := protowire.ConsumeBytes(b[n:])
			item, err := decodeValue(inner, elem)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		b = b[n+size:]
	}
	v := tensor.SequenceOf(elem.DType, items...)
	if declared.DType == tensor.Optional {
		v = tensor.OptionalOf(append(items, nil)[0])
	}
	return v, v.Check()
}

// decodeTensor decodes a TensorProto by way of a model that has it as a constant.
func decodeTensor(b []byte) (*tensor.Tensor, error) {
	var pb onnxpb.TensorProto
	if err := proto.Unmarshal(b, &pb); err != nil {
		return nil, fmt.Errorf("holds no tensor: %w", err)
	}
	pb.Name = proto.String("t")
	m := &onnxpb.ModelProto{
		IrVersion: proto.Int64(8), OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(21)}},
		Graph: &onnxpb.GraphProto{
			Name: proto.String("g"), Initializer: []*onnxpb.TensorProto{&pb},
			Node:   []*onnxpb.NodeProto{{OpType: proto.String("Identity"), Input: []string{"t"}, Output: []string{"u"}}},
			Output: []*onnxpb.ValueInfoProto{{Name: proto.String("u")}},
		},
	}
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	model, err := onnx.Decode(raw, "")
	if err != nil {
		return nil, err
	}
	return model.Graph.Consts["t"], nil
}
