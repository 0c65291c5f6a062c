package fuse

import (
	"slices"

	"assay/shared/tensor"
)

// rules says which operators have an integer form. A rule returns false when the pattern is not complete.
var rules = map[string]func(e *editor, m match) bool{
	"Conv": fuseConv, "Gemm": fuseGemm, "MatMul": fuseMatMul,
	"Add": fuseBinary, "Mul": fuseBinary, "Concat": fuseConcat,
	"AveragePool": fuseUnary, "GlobalAveragePool": fuseUnary, "LeakyRelu": fuseUnary, "Sigmoid": fuseUnary, "Softmax": fuseUnary,
	"MaxPool": passThrough, "Resize": passThrough, "Split": passThrough,
	"DepthToSpace": passThrough, "SpaceToDepth": passThrough, "Expand": passThrough, "Flatten": passThrough,
	"Gather": passThrough, "GatherElements": passThrough, "Reshape": passThrough, "Slice": passThrough,
	"Squeeze": passThrough, "Tile": passThrough, "Transpose": passThrough, "Unsqueeze": passThrough,
}

// integers applies the rules, each node once, producers first.
//
//	DQ -+
//	DQ -+-> operator -> [redundant Relu or Clip] -> Q     becomes     the integer operator on the integers in front of the DQs
func integers(e *editor) (changed bool) {
	for _, n := range e.order() {
		rule := rules[n.Op]
		if rule == nil || !is(n, n.Op) || !e.alive[n] {
			continue
		}
		if m, ok := e.matchNode(n); ok && rule(e, m) {
			changed = true
		}
	}
	return changed
}

// byteType reports whether l holds u8 or s8.
func byteType(l linear) bool { return l.dtype == tensor.Uint8 || l.dtype == tensor.Int8 }

// triple is data, scale and zero point of a DQ as inputs of an integer operator.
func (e *editor) triple(l linear) []string { return []string{l.data(), l.scale(), e.zeroPoint(l)} }

// target is scale and zero point of the output.
func (e *editor) target(q linear) []string { return []string{q.scale(), e.zeroPoint(q)} }

// fuseConv: u8 data with single parameters, constant weight per tensor or output channel, an int32 bias whose scale is
// near that of the accumulator. The result is QLinearConv(x, sx, zx, w, sw, zw, sy, zy[, bias]).
func fuseConv(e *editor, m match) bool {
	if !e.complete(m, -1, false) || len(m.q) != 1 {
		return false
	}
	x, w, q := m.in[0], m.in[1], m.q[0]
	weight := e.g.Consts[w.data()]
	if x.dtype != tensor.Uint8 || q.dtype != tensor.Uint8 || !x.single() || !q.single() || !byteType(w) || weight == nil ||
		len(weight.Shape) < 3 || !w.perAxis(len(weight.Shape), 0, weight.Shape[0]) {
		return false
	}
	inputs := slices.Concat(e.triple(x), e.triple(w), e.target(q))
	if m.n.Input(2) != "" {
		b := m.in[2]
		if t := e.g.Consts[b.data()]; t == nil || t.DType != tensor.Int32 || t.Len() != weight.Shape[0] || !nearScale(b, x, w) {
			return false
		}
		inputs = append(inputs, b.data())
	}
	e.replace(m, "", "QLinearConv", inputs)
	return true
}

// nearScale reports whether b's scale is that of the accumulator, within the runtime's tolerance: an absolute 1e-6
// plus one part in a hundred.
func nearScale(b, x, w linear) bool {
	if b.s == nil {
		return false
	}
	got, want := b.s.F32(), product(x.s.F32()[0], w.s.F32())
	if len(got) == 0 || len(want) == 0 || len(got) != len(want) && len(got) != 1 && len(want) != 1 {
		return false
	}
	for i := range max(len(got), len(want)) {
		g, s := float64(got[i%len(got)]), float64(want[i%len(want)])
		if d := g - s; !(max(d, -d) <= 1e-6+float64(1e-2*max(s, -s))) {
			return false
		}
	}
	return true
}

