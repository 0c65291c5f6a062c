package onnx

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// small is y = Relu(x + w) with one initializer; change edits the message before it is encoded.
func small(t testing.TB, change func(*onnxpb.ModelProto)) []byte {
	t.Helper()
	m, err := graph.Parse(`ir 8
		graph main
		input x: float32[2]
		w: float32[2] = const [1, 2]
		s: float32[2] = Add(x, w) @add
		y = Relu(s) @relu
		output y: float32[2]`)
	require.NoError(t, err)
	b, err := Encode(m)
	require.NoError(t, err)
	pb := &onnxpb.ModelProto{}
	require.NoError(t, proto.Unmarshal(b, pb))
	if change != nil {
		change(pb)
	}
	b, err = proto.MarshalOptions{AllowPartial: true}.Marshal(pb)
	require.NoError(t, err)
	return b
}

func node(op string, in, out []string) *onnxpb.NodeProto {
	return &onnxpb.NodeProto{OpType: &op, Input: in, Output: out}
}

// TestRefusals changes one thing in a good model and expects the error that says so.
func TestRefusals(t *testing.T) {
	type model = *onnxpb.ModelProto
	cases := []struct {
		name   string
		change func(model)
		want   string
	}{
		{"no graph", func(m model) { m.Graph = nil }, "is no ONNX model: it has no graph (another protobuf file: a tensor, a TensorFlow model?)"},
		{"old ir", func(m model) { m.IrVersion = proto.Int64(2) }, "IR version 2 is not read, 3 to 14 are; export the model with another ONNX version"},
		{"new ir", func(m model) { m.IrVersion = proto.Int64(99) }, "IR version 99 is not read, 3 to 14 are; export the model with another ONNX version"},
		{"no opset", func(m model) { m.OpsetImport = nil }, `node "add" (Add) is of ai.onnx, of which the model imports no opset`},
		{"two opsets", func(m model) {
			m.OpsetImport = append(m.OpsetImport, &onnxpb.OperatorSetIdProto{Domain: proto.String("ai.onnx"), Version: proto.Int64(9)})
		}, `domain "" is imported as opset 21 and 9`},
		{"opset 0", func(m model) { m.OpsetImport[0].Version = proto.Int64(0) }, `opset 0 of domain "" is impossible`},
		{"missing initializer", func(m model) { m.Graph.Initializer = nil },
			`graph "main": node "add" (Add): input 1: value "w" is not defined: no graph input, initializer or node output has this name; export the model again`},
		{"cycle", func(m model) { m.Graph.Node[0].Input[0] = "y" },
			`graph "main": nodes feed each other in a cycle: node "add" (Add) -> node "relu" (Relu) -> node "add" (Add); export the model again`},
		{"defined twice", func(m model) { m.Graph.Node[1].Output[0] = "s" },
			`graph "main": value "s" is defined twice: as output of node "add" (Add) and as output of node "relu" (Relu)`},
		{"output missing", func(m model) { *m.Graph.Output[0].Name = "z" },
			`graph "main": graph output "z" is not defined: no graph input, initializer or node output has this name; export the model again`},
		{"initializer twice", func(m model) { m.Graph.Initializer = append(m.Graph.Initializer, m.Graph.Initializer[0]) },
			`graph "main": initializer "w" is defined twice`},
		{"initializer without name", func(m model) { m.Graph.Initializer[0].Name = nil }, "is no ONNX model: graph: initializer 0 has no name"},
		{"node without operator", func(m model) { m.Graph.Node[1].OpType = nil }, `is no ONNX model: graph: node 1 "relu" has no operator`},
		{"sparse", func(m model) {
			m.Graph.SparseInitializer = []*onnxpb.SparseTensorProto{{Values: &onnxpb.TensorProto{Name: proto.String("sp")}}}
		}, `graph "main": initializer "sp" is sparse; store it dense`},
		{"short raw", func(m model) { m.Graph.Initializer[0].Dims = []int64{3} },
			`graph "main": initializer "w": raw data has 8 bytes, float32[3] needs 12: the file is damaged, export the model again`},
		{"negative axis", func(m model) { m.Graph.Initializer[0].Dims = []int64{-2} }, `graph "main": initializer "w": shape [-2] is impossible`},
		{"huge shape", func(m model) { m.Graph.Initializer[0].Dims = []int64{1 << 40, 1 << 40} },
			`graph "main": initializer "w": shape [1099511627776 1099511627776] is impossible`},
		{"stripped", func(m model) { m.Graph.Initializer[0].RawData = nil },
			`graph "main": initializer "w": holds 0 elements, float32[2] needs 2 (were its weights stripped, or are they in another field?)`},
		{"string", func(m model) { m.Graph.Initializer[0].DataType = proto.Int32(8) },
			`graph "main": initializer "w": elements of type string cannot be constants`},
		{"int4", func(m model) { m.Graph.Initializer[0].DataType = proto.Int32(22) },
			`graph "main": initializer "w": raw data has 8 bytes, int4[2] needs 1: the file is damaged, export the model again`},
		{"sequence", func(m model) {
			m.Graph.Input[0].Type = sequenceOf(sequenceOf(nil))
		}, `graph "main": input "x": is a sequence of sequences; those of tensors are read`},
		{"optional of optionals", func(m model) {
			m.Graph.Input[0].Type = optionalOf(optionalOf(nil))
		}, `graph "main": input "x": is an optional of other values than tensors`},
		{"sequence of maps", func(m model) {
			m.Graph.Input[0].Type = sequenceOf(&onnxpb.TypeProto{Value: &onnxpb.TypeProto_MapType{}})
		}, `graph "main": input "x": is a sequence of other values than tensors`},
		{"map", func(m model) { m.Graph.Input[0].Type = &onnxpb.TypeProto{Value: &onnxpb.TypeProto_MapType{}} },
			`graph "main": input "x": is a map; only tensors, sequences and optionals are read (classifier heads: export with zipmap off)`},
		{"sequence of no type", func(m model) {
			m.Graph.Input[0].Type = optionalOf(sequenceOf(&onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(253)}}}))
		}, `graph "main": input "x": is an optional whose item is a sequence whose item element type 253 is impossible`},
		{"untyped input", func(m model) { m.Graph.Input[0].Type = nil }, `graph "main": input "x": has no element type`},
		{"attribute twice", func(m model) {
			a := &onnxpb.AttributeProto{Name: proto.String("k"), Type: onnxpb.AttributeProto_INT.Enum()}
			m.Graph.Node[1].Attribute = []*onnxpb.AttributeProto{a, a}
		}, `graph "main": node "relu" (Relu): attribute "k" stands twice`},
		{"attribute without tensor", func(m model) {
			m.Graph.Node[1].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("k"), Type: onnxpb.AttributeProto_TENSOR.Enum()}}
		}, `graph "main": node "relu" (Relu): attribute "k": has no tensor`},
		{"external without folder", func(m model) { external(m, "w.bin", "0", "8") },
			`graph "main": initializer "w": external data "w.bin": the model came without a folder; read it from its file`},
		{"nested too deep", func(m model) {
			for range maxNesting + 2 {
				n := node("If", nil, []string{"deep"})
				n.Attribute = []*onnxpb.AttributeProto{{Name: proto.String("g"), Type: onnxpb.AttributeProto_GRAPH.Enum(), G: m.Graph}}
				m.Graph = &onnxpb.GraphProto{Node: []*onnxpb.NodeProto{n}}
			}
		}, "graphs are nested deeper than 32"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(small(t, c.change), "")
			require.Error(t, err)
			if c.name == "nested too deep" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.Equal(t, c.want, err.Error())
		})
	}
}

