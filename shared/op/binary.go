package op

import (
	"fmt"

	"assay/kernels/elementwise"
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// binaryOps combine two inputs (or any number, folded from the left) under numpy's broadcasting, which before opset 7 was
// attribute broadcast with axis; the upgrade reshapes the second operand. All operands have one type; there are no
// attributes left. Integers wrap and divide towards zero; a division by zero gives 0. NaN wins in Max and Min. Refused:
// operands of different types, shapes that do not stretch to each other. Add and Mul of two computed tensors have integer
// forms with their own output scale (qbinaryOps); the others stay float.
var binaryOps = []*Op{
	binary("Add", []int{6, 7, 13, 14}, RoleElementwise, numericTypes),
	binary("Sub", []int{6, 7, 13, 14}, RoleFloat, numericTypes),
	binary("Mul", []int{6, 7, 13, 14}, RoleElementwise, numericTypes),
	binary("Div", []int{6, 7, 13, 14}, RoleFloat, numericTypes),
	prelu(binary("PRelu", []int{6, 7, 9, 16}, RoleFloat, float32Only)),
	variadic("Max", []int{6, 8, 12, 13}, numericTypes),
	variadic("Min", []int{6, 8, 12, 13}, numericTypes),
	variadic("Sum", []int{6, 8, 13}, floats),
	variadic("Mean", []int{6, 8, 13}, float32Only),
	compare("Equal", []int{6, 7, 11, 13, 19}, append([]tensor.DType{tensor.Bool}, numericTypes...)),
	compare("Less", []int{6, 7, 9, 13}, numericTypes),
	compare("Greater", []int{6, 7, 9, 13}, numericTypes),
	compare("LessOrEqual", []int{12, 16}, numericTypes),
	compare("GreaterOrEqual", []int{12, 16}, numericTypes),
	compare("And", []int{6, 7}, boolOnly),
	compare("Or", []int{6, 7}, boolOnly),
	compare("Xor", []int{6, 7}, boolOnly),
}

// binary is an operator of two operands in their own type. MemoryAny holds because the walk maps strides of either
// layout; that is why lowerPairs never looks at axes itself.
func binary(name string, opsets []int, role Role, types []tensor.DType) *Op {
	return &Op{
		Name: name, Opsets: opsets, Role: role, Memory: MemoryAny, Types: types, RowWise: broadcastKeepsRows,
		Upgrade: upgradeBroadcast, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferBroadcast(tensor.Invalid),
		Lower: func(l *Lower) (Kernel, error) { return lowerBinary(l, name) },
	}
}

// prelu makes the slope's older meaning the upgrade. Before opset 7 a slope of one axis counted channels; numpy's rule
// would match it with the last axis.
func prelu(o *Op) *Op {
	o.Upgrade = upgradePRelu
	return o
}

// compare is a binary operator whose result is bool, one byte of 0 or 1. Comparisons with NaN are false, except that
// NaN is also unequal to itself, so Equal gives false (IEEE 754, 5.11).
func compare(name string, opsets []int, types []tensor.DType) *Op {
	o := binary(name, opsets, RoleFloat, types)
	o.Infer = inferBroadcast(tensor.Bool)
	return o
}

// variadic is an operator of one or more operands, folded from the left: ((a op b) op c). The order is part of the
// numbers for Sum and Mean in floats; ONNX leaves it open.
func variadic(name string, opsets []int, types []tensor.DType) *Op {
	return &Op{
		Name: name, Opsets: opsets, Role: RoleFloat, Memory: MemoryAny, Types: types, RowWise: broadcastKeepsRows,
		Inputs: Arity{1, -1}, Outputs: Arity{1, 1}, Infer: inferBroadcast(tensor.Invalid),
		Lower: func(l *Lower) (Kernel, error) { return lowerVariadic(l, name) },
	}
}

// inferBroadcast is numpy's rule for all inputs; to is the output's type, or Invalid for the inputs' own. All inputs
// have to be of one type (alike): ONNX has no promotion.
func inferBroadcast(to tensor.DType) func(*Infer) error {
	return func(x *Infer) error {
		shapes := make([][]int, len(x.In))
		for i, in := range x.In {
			if !x.has(i) {
				return fmt.Errorf("input %d is omitted but required", i)
			}
			if err := x.alike(i); err != nil {
				return err
			}
			shapes[i] = in.Shape
		}
		out, err := broadcast(shapes...)
		if err != nil {
			return err
		}
		d := to
		if d == tensor.Invalid {
			d = x.In[0].DType
		}
		x.put(0, d, out...)
		return nil
	}
}

// pairs is a walk over the elements of an output, in memory order, with the strides of two operands. Joining axes first
// keeps ranks below what the kernels take. Invariants: len(shape) == len(a) == len(b) >= 1; no entry of shape is 1
// unless it is the only one; a stride of 0 says that the operand stands still along that axis. Strides are in elements.
type pairs struct{ shape, a, b []int }

// newPairs joins neighbouring axes i and i+1 when both operands step over axis i exactly as they do over all of axis
// i+1, that is a[i] = shape[i+1] * a[i+1] and the same for b. A dense pair of operands becomes one axis, which is the
// form that vector kernels want.
func newPairs(shape, a, b []int) *pairs {
	p := &pairs{}
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if k := len(p.shape) - 1; k >= 0 && p.a[k] == n*a[i] && p.b[k] == n*b[i] {
			p.shape[k] *= n
			p.a[k], p.b[k] = a[i], b[i]
			continue
		}
		p.shape, p.a, p.b = append(p.shape, n), append(p.a, a[i]), append(p.b, b[i])
	}
	if len(p.shape) == 0 {
		p.shape, p.a, p.b = []int{1}, []int{0}, []int{0}
	}
	return p
}

