package op_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/proto"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/onnxpb"
	"assay/shared/op"
	"assay/shared/tensor"
)

// runCase evaluates a model on all of its data sets and compares the outputs with those of the suite.
func runCase(path string, tol tolerance) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	m, err := onnx.Decode(b, "")
	if err != nil {
		return err
	}
	var pb onnxpb.ModelProto
	if err := proto.Unmarshal(b, &pb); err != nil {
		return err
	}
	if filepath.Base(path) != "model.onnx" {
		return runWhole(m.Graph, path, tol)
	}
	sets, err := filepath.Glob(filepath.Join(filepath.Dir(path), "test_data_set_*"))
	if err != nil {
		return err
	}
	for _, set := range sets {
		in := map[string]*tensor.Tensor{}
		for i, p := range pb.Graph.Input {
			file := filepath.Join(set, fmt.Sprintf("input_%d.pb", i))
			if _, err := os.Stat(file); err != nil {
				continue // an initializer that is also an input
			}
			if in[p.GetName()], err = readTensor(file); err != nil {
				return fmt.Errorf("input %q: %w", p.GetName(), err)
			}
		}
		if err := compare(m.Graph, in, tol, func(i int) string { return filepath.Join(set, fmt.Sprintf("output_%d.pb", i)) }); err != nil {
			return err
		}
	}
	return nil
}

// runWhole runs a network of group light: its inputs are the ramps k/n that the suite makes, its outputs lie beside it.
func runWhole(g *graph.Graph, path string, tol tolerance) error {
	in := map[string]*tensor.Tensor{}
	for _, p := range g.Inputs {
		shape, ok := p.Type.Fixed()
		if !ok || p.Type.DType != tensor.Float32 {
			return fmt.Errorf("input %q has no fixed shape of float32", p.Name)
		}
		x := tensor.New(tensor.Float32, shape...)
		for i := range x.F32() {
			x.F32()[i] = float32(float64(i) / float64(x.Len()))
		}
		in[p.Name] = x
	}
	base := path[:len(path)-len(".onnx")]
	return compare(g, in, tol, func(i int) string { return fmt.Sprintf("%s_output_%d.pb", base, i) })
}

// compare evaluates g and reads what output i should be from file(i). What the shape rules say of any value, from the shapes of the
// inputs alone and with their elements, is what the run gives.
func compare(g *graph.Graph, in map[string]*tensor.Tensor, tol tolerance, file func(i int) string) error {
	env, err := evaluate(g, in)
	if err != nil {
		return err
	}
	for _, elements := range []bool{false, true} {
		if err := inferred(g, in, env, elements); err != nil {
			return err
		}
	}
	for i, p := range g.Outputs {
		want, err := readTensor(file(i))
		if err == nil {
			err = tol.check(want, env[p.Name])
		}
		if err != nil {
			return fmt.Errorf("output %q: %w", p.Name, err)
		}
	}
	return nil
}

// inferred compares types, shapes and elements that InferShapes finds with those of a run.
func inferred(g *graph.Graph, in, env map[string]*tensor.Tensor, elements bool) error {
	known := map[string]op.Info{}
	for name, t := range in {
		known[name] = op.Info{DType: t.DType, Shape: t.Shape}
		if elements {
			known[name] = op.Info{DType: t.DType, Shape: t.Shape, Value: t}
		}
	}
	info, err := op.InferShapes(g, known)
	if err != nil {
		return fmt.Errorf("shape rules: %w", err)
	}
	for name, i := range info {
		t := env[name]
		if t == nil || i.DType == tensor.Invalid {
			continue // an output that some branch leaves open
		}
		if t.DType != i.DType || !slices.Equal(t.Shape, i.Shape) {
			return fmt.Errorf("shape rules say %q is %s%v, the run gives %s%v", name, i.DType, i.Shape, t.DType, t.Shape)
		}
		if i.Value != nil && !bytes.Equal(i.Value.Data, t.Data) {
			return fmt.Errorf("shape rules give %q other elements than the run", name)
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
		return nil, fmt.Errorf("%s holds no tensor (a sequence or an optional?): %w", filepath.Base(path), err)
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
		return nil, err
	}
	return model.Graph.Consts["t"], nil
}