// TestUnknownOperatorsAreNamedAtOnce checks that the reader passes on package op's list.
func TestUnknownOperatorsAreNamedAtOnce(t *testing.T) {
	_, err := Decode(small(t, func(m *onnxpb.ModelProto) {
		*m.Graph.Node[0].OpType, *m.Graph.Node[1].OpType = "Frobnicate", "Grind"
	}), "")
	require.ErrorContains(t, err, "Frobnicate")
	require.ErrorContains(t, err, "Grind")
}

// TestLooksLike recognises what people pass instead of a model.
func TestLooksLike(t *testing.T) {
	cases := map[string]string{
		"":                                   "is no ONNX model: it looks like an empty file",
		"\xff\xd8\xff\xe0\x00\x10JFIF":       "is no ONNX model: it looks like a JPEG image",
		"\x89PNG\r\n":                        "is no ONNX model: it looks like a PNG image",
		"  <!DOCTYPE html><html>":            "is no ONNX model: it looks like an HTML page (a download that answered with a web page?)",
		"version https://git-lfs.github.com": "is no ONNX model: it looks like a Git LFS pointer; fetch the content with `git lfs pull`",
		"PK\x03\x04archive":                  "is no ONNX model: it looks like a zip archive (PyTorch .pt, Keras .keras, NumPy .npz?); export to ONNX first",
		"\x1c\x00\x00\x00TFL3":               "is no ONNX model: it looks like a TensorFlow Lite model; export to ONNX first",
		"{\"model\": 1}":                     "is no ONNX model: it looks like JSON",
		"<?xml version=\"1.0\"?>":            "is no ONNX model: it looks like XML (OpenVINO IR?); give the ONNX file",
		"just words":                         "is no ONNX model: it looks like text",
		"\x00\x00\x00\x00":                   "is no ONNX model: it looks like zeros (an unfinished download?)",
		"\x08\x03":                           "is no ONNX model: it has no graph (another protobuf file: a tensor, a TensorFlow model?)",
		"\x3a\x80\x80\x80\x80\x08ab":         "is no ONNX model: field 7 at byte 0 claims 2147483648 bytes, 2 are left: the file is truncated or damaged",
		"\xf1\xf2\xf3":                       "is no ONNX model: byte 0 is no field of a protobuf message",
	}
	for in, want := range cases {
		t.Run(fmt.Sprintf("%.12q", in), func(t *testing.T) {
			_, err := Decode([]byte(in), "")
			require.EqualError(t, err, want)
		})
	}
}

