package fuse

import (
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// dropCasts removes a Cast of a float32 value to double followed by a Cast to float32. The pair of casts is what the
// exporter protects a float layer with (ort-semantics 6.4); both are exact.
func dropCasts(e *editor) (changed bool) {
	for _, n := range e.order() {
		up := e.prod[n.Input(0)]
		if !is(n, "Cast") || n.Int("to", 0) != int64(tensor.Float32) || !is(up, "Cast") ||
			up.Int("to", 0) != int64(tensor.Float64) || !e.float32(up.Inputs[0]) {
			continue
		}
		if e.redirect(n.Outputs[0], up.Inputs[0]) {
			e.remove(n)
			changed = true
		}
	}
	return changed
}

// float32 reports whether a value is known to be float32.
func (e *editor) float32(name string) bool {
	if _, ok := e.dequantizer(e.prod[name]); ok {
		return true
	}
	return e.typeOf(name).DType == tensor.Float32
}

// cancel lets the readers of a Q whose input is a DQ with equal parameters read the DQ's integers.
//
//	q1 -> DQ -> Q -> q2     readers of q2 read q1
func cancel(e *editor) (changed bool) {
	for _, n := range e.order() {
		q, ok := e.quantizer(n)
		if !ok {
			continue
		}
		dq, ok := e.dequantizer(e.prod[q.data()])
		if ok && equal(q, dq) && byteType(q) && e.redirect(q.out(), dq.data()) {
			e.remove(n)
			changed = true
		}
	}
	return changed
}

// joinActivations makes FusedConv and FusedGemm of float layers followed by a Relu, or a Clip with constant bounds. A
// Clip joins a Conv only, as in the runtime. The clamp is applied as results are stored, so no bit changes.
func joinActivations(e *editor) (changed bool) {
	for _, n := range e.order() {
		if !e.alive[n] || !is(n, "Conv", "Gemm") {
			continue
		}
		use := e.only(n.Outputs[0])
		if use == nil || use.Input != 0 || !is(use.Node, "Relu", "Clip") {
			continue
		}
		act := use.Node
		low, high, bounded := e.clipBounds(act)
		if !(act.Op == "Relu" || bounded && n.Op == "Conv") {
			continue
		}
		f := &graph.Node{Name: n.Name, Domain: microsoft, Op: "Fused" + n.Op, Inputs: n.Inputs, Attrs: slices.Clone(n.Attrs), Doc: n.Doc}
		f.Set(graph.Attr{Name: "activation", Kind: graph.KindString, Str: []byte(act.Op)})
		if act.Op == "Clip" {
			f.Set(graph.Attr{Name: "activation_params", Kind: graph.KindFloats, Floats: []float32{low, high}})
		}
		f.Outputs = act.Outputs
		e.remove(n)
		e.remove(act)
		e.add(f)
		changed = true
	}
	return changed
}
