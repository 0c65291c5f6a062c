package onnx

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// TestWiderFields: elements that a file stores wider than they are. Both ends of each type pass, signed or not, one more does not;
// types of less than a byte are packed, the first element in the lowest bits.
func TestWiderFields(t *testing.T) {
	const none = math.MaxInt32 // marks a refusal
	for _, c := range []struct {
		d     tensor.DType
		n     int
		field []int32
		bytes []byte
		want  string
	}{
		{d: tensor.Int8, n: 3, field: []int32{-128, 127, 255}, bytes: []byte{0x80, 0x7f, 0xff}},
		{d: tensor.Int8, n: 1, field: []int32{-129}, want: "element 0 is -129, which no int8 can be"},
		{d: tensor.Uint8, n: 2, field: []int32{0, 256}, want: "element 1 is 256, which no uint8 can be"},
		{d: tensor.Int16, n: 2, field: []int32{-32768, 65535}, bytes: []byte{0, 0x80, 0xff, 0xff}},
		{d: tensor.Uint16, n: 1, field: []int32{65536}, want: "which no uint16 can be"},
		{d: tensor.Float16, n: 1, field: []int32{0x3c00}, bytes: []byte{0, 0x3c}},
		{d: tensor.Bool, n: 2, field: []int32{0, 1}, bytes: []byte{0, 1}},
		{d: tensor.Uint4, n: 3, field: []int32{0x21, 0x0f}, bytes: []byte{1, 2, 15}},
		{d: tensor.Int4, n: 2, field: []int32{-1}, bytes: []byte{0xff, 0xff}},
		{d: tensor.Int4, n: 4, field: []int32{0x78, 255}, bytes: []byte{0xf8, 0x07, 0xff, 0xff}},
		{d: tensor.Int4, n: 2, field: []int32{-128}, bytes: []byte{0, 0xf8}},
		{d: tensor.Int4, n: 2, field: []int32{256}, want: "element 0 is 256, which no byte of int4 can be"},
		{d: tensor.Int4, n: 2, field: []int32{-129}, want: "element 0 is -129, which no byte of int4 can be"},
		{d: tensor.Uint4, n: 3, field: []int32{1}, want: "holds 1 elements, uint4[3] needs 2"},
		{d: tensor.Uint4, n: 2, field: nil, want: "were its weights stripped"},
		{d: tensor.Uint2, n: 5, field: []int32{0xe4, 3}, bytes: []byte{0, 1, 2, 3, 3}},
		{d: tensor.Int32, n: 1, field: []int32{none}, bytes: []byte{0xff, 0xff, 0xff, 0x7f}},
	} {
		pb := &onnxpb.TensorProto{Dims: []int64{int64(c.n)}, DataType: proto.Int32(int32(c.d)), Int32Data: c.field}
		got, err := (&decoder{}).tensor(pb)
		if c.want != "" {
			require.ErrorContains(t, err, c.want, "%s %v", c.d, c.field)
			require.Equal(t, c.field == nil, strings.Contains(err.Error(), "stripped"), "only a field without elements looks stripped")
			continue
		}
		require.NoError(t, err, "%s %v", c.d, c.field)
		require.Equal(t, c.bytes, got.Data, "%s %v", c.d, c.field)
	}
	_, err := (&decoder{}).tensor(&onnxpb.TensorProto{Dims: []int64{1}, DataType: proto.Int32(int32(tensor.Uint32)), Uint64Data: []uint64{1 << 32}})
	require.ErrorContains(t, err, "which no uint32 can be")
	for _, kind := range []int32{0, -1, int32(tensor.Int2) + 1, 1000} {
		_, err := (&decoder{}).tensor(&onnxpb.TensorProto{DataType: proto.Int32(kind), RawData: []byte{1}})
		require.ErrorContains(t, err, "cannot be constants", "%d", kind)
	}
	for _, dims := range [][]int64{{-1}, {math.MaxInt64}, {1 << 32, 1 << 32}, {2, math.MaxInt64 / 16}} {
		_, err := (&decoder{}).tensor(&onnxpb.TensorProto{Dims: dims, DataType: proto.Int32(1)})
		require.ErrorContains(t, err, "is impossible", "%v", dims)
	}
}

