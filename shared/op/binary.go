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

func binary(name string, opsets []int, role Role, types []tensor.DType) *Op {
	return &Op{
		Name: name, Opsets: opsets, Role: role, Memory: MemoryAny, Types: types, RowWise: broadcastKeepsRows,
		Upgrade: upgradeBroadcast, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferBroadcast(tensor.Invalid),
		Lower: func(l *Lower) (Kernel, error) { return lowerBinary(l, name) },
	}
}

// prelu makes the slope's older meaning the upgrade.
func prelu(o *Op) *Op {
	o.Upgrade = upgradePRelu
	return o
}

func compare(name string, opsets []int, types []tensor.DType) *Op {
	o := binary(name, opsets, RoleFloat, types)
	o.Infer = inferBroadcast(tensor.Bool)
	return o
}

func variadic(name string, opsets []int, types []tensor.DType) *Op {
	return &Op{
		Name: name, Opsets: opsets, Role: RoleFloat, Memory: MemoryAny, Types: types, RowWise: broadcastKeepsRows,
		Inputs: Arity{1, -1}, Outputs: Arity{1, 1}, Infer: inferBroadcast(tensor.Invalid),
		Lower: func(l *Lower) (Kernel, error) { return lowerVariadic(l, name) },
	}
}

// inferBroadcast is numpy's rule for all inputs; to is the output's type, or Invalid for the inputs' own.
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
// keeps ranks below what the kernels take.
type pairs struct{ shape, a, b []int }

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

// pairLoop makes the loop of one function over operands of one type.
func pairLoop[T, D element](f func(a, b T) D) func(p *pairs, dst, a, b []byte) {
	return func(p *pairs, dst, a, b []byte) {
		if len(dst) > 0 {
			elementwise.Map2(view[D](dst), view[T](a), view[T](b), p.shape, p.a, p.b, f)
		}
	}
}

// floatLoop makes the loop of a float function.
func floatLoop(op elementwise.Op2) func(p *pairs, dst, a, b []byte) {
	return func(p *pairs, dst, a, b []byte) {
		if len(dst) > 0 {
			elementwise.Binary(op, view[float32](dst), view[float32](a), view[float32](b), p.shape, p.a, p.b)
		}
	}
}

// lowerBinary lowers an operator of two operands.
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

// pairWalk broadcasts two operands to the output.
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

// aliasable is the first computed input whose buffer an element-wise output of the same shape and size may take.
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
// in place.
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
