package op_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/onnxpb"
	"assay/shared/op"
	"assay/shared/tensor"
)

// unsupported lists what is refused in cases whose operators are known here: a pattern of the error and the reason. What is
// not listed has to pass, and a row that no case needs is an error too.
var unsupported = []struct{ pattern, reason string }{
	{`element type (b?float16|float64|bool) is not supported`, "computing in these types is no part of inference in float32 or int8"},
	{`elements of type (u?int[24]|float[48]\w+|string) cannot be constants`, "no kernel reads sub-byte types, 8-bit floats or strings"},
	{`attribute to is \d+, which is no supported element type`, "casts to the same types"},
	{`output type|input 1 \(scale\) is no float32|scale is float16`, "scales in float16"},
	{`attribute round_mode`, "rounding modes of 8-bit float scales"},
	{`graph output "?\w*"?.* (sequence|optional)|is an? (sequence|optional)|no tensor`, "sequences and optionals"},
	{`opset 1 of ai.onnx`, "opsets before 7 have other broadcasting rules; the case file is older than its operator"},
	{`output 1 \(indices\)`, "MaxPool's indices serve unpooling only"},
	{`3 spatial axes`, "kernels work on lines and images"},
	{`statistic for training|training_mode`, "training"},
	{`block_size`, "blocked quantization has no integer form in the runtimes"},
	{`a int(32|64) raised to a float32`, "the result would be cut back to integers"},
}

// TestConformance runs the ONNX project's own cases for every operator of the table, with the suite's tolerances.
func TestConformance(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(assets(t), "onnx-conformance", "node", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	refused := map[string]int{}
	passed := 0
	for _, dir := range dirs {
		pb := readModel(t, dir)
		if pb == nil || !known(pb.Graph) {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			m, err := onnx.Decode(mustMarshal(t, pb), "")
			if err == nil {
				err = conform(t, m.Graph, pb, dir, 1e-3, 1e-7)
			}
			if err == nil {
				passed++
				return
			}
			i := slices.IndexFunc(unsupported, func(u struct{ pattern, reason string }) bool {
				return regexp.MustCompile(u.pattern).MatchString(err.Error())
			})
			require.GreaterOrEqual(t, i, 0, err)
			refused[unsupported[i].pattern]++
		})
	}
	require.Greater(t, passed, 700)
	for _, u := range unsupported {
		require.NotZero(t, refused[u.pattern], "no case needs the row %q", u.pattern)
	}
	t.Logf("%d cases pass; refused: %v", passed, refused)
}

func mustMarshal(t *testing.T, m proto.Message) []byte {
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	return b
}

func readModel(t *testing.T, dir string) *onnxpb.ModelProto {
	b, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	require.NoError(t, err)
	var m onnxpb.ModelProto
	if proto.Unmarshal(b, &m) != nil {
		return nil
	}
	return &m
}

// known reports whether op has every operator of g.
func known(g *onnxpb.GraphProto) bool {
	for _, n := range g.Node {
		if op.Lookup(n.GetDomain(), n.GetOpType()) == nil && n.GetOpType() != "Constant" {
			return false
		}
	}
	return true
}

// conform runs all data sets of a case.
func conform(t *testing.T, g *graph.Graph, pb *onnxpb.ModelProto, dir string, rtol, atol float64) error {
	sets, err := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	require.NoError(t, err)
	for _, set := range sets {
		in := map[string]*tensor.Tensor{}
		for i, p := range pb.Graph.Input {
			if in[p.GetName()], err = readTensor(filepath.Join(set, fmt.Sprintf("input_%d.pb", i))); err != nil {
				return err
			}
		}
		env, err := evaluate(g, in)
		if err != nil {
			return err
		}
		for i, p := range g.Outputs {
			want, err := readTensor(filepath.Join(set, fmt.Sprintf("output_%d.pb", i)))
			if err != nil {
				return err
			}
			requireClose(t, want, env[p.Name], rtol, atol)
		}
	}
	return nil
}

// readTensor decodes a TensorProto by way of a model that has it as a constant.
func readTensor(path string) (*tensor.Tensor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var pb onnxpb.TensorProto
	if err := proto.Unmarshal(b, &pb); err != nil {
		return nil, err
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
		return nil, fmt.Errorf("%s: element type or form: %w", path, err)
	}
	return model.Graph.Consts["t"], nil
}

// requireClose demands |got - want| <= atol + rtol*|want| of floats and equality of all else.
func requireClose(t *testing.T, want, got *tensor.Tensor, rtol, atol float64) {
	t.Helper()
	require.NotNil(t, got)
	require.Equal(t, want.DType, got.DType)
	require.Equal(t, len(want.Shape), len(got.Shape), "shapes %v and %v", want.Shape, got.Shape)
	for i, n := range want.Shape {
		require.Equal(t, n, got.Shape[i], "shapes %v and %v", want.Shape, got.Shape)
	}
	if want.DType != tensor.Float32 {
		differ := 0
		for i := range want.Data {
			if want.Data[i] != got.Data[i] {
				differ++
			}
		}
		require.Zero(t, differ, "of %d bytes", len(want.Data))
		return
	}
	g := got.F32()
	for i, w := range want.F32() {
		a, b := float64(w), float64(g[i])
		same := a == b || math.IsNaN(a) && math.IsNaN(b)
		require.True(t, same || math.Abs(a-b) <= atol+rtol*math.Abs(a), "element %d is %v, want %v", i, g[i], w)
	}
}