// TestTypesOfValues: what a file may say of a value, and what it says wrongly.
func TestTypesOfValues(t *testing.T) {
	tensorType := func(elem int32, dims ...*onnxpb.TensorShapeProto_Dimension) *onnxpb.TypeProto {
		return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(elem), Shape: &onnxpb.TensorShapeProto{Dim: dims}}}}
	}
	size := func(n int64) *onnxpb.TensorShapeProto_Dimension {
		return &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: n}}
	}
	name := &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}}
	got, err := valueType(tensorType(1, size(0), size(3), size(-1), size(math.MinInt64), name, &onnxpb.TensorShapeProto_Dimension{}))
	require.NoError(t, err)
	require.Equal(t, graph.Type{DType: tensor.Float32, Ranked: true, Shape: []graph.Dim{{N: 0}, {N: 3}, {N: -1}, {N: -1}, {N: -1, Sym: "N"}, {N: -1}}}, got)
	for _, d := range got.Shape {
		again := dimension(dimensionProto(d))
		require.Equal(t, d, again)
	}
	got, err = valueType(tensorType(255))
	require.NoError(t, err)
	require.EqualValues(t, 255, got.DType)
	got, err = valueType(tensorType(0, size(3)))
	require.NoError(t, err)
	require.Equal(t, graph.Type{}, got, "a shape without an element type cannot be written again")
	for _, elem := range []int32{-1, 253, 254, 256} { // 253 and 254 are what containers are numbered as
		_, err := valueType(tensorType(elem))
		require.ErrorContains(t, err, "element type", "%d", elem)
	}
}

func sequenceOf(elem *onnxpb.TypeProto) *onnxpb.TypeProto {
	return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_SequenceType{SequenceType: &onnxpb.TypeProto_Sequence{ElemType: elem}}}
}

func optionalOf(elem *onnxpb.TypeProto) *onnxpb.TypeProto {
	return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_OptionalType{OptionalType: &onnxpb.TypeProto_Optional{ElemType: elem}}}
}

// TestTypesOfContainers: what is read of a sequence and an optional is written as it was.
func TestTypesOfContainers(t *testing.T) {
	floats := &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(1)}}}
	for want, pb := range map[string]*onnxpb.TypeProto{
		"sequence": sequenceOf(nil), "optional": optionalOf(nil), "sequence(float32)": sequenceOf(floats), "optional(float32)": optionalOf(floats),
		"optional(sequence)": optionalOf(sequenceOf(nil)), "optional(sequence(float32))": optionalOf(sequenceOf(floats)),
	} {
		got, err := valueType(pb)
		require.NoError(t, err, want)
		require.Equal(t, want, got.String())
		require.True(t, proto.Equal(pb, typeProto(got)), want)
	}
}

// TestHintsOfNobodyAreDropped: types of values that no node computes, of outputs, and of what nested graphs do not compute.
func TestHintsOfNobodyAreDropped(t *testing.T) {
	m, err := graph.Parse("input x: float32[2]\ninput c: bool[]\na: float32[2] = Relu(x)\ny = If(c) {else_branch=graph { b: float32[2] = Neg(a) output b }, then_branch=graph { output a }}\noutput y\n")
	require.NoError(t, err)
	nested := m.Graph.Nodes[1].Attr("else_branch").Graph
	for _, g := range []*graph.Graph{m.Graph, nested} {
		g.Types["gone"] = graph.FixedType(tensor.Float32, 9)
		g.Types[g.Outputs[0].Name] = graph.FixedType(tensor.Float32, 9)
	}
	nested.Types["x"] = graph.FixedType(tensor.Float32, 2)
	prune(m.Graph)
	require.Equal(t, map[string]graph.Type{"a": graph.FixedType(tensor.Float32, 2)}, m.Graph.Types)
	require.Empty(t, nested.Types)
}

// TestHintsThatSayNothingAreLeftOut: of the types beside a graph those stay that name an element type and can be read; one that cannot
// is no reason to refuse a file whose nodes say the same.
func TestHintsThatSayNothingAreLeftOut(t *testing.T) {
	typed := func(name string, p *onnxpb.TypeProto) *onnxpb.ValueInfoProto {
		return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: p}
	}
	elem := func(d int32) *onnxpb.TypeProto {
		return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(d)}}}
	}
	g, err := (&decoder{}).graph(&onnxpb.GraphProto{ValueInfo: []*onnxpb.ValueInfoProto{
		typed("known", elem(1)), typed("a list", sequenceOf(elem(1))), typed("no type", nil), typed("no element type", elem(0)),
		typed("no such type", elem(-1)), typed("lists of lists", sequenceOf(sequenceOf(elem(1)))), typed("map", &onnxpb.TypeProto{Value: &onnxpb.TypeProto_MapType{}}),
	}}, "g", 0)
	require.NoError(t, err)
	require.Equal(t, map[string]graph.Type{"known": {DType: tensor.Float32}, "a list": graph.Of(tensor.Sequence, graph.Type{DType: tensor.Float32})}, g.Types)
}

// TestInputsOfBodiesNeedNoType: what calls a body types its inputs; nobody calls the outermost graph.
func TestInputsOfBodiesNeedNoType(t *testing.T) {
	free := &onnxpb.GraphProto{Input: []*onnxpb.ValueInfoProto{{Name: proto.String("v")}}}
	for depth, want := range []string{`input "v": has no element type`, "", ""} {
		g, err := (&decoder{}).graph(free, "g", depth)
		if want != "" {
			require.EqualError(t, err, want)
			continue
		}
		require.NoError(t, err, "depth %d", depth)
		require.Equal(t, []graph.Port{{Name: "v"}}, g.Inputs)
	}
}

