package fuse

import (
	"bytes"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// linear is a Q or a DQ that a pattern may use: its integers are of type dtype, s is the scale when it is constant, z the
// zero point when it is given and constant. node is nil in the zero value, which stands for an input that is no DQ.
type linear struct {
	node  *graph.Node
	dtype tensor.DType
	s, z  *tensor.Tensor
}

func (l linear) data() string  { return l.node.Inputs[0] }
func (l linear) scale() string { return l.node.Inputs[1] }
func (l linear) out() string   { return l.node.Outputs[0] }

// single reports whether scale and zero point are constants of one element; a missing zero point counts.
func (l linear) single() bool {
	return l.s != nil && l.s.Len() == 1 && (l.node.Input(2) == "" || l.z != nil && l.z.Len() == 1)
}

// scalar is single with no axes at all: the runtime's Add and Mul look at it so narrowly.
func (l linear) scalar() bool {
	return l.single() && len(l.s.Shape) == 0 && (l.z == nil || len(l.z.Shape) == 0)
}

// zero is the zero point as a number, for single ones.
func (l linear) zero() int {
	if l.z == nil {
		return 0
	}
	v, err := l.z.Ints()
	if err != nil || len(v) == 0 {
		return 0
	}
	return int(v[0])
}

// limits is the range of the integer type; ok is false for types that saturate no pattern here.
func (l linear) limits() (lo, hi int, ok bool) {
	switch l.dtype {
	case tensor.Uint8:
		return 0, 255, true
	case tensor.Int8:
		return -128, 127, true
	case tensor.Uint16:
		return 0, 65535, true
	case tensor.Int16:
		return -32768, 32767, true
	}
	return 0, 0, false
}

// quantizer returns n as a Q. Blocked quantization and scales other than float32 are not for patterns. The type is the
// zero point's, else output_dtype, else u8.
func (e *editor) quantizer(n *graph.Node) (linear, bool) {
	l, ok := e.linear(n, "QuantizeLinear")
	if !ok {
		return l, false
	}
	l.dtype = tensor.DType(n.Int("output_dtype", 0))
	if l.z != nil {
		l.dtype = l.z.DType
	} else if l.dtype == tensor.Invalid {
		l.dtype = tensor.Uint8
	}
	return l, true
}

// dequantizer returns n as a DQ.
func (e *editor) dequantizer(n *graph.Node) (linear, bool) {
	l, ok := e.linear(n, "DequantizeLinear")
	if !ok {
		return l, false
	}
	if l.z != nil {
		l.dtype = l.z.DType
	} else {
		l.dtype = e.dtype(n.Inputs[0])
	}
	return l, true
}

// A computed zero point disqualifies, a computed scale does not: s is nil then.
func (e *editor) linear(n *graph.Node, op string) (linear, bool) {
	if n == nil || n.Op != op || n.Domain != "" && n.Domain != microsoft || !formed(n) || n.Int("block_size", 0) != 0 {
		return linear{}, false
	}
	l := linear{node: n, s: e.g.Consts[n.Inputs[1]], z: e.g.Consts[n.Input(2)]}
	if l.s != nil && l.s.DType != tensor.Float32 || n.Input(2) != "" && l.z == nil {
		return linear{}, false
	}
	return l, true
}

// equal reports whether a Q and a DQ undo each other: explicit, constant, single scale and zero point, equal. An implied
// zero point does not count, because the runtime asks for three inputs.
func equal(a, b linear) bool {
	return a.single() && b.single() && a.z != nil && b.z != nil && a.z.DType == b.z.DType &&
		a.s.F32()[0] == b.s.F32()[0] && bytes.Equal(a.z.Data, b.z.Data)
}

// zeroPoint returns the name of l's zero point, making the constant when the node leaves it out. An implied zero point
// is 0 of the integers' type.
func (e *editor) zeroPoint(l linear) string {
	if name := l.node.Input(2); name != "" {
		return name
	}
	d := l.dtype
	if d != tensor.Int8 && d != tensor.Uint8 {
		d = tensor.Uint8
	}
	return e.constant(l.node.Name+"/zero", tensor.New(d))
}

// perAxis reports whether l's constant parameters are single, or one per element of the given axis of its constant data
// of n elements along it.
func (l linear) perAxis(rank, axis, n int) bool {
	if l.s == nil {
		return false
	}
	if l.single() {
		return true
	}
	at := int(l.node.Int("axis", 1))
	if at < 0 {
		at += rank
	}
	return at == axis && slices.Equal(l.s.Shape, []int{n}) && (l.z == nil || l.z.Len() == n || l.z.Len() == 1)
}

// product is the scale of an integer accumulator: float32(x*w) per element of w. Each is rounded once, as
// float32(sx*sw) in ort-semantics 6.1.
func product(x float32, w []float32) []float32 {
	out := make([]float32, len(w))
	for i, s := range w {
		out[i] = x * s
	}
	return out
}
