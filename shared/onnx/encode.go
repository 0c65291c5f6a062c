package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"

	"google.golang.org/protobuf/proto"
)

// maxMessage is the size that a protobuf message must stay below.
const maxMessage = 1<<31 - 1

// Encode returns the model as ONNX bytes at the opset it has. The same model gives the same bytes: constants and type
// hints by name, imports by domain, tensors raw. m is not changed, and the bytes share nothing with it. A tensor that contradicts itself is refused, and so is a model
// beyond 2 GiB: Write stores its constants outside. Whether the model is valid otherwise is graph.Validate's to say.
func Encode(m *graph.Model) ([]byte, error) {
	pb, err := (&encoder{}).model(m)
	if err != nil {
		return nil, err
	}
	return marshal(pb)
}

// The bytes are a function of the message for one version of the protobuf library.
func marshal(pb *onnxpb.ModelProto) ([]byte, error) {
	if size := proto.Size(pb); size > maxMessage {
		return nil, fmt.Errorf("model has %d bytes, one ONNX file may have %d; write it with external data", size, maxMessage)
	}
	b, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(pb)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return b, nil
}

// encoder makes messages. With outside set, big constants go there instead of into the message. It serves one model.
type encoder struct {
	outside *outside
}

// irVersions are the IR versions that came with opsets: opset[i] and later need ir[i]. ONNX's table of releases.
var irVersions = []struct{ opset, ir int }{{28, 14}, {25, 13}, {24, 12}, {23, 11}, {21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}, {0, 4}}

// irVersion is the model's own, raised where its opset or its functions need a later one. It is never below 4: before,
// constants had to be graph inputs.
func irVersion(m *graph.Model) int64 {
	ir := m.IRVersion
	for _, v := range irVersions {
		if m.Opset >= v.opset {
			ir = max(ir, v.ir)
			break
		}
	}
	for _, f := range m.Functions {
		if ir = max(ir, 8); strings.Contains(f.Name, ":") {
			ir = max(ir, 10)
		}
	}
	return int64(ir)
}

// It changes nothing of m; slices are shared with the message.
func (e *encoder) model(m *graph.Model) (*onnxpb.ModelProto, error) {
	pb := &onnxpb.ModelProto{
		IrVersion: proto.Int64(irVersion(m)), ProducerName: text0(m.Producer), ProducerVersion: text0(m.Version),
		Domain: text0(m.Domain), DocString: text0(m.Doc), OpsetImport: imports(m.Opset, m.Opsets),
	}
	if m.ModelVer != 0 {
		pb.ModelVersion = proto.Int64(m.ModelVer)
	}
	for _, p := range m.Metadata {
		pb.MetadataProps = append(pb.MetadataProps, pair(p.Key, p.Value))
	}
	var err error
	if pb.Graph, err = e.graph(m.Graph, "graph", true); err != nil {
		return nil, fmt.Errorf("graph %q: %w", m.Graph.Name, err)
	}
	for _, f := range m.Functions {
		g, err := e.function(f)
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", f.Name, err)
		}
		pb.Functions = append(pb.Functions, g)
	}
	return pb, nil
}

