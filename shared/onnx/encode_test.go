package onnx

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// requireChecked runs ONNX's own checker over a file, where a Python that has it is named.
func requireChecked(t *testing.T, path string) {
	t.Helper()
	python := os.Getenv("ASSAY_PYTHON")
	if python == "" {
		t.Log("not checked by onnx.checker: ASSAY_PYTHON is not set")
		return
	}
	out, err := exec.Command(python, "-c", "import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// everything uses each field of a model that has a place in a file.
const everything = `opset 21
file_opset 21
ir 10
import "ai.onnx.ml" 3
producer "maker"
producer_version "1.0"
domain "org.example"
model_doc "about"
version 7
meta "b" "1"
meta "a" "2"
graph main
doc "the graph"
input x: float32[N,2]
input c: bool[]
e: float32[0] = const []
h: float16[2] = const [1, -0.5]
w: float32[2] = const [1, 2]
s: float32[N,2] = Add(x, w) @add !"why"
t = If(c) {else_branch=graph no {
  n = Neg(s) @neg
  output n: float32[N,2]
}, then_branch=graph yes {
  k: float32[] = const [3]
  m: float32[N,2] = Mul(s, k) @mul
  r = Relu(m) @relu
  output r: float32[N,2]
}} @if
y = LeakyRelu(t) {alpha=0.5} @leaky
output y: float32[N,2]
output c: bool[]
`

// TestEverythingSurvives compares text before and after a file.
func TestEverythingSurvives(t *testing.T) {
	m, err := graph.Parse(everything)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, Write(path, m))
	requireChecked(t, path)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	again, err := parse(b, nil)
	require.NoError(t, err)
	again.FileOpset = m.FileOpset
	require.Equal(t, everything, graph.Print(again))
	requireStable(t, again)
}

// TestAttributesSurvive has an attribute of every kind, and a function with references and an overload.
func TestAttributesSurvive(t *testing.T) {
	text := `opset 21
file_opset 21
ir 10
import "my.dom" 1
func my.dom.F(a, b) (c) {
  import "" 21
  attr alpha
  default beta=0.5
  c = LeakyRelu(a) {alpha=ref alpha float}
}
func "my.dom":"F:second"(a) (a) {
}
graph graph
input x: float32[2]
y = my.dom.F(x, "") {alpha=1.0, f=0.25, fs=[1.0,nan], g=graph g {
  output x
}, gs=graphs[graph gs_0 {
  output x
}], i=-3, is=[1,2], s="t\x00\xff", ss=["a",""], t=tensor int8[2] [1, -1], ts=tensors[tensor bool[] [1]]} @one
z = "my.dom":"F:second"(y) @two
output z
`
	m, err := graph.Parse(text)
	require.NoError(t, err)
	b, err := Encode(m)
	require.NoError(t, err)
	again, err := parse(b, nil)
	require.NoError(t, err)
	again.FileOpset = m.FileOpset
	want, err := graph.Parse(text)
	require.NoError(t, err)
	require.Equal(t, graph.Print(want), graph.Print(again))
}

// TestUnknownAttributeKindsSurvive keeps a type as attribute, byte for byte.
func TestUnknownAttributeKindsSurvive(t *testing.T) {
	elem := &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(1)}}}
	a := &onnxpb.AttributeProto{Name: proto.String("type"), Type: onnxpb.AttributeProto_TYPE_PROTO.Enum(), Tp: elem}
	b := small(t, func(m *onnxpb.ModelProto) { m.Graph.Node[1].Attribute = []*onnxpb.AttributeProto{a} })
	m, err := parse(b, nil)
	require.NoError(t, err)
	require.Equal(t, graph.KindOther, m.Graph.Nodes[1].Attrs[0].Kind)
	out, err := Encode(m)
	require.NoError(t, err)
	pb := &onnxpb.ModelProto{}
	require.NoError(t, proto.Unmarshal(out, pb))
	require.True(t, proto.Equal(a, pb.Graph.Node[1].Attribute[0]))
}

// TestAttributesWithoutType reads what exporters before IR 2 wrote.
func TestAttributesWithoutType(t *testing.T) {
	attrs := []*onnxpb.AttributeProto{
		{Name: proto.String("f"), F: proto.Float32(1)}, {Name: proto.String("i"), I: proto.Int64(2)},
		{Name: proto.String("is"), Ints: []int64{3}}, {Name: proto.String("s"), S: []byte("x")},
	}
	b := small(t, func(m *onnxpb.ModelProto) { m.Graph.Node[1].Attribute = attrs })
	m, err := parse(b, nil)
	require.NoError(t, err)
	n := m.Graph.Nodes[1]
	require.Equal(t, float32(1), n.Float("f", 0))
	require.Equal(t, int64(2), n.Int("i", 0))
	require.Equal(t, []int64{3}, n.Ints("is"))
	require.Equal(t, "x", n.Str("s", ""))
}

