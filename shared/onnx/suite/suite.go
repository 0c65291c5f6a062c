// Package suite reads the values that stand beside the ONNX project's backend cases, and is for tests of several rooms. Nothing
// but a test may import it.
//
// A file holds one TensorProto, SequenceProto or OptionalProto and does not say which: the model's declaration of the value
// does. The two containers are of onnx-data.proto, which the generated schema leaves out.
package suite

import (
	"errors"
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

// Fields of onnx-data.proto: SequenceProto and OptionalProto number them alike. Maps (field 6) and sparse tensors (4) have no
// counterpart in package tensor.
const (
	tensorField   protowire.Number = 3
	sequenceField protowire.Number = 5
)

// Read decodes the value in a file, of the declared type.
func Read(path string, declared graph.Type) (*tensor.Tensor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	v, err := Decode(b, declared)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return v, nil
}

// ReadTensor decodes the tensor in a file.
func ReadTensor(path string) (*tensor.Tensor, error) { return Read(path, graph.Type{}) }

// Decode decodes a value of the declared type. Of a tensor the declaration counts for nothing: element type and shape are the
// file's, and a test compares them. An optional without a value has neither field.
func Decode(b []byte, declared graph.Type) (*tensor.Tensor, error) {
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
			return nil, fmt.Errorf("is no %s: %w", declared.DType, protowire.ParseError(n))
		}
		size := protowire.ConsumeFieldValue(num, typ, b[n:])
		if size < 0 {
			return nil, fmt.Errorf("is no %s: %w", declared.DType, protowire.ParseError(size))
		}
		if num == tensorField || num == sequenceField {
			inner, k := protowire.ConsumeBytes(b[n:])
			if typ != protowire.BytesType || k < 0 {
				return nil, fmt.Errorf("is no %s: field %d is no message", declared.DType, num)
			}
			item, err := Decode(inner, elem)
			if err != nil {
				return nil, fmt.Errorf("item %d: %w", len(items), err)
			}
			items = append(items, item)
		}
		b = b[n+size:]
	}
	v := tensor.SequenceOf(elem.DType, items...)
	if declared.DType == tensor.Optional {
		if len(items) > 1 {
			return nil, fmt.Errorf("is no optional: it holds %d values", len(items))
		}
		v = tensor.OptionalOf(append(items, nil)[0])
	}
	return v, v.Check()
}

// decodeTensor decodes a TensorProto by way of a model that has it as a constant, so that elements are read as those of weights
// are.
func decodeTensor(b []byte) (*tensor.Tensor, error) {
	var pb onnxpb.TensorProto
	if err := proto.Unmarshal(b, &pb); err != nil {
		return nil, fmt.Errorf("holds no tensor: %w", err)
	}
	if pb.DataType == nil {
		return nil, errors.New("holds no tensor: it has no element type")
	}
	pb.Name = proto.String("t")
	raw, err := proto.Marshal(&onnxpb.ModelProto{
		IrVersion: proto.Int64(8), OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(21)}},
		Graph: &onnxpb.GraphProto{
			Name: proto.String("g"), Initializer: []*onnxpb.TensorProto{&pb},
			Output: []*onnxpb.ValueInfoProto{{Name: proto.String("t")}},
		},
	})
	if err != nil {
		return nil, err
	}
	m, err := onnx.Decode(raw, "")
	if err != nil {
		return nil, err
	}
	return m.Graph.Consts["t"], nil
}