// TestPartsOfAGraphAreMerged: protobuf lets a message stand in pieces; a model whose graph comes in two has all nodes and constants of
// both, in their order.
func TestPartsOfAGraphAreMerged(t *testing.T) {
	whole := &onnxpb.ModelProto{IrVersion: proto.Int64(10), OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(21)}}}
	one := &onnxpb.GraphProto{
		Name: proto.String("g"), Input: []*onnxpb.ValueInfoProto{valueInfo("x", graph.FixedType(tensor.Float32, 1))}, Initializer: []*onnxpb.TensorProto{encodeTensor("w", tensor.Of(tensor.Float32, []int{1}, []float32{1}))},
		Node: []*onnxpb.NodeProto{{OpType: proto.String("Add"), Input: []string{"x", "w"}, Output: []string{"a"}}},
	}
	two := &onnxpb.GraphProto{
		Initializer: []*onnxpb.TensorProto{encodeTensor("v", tensor.Of(tensor.Float32, []int{1}, []float32{2}))},
		Node:        []*onnxpb.NodeProto{{OpType: proto.String("Mul"), Input: []string{"a", "v"}, Output: []string{"y"}}}, Output: []*onnxpb.ValueInfoProto{valueInfo("y", graph.Type{})},
	}
	b, err := proto.Marshal(whole)
	require.NoError(t, err)
	for _, g := range []*onnxpb.GraphProto{one, two} {
		part, err := proto.MarshalOptions{AllowPartial: true}.Marshal(g)
		require.NoError(t, err)
		b = protowire.AppendBytes(protowire.AppendTag(b, modelGraph, protowire.BytesType), part)
	}
	m, err := Decode(b, "")
	require.NoError(t, err)
	require.Len(t, m.Graph.Nodes, 2)
	require.Equal(t, []float32{1}, m.Graph.Consts["w"].F32())
	require.Equal(t, []float32{2}, m.Graph.Consts["v"].F32())
	require.Equal(t, "g", m.Graph.Name)
}

// TestNestingIsBounded: as many graphs within graphs as are allowed pass, in either kind of attribute, one more does not.
func TestNestingIsBounded(t *testing.T) {
	for _, list := range []bool{false, true} {
		for extra := range 2 {
			g := &onnxpb.GraphProto{}
			for range maxNesting + extra {
				a := &onnxpb.AttributeProto{Name: proto.String("g"), G: g}
				if list {
					a = &onnxpb.AttributeProto{Name: proto.String("g"), Graphs: []*onnxpb.GraphProto{g}}
				}
				g = &onnxpb.GraphProto{Node: []*onnxpb.NodeProto{{OpType: proto.String("If"), Attribute: []*onnxpb.AttributeProto{a}}}}
			}
			_, err := (&decoder{}).graph(g, "g", 0)
			if extra == 0 {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "graphs are nested deeper than 32")
			}
		}
	}
}

// TestAFailedWriteLeavesNothing: neither the model nor the file beside it, when the place cannot be written or the rename fails.
func TestAFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "model.onnx")
	require.NoError(t, os.MkdirAll(filepath.Join(target, "full"), 0o755)) // a folder in the way, which rename does not replace
	m, err := graph.Parse("input x: float32[1]\ny = Relu(x)\noutput y: float32[1]\n")
	require.NoError(t, err)
	err = Write(target, m)
	require.ErrorContains(t, err, target+": ")
	require.Equal(t, 1, strings.Count(err.Error(), target), "the path is named once")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "no partial file")
	require.ErrorContains(t, Write(filepath.Join(dir, "absent", "model.onnx"), m), "no such file")
}

// TestNamesOfDamage: an attribute, an operator or a domain with a control character or broken UTF-8 comes from damage and is refused
// where it stands.
func TestNamesOfDamage(t *testing.T) {
	for _, bad := range []string{"a\x00b", "a\xff", "\u200b"} {
		for _, n := range []*onnxpb.NodeProto{
			{OpType: &bad}, {OpType: proto.String("Relu"), Domain: &bad}, {OpType: proto.String("Relu"), Overload: &bad},
			{OpType: proto.String("Relu"), Attribute: []*onnxpb.AttributeProto{{Name: &bad, I: proto.Int64(1)}}},
		} {
			_, err := (&decoder{}).nodes([]*onnxpb.NodeProto{n}, 0)
			require.ErrorContains(t, err, "the file is damaged", "%q", bad)
		}
	}
	_, err := (&decoder{}).nodes([]*onnxpb.NodeProto{{OpType: proto.String("Größe")}}, 0)
	require.NoError(t, err)
}
