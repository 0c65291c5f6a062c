package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"assay/evaluator/engine"
	"assay/kernels/tier"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/onnxpb"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestEngineAgreesWithOp runs every case of the ONNX suite that package op can evaluate: compiled, the bits are the same.
// The exception is a Gemm whose C is computed: it is added behind the sums instead of in front of them.
func TestEngineAgreesWithOp(t *testing.T) {
	models, err := filepath.Glob(filepath.Join(assets(t), "onnx-conformance", "*", "*", "model.onnx"))
	require.NoError(t, err)
	e, agreed := engine.New(engine.Options{Memory: 1 << 28}), 0
	for i, path := range models {
		whole := filepath.Base(filepath.Dir(filepath.Dir(path))) == "light"
		if testing.Short() && i%40 != 0 || whole && tier.Current() == tier.Plain {
			continue
		}
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			m, err := onnx.Read(path)
			if err != nil || hasGemmSum(m.Graph) {
				t.SkipNow()
			}
			in := suiteInputs(dir, m.Graph)
			want, err := op.EvalGraph(context.Background(), m.Graph, in)
			if err != nil {
				t.SkipNow()
			}
			p, err := e.Compile(m, nil)
			require.NoError(t, err)
			got, err := p.Run(context.Background(), in, [32]byte{})
			require.NoError(t, err)
			for _, out := range m.Graph.Outputs {
				require.Equal(t, contents(want[out.Name]), contents(got[out.Name]), out.Name)
			}
			agreed++
		})
	}
	t.Logf("%d cases agree", agreed)
}

// contents is what two runs have to agree in: a tensor itself, of a container its items and not the memory that they lie in.
func contents(v *tensor.Tensor) any {
	if !v.DType.Container() {
		return v
	}
	items := []any{v.DType, v.Elem}
	for _, item := range v.Items {
		items = append(items, contents(item))
	}
	return items
}

// hasGemmSum reports whether the C of a Gemm is no constant.
func hasGemmSum(g *graph.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool { return n.Op == "Gemm" && n.Input(2) != "" && g.Consts[n.Input(2)] == nil })
}

// suiteInputs reads the first data set of a case; what cannot be read is missing.
func suiteInputs(dir string, g *graph.Graph) map[string]*tensor.Tensor {
	in := map[string]*tensor.Tensor{}
	for i, p := range g.Inputs {
		b, err := os.ReadFile(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("input_%d.pb", i)))
		if err != nil {
			continue
		}
		if x := valueOf(b, p.Type); x != nil {
			in[p.Name] = x
		}
	}
	return in
}

// valueOf decodes a value of the suite as its type declares it, nil when it cannot: a tensor, or, of a sequence and an optional
// alike, tensors in field 3 and sequences in field 5.
func valueOf(b []byte, declared graph.Type) *tensor.Tensor {
	if !declared.DType.Container() {
		var pb onnxpb.TensorProto
		if proto.Unmarshal(b, &pb) != nil {
			return nil
		}
		return constantOf(&pb)
	}
	var elem graph.Type
	if declared.Elem != nil {
		elem = *declared.Elem
	}
	var items []*tensor.Tensor
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(num, typ, b[max(n, 0):])
		if n < 0 || size < 0 {
			return nil
		}
		if num == 3 || num == 5 {
			inner, _ := protowire.ConsumeBytes(b[n:])
			items = append(items, valueOf(inner, elem))
		}
		b = b[n+size:]
	}
	v := tensor.SequenceOf(elem.DType, items...)
	if declared.DType == tensor.Optional {
		v = tensor.OptionalOf(append(items, nil)[0])
	}
	if v.Check() != nil {
		return nil
	}
	return v
}

// constantOf decodes a tensor by way of a model that has it as a constant, nil when it cannot be one.
func constantOf(pb *onnxpb.TensorProto) *tensor.Tensor {
	pb.Name = proto.String("t")
	raw, err := proto.Marshal(&onnxpb.ModelProto{
		IrVersion: proto.Int64(8), OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(21)}},
		Graph: &onnxpb.GraphProto{
			Name: proto.String("g"), Initializer: []*onnxpb.TensorProto{pb},
			Output: []*onnxpb.ValueInfoProto{{Name: proto.String("t")}},
		},
	})
	if err != nil {
		return nil
	}
	m, err := onnx.Decode(raw, "")
	if err != nil {
		return nil
	}
	return m.Graph.Consts["t"]
}
