package main

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"assay/coordinator/report"
	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/tensor"
)

// checkWritten checks an exported model: by its structure, by Assay's own engine, and in ONNX Runtime.
func (c *fieldCase) checkWritten(t *testing.T, w *world, path string, r *report.Report, oracle *oracle) error {
	m, err := onnx.Read(path)
	if err != nil {
		return err
	}
	f := &qdq{m.Graph, graph.NewIndex(m.Graph)}
	return all(f.parameters(), c.placement(f, r), c.opset(m), c.inAssay(t, w, m), c.inRuntime(oracle, path))
}

func (c *fieldCase) inAssay(t *testing.T, w *world, m *graph.Model) error {
	if len(c.Check.Int8) == 0 {
		return nil
	}
	if err := c.compare(t, w, m, c.Check.Int8); err != nil {
		return fmt.Errorf("INT8: %w", err)
	}
	return nil
}

func (c *fieldCase) inRuntime(oracle *oracle, path string) error {
	if oracle == nil {
		return nil
	}
	v, err := oracle.run(c, path)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range v.Faults {
		errs = append(errs, fmt.Errorf("%s", f))
	}
	for o := range c.Outputs {
		if len(v.Faults) > 0 {
			break
		}
		if len(c.Check.Int8) > 0 {
			errs = append(errs, expect(v.Worst[o] <= c.Check.Int8[o], "ONNX Runtime: output %q differs by %.4g, %.4g is allowed", c.Outputs[o].Name, v.Worst[o], c.Check.Int8[o]))
		}
		if len(c.Check.Levels) > 0 {
			errs = append(errs, expect(v.Between[o] <= c.Check.Levels[o], "ONNX Runtime: output %q differs by %.4g between levels, %.4g is allowed", c.Outputs[o].Name, v.Between[o], c.Check.Levels[o]))
		}
	}
	return all(errs...)
}

func (c *fieldCase) opset(m *graph.Model) error {
	return expect(m.FileOpset >= c.Check.MinOpset, "opset %d", m.FileOpset)
}

// qdq is an exported graph.
type qdq struct {
	g *graph.Graph
	x *graph.Index
}

// parameters: every scale is finite and above 0, every zero point is named and lies in its type, no bias is at its limit.
func (f *qdq) parameters() error {
	var errs []error
	for _, n := range f.g.Nodes {
		if n.Op != "QuantizeLinear" && n.Op != "DequantizeLinear" {
			continue
		}
		scale, zero := f.g.Consts[n.Input(1)], f.g.Consts[n.Input(2)]
		if scale == nil || zero == nil {
			errs = append(errs, fmt.Errorf("%s names no scale or zero point", n.Name))
			continue
		}
		for _, v := range scale.F32() {
			errs = append(errs, expect(v > 0 && !math.IsInf(float64(v), 0), "%s: scale %g", n.Name, v))
		}
		if q := f.g.Consts[n.Input(0)]; q != nil && q.DType == tensor.Int32 {
			for _, v := range tensor.View[int32](q) {
				errs = append(errs, expect(v != math.MaxInt32 && v != math.MinInt32, "%s: a bias at the limit of int32", n.Name))
			}
		}
	}
	return all(errs...)
}

// weight is the DequantizeLinear of int8 constants that n reads, and at which input; nil when there is none.
func (f *qdq) weight(n *graph.Node) (dq *graph.Node, input int) {
	for i, in := range n.Inputs {
		p := f.x.Producer[in]
		if p == nil || p.Op != "DequantizeLinear" {
			continue
		}
		if q := f.g.Consts[p.Input(0)]; q != nil && q.DType == tensor.Int8 {
			return p, i
		}
	}
	return nil, 0
}

