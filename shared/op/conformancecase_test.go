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
	"assay/shared/onnx/suite"
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
	declared := map[string]graph.Type{}
	for _, p := range m.Graph.Inputs {
		declared[p.Name] = p.Type
	}
	for _, set := range sets {
		in := map[string]*tensor.Tensor{}
		for i, p := range pb.Graph.Input {
			file := filepath.Join(set, fmt.Sprintf("input_%d.pb", i))
			if _, err := os.Stat(file); err != nil {
				continue // an initializer that is also an input
			}
			if in[p.GetName()], err = suite.Read(file, declared[p.GetName()]); err != nil {
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
		want, err := suite.Read(file(i), p.Type)
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
		known[name] = infoOf(t, elements)
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
		if err := agrees(i, t); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return nil
}

// infoOf is what a shape rule may know of t: its elements if it is told them. How many items a container has counts as shape.
func infoOf(t *tensor.Tensor, elements bool) op.Info {
	x := op.Info{DType: t.DType, Shape: t.Shape, Elem: t.Elem}
	switch {
	case t.DType.Container():
		x.Items = []op.Info{}
		for _, item := range t.Items {
			x.Items = append(x.Items, infoOf(item, elements))
		}
	case elements:
		x.Value = t
	}
	return x
}

// agrees compares what shape rules say with a value of the run.
func agrees(i op.Info, t *tensor.Tensor) error {
	if t.DType != i.DType || !slices.Equal(t.Shape, i.Shape) {
		return fmt.Errorf("shape rules say %s%v, the run gives %s%v", i.DType, i.Shape, t.DType, t.Shape)
	}
	if i.Value != nil && !bytes.Equal(i.Value.Data, t.Data) {
		return fmt.Errorf("shape rules give other elements than the run")
	}
	if i.Elem != tensor.Invalid && i.Elem != t.Elem || i.Items != nil && len(i.Items) != len(t.Items) {
		return fmt.Errorf("shape rules say %d items of %s, the run gives %d of %s", len(i.Items), i.Elem, len(t.Items), t.Elem)
	}
	for k := range i.Items {
		if err := agrees(i.Items[k], t.Items[k]); err != nil {
			return fmt.Errorf("item %d: %w", k, err)
		}
	}
	return nil
}
