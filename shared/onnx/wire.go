package onnx

import (
	"fmt"

	"assay/shared/onnx/onnxpb"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The generated types copy every bytes field. Weights are most of a model, so the messages on the way to them (model,
// graph, initializer) are taken apart here and only the small rest is unmarshalled.

// Field numbers of the schema that are taken out by hand.
const (
	modelGraph       protowire.Number = 7
	graphNode        protowire.Number = 1
	graphInitializer protowire.Number = 5
	tensorRaw        protowire.Number = 9
)

// maxNesting bounds graphs within graphs; every graph stands in an attribute of a node, so it is three messages deep.
const maxNesting = 32

var unmarshal = proto.UnmarshalOptions{AllowPartial: true, DiscardUnknown: true, RecursionLimit: 3*maxNesting + 20}

// split walks the fields of one message. Length-delimited fields for which take returns true are left out of rest, the
// remainder in its order. rest is a copy unless nothing is taken; value aliases b. take sees fields in their order and
// may fail the walk. Groups, which ONNX has not, are walked over.
func split(b []byte, take func(num protowire.Number, value []byte) (bool, error)) (rest []byte, err error) {
	start := 0 // of the bytes not yet copied to rest
	for at := 0; at < len(b); {
		num, typ, n := protowire.ConsumeTag(b[at:])
		if n < 0 {
			return nil, fmt.Errorf("byte %d is no field of a protobuf message", at)
		}
		body := at + n
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, b[body:]); n < 0 {
				return nil, fmt.Errorf("field %d at byte %d is broken", num, at)
			}
			at = body + n
			continue
		}
		size, n := protowire.ConsumeVarint(b[body:])
		if n < 0 {
			return nil, fmt.Errorf("field %d at byte %d is broken", num, at)
		}
		body += n
		if left := uint64(len(b) - body); size > left {
			return nil, fmt.Errorf("field %d at byte %d claims %d bytes, %d are left: the file is truncated or damaged", num, at, size, left)
		}
		end := body + int(size)
		taken, err := take(num, b[body:end:end])
		if err != nil {
			return nil, err
		}
		if taken {
			rest, start = append(rest, b[start:at]...), end
		}
		at = end
	}
	if start == 0 {
		return b, nil
	}
	return append(rest, b[start:]...), nil
}

// unmarshalModel decodes a model; the raw data of its initializers alias b.
func unmarshalModel(b []byte) (*onnxpb.ModelProto, error) {
	var whole []byte
	rest, err := split(b, func(num protowire.Number, value []byte) (bool, error) {
		if num != modelGraph {
			return false, nil
		}
		if whole == nil {
			whole = value
		} else { // protobuf merges repeated occurrences of a message
			whole = append(whole[:len(whole):len(whole)], value...)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	pb := &onnxpb.ModelProto{}
	if err := unmarshal.Unmarshal(rest, pb); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if whole == nil {
		return pb, nil
	}
	if pb.Graph, err = unmarshalGraph(whole); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return pb, nil
}

// unmarshalGraph decodes node by node, so that a file of empty messages fails at the first and does not become many
// times its size.
func unmarshalGraph(b []byte) (*onnxpb.GraphProto, error) {
	var nodes []*onnxpb.NodeProto
	var tensors []*onnxpb.TensorProto
	rest, err := split(b, func(num protowire.Number, value []byte) (bool, error) {
		switch num {
		case graphNode:
			n := &onnxpb.NodeProto{}
			if err := unmarshal.Unmarshal(value, n); err != nil {
				return false, fmt.Errorf("node %d: %w", len(nodes), err)
			}
			if n.GetOpType() == "" {
				return false, fmt.Errorf("node %d %q has no operator", len(nodes), n.GetName())
			}
			nodes = append(nodes, n)
		case graphInitializer:
			t, err := unmarshalTensor(value)
			if err != nil {
				return false, fmt.Errorf("initializer %d: %w", len(tensors), err)
			}
			if t.GetName() == "" {
				return false, fmt.Errorf("initializer %d has no name", len(tensors))
			}
			tensors = append(tensors, t)
		default:
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	pb := &onnxpb.GraphProto{}
	if err := unmarshal.Unmarshal(rest, pb); err != nil {
		return nil, err
	}
	pb.Node, pb.Initializer = nodes, tensors
	return pb, nil
}

// unmarshalTensor leaves raw data where it lies; a field that comes twice counts as protobuf says, the last one.
func unmarshalTensor(b []byte) (*onnxpb.TensorProto, error) {
	var raw []byte
	rest, err := split(b, func(num protowire.Number, value []byte) (bool, error) {
		if num == tensorRaw {
			raw = value
		}
		return num == tensorRaw, nil
	})
	if err != nil {
		return nil, err
	}
	pb := &onnxpb.TensorProto{}
	if err := unmarshal.Unmarshal(rest, pb); err != nil {
		return nil, err
	}
	pb.RawData = raw
	return pb, nil
}