// text0 is an optional string, absent when empty.
func text0(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func pair(key, value string) *onnxpb.StringStringEntryProto {
	return &onnxpb.StringStringEntryProto{Key: &key, Value: &value}
}

// imports lists ai.onnx (when version is set) and then the other domains by name.
func imports(version int, others map[string]int) []*onnxpb.OperatorSetIdProto {
	var out []*onnxpb.OperatorSetIdProto
	if version > 0 {
		out = append(out, &onnxpb.OperatorSetIdProto{Domain: proto.String(""), Version: proto.Int64(int64(version))})
	}
	for _, domain := range slices.Sorted(maps.Keys(others)) {
		if domain != "" {
			out = append(out, &onnxpb.OperatorSetIdProto{Domain: proto.String(domain), Version: proto.Int64(int64(others[domain]))})
		}
	}
	return out
}

// overloadOf takes apart what overloaded has joined.
func overloadOf(name string) (string, *string) {
	if i := strings.LastIndexByte(name, ':'); i > 0 {
		return name[:i], text0(name[i+1:])
	}
	return name, nil
}

func (e *encoder) function(f graph.Function) (*onnxpb.FunctionProto, error) {
	name, overload := overloadOf(f.Name)
	pb := &onnxpb.FunctionProto{
		Domain: proto.String(f.Domain), Name: &name, Overload: overload, Input: f.Inputs, Output: f.Outputs, Attribute: f.Attrs,
		OpsetImport: imports(f.Opsets[""], f.Opsets),
	}
	for _, a := range f.Defaults {
		attr, err := e.attr(a)
		if err != nil {
			return nil, err
		}
		pb.AttributeProto = append(pb.AttributeProto, attr)
	}
	var err error
	pb.Node, err = e.nodes(f.Nodes)
	return pb, err
}

// graph encodes a graph; name stands in for a missing one, since the format demands a name. Constants of nested graphs
// stay in the message. Hints of values that no node makes are left out, as they would be stale.
func (e *encoder) graph(g *graph.Graph, name string, top bool) (*onnxpb.GraphProto, error) {
	if g.Name != "" {
		name = g.Name
	}
	pb := &onnxpb.GraphProto{Name: &name, DocString: text0(g.Doc)}
	for _, p := range g.Inputs {
		pb.Input = append(pb.Input, valueInfo(p.Name, p.Type))
	}
	for _, p := range g.Outputs {
		pb.Output = append(pb.Output, valueInfo(p.Name, p.Type))
	}
	for _, name := range slices.Sorted(maps.Keys(g.Consts)) {
		t := g.Consts[name]
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("constant %q: %w", name, err)
		}
		c := encodeTensor(name, t)
		if top && e.outside != nil {
			e.outside.take(c)
		}
		pb.Initializer = append(pb.Initializer, c)
	}
	computed := map[string]bool{}
	for _, n := range g.Nodes {
		for _, out := range n.Outputs {
			computed[out] = true
		}
	}
	for _, p := range g.Outputs {
		computed[p.Name] = false
	}
	for _, name := range slices.Sorted(maps.Keys(g.Types)) {
		if computed[name] {
			pb.ValueInfo = append(pb.ValueInfo, valueInfo(name, g.Types[name]))
		}
	}
	var err error
	pb.Node, err = e.nodes(g.Nodes)
	return pb, err
}

// valueInfo writes a value with what is known of its type; an unknown element type leaves all of it out, as the format
// demands.
func valueInfo(name string, t graph.Type) *onnxpb.ValueInfoProto {
	v := &onnxpb.ValueInfoProto{Name: &name}
	if t.DType != tensor.Invalid {
		v.Type = typeProto(t)
	}
	return v
}

// typeProto writes a type; a container of which nothing more is known has no type inside.
func typeProto(t graph.Type) *onnxpb.TypeProto {
	var elem *onnxpb.TypeProto
	if t.Elem != nil {
		elem = typeProto(*t.Elem)
	}
	switch t.DType {
	case tensor.Invalid:
		return nil
	case tensor.Sequence:
		return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_SequenceType{SequenceType: &onnxpb.TypeProto_Sequence{ElemType: elem}}}
	case tensor.Optional:
		return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_OptionalType{OptionalType: &onnxpb.TypeProto_Optional{ElemType: elem}}}
	}
	pb := &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(t.DType))}
	if t.Ranked {
		pb.Shape = &onnxpb.TensorShapeProto{}
		for _, d := range t.Shape {
			pb.Shape.Dim = append(pb.Shape.Dim, dimensionProto(d))
		}
	}
	return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: pb}}
}

func dimensionProto(d graph.Dim) *onnxpb.TensorShapeProto_Dimension {
	switch {
	case d.N >= 0:
		return &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d.N)}}
	case d.Sym != "":
		return &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: d.Sym}}
	}
	return &onnxpb.TensorShapeProto_Dimension{}
}

// encodeTensor writes raw little-endian elements, which alias t where the file does not pack them.
func encodeTensor(name string, t *tensor.Tensor) *onnxpb.TensorProto {
	pb := &onnxpb.TensorProto{Name: text0(name), DataType: proto.Int32(int32(t.DType)), RawData: t.Pack()}
	if pb.RawData == nil {
		pb.RawData = []byte{} // an empty tensor has raw data of no bytes, not none
	}
	for _, d := range t.Shape {
		pb.Dims = append(pb.Dims, int64(d))
	}
	return pb
}