// pairLoop makes the loop of one function over operands of one type. The loop writes dst densely in the walk's order;
// dst may be a's or b's own buffer if that operand is not stretched and T and D have one size. An empty dst is left
// alone, as kernels index their first element.
func pairLoop[T, D element](f func(a, b T) D) func(p *pairs, dst, a, b []byte) {
	return func(p *pairs, dst, a, b []byte) {
		if len(dst) > 0 {
			elementwise.Map2(view[D](dst), view[T](a), view[T](b), p.shape, p.a, p.b, f)
		}
	}
}

// floatLoop makes the loop of a float function. Aliasing is as with pairLoop.
func floatLoop(op elementwise.Op2) func(p *pairs, dst, a, b []byte) {
	return func(p *pairs, dst, a, b []byte) {
		if len(dst) > 0 {
			elementwise.Binary(op, view[float32](dst), view[float32](a), view[float32](b), p.shape, p.a, p.b)
		}
	}
}

// lowerBinary lowers an operator of two operands. Element-wise kernels are the ones that can follow a producer in
// pieces, so float32 operators with a vector form get Stretches as well; the bits are the same either way.
func lowerBinary(l *Lower, name string) (Kernel, error) {
	loop, err := binaryLoop(name, l.In[0].DType)
	if err != nil {
		return Kernel{}, err
	}
	w, err := l.pairWalk()
	if err != nil {
		return Kernel{}, err
	}
	k := w.kernel(l, loop)
	if f, ok := floatOps[name]; ok && l.In[0].DType == tensor.Float32 {
		k.Stretches = l.floatStretches(f, w.pairs, w.a, w.b)
	}
	return k, nil
}

// pairWalk is a walk with its operands.
type pairWalk struct {
	*pairs
	a, b operand
}

// pairWalk broadcasts two operands to the output. The operands have their own layouts: one of the output's rank lies
// like the output, one of lower rank is Logical.
func (l *Lower) pairWalk() (w pairWalk, err error) {
	var as, bs []int
	out, y := l.Out[0], l.layout()
	if w.a, as, err = l.broadcastOperand(0, out.Shape, y); err != nil {
		return w, err
	}
	if w.b, bs, err = l.broadcastOperand(1, out.Shape, y); err != nil {
		return w, err
	}
	w.pairs = newPairs(physical(y, out.Shape), as, bs)
	return w, nil
}

// kernel runs loop over the walk.
func (w pairWalk) kernel(l *Lower, loop func(p *pairs, dst, a, b []byte)) Kernel {
	return Kernel{Alias: l.aliasable(), Run: func(c *Call) {
		loop(w.pairs, c.Out[0], w.a.bytes(c), w.b.bytes(c))
	}}
}

// lowerPairs lowers a loop over two operands that are broadcast to the output.
func lowerPairs(l *Lower, loop func(p *pairs, dst, a, b []byte)) (Kernel, error) {
	w, err := l.pairWalk()
	if err != nil {
		return Kernel{}, err
	}
	return w.kernel(l, loop), nil
}

// aliasable is the first computed input whose buffer an element-wise output of the same shape and size may take. Equal
// counts with equal ranks mean equal shapes here, since broadcasting only grows axes. -1 when there is none. A constant
// is never one: it is shared between programs and read-only.
func (l *Lower) aliasable() int {
	out := l.Out[0]
	for i, a := range l.In {
		if a.Name != "" && a.Const == nil && len(a.Shape) == len(out.Shape) && tensor.Count(a.Shape) == tensor.Count(out.Shape) &&
			a.DType.Size() == out.DType.Size() {
			return i
		}
	}
	return -1
}

// lowerVariadic folds the inputs from the left: the first is stretched into the output, the others are combined with it
// in place. Alias is -1 although the fold is in place: input k > 0 may be the one that the engine would give away, and
// it is read after output 0 is written. Mean divides once at the end, (x1 + ... + xn) / float32(n).
func lowerVariadic(l *Lower, name string) (Kernel, error) {
	out, y := l.Out[0], l.layout()
	step := name
	if name == "Sum" || name == "Mean" {
		step = "Add"
	}
	loop, err := binaryLoop(step, l.In[0].DType)
	if err != nil {
		return Kernel{}, err
	}
	shape := physical(y, out.Shape)
	dense := rowMajor(shape)
	srcs, walks := make([]operand, len(l.In)), make([]*pairs, len(l.In))
	var first *strided
	for i := range l.In {
		var strides []int
		if srcs[i], strides, err = l.broadcastOperand(i, out.Shape, y); err != nil {
			return Kernel{}, err
		}
		walks[i] = newPairs(shape, dense, strides)
		if i == 0 {
			first = newStrided(shape, dense, 0, strides, 0, out.DType.Size())
		}
	}
	n := float32(len(l.In))
	return Kernel{Alias: -1, Run: func(c *Call) {
		dst := c.Out[0]
		if len(dst) == 0 {
			return
		}
		first.run(dst, srcs[0].bytes(c))
		for i := 1; i < len(srcs); i++ {
			loop(walks[i], dst, dst, srcs[i].bytes(c))
		}
		if name == "Mean" {
			for i, v := range view[float32](dst) {
				view[float32](dst)[i] = numeric.Canon(v / n)
			}
		}
	}}, nil
}