// TestTruncatedAtEveryByte cuts a model everywhere: an error or a model, never a panic.
func TestTruncatedAtEveryByte(t *testing.T) {
	whole := small(t, nil)
	for n := range whole {
		if m, err := Decode(whole[:n], ""); err == nil {
			require.NoError(t, graph.Validate(m), "%d bytes", n)
		}
	}
	_, err := Decode(whole, "")
	require.NoError(t, err)
}

// claims are inputs of some hundred bytes that claim two gigabytes in different ways.
func claims(t testing.TB) map[string][]byte {
	const claimed = 2 << 30
	over := func(path ...protowire.Number) []byte {
		b := protowire.AppendVarint(protowire.AppendTag(nil, path[len(path)-1], protowire.BytesType), claimed)
		for i := len(path) - 2; i >= 0; i-- {
			b = protowire.AppendBytes(protowire.AppendTag(nil, path[i], protowire.BytesType), b)
		}
		return append(b, bytes.Repeat([]byte{0}, 60)...)
	}
	shape := func(change func(*onnxpb.TensorProto)) []byte {
		return small(t, func(m *onnxpb.ModelProto) {
			m.Graph.Initializer[0].Dims = []int64{claimed / 4}
			change(m.Graph.Initializer[0])
		})
	}
	return map[string][]byte{
		"graph":       over(7),
		"node":        over(7, 1),
		"raw data":    over(7, 5, 9),
		"float data":  over(7, 5, 4),
		"name":        over(7, 5, 8),
		"doc":         over(6),
		"attribute":   over(7, 1, 5, 5, 9),
		"shape, raw":  shape(func(*onnxpb.TensorProto) {}),
		"shape, none": shape(func(t *onnxpb.TensorProto) { t.RawData = nil }),
		"shape, typed": shape(func(t *onnxpb.TensorProto) {
			t.RawData, t.FloatData = nil, []float32{1, 2}
		}),
		"shape, narrow": shape(func(t *onnxpb.TensorProto) {
			t.RawData, t.Int32Data, t.DataType = nil, []int32{1}, proto.Int32(3)
		}),
		"shape, overflow": shape(func(t *onnxpb.TensorProto) { t.Dims = []int64{math.MaxInt64, math.MaxInt64} }),
	}
}

// TestClaimsCostNothing measures what decoding each claim allocates.
func TestClaimsCostNothing(t *testing.T) {
	for name, b := range claims(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Decode(b, "")
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
		})
	}
}

// TestClaimsStayUnder64MiB runs all claims in a process of its own and reads its peak resident size.
func TestClaimsStayUnder64MiB(t *testing.T) {
	if os.Getenv("ASSAY_ONNX_CLAIMS") != "" {
		for name, b := range claims(t) {
			path := filepath.Join(t.TempDir(), "m.onnx")
			require.NoError(t, os.WriteFile(path, b, 0o644))
			_, err := Read(path)
			require.Error(t, err, name)
		}
		status, err := os.ReadFile("/proc/self/status")
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		var kib int
		_, err = fmt.Sscan(rest, &kib)
		require.NoError(t, err)
		t.Logf("peak resident size %d KiB", kib)
		require.Less(t, kib, 64<<10)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("skipped: peak resident size is read from /proc")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestClaimsStayUnder64MiB$", "-test.v")
	cmd.Env = append(os.Environ(), "ASSAY_ONNX_CLAIMS=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}
