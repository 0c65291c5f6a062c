package fuse

import (
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// joinBias turns MatMul followed by a bias Add into Gemm where the runtime does: B has two axes and the bias suits a
// Gemm; A has two axes, or more that are all known, in which case the Gemm stands between two Reshapes.
//
//	A -> MatMul(B) -> Add(bias) -> y     becomes     A -> [Reshape] -> Gemm(B, bias) -> [Reshape] -> y
//
// It is done for float operands as well, before anything is known of integers (ort-semantics 4.7).
func joinBias(e *editor) (changed bool) {
	for _, n := range e.order() {
		if !e.alive[n] || !is(n, "MatMul") {
			continue
		}
		use := e.only(n.Outputs[0])
		if use == nil || !is(use.Node, "Add") {
			continue
		}
		bias := use.Node.Inputs[1-use.Input]
		a, okA := e.shape(n.Inputs[0])
		b, okB := e.shape(n.Inputs[1])
		c, okC := e.shape(bias)
		if !okA || !okB || !okC || len(b) != 2 || len(a) == 0 || !gemmBias(a, b[1], c) || !e.isFloat(n.Inputs[1], bias) {
			continue
		}
		if len(a) != 2 && (slices.Min(a) < 0 || b[0] < 0 || b[1] < 0) {
			continue
		}
		e.toGemm(n, use.Node, bias, a, b)
		changed = true
	}
	return changed
}

// gemmBias reports whether a bias of shape c broadcasts the way Gemm's does over rows of a and n columns. A bias of one
// element is refused unless there is one column.
func gemmBias(a []int, n int, c []int) bool {
	if n < 0 {
		return false
	}
	if len(c) == 1 {
		return c[0] == n
	}
	if len(a) != 2 || len(c) != 2 {
		return false
	}
	return c[0] == 1 && c[1] == n || c[0] >= 0 && c[0] == a[0] && (c[1] == 1 || c[1] == n)
}

// isFloat reports whether constants among names are float32; computed values are judged by the graph's validity.
func (e *editor) isFloat(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		t := e.g.Consts[name]
		return t != nil && t.DType != tensor.Float32
	})
}

// toGemm replaces matmul and add. The deferred Reshape is added behind the Gemm; order sorts them in any case.
func (e *editor) toGemm(matmul, add *graph.Node, bias string, a, b []int) {
	in, out := matmul.Inputs[0], add.Outputs[0]
	e.remove(matmul)
	e.remove(add)
	gemmIn, gemmOut := in, out
	reshape := func(suffix, from, to string, shape []int) {
		v := make([]int64, len(shape))
		for i, d := range shape {
			v[i] = int64(d)
		}
		c := e.constant(matmul.Name+suffix+"/shape", tensor.Of(tensor.Int64, []int{len(v)}, v))
		e.add(&graph.Node{Name: matmul.Name + suffix, Op: "Reshape", Inputs: []string{from, c}, Outputs: []string{to}})
	}
	if len(a) != 2 {
		rows := tensor.Count(a[:len(a)-1])
		gemmIn, gemmOut = e.fresh(matmul.Name+"/rows"), e.fresh(matmul.Name+"/gemm")
		reshape("/rows", in, gemmIn, []int{rows, b[0]})
		defer reshape("/unrows", gemmOut, out, append(slices.Clone(a[:len(a)-1]), b[1]))
	}
	e.add(&graph.Node{Name: matmul.Name, Op: "Gemm", Inputs: []string{gemmIn, matmul.Inputs[1], bias}, Outputs: []string{gemmOut}})
}

// quantizeBiases stores the constant float bias of a Conv or Gemm between DQ and Q as int32 with scale input times
// weight, whether or not the layer fuses afterwards, as the runtime does. The layer's weight must be quantized: a float
// weight marks a layer that has to stay float.
//
//	DQ(x) -> Conv(DQ(w), bias) -> [Relu|Clip]* -> Q    bias = rint(f32(b / f32(sx*sw))), ort-semantics 6.1
func quantizeBiases(e *editor) (changed bool) {
	for _, n := range e.order() {
		if !is(n, "Conv", "ConvTranspose", "Gemm") || n.Input(2) == "" {
			continue
		}
		bias := e.g.Consts[n.Inputs[2]]
		x, ok1 := e.dequantizer(e.prod[n.Inputs[0]])
		w, ok2 := e.dequantizer(e.prod[n.Inputs[1]])
		if bias == nil || bias.DType != tensor.Float32 || len(bias.Shape) != 1 || !ok1 || !ok2 || w.s == nil ||
			x.s == nil || x.s.Len() != 1 || !e.leadsToQ(n) {
			continue
		}
		axis, rank := 0, 4
		if n.Op == "Gemm" {
			rank = 2
			if n.Int("transB", 0) == 0 {
				axis = 1
			}
		}
		if shape, ok := e.shape(w.data()); ok {
			rank = len(shape)
		}
		if !w.single() && !w.perAxis(rank, axis, bias.Len()) {
			continue
		}
		e.integerBias(n, bias, product(x.s.F32()[0], w.s.F32()), len(w.s.Shape) == 0)
		changed = true
	}
	return changed
}

// integerBias replaces bias input 2 of n by DQ of round(bias / scale), half to even. Numbers beyond int32 become the
// lowest int32, as ONNX Runtime's conversion makes them: the exporter sees to it that there are none (quant, fitBias).
func (e *editor) integerBias(n *graph.Node, bias *tensor.Tensor, scale []float32, scalar bool) {
	q := make([]int32, bias.Len())
	for i, b := range bias.F32() {
		r := math.RoundToEven(float64(float32(b / scale[i%len(scale)])))
		if !(r >= math.MinInt32 && r <= math.MaxInt32) {
			r = math.MinInt32 // what the runtime's conversion makes of numbers that do not fit
		}
		q[i] = int32(r)
	}
	shape := []int{len(scale)}
	if scalar {
		shape = nil
	}
	dq := &graph.Node{
		Name: n.Name + "/bias", Op: "DequantizeLinear", Outputs: []string{e.fresh(n.Name + "/bias")},
		Inputs: []string{
			e.constant(n.Name+"/bias_int32", tensor.Of(tensor.Int32, bias.Shape, q)),
			e.constant(n.Name+"/bias_scale", tensor.Of(tensor.Float32, shape, scale)),
		},
	}
	if len(scale) > 1 {
		dq.SetInt("axis", 0)
	}
	e.add(dq)
	e.setInput(n, 2, dq.Outputs[0])
}

// leadsToQ reports whether n's output goes to one Q, through any number of Relu and Clip and nothing else.
func (e *editor) leadsToQ(n *graph.Node) bool {
	for len(n.Outputs) == 1 {
		use := e.only(n.Outputs[0])
		if use == nil || use.Input != 0 {
			return false
		}
		n = use.Node
		if n.Op == "QuantizeLinear" {
			return true
		}
		if n.Op != "Relu" && n.Op != "Clip" {
			return false
		}
	}
	return false
}