// passing are operators that pass integers on.
var passing = []string{"MaxPool", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Pad"}

// fed reports whether v is a dequantized activation, over operators that pass integers.
func (f *qdq) fed(v string) bool {
	for {
		p := f.x.Producer[v]
		switch {
		case p == nil:
			return false
		case p.Op == "DequantizeLinear":
			return f.g.Consts[p.Input(0)] == nil
		case slices.Contains(passing, p.Op):
			v = p.Input(0)
		default:
			return false
		}
	}
}

// quantized reports whether n has int8 weights and a quantized input.
func (f *qdq) quantized(n *graph.Node) bool {
	dq, i := f.weight(n)
	return dq != nil && f.fed(n.Input(1-i))
}

// touched reports whether n is quantized: its constants are, or its data or results are for its own sake. The pair on the
// result of a layer, and that on the data of one, belong to the layer, whoever else reads or makes the value.
func (f *qdq) touched(n *graph.Node) bool {
	for _, in := range n.Inputs {
		dq := f.x.Producer[in]
		if dq == nil || dq.Op != "DequantizeLinear" {
			continue
		}
		q := f.x.Producer[dq.Input(0)]
		if q == nil || !f.layers(f.x.Producer[q.Input(0)]) {
			return true
		}
	}
	for _, o := range n.Outputs {
		for _, u := range f.x.Uses[o] {
			if u.Node.Op == "QuantizeLinear" && !u.Sub && !f.feedsLayers(f.x.Uses[u.Node.Outputs[0]][0].Node.Outputs[0]) {
				return true
			}
		}
	}
	return false
}

// layers: n is a layer with int8 weights, or the Relu behind one.
func (f *qdq) layers(n *graph.Node) bool {
	if n != nil && (n.Op == "Relu" || n.Op == "Clip") {
		n = f.x.Producer[n.Input(0)]
	}
	return n != nil && f.quantized(n)
}

// feedsLayers: all that reads v, over operators that pass integers, are layers with int8 weights.
func (f *qdq) feedsLayers(v string) bool {
	for _, u := range f.x.Uses[v] {
		if !f.quantized(u.Node) && !(slices.Contains(passing, u.Node.Op) && f.feedsLayers(u.Node.Outputs[0])) {
			return false
		}
	}
	return !f.x.Output[v]
}

// placement checks which nodes are INT8 and which float.
func (c *fieldCase) placement(f *qdq, r *report.Report) error {
	byName, weighted := map[string]*graph.Node{}, 0
	names := map[string]bool{}
	var errs []error
	for _, n := range f.g.Nodes {
		errs = append(errs, expect(!names[n.Name], "two nodes are called %q", n.Name))
		byName[n.Name], names[n.Name] = n, true
		if f.quantized(n) {
			weighted++
		}
	}
	for _, name := range c.Check.MustQuantize {
		n := byName[name]
		if n == nil || !f.quantized(n) {
			errs = append(errs, fmt.Errorf("%q is not quantized: %s", name, reasonOf(r, name)))
			continue
		}
		if axis, ok := c.Check.WeightAxis[name]; ok {
			dq, _ := f.weight(n)
			scale := f.g.Consts[dq.Input(1)]
			errs = append(errs, expect(int(dq.Int("axis", -1)) == axis && scale.Len() == f.g.Consts[dq.Input(0)].Shape[axis],
				"%q: %d scales along axis %d, want axis %d", name, scale.Len(), dq.Int("axis", -1), axis))
		}
	}
	for _, name := range c.Check.MustStayFloat {
		if n := byName[name]; n != nil && f.touched(n) {
			errs = append(errs, fmt.Errorf("%q is quantized and must stay float", name))
		}
	}
	errs = append(errs, expect(weighted >= c.Check.MinQuantized, "%d nodes have int8 weights, %d are wanted", weighted, c.Check.MinQuantized))
	for _, n := range f.g.Nodes {
		errs = append(errs, expect(n.Op != "Cast" || f.g.Consts[n.Input(0)] == nil, "%q casts a constant", n.Name))
	}
	return all(errs...)
}

// reasonOf is what the report says of an operation that stays float.
func reasonOf(r *report.Report, name string) string {
	for _, o := range r.Decisions.AlwaysFloat {
		if o.Name == name {
			return o.Reason
		}
	}
	var all []string
	for _, o := range r.Decisions.Operations {
		all = append(all, o.Name)
	}
	return "the operations are " + strings.Join(all, " ")
}

// unchanged: the written model computes what the input model does, bit for bit, and holds no Q or DQ.
func (c *fieldCase) unchanged(t *testing.T, w *world) error {
	written, err := onnx.Read(w.path("out/model_int8.onnx"))
	if err != nil {
		return err
	}
	for _, n := range written.Graph.Nodes {
		if strings.HasSuffix(n.Op, "QuantizeLinear") || strings.HasSuffix(n.Op, "DequantizeLinear") {
			return fmt.Errorf("%s is a %s", n.Name, n.Op)
		}
	}
	read, err := onnx.Read(filepath.Join(c.dir, c.Model))
	if err != nil {
		return err
	}
	got, err := c.outputs(t, w, written)
	if err != nil {
		return err
	}
	want, err := c.outputs(t, w, read)
	if err != nil {
		return err
	}
	return expect(reflect.DeepEqual(got, want), "the written model computes something else")
}
