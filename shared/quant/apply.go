package quant

import (
	"fmt"
	"sync/atomic"

	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// Plans applies plans of one model and params. What a weight is in integers does not depend on the plan: it is made when the first plan
// needs it, and its tensor is shared by the graphs of all plans, so that whoever packs constants or takes their digests does it
// once. Safe for concurrent use.
type Plans struct {
	model    *graph.Model
	params   *plan.Params
	integers []atomic.Pointer[tensor.Tensor] // by point; of weights
}

// NewPlans makes the Plans of m and params, which must not change afterwards. params may be nil: no plan can be INT8 then.
func NewPlans(m *graph.Model, params *plan.Params) *Plans {
	s := &Plans{model: m, params: params}
	if params != nil {
		s.integers = make([]atomic.Pointer[tensor.Tensor], len(params.Points))
	}
	return s
}

// Apply is Plans.Apply for a single plan. The order of steps matters: patches first, since a bias point quantizes the
// corrected bias; constants before activations, since w.quantized decides where protect acts; then flush, so that
// protect sees the graph with its pairs.
func Apply(m *graph.Model, params *plan.Params, p plan.Plan) (*graph.Model, error) {
	return NewPlans(m, params).Apply(p)
}

// Apply returns the QDQ graph of a plan: what is evaluated and, written to a file, what users run. It depends on the
// plan's effective points and patches only. The model is not changed; tensors are shared with it. Names of inputs, outputs and
// nodes stay; new names derive from those of the values they belong to. A plan of nothing INT8 gives a copy of the model. Whether
// p.Params is the digest of the params is not looked at.
//
// Params of another model are an error: each point names the value that each of its uses must read.
func (s *Plans) Apply(p plan.Plan) (*graph.Model, error) {
	groups, params := 0, s.params
	if params != nil {
		groups = len(params.Groups)
	}
	if err := p.Check(groups); err != nil {
		return nil, err
	}
	points, patches := plan.Effective(params, p)
	out := s.model.Clone()
	if len(points) == 0 {
		return out, nil
	}
	w := newWriter(out.Graph)
	for _, x := range patches {
		if err := w.patch(x); err != nil {
			return nil, fmt.Errorf("patch of %q: %w", x.Use.Node, err)
		}
	}
	var pairs []*pair
	for _, i := range points {
		x := params.Points[i]
		var err error
		switch x.Kind {
		case plan.Weight:
			err = w.weight(x, &s.integers[i])
		case plan.Bias:
			err = w.bias(x)
		default:
			pairs = addPair(pairs, x)
		}
		if err != nil {
			return nil, fmt.Errorf("point on %q: %w", x.Value, err)
		}
	}
	for _, q := range pairs {
		if err := w.activation(q); err != nil {
			return nil, fmt.Errorf("point on %q: %w", q.value, err)
		}
	}
	w.flush()
	w.protect()
	w.flush()
	w.sweep()
	return out, nil
}

// pair is one QuantizeLinear and DequantizeLinear, which serves all effective points of a value that agree in their parameters.
type pair struct {
	value string
	dtype tensor.DType
	scale float32
	zero  int32
	uses  []plan.Use
}

// Two points of one value exist where a layer owns one and its reader needs one (see site): with both effective the
// file holds a single pair for the union of their uses.
func addPair(pairs []*pair, x plan.Point) []*pair {
	var q *pair
	for _, have := range pairs {
		if have.value == x.Value && have.dtype == x.DType && have.scale == x.Scale[0] && have.zero == x.Zero[0] {
			q = have
		}
	}
	if q == nil {
		q = &pair{value: x.Value, dtype: x.DType, scale: x.Scale[0], zero: x.Zero[0]}
		pairs = append(pairs, q)
	}
	for _, u := range x.Uses {
		seen := false
		for _, have := range q.uses {
			seen = seen || have == u
		}
		if !seen {
			q.uses = append(q.uses, u)
		}
	}
	return pairs
}

// patch puts a corrected bias in place. The input may lie one past the end: a Conv without a bias gets one. Omitted
// inputs in between become "".
func (w *writer) patch(x plan.Patch) error {
	n := w.node[x.Use.Node]
	if n == nil || int(x.Use.Input) > len(n.Inputs)+1 {
		return fmt.Errorf("the model has no such node (params of another model?)")
	}
	for len(n.Inputs) <= int(x.Use.Input) {
		n.Inputs = append(n.Inputs, "")
	}
	n.Inputs[x.Use.Input] = w.constant(n.Name+"/bias", x.Tensor())
	return nil
}

// weight stores a constant as integers with a DequantizeLinear in front of its uses. made holds the integers once they
// are known. Axis -1 is one scale for all. Uint8 weights are constant operands of Add and the like, which take an
// activation's type; they have no axis.
func (w *writer) weight(x plan.Point, made *atomic.Pointer[tensor.Tensor]) error {
	t := w.g.Consts[x.Value]
	if t == nil || t.DType != tensor.Float32 {
		return fmt.Errorf("the model has no such float constant (params of another model?)")
	}
	if x.Axis >= 0 && (int(x.Axis) >= len(t.Shape) || t.Shape[x.Axis] != len(x.Scale)) {
		return fmt.Errorf("%d scales along axis %d of shape %v", len(x.Scale), x.Axis, t.Shape)
	}
	if made.Load() == nil {
		made.CompareAndSwap(nil, integers(x, t)) // who comes second made the same
	}
	return w.dequantize(x, x.Value, made.Load())
}

// integers is constant t as point x stores it.
func integers(x plan.Point, t *tensor.Tensor) *tensor.Tensor {
	q := tensor.New(x.DType, t.Shape...)
	if x.DType == tensor.Int8 {
		copy(tensor.View[int8](q), quantizeWeights(t.F32(), t.Shape, int(x.Axis), x.Scale, 127))
	} else {
		quantizeU8(q.Data, t.F32(), x.Scale[0], x.Zero[0])
	}
	return q
}

// bias stores a bias as int32. Its bytes come from the constant that stands there now: the corrected one where there is
// a patch. x.Value is empty for a bias that only a patch makes. A single value is repeated where the channels have scales
// of their own; under one scale it stays one, and the runtimes broadcast it.
func (w *writer) bias(x plan.Point) error {
	u := x.Uses[0]
	n := w.node[u.Node]
	if n == nil {
		return fmt.Errorf("the model has no node %q (params of another model?)", u.Node)
	}
	name := n.Input(int(u.Input))
	t := w.g.Consts[name]
	if t == nil || t.DType != tensor.Float32 || t.Len() == 0 {
		return fmt.Errorf("input %d of %q is no float constant", u.Input, u.Node)
	}
	b := t.F32()
	count := max(len(b), len(x.Scale))
	if len(x.Scale) != 1 && len(x.Scale) != count {
		return fmt.Errorf("%d scales for %d values", len(x.Scale), count)
	}
	q := tensor.New(tensor.Int32, count)
	ints := tensor.View[int32](q)
	for c := range ints {
		ints[c] = quantizeBias(b[c%len(b)], x.Scale[c%len(x.Scale)])
	}
	x.Uses = x.Uses[:1]
	if x.Value == "" || w.g.Consts[x.Value] == nil {
		x.Value = n.Name + "/bias"
	}
	return w.dequantize(x, name, q)
}

// dequantize writes constant q with its DequantizeLinear and lets x's uses, which read value now, read that. Scale and
// zero point have a shape of [n] with an axis and none without. Nodes go to the front of the graph, as they read
// constants only.
func (w *writer) dequantize(x plan.Point, value string, q *tensor.Tensor) error {
	var shape []int
	if x.Axis >= 0 {
		shape = []int{len(x.Scale)}
	}
	zero := tensor.New(x.DType, shape...)
	for i, z := range x.Zero {
		switch x.DType {
		case tensor.Int32:
			tensor.View[int32](zero)[i] = z
		default:
			zero.Data[i] = byte(z)
		}
	}
	n := &graph.Node{
		Name: w.fresh(x.Value+"/DequantizeLinear", w.nodeNames), Op: "DequantizeLinear",
		Inputs: []string{
			w.constant(x.Value+"/quantized", q),
			w.constant(x.Value+"/scale", tensor.Of(tensor.Float32, shape, x.Scale)),
			w.constant(x.Value+"/zero_point", zero),
		},
		Outputs: []string{w.fresh(x.Value+"/dequantized", w.values)},
	}
	if x.Axis >= 0 {
		n.SetInt("axis", int64(x.Axis))
	}
	w.front = append(w.front, n)
	for _, u := range x.Uses {
		if err := w.redirect(u, value, n.Outputs[0]); err != nil {
			return err
		}
	}
	if x.Kind == plan.Weight {
		for _, u := range x.Uses {
			w.quantized[w.node[u.Node]] = true
		}
	}
	return nil
}

// activation writes a pair behind the value. Where a float Conv is followed by MaxPool the pair stands behind the
// MaxPool: in front of it ONNX Runtime would pool bytes in a layout for which it is slow. The numbers are the same,
// since rounding keeps order. The doubleCast behind that MaxPool keeps ONNX Runtime from quantizing the float Conv
// after all (protect.go).
func (w *writer) activation(q *pair) error {
	var rest []plan.Use
	for _, u := range q.uses {
		n := w.node[u.Node]
		if n == nil || n.Op != "MaxPool" || !w.floatConv(q.value) || w.x.Output[n.Outputs[0]] {
			rest = append(rest, u)
			continue
		}
		if n.Inputs[0] != q.value {
			return fmt.Errorf("node %q does not read it (params of another model?)", u.Node)
		}
		pooled := w.doubleCast(n.Outputs[0], &w.after, n)
		var uses []plan.Use
		for _, r := range w.x.Uses[n.Outputs[0]] {
			if !r.Sub {
				uses = append(uses, use(r.Node, r.Input))
			}
		}
		if err := w.quantize(q, n.Outputs[0], pooled, n, uses); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return w.quantize(q, q.value, q.value, w.x.Producer[q.value], rest)
}

// quantize adds QuantizeLinear and DequantizeLinear on from, behind node producer (nil: at the graph's start), for uses
// that read value now. from differs from value only where casts stand between the two. Uses with Node "" are outputs of
// the graph.
func (w *writer) quantize(q *pair, value, from string, producer *graph.Node, uses []plan.Use) error {
	if producer == nil && !w.isInput(value) {
		return fmt.Errorf("the model has no such value (params of another model?)")
	}
	scale := w.constant(value+"/scale", tensor.Of(tensor.Float32, nil, []float32{q.scale}))
	zero := w.constant(value+"/zero_point", &tensor.Tensor{DType: q.dtype, Data: []byte{byte(q.zero)}})
	qn := &graph.Node{
		Name: w.fresh(value+"/QuantizeLinear", w.nodeNames), Op: "QuantizeLinear",
		Inputs: []string{from, scale, zero}, Outputs: []string{w.fresh(value+"/quantized", w.values)},
	}
	dq := &graph.Node{
		Name: w.fresh(value+"/DequantizeLinear", w.nodeNames), Op: "DequantizeLinear",
		Inputs: []string{qn.Outputs[0], scale, zero}, Outputs: []string{w.fresh(value+"/dequantized", w.values)},
	}
	for _, u := range uses {
		if u.Node == "" {
			w.becomeOutput(value, qn, dq)
			continue
		}
		if err := w.redirect(u, value, dq.Outputs[0]); err != nil {
			return err
		}
	}
	if producer == nil {
		w.front = append(w.front, qn, dq)
	} else {
		w.after[producer] = append(w.after[producer], qn, dq)
	}
	return nil
}

// quantizeU8 stores v as u8. q = clamp(rne(f32(v/scale)), -zero, 255-zero) + zero: QuantizeLinear with saturation in
// front of the zero point, which gives the same byte.
func quantizeU8(dst []byte, v []float32, scale float32, zero int32) {
	for i, x := range v {
		dst[i] = byte(clampRound(float64(x/scale), float64(-zero), float64(255-zero)) + float64(zero))
	}
}
