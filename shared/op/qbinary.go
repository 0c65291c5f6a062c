package op

import (
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// qbinaryOps are Add and Mul of integers: inputs a, its scale and zero point; b, likewise; scale and zero point of the
// output.
var qbinaryOps = []*Op{
	qbinary("QLinearAdd", lowerQLinearAdd),
	qbinary("QLinearMul", lowerQLinearMul),
}

func qbinary(name string, lower func(q *quantizedPair) func(c *Call)) *Op {
	return &Op{
		Domain: microsoft, Name: name, Opsets: []int{1}, Role: RoleQuantized, Memory: MemoryAny, Types: bytesOnly,
		Inputs: Arity{7, 8}, Outputs: Arity{1, 1},
		Infer: func(x *Infer) error {
			out, err := broadcast(x.In[0].Shape, x.In[3].Shape)
			if err != nil {
				return err
			}
			d, err := x.quantizedType(7, x.In[0].DType)
			if err != nil {
				return err
			}
			x.put(0, d, out...)
			return x.alike(3)
		},
		Lower: func(l *Lower) (Kernel, error) {
			q, err := l.quantizedPair()
			if err != nil {
				return Kernel{}, err
			}
			return Kernel{Alias: q.alias, Run: lower(q)}, nil
		},
		RowWise: func(l *Lower) bool {
			return broadcastKeepsRows(&Lower{In: []Arg{l.In[0], l.In[3]}, Out: l.Out})
		},
	}
}

// quantizedPair is two operands, their quantizations and the walk over both. aSingle and bSingle say that an operand
// stands still along the innermost logical axes, where ONNX Runtime uses the form for a single value.
type quantizedPair struct {
	a, b, y          levels
	av, bv           operand
	walk             *pairs
	lo, hi           int32
	aSingle, bSingle bool
	alias            int
}

func (l *Lower) quantizedPair() (q *quantizedPair, err error) {
	q = &quantizedPair{alias: -1}
	if q.a, err = l.single(1, 2, l.In[0].DType); err != nil {
		return nil, err
	}
	if q.b, err = l.single(4, 5, l.In[3].DType); err != nil {
		return nil, err
	}
	if q.y, err = l.single(6, 7, l.Out[0].DType); err != nil {
		return nil, err
	}
	if q.lo, q.hi, err = limits(q.y.dtype); err != nil {
		return nil, err
	}
	out, y := l.Out[0], l.layout()
	var as, bs []int
	if q.av, as, err = l.broadcastOperand(0, out.Shape, y); err != nil {
		return nil, err
	}
	if q.bv, bs, err = l.broadcastOperand(3, out.Shape, y); err != nil {
		return nil, err
	}
	q.walk = newPairs(physical(y, out.Shape), as, bs)
	plain := newPairs(out.Shape, stretch(l.In[0].Shape, out.Shape, Logical), stretch(l.In[3].Shape, out.Shape, Logical))
	last := len(plain.shape) - 1
	q.aSingle, q.bSingle = plain.a[last] == 0, plain.b[last] == 0
	for _, i := range []int{0, 3} {
		if l.In[i].Const == nil && len(l.In[i].Shape) == len(out.Shape) && tensor.Count(l.In[i].Shape) == tensor.Count(out.Shape) {
			q.alias = i
			break
		}
	}
	return q, nil
}

// run walks both operands.
func (q *quantizedPair) run(f func(a, b uint8) uint8) func(c *Call) {
	return func(c *Call) {
		if len(c.Out[0]) > 0 {
			combine(q.walk, f, c.Out[0], q.av.bytes(c), q.bv.bytes(c), 0, 0, 0, 0)
		}
	}
}

// lowerQLinearAdd: ra = sa/sy, rb = sb/sy, c = zy - fma(ra, za, rb*zb), y = sat(rint(fma(a, ra, fma(b, rb, c)))); with a
// single value on one side its product is added to c first, rounded.
func lowerQLinearAdd(q *quantizedPair) func(c *Call) {
	ra, rb := q.a.scale[0]/q.y.scale[0], q.b.scale[0]/q.y.scale[0]
	at := float32(q.y.zero[0]) - numeric.FMA32(ra, float32(q.a.zero[0]), float32(rb*float32(q.b.zero[0])))
	a, b, lo, hi := q.a, q.b, q.lo, q.hi
	switch {
	case q.bSingle && !q.aSingle:
		return q.run(func(x, y uint8) uint8 {
			start := at + float32(float32(b.level(y))*rb)
			return roundLate(numeric.FMA32(float32(a.level(x)), ra, start), lo, hi)
		})
	case q.aSingle && !q.bSingle:
		return q.run(func(x, y uint8) uint8 {
			start := at + float32(float32(a.level(x))*ra)
			return roundLate(numeric.FMA32(float32(b.level(y)), rb, start), lo, hi)
		})
	}
	return q.run(func(x, y uint8) uint8 {
		return roundLate(numeric.FMA32(float32(a.level(x)), ra, numeric.FMA32(float32(b.level(y)), rb, at)), lo, hi)
	})
}

// lowerQLinearMul: p = (a-za)(b-zb) exactly, m = f32(f32(sa*sb)/sy), y = sat(rint(f32(f32(p*m) + zy))).
func lowerQLinearMul(q *quantizedPair) func(c *Call) {
	m := float32(q.a.scale[0]*q.b.scale[0]) / q.y.scale[0]
	a, b, lo, hi, zero := q.a, q.b, q.lo, q.hi, float32(q.y.zero[0])
	return q.run(func(x, y uint8) uint8 {
		p := (a.level(x) - a.zero[0]) * (b.level(y) - b.zero[0])
		return roundLate(float32(float32(p)*m)+zero, lo, hi)
	})
}
