package op

import (
	"fmt"

	"assay/kernels/elementwise"
	"assay/kernels/quantize"
	"assay/shared/tensor"
)

// qtableOps are element-wise integer operators on one tensor, which are a table of 256 bytes, and Concat, which is one
// such table for each input whose quantization differs from the output's.
var qtableOps = []*Op{
	qtable("QLinearSigmoid", func(*Lower) func(float32) float32 { return elementwise.Func(elementwise.Sigmoid, 0, 0) }),
	qtable("QLinearLeakyRelu", func(l *Lower) func(float32) float32 {
		return elementwise.Func(elementwise.LeakyRelu, l.Node.Float("alpha", 0.01), 0)
	}, "alpha"),
	{
		Domain: microsoft, Name: "QLinearConcat", Opsets: []int{1}, Role: RoleQuantized, Memory: MemoryAny, Types: float32Only,
		Inputs: Arity{5, -1}, Outputs: Arity{1, 1}, Attrs: []string{"axis"}, data: 2,
		Infer: inferQLinearConcat, Lower: lowerQLinearConcat,
		RowWise: func(l *Lower) bool {
			a, err := axisIn(l.Node.Int("axis", 0), len(l.Out[0].Shape))
			for i := 2; i < len(l.In); i += 3 {
				if l.In[i].Const != nil {
					return false
				}
			}
			return err == nil && a != 0
		},
	},
}

// qtable is an operator with inputs x, its scale and zero point, scale and zero point of the output. The table is
// QuantizeLinear(f(DequantizeLinear(q))) for all 256 bytes, f in float32 once rounded (ort-semantics 6.1): the kernel
// is a lookup whatever f costs.
func qtable(name string, f func(l *Lower) func(float32) float32, attrs ...string) *Op {
	return &Op{
		Domain: microsoft, Name: name, Opsets: []int{1}, Role: RoleQuantized, Memory: MemoryAny, Types: bytesOnly,
		Inputs: Arity{4, 5}, Outputs: Arity{1, 1}, Attrs: attrs,
		Infer: func(x *Infer) error {
			d, err := x.quantizedType(4, x.In[0].DType)
			if err != nil {
				return err
			}
			x.put(0, d, x.In[0].Shape...)
			return nil
		},
		Lower: func(l *Lower) (Kernel, error) {
			from, err := l.single(1, 2, l.In[0].DType)
			if err != nil {
				return Kernel{}, err
			}
			to, err := l.single(3, 4, l.Out[0].DType)
			if err != nil {
				return Kernel{}, err
			}
			t := quantize.Table(from.side(), to.side(), f(l))
			return elementwiseKernel(l, func(dst, src []byte) { elementwise.Lookup(dst, src, t) })
		},
	}
}

// inferQLinearConcat reads inputs y_scale, y_zero_point, then x, x_scale, x_zero_point for each part. The parts go to
// inferConcat as inputs of their own, so that axis and shapes mean what they do there.
func inferQLinearConcat(x *Infer) error {
	if (len(x.In)-2)%3 != 0 {
		return fmt.Errorf("%d inputs are given, 2 and 3 for each part are required", len(x.In))
	}
	d, err := x.quantizedType(1, tensor.Uint8)
	if err != nil {
		return err
	}
	y := &Infer{Node: x.Node, Out: x.Out}
	for i := 2; i < len(x.In); i += 3 {
		if x.In[i].DType != d {
			return fmt.Errorf("input %d is %s, the output %s", i, x.In[i].DType, d)
		}
		y.In = append(y.In, x.In[i])
	}
	return inferConcat(y)
}

// lowerQLinearConcat copies parts of equal quantization and looks the others up in a table, through scratch as long as
// the largest of those. Columns is set only when no part needs a table, since a producer that writes into the output
// knows nothing of one.
func lowerQLinearConcat(l *Lower) (Kernel, error) {
	out, y := l.Out[0], l.layout()
	axis, err := axisIn(l.Node.Int("axis", 0), len(out.Shape))
	if err != nil {
		return Kernel{}, err
	}
	to, err := l.single(0, 1, out.DType)
	if err != nil {
		return Kernel{}, err
	}
	strides := rowMajor(physical(y, out.Shape))
	step := strides[y.axis(axis, len(strides))]
	var parts []concatPart
	at, scratch := 0, 0
	columns := []int{0, 0, 0}
	for i := 2; i < len(l.In); i += 3 {
		p, err := l.concatPart(i, to, y)
		if err != nil {
			return Kernel{}, err
		}
		shape := physical(y, l.In[i].Shape)
		p.plan = newStrided(shape, strides, at*step, rowMajor(shape), 0, 1)
		at += l.In[i].Shape[axis]
		if p.table != nil {
			scratch = max(scratch, tensor.Count(shape))
		}
		parts, columns = append(parts, p), append(columns, at, at, at)
	}
	if step != 1 || scratch > 0 {
		columns = nil
	}
	return Kernel{Alias: -1, Scratch: scratch, Columns: columns, Run: func(c *Call) {
		for _, p := range parts {
			in := p.src.bytes(c)
			if len(in) == 0 {
				continue
			}
			if p.table != nil {
				elementwise.Lookup(c.Scratch[:len(in)], in, p.table)
				in = c.Scratch[:len(in)]
			}
			p.plan.run(c.Out[0], in)
		}
	}}, nil
}

// concatPart is one input of a QLinearConcat; table is nil when its integers mean the same in the output.
type concatPart struct {
	src   operand
	table *[256]uint8
	plan  *strided
}

// concatPart binds the part whose data is input i; scale and zero point follow it.
func (l *Lower) concatPart(i int, to levels, y Layout) (p concatPart, err error) {
	if p.src, err = l.operand(i, y); err != nil {
		return p, err
	}
	from, err := l.single(i+1, i+2, l.In[i].DType)
	if err != nil || from.equal(to) {
		return p, err
	}
	p.table = quantize.Table(from.side(), to.side(), nil)
	return p, nil
}
