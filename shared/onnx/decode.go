package onnx

import (
	"errors"
	"fmt"
	"math"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
	"assay/shared/op"
	"assay/shared/tensor"
)

// The oldest IR version that is read (the first of ONNX 1.0), and the newest that the schema knows.
const (
	oldestIR = 3
	newestIR = int64(onnxpb.Version_IR_VERSION)
)

// decoder carries what tensors need to find their external data.
type decoder struct {
	external externals
}

// parse gives the model as the file has it: not upgraded, not sorted, only what stands in one place checked. What is no
// protobuf, or one without a graph, is told by its first bytes where they are known.
func parse(b []byte, folders []string) (*graph.Model, error) {
	pb, err := unmarshalModel(b)
	if err == nil && pb.Graph == nil {
		err = errors.New("it has no graph (another protobuf file: a tensor, a TensorFlow model?)")
	}
	if err != nil {
		if what := looksLike(b); what != "" {
			return nil, fmt.Errorf("is no ONNX model: it looks like %s", what)
		}
		return nil, fmt.Errorf("is no ONNX model: %w", err)
	}
	d := &decoder{external: externals{folders: folders}}
	return d.model(pb)
}

// model decodes the header, the graph and the functions, in this order; versions are checked before anything large. A
// model without nodes of ai.onnx may import no opset of it.
func (d *decoder) model(pb *onnxpb.ModelProto) (*graph.Model, error) {
	ir := pb.GetIrVersion()
	if ir < oldestIR || ir > newestIR {
		return nil, fmt.Errorf("IR version %d is not read, %d to %d are; export the model with another ONNX version", ir, oldestIR, newestIR)
	}
	m := &graph.Model{
		IRVersion: int(ir), Producer: pb.GetProducerName(), Version: pb.GetProducerVersion(), Domain: pb.GetDomain(),
		ModelVer: pb.GetModelVersion(), Doc: pb.GetDocString(),
	}
	for _, p := range pb.MetadataProps {
		m.Metadata = append(m.Metadata, graph.Pair{Key: p.GetKey(), Value: p.GetValue()})
	}
	imports, err := opsets(pb.OpsetImport)
	if err != nil {
		return nil, err
	}
	m.Opset = imports[""]
	m.FileOpset = m.Opset
	delete(imports, "")
	m.Opsets = imports
	if m.Graph, err = d.graph(pb.Graph, "graph", 0); err != nil {
		return nil, fmt.Errorf("graph %q: %w", pb.Graph.GetName(), err)
	}
	if m.Opset == 0 {
		if n := native(m.Graph); n != nil {
			return nil, fmt.Errorf("node %q (%s) is of ai.onnx, of which the model imports no opset", n.Name, n.Op)
		}
		m.Opset = op.Newest // no node asks
	}
	for _, f := range pb.Functions {
		g, err := d.function(f)
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", f.GetName(), err)
		}
		m.Functions = append(m.Functions, g)
	}
	return m, nil
}

// native returns a node of ai.onnx, nil when there is none.
func native(g *graph.Graph) *graph.Node {
	for _, n := range g.Nodes {
		if n.Domain == "" {
			return n
		}
		for _, sub := range graph.Nested(n) {
			if found := native(sub); found != nil {
				return found
			}
		}
	}
	return nil
}

// opsets reads imports into a map by domain, "ai.onnx" as "". One domain twice is fine with one version.
func opsets(list []*onnxpb.OperatorSetIdProto) (map[string]int, error) {
	out := map[string]int{}
	for _, o := range list {
		domain, version := domainName(o.GetDomain()), o.GetVersion()
		if version < 1 || version > math.MaxInt32 {
			return nil, fmt.Errorf("opset %d of domain %q is impossible", version, domain)
		}
		if have, ok := out[domain]; ok && have != int(version) {
			return nil, fmt.Errorf("domain %q is imported as opset %d and %d", domain, have, version)
		}
		out[domain] = int(version)
	}
	return out, nil
}

// domainName spells the two names of ai.onnx alike.
func domainName(s string) string {
	if s == "ai.onnx" {
		return ""
	}
	return s
}

// overloaded joins an operator's name with the overload of IR 10 and later; names hold no colon.
func overloaded(name, overload string) string {
	if overload == "" {
		return name
	}
	return name + ":" + overload
}

// function decodes a model-local function. Its nodes share names and slices with the message.
func (d *decoder) function(pb *onnxpb.FunctionProto) (f graph.Function, err error) {
	f = graph.Function{
		Domain: domainName(pb.GetDomain()), Name: overloaded(pb.GetName(), pb.GetOverload()),
		Inputs: pb.Input, Outputs: pb.Output, Attrs: pb.Attribute,
	}
	if f.Opsets, err = opsets(pb.OpsetImport); err != nil {
		return f, err
	}
	for _, a := range pb.AttributeProto {
		attr, err := d.attr(a, 0)
		if err != nil {
			return f, fmt.Errorf("attribute %q: %w", a.GetName(), err)
		}
		f.Defaults = append(f.Defaults, attr)
	}
	f.Nodes, err = d.nodes(pb.Node, 0)
	return f, err
}

