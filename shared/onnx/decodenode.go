package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"

	"google.golang.org/protobuf/proto"
)

// nodes decodes a list whose graph has depth graphs around it.
func (d *decoder) nodes(list []*onnxpb.NodeProto, depth int) ([]*graph.Node, error) {
	out := make([]*graph.Node, len(list))
	for i, pb := range list {
		if pb.GetOpType() == "" {
			return nil, fmt.Errorf("node %d %q has no operator", i, pb.GetName())
		}
		if err := words(pb); err != nil {
			return nil, fmt.Errorf("node %d %q: %w", i, pb.GetName(), err)
		}
		n, err := d.node(pb, depth)
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", nodeLabel(pb), err)
		}
		out[i] = n
	}
	return out, nil
}

// words refuses operators, domains and attributes whose names hold what no word has: such names come from damage only, and
// every message repeats them as they stand.
func words(pb *onnxpb.NodeProto) error {
	names := []string{pb.GetOpType(), pb.GetDomain(), pb.GetOverload()}
	for _, a := range pb.Attribute {
		names = append(names, a.GetName())
	}
	for _, name := range names {
		if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("%q is no name of an operator, a domain or an attribute: the file is damaged", name)
		}
	}
	return nil
}

// nodeLabel names a node of the file: by its name, else by what it makes.
func nodeLabel(pb *onnxpb.NodeProto) string {
	if pb.GetName() != "" {
		return fmt.Sprintf("%q (%s)", pb.GetName(), pb.GetOpType())
	}
	return fmt.Sprintf("(%s, outputs %q)", pb.GetOpType(), pb.Output)
}

// node shares input and output lists with the message, which nobody keeps.
func (d *decoder) node(pb *onnxpb.NodeProto, depth int) (*graph.Node, error) {
	n := &graph.Node{
		Name: pb.GetName(), Domain: domainName(pb.GetDomain()), Op: overloaded(pb.GetOpType(), pb.GetOverload()),
		Inputs: pb.Input, Outputs: pb.Output, Doc: pb.GetDocString(),
	}
	for _, a := range pb.Attribute {
		attr, err := d.attr(a, depth)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", a.GetName(), err)
		}
		n.Attrs = append(n.Attrs, attr)
	}
	slices.SortStableFunc(n.Attrs, func(a, b graph.Attr) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(n.Attrs); i++ {
		if n.Attrs[i].Name == n.Attrs[i-1].Name {
			return nil, fmt.Errorf("attribute %q stands twice", n.Attrs[i].Name)
		}
	}
	return n, nil
}

// attr decodes one attribute. A reference has its kind and no value; a kind that is not known keeps the message's
// bytes. Lists alias the message, tensors the file's bytes.
func (d *decoder) attr(pb *onnxpb.AttributeProto, depth int) (graph.Attr, error) {
	a := graph.Attr{Name: pb.GetName(), Kind: kind(pb), Ref: pb.GetRefAttrName()}
	if a.Name == "" {
		return a, errors.New("has no name")
	}
	if a.Ref != "" {
		return a, nil
	}
	var err error
	switch a.Kind {
	case graph.KindFloat:
		a.Float = pb.GetF()
	case graph.KindInt:
		a.Int = pb.GetI()
	case graph.KindString:
		a.Str = pb.GetS()
	case graph.KindFloats:
		a.Floats = pb.Floats
	case graph.KindInts:
		a.Ints = pb.Ints
	case graph.KindStrings:
		a.Strs = pb.Strings
	case graph.KindTensor:
		if pb.T == nil {
			return a, errors.New("has no tensor")
		}
		a.Tensor, err = d.tensor(pb.T)
	case graph.KindTensors:
		a.Tensors = make([]*tensor.Tensor, len(pb.Tensors))
		for i := 0; i < len(pb.Tensors) && err == nil; i++ {
			a.Tensors[i], err = d.tensor(pb.Tensors[i])
		}
	case graph.KindGraph:
		if pb.G == nil {
			return a, errors.New("has no graph")
		}
		a.Graph, err = d.graph(pb.G, a.Name, depth+1)
	case graph.KindGraphs:
		a.Graphs = make([]*graph.Graph, len(pb.Graphs))
		for i := 0; i < len(pb.Graphs) && err == nil; i++ {
			a.Graphs[i], err = d.graph(pb.Graphs[i], fmt.Sprintf("%s_%d", a.Name, i), depth+1)
		}
	default:
		a.Raw, err = proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(pb)
	}
	return a, err
}

// kind is the attribute's declared type. Files of old exporters leave it out; then the field that is set tells.
func kind(pb *onnxpb.AttributeProto) graph.Kind {
	if t := pb.GetType(); t != onnxpb.AttributeProto_UNDEFINED {
		if t <= onnxpb.AttributeProto_GRAPHS {
			return graph.Kind(t)
		}
		return graph.KindOther
	}
	switch {
	case pb.F != nil:
		return graph.KindFloat
	case pb.I != nil:
		return graph.KindInt
	case pb.S != nil:
		return graph.KindString
	case pb.T != nil:
		return graph.KindTensor
	case pb.G != nil:
		return graph.KindGraph
	case len(pb.Floats) > 0:
		return graph.KindFloats
	case len(pb.Ints) > 0:
		return graph.KindInts
	case len(pb.Strings) > 0:
		return graph.KindStrings
	case len(pb.Tensors) > 0:
		return graph.KindTensors
	case len(pb.Graphs) > 0:
		return graph.KindGraphs
	}
	return graph.KindOther
}