// TestTypedData stores each element type in the field that ONNX assigns to it.
func TestTypedData(t *testing.T) {
	type proto3 = *onnxpb.TensorProto
	two := []int{2}
	cases := []struct {
		want *tensor.Tensor
		set  func(proto3)
	}{
		{tensor.Of(tensor.Float32, two, []float32{1, -2}), func(p proto3) { p.FloatData = []float32{1, -2} }},
		{tensor.Of(tensor.Float64, two, []float64{1, -2}), func(p proto3) { p.DoubleData = []float64{1, -2} }},
		{tensor.Of(tensor.Int64, two, []int64{1, -2}), func(p proto3) { p.Int64Data = []int64{1, -2} }},
		{tensor.Of(tensor.Uint64, two, []uint64{1, 1 << 63}), func(p proto3) { p.Uint64Data = []uint64{1, 1 << 63} }},
		{tensor.Of(tensor.Uint32, two, []uint32{1, 1 << 31}), func(p proto3) { p.Uint64Data = []uint64{1, 1 << 31} }},
		{tensor.Of(tensor.Int32, two, []int32{1, -2}), func(p proto3) { p.Int32Data = []int32{1, -2} }},
		{tensor.Of(tensor.Int16, two, []int16{1, -2}), func(p proto3) { p.Int32Data = []int32{1, -2} }},
		{tensor.Of(tensor.Uint16, two, []uint16{1, 65535}), func(p proto3) { p.Int32Data = []int32{1, 65535} }},
		{tensor.Of(tensor.Int8, two, []int8{127, -2}), func(p proto3) { p.Int32Data = []int32{127, 254} }},
		{tensor.Of(tensor.Uint8, two, []uint8{1, 254}), func(p proto3) { p.Int32Data = []int32{1, 254} }},
		{tensor.Of(tensor.Bool, two, []uint8{1, 0}), func(p proto3) { p.Int32Data = []int32{1, 0} }},
		{tensor.Of(tensor.Float16, two, []uint16{0x3c00, 0xc000}), func(p proto3) { p.Int32Data = []int32{0x3c00, 0xc000} }},
		{tensor.Of(tensor.BFloat16, two, []uint16{0x3f80, 0xc000}), func(p proto3) { p.Int32Data = []int32{0x3f80, 0xc000} }},
		{&tensor.Tensor{DType: tensor.Complex64, Shape: []int{1}, Data: tensor.Of(tensor.Float32, two, []float32{1, 2}).Data},
			func(p proto3) { p.FloatData = []float32{1, 2} }},
		{&tensor.Tensor{DType: tensor.Complex128, Shape: []int{1}, Data: tensor.Of(tensor.Float64, two, []float64{1, 2}).Data},
			func(p proto3) { p.DoubleData = []float64{1, 2} }},
	}
	d := &decoder{}
	for _, c := range cases {
		t.Run(c.want.DType.String(), func(t *testing.T) {
			pb := &onnxpb.TensorProto{DataType: proto.Int32(int32(c.want.DType)), Dims: []int64{int64(c.want.Shape[0])}}
			c.set(pb)
			got, err := d.tensor(pb)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			pb.Dims[0]++
			_, err = d.tensor(pb)
			require.ErrorContains(t, err, "elements, "+c.want.DType.String()+"["+strconv.Itoa(c.want.Shape[0]+1)+"] needs")
		})
	}
	_, err := d.tensor(&onnxpb.TensorProto{DataType: proto.Int32(3), Dims: []int64{1}, Int32Data: []int32{256}})
	require.EqualError(t, err, "element 0 is 256, which no int8 can be")
}

// TestReaderArranges covers what files do and the graph does not: order, names, listed initializers, Constant nodes,
// stale hints, hidden names.
func TestReaderArranges(t *testing.T) {
	b := small(t, func(m *onnxpb.ModelProto) {
		g := m.Graph
		g.Input = append(g.Input, &onnxpb.ValueInfoProto{Name: proto.String("w"), Type: g.Input[0].Type})
		g.ValueInfo = append(g.ValueInfo, &onnxpb.ValueInfoProto{Name: proto.String("gone"), Type: g.Input[0].Type})
		g.Node[0].Name, g.Node[1].Name = nil, proto.String("add")
		k := node("Constant", nil, []string{"k"})
		k.Attribute = []*onnxpb.AttributeProto{{Name: proto.String("value_floats"), Type: onnxpb.AttributeProto_FLOATS.Enum(), Floats: []float32{5, 6}}}
		last := node("Mul", []string{"y", "k"}, []string{"z"})
		last.Name = proto.String("add")
		g.Node = append([]*onnxpb.NodeProto{last, g.Node[1], g.Node[0]}, k)
		*g.Output[0].Name = "z"
	})
	m, err := Decode(b, "")
	require.NoError(t, err)
	require.Equal(t, `input x: float32[2]
k: float32[2] = const [5, 6]
w: float32[2] = const [1, 2]
s: float32[2] = Add(x, w) @Add_s
y = Relu(s) @add_2
z = Mul(y, k) @add
output z: float32[2]
`, graph.PrintGraph(m.Graph))
}

// TestMetadataKept keeps pairs in file order, duplicates too.
func TestMetadataKept(t *testing.T) {
	b := small(t, func(m *onnxpb.ModelProto) {
		m.MetadataProps = []*onnxpb.StringStringEntryProto{pair("z", "1"), pair("a", "2"), pair("z", "3")}
	})
	m, err := Decode(b, "")
	require.NoError(t, err)
	require.Equal(t, []graph.Pair{{Key: "z", Value: "1"}, {Key: "a", Value: "2"}, {Key: "z", Value: "3"}}, m.Metadata)
}

// TestIRVersion writes the model's own where that is enough.
func TestIRVersion(t *testing.T) {
	cases := []struct{ opset, ir, want int }{{13, 3, 7}, {13, 9, 9}, {8, 3, 4}, {9, 3, 4}, {21, 8, 10}, {18, 8, 8}, {24, 10, 12}}
	for _, c := range cases {
		require.EqualValues(t, c.want, irVersion(&graph.Model{Opset: c.opset, IRVersion: c.ir}), "opset %d, IR %d", c.opset, c.ir)
	}
	require.EqualValues(t, 8, irVersion(&graph.Model{Opset: 13, Functions: []graph.Function{{Name: "F"}}}))
}