// graph decodes a graph; name is for one without a name of its own, depth the number of graphs around it. Names of
// values are not checked here: settle does, for the whole model.
func (d *decoder) graph(pb *onnxpb.GraphProto, name string, depth int) (*graph.Graph, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("graphs are nested deeper than %d", maxNesting)
	}
	g := &graph.Graph{Name: pb.GetName(), Doc: pb.GetDocString(), Consts: map[string]*tensor.Tensor{}, Types: map[string]graph.Type{}}
	if g.Name == "" {
		g.Name = name
	}
	for _, s := range pb.SparseInitializer {
		return nil, fmt.Errorf("initializer %q is sparse; store it dense", s.GetValues().GetName())
	}
	for _, t := range pb.Initializer {
		name := t.GetName()
		if g.Consts[name] != nil {
			return nil, fmt.Errorf("initializer %q is defined twice", name)
		}
		c, err := d.tensor(t)
		if err != nil {
			return nil, fmt.Errorf("initializer %q: %w", name, err)
		}
		g.Consts[name] = c
	}
	if err := ports(g, pb, depth); err != nil {
		return nil, err
	}
	var err error
	g.Nodes, err = d.nodes(pb.Node, depth)
	return g, err
}

// ports decodes inputs, outputs and hints. An initializer that is listed as input (all are, before IR 4) is a constant:
// nobody overrides it here. A hint for an input or output is dropped, since its port says it. Only the outermost
// graph's inputs need an element type: a body's follow from what calls it.
func ports(g *graph.Graph, pb *onnxpb.GraphProto, depth int) error {
	for _, v := range pb.Input {
		if c := g.Consts[v.GetName()]; c != nil {
			continue
		}
		t, err := valueType(v.GetType())
		if err == nil && t.DType == tensor.Invalid && depth == 0 {
			err = errors.New("has no element type")
		}
		if err != nil {
			return fmt.Errorf("input %q: %w", v.GetName(), err)
		}
		g.Inputs = append(g.Inputs, graph.Port{Name: v.GetName(), Type: t})
	}
	for _, v := range pb.Output {
		t, err := valueType(v.GetType())
		if err != nil {
			return fmt.Errorf("output %q: %w", v.GetName(), err)
		}
		g.Outputs = append(g.Outputs, graph.Port{Name: v.GetName(), Type: t})
	}
	for _, v := range pb.ValueInfo {
		if t, err := valueType(v.GetType()); err == nil && t.DType != tensor.Invalid {
			g.Types[v.GetName()] = t
		}
	}
	for _, p := range append(g.Inputs[:len(g.Inputs):len(g.Inputs)], g.Outputs...) {
		delete(g.Types, p.Name)
	}
	return nil
}

// valueType decodes the type of a value; an absent one is the zero Type. Element types count as ONNX's
// TensorProto.DataType, which tensor.DType shares; the numbers that it gives to containers no file can name.
func valueType(pb *onnxpb.TypeProto) (graph.Type, error) {
	var t graph.Type
	switch v := pb.GetValue().(type) {
	case nil:
		return t, nil
	case *onnxpb.TypeProto_TensorType:
		elem := v.TensorType.GetElemType()
		if elem < 0 || elem > math.MaxUint8 || tensor.DType(elem).Container() {
			return t, fmt.Errorf("element type %d is impossible", elem)
		}
		if t.DType = tensor.DType(elem); t.DType == tensor.Invalid {
			return t, nil // a shape without an element type says nothing that ONNX could write again
		}
		if shape := v.TensorType.GetShape(); shape != nil {
			t.Ranked, t.Shape = true, make([]graph.Dim, len(shape.Dim))
			for i, dim := range shape.Dim {
				t.Shape[i] = dimension(dim)
			}
		}
		return t, nil
	case *onnxpb.TypeProto_SequenceType:
		return containerType(tensor.Sequence, v.SequenceType.GetElemType())
	case *onnxpb.TypeProto_OptionalType:
		return containerType(tensor.Optional, v.OptionalType.GetElemType())
	case *onnxpb.TypeProto_MapType:
		return t, errors.New("is a map; only tensors, sequences and optionals are read (classifier heads: export with zipmap off)")
	}
	return t, errors.New("is no dense tensor; only those are read")
}

// containerType decodes what a sequence or an optional holds: tensors, or of an optional one sequence of them. The kind of
// what is inside is looked at first, so a type that claims to be deep is not followed.
func containerType(d tensor.DType, pb *onnxpb.TypeProto) (graph.Type, error) {
	switch pb.GetValue().(type) {
	case nil, *onnxpb.TypeProto_TensorType:
	case *onnxpb.TypeProto_SequenceType:
		if d == tensor.Sequence {
			return graph.Type{}, errors.New("is a sequence of sequences; those of tensors are read")
		}
	default:
		return graph.Type{}, fmt.Errorf("is %s of other values than tensors", article(d))
	}
	elem, err := valueType(pb)
	if err != nil {
		return graph.Type{}, fmt.Errorf("is %s whose item %w", article(d), err)
	}
	return graph.Of(d, elem), nil
}

func article(d tensor.DType) string {
	if d == tensor.Optional {
		return "an optional"
	}
	return "a sequence"
}

// dimension takes negative sizes, which some exporters write, as unknown.
func dimension(pb *onnxpb.TensorShapeProto_Dimension) graph.Dim {
	switch v := pb.GetValue().(type) {
	case *onnxpb.TensorShapeProto_Dimension_DimValue:
		if v.DimValue >= 0 && int64(int(v.DimValue)) == v.DimValue {
			return graph.Dim{N: int(v.DimValue)}
		}
	case *onnxpb.TensorShapeProto_Dimension_DimParam:
		return graph.Dim{N: -1, Sym: v.DimParam}
	}
	return graph.Dim{N: -1}
}