// fuseGemm gives u8 with a Q and float without. The result is QGemm(a, sa, za, b, sb, zb, bias[, sy, zy]); without y
// and bias the list ends at zb. alpha would multiply an integer bias too, so with one the runtime leaves the Gemm literal;
// without one, or with transA, it fuses what package op refuses, and here that stays literal as well.
func fuseGemm(e *editor, m match) bool {
	if !e.complete(m, -1, true) || len(m.q) > 1 || m.n.Float("alpha", 1) != 1 || m.n.Int("transA", 0) != 0 {
		return false
	}
	a, b := m.in[0], m.in[1]
	weight := e.g.Consts[b.data()]
	if !a.single() || !byteType(a) || !byteType(b) || a.dtype == tensor.Int8 && b.dtype != tensor.Int8 || weight == nil || len(weight.Shape) != 2 {
		return false
	}
	axis := 1
	if m.n.Int("transB", 0) != 0 {
		axis = 0
	}
	n := weight.Shape[axis]
	if !b.perAxis(2, axis, n) {
		return false
	}
	bias := ""
	if m.n.Input(2) != "" {
		c := m.in[2]
		t := e.g.Consts[c.data()]
		if t == nil || t.DType != tensor.Int32 || m.n.Float("beta", 1) != 1 || t.Len() != n {
			return false
		}
		bias = c.data()
	}
	inputs := append(slices.Concat(e.triple(a), e.triple(b)), bias)
	if len(m.q) == 1 {
		if m.q[0].dtype != a.dtype || !m.q[0].single() {
			return false
		}
		inputs = append(inputs, e.target(m.q[0])...)
	} else if bias == "" {
		inputs = inputs[:6]
	}
	e.replace(m, microsoft, "QGemm", inputs).Unset("beta")
	return true
}

// fuseMatMul gives u8 with a Q and float without. B may be computed. Constant B has its scales on the last axis.
// MatMulIntegerToFloat takes both scales behind both matrices. With more than one Q it falls through to complete, which
// refuses.
func fuseMatMul(e *editor, m match) bool {
	if m.dqs != 2 {
		return false
	}
	a, b := m.in[0], m.in[1]
	if a.dtype != tensor.Uint8 || !byteType(b) || !a.single() {
		return false
	}
	if !b.single() {
		t := e.g.Consts[b.data()]
		if t == nil || len(t.Shape) != 2 || !b.perAxis(2, 1, t.Shape[1]) {
			return false
		}
	}
	if len(m.q) == 0 {
		e.replace(m, microsoft, "MatMulIntegerToFloat",
			[]string{a.data(), b.data(), a.scale(), b.scale(), e.zeroPoint(a), e.zeroPoint(b)})
		return true
	}
	if !e.complete(m, 2, false) || m.q[0].dtype != a.dtype || !m.q[0].single() {
		return false
	}
	e.replace(m, "", "QLinearMatMul", slices.Concat(e.triple(a), e.triple(b), e.target(m.q[0])))
	return true
}

// sameBytes reports whether all inputs that come from a DQ, and the one Q, hold one 8-bit type and single parameters.
func sameBytes(m match) bool {
	if len(m.q) != 1 || !byteType(m.q[0]) || !m.q[0].single() {
		return false
	}
	return !slices.ContainsFunc(m.in, func(l linear) bool { return l.node != nil && (l.dtype != m.q[0].dtype || !l.single()) })
}

// fuseBinary is QLinearAdd and QLinearMul. Scales must have no axes, not even one of one element.
func fuseBinary(e *editor, m match) bool {
	if !e.complete(m, -1, false) || !sameBytes(m) || !m.in[0].scalar() || !m.in[1].scalar() || !m.q[0].scalar() {
		return false
	}
	e.replace(m, microsoft, "QLinear"+m.n.Op, slices.Concat(e.triple(m.in[0]), e.triple(m.in[1]), e.target(m.q[0])))
	return true
}

// fuseConcat is QLinearConcat, whose output parameters come first.
func fuseConcat(e *editor, m match) bool {
	if !e.complete(m, -1, false) || !sameBytes(m) {
		return false
	}
	inputs := e.target(m.q[0])
	for _, l := range m.in {
		inputs = append(inputs, e.triple(l)...)
	}
	e.replace(m, microsoft, "QLinearConcat", inputs)
	return true
}

// fuseUnary is pooling, tables and Softmax. Softmax carries the opset whose meaning its axis has.
func fuseUnary(e *editor, m match) bool {
	if !e.complete(m, 1, false) || !sameBytes(m) {
		return false
	}
	n := e.replace(m, microsoft, "QLinear"+m.n.Op, slices.Concat(e.triple(m.in[0]), e.target(m.q[0])))
	if m.n.Op == "Softmax" {
		n.SetInt("opset", 13)
	}
	return true
}

// passThrough lets an operator that only selects or moves elements work on the integers, when every Q after it has the
// parameters of the DQ before it. A Resize must select (nearest); a MaxPool needs a positive scale. The Q's name goes
// to the operator's output, so integers flow under it.
func passThrough(e *editor, m match) bool {
	if m.clip != nil || m.in[0].node == nil || len(m.q) == 0 || !e.complete(m, 1, false) {
		return false
	}
	dq := m.in[0]
	if m.n.Op == "Resize" && m.n.Str("mode", "nearest") != "nearest" {
		return false
	}
	if m.n.Op == "MaxPool" && !(dq.single() && dq.s.F32()[0] > 0) {
		return false
	}
	if slices.ContainsFunc(m.q, func(q linear) bool { return !equal(q, dq) || !byteType(q) }) {
		return false
	}
	inputs := slices.Clone(m.n.Inputs)
	inputs[0] = dq.data()
	e.replace(m, "", m.n.Op, inputs)
	return true
}
