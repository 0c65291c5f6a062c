package op

import (
	"fmt"

	"assay/kernels/elementwise"
	"assay/kernels/quantize"
	"assay/shared/tensor"
)

// qbinaryOps are Add and Mul of integers: inputs a, its scale and zero point; b, likewise; scale and zero point of the
// output. A pair of bytes has one result: the kernel is a table of 65536 bytes that programs share. Refused: operands
// and output of different types, scales per channel.
//
// Formulas are ONNX Runtime's (ort-semantics 6.1), with f32 for one rounding:
//
//	QLinearAdd   ra = f32(sa/sy), rb = f32(sb/sy), c = f32(zy - fma(ra, za, f32(rb*zb)))
//	             y = sat(rint(fma(a, ra, fma(b, rb, c))))
//	QLinearMul   m = f32(f32(sa*sb)/sy), y = sat(rint(f32(f32((a-za)(b-zb)*m) + zy)))
//
// Both round after the zero point is added, unlike QuantizeLinear. With scales that are powers of two ties are common
// and the order decides 4.4 % of the outputs of Add (6.2).
var qbinaryOps = []*Op{
	qbinary("QLinearAdd", lowerQLinearAdd),
	qbinary("QLinearMul", lowerQLinearMul),
}

// Input 7, the output's zero point, gives the type; without it the type is a's.
func qbinary(name string, lower func(q *quantizedPair, packs Packs) (Kernel, error)) *Op {
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
			return lower(q, l.Packs)
		},
		RowWise: func(l *Lower) bool {
			return broadcastKeepsRows(&Lower{In: []Arg{l.In[0], l.In[3]}, Out: l.Out})
		},
	}
}

// quantizedPair is two operands, their quantizations and the walk over both. aSingle and bSingle say that an operand
// stands still along the innermost logical axis of more than one element; if only a does, ONNX Runtime swaps them in
// Add. The order matters in Add only: with one operand a single value ONNX Runtime folds it into the constant, c' =
// f32(c + f32(b*rb)), and that form is not symmetric.
type quantizedPair struct {
	a, b, y          levels
	av, bv           operand
	walk             *pairs
	aSingle, bSingle bool
	alias            int
}

// quantizedPair binds inputs 0 to 7. plain is walked in logical order, as what ONNX Runtime calls a single value
// depends on logical axes and not on our layout.
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
	if q.a.dtype != q.y.dtype || q.b.dtype != q.y.dtype {
		return nil, fmt.Errorf("types %s, %s and %s of the operands and the output differ", q.a.dtype, q.b.dtype, q.y.dtype)
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

// kernel looks the pairs of bytes up in a table that is shared between programs. Where the operand that is to be single is
// a, the operands change places. The key has every scale and zero point, so equal quantizations share 64 KiB for the
// life of the process.
func (q *quantizedPair) kernel(packs Packs, name string, build func(a, b, y quantize.Side) *elementwise.Pair, swap bool) (Kernel, error) {
	a, b := q.a, q.b
	if swap {
		a, b = b, a
	}
	key := fmt.Sprint(name, a, b, q.y)
	v, err := packs.Get(key, func() (any, int64, error) { return build(a.side(), b.side(), q.y.side()), 1 << 16, nil })
	if err != nil {
		return Kernel{}, err
	}
	t, w := v.(*elementwise.Pair), q.walk
	return Kernel{Alias: q.alias, Stretches: q.stretches(t, swap), Run: func(c *Call) {
		switch dst := c.Out[0]; {
		case len(dst) == 0:
		case swap:
			t.Run(dst, q.bv.bytes(c), q.av.bytes(c), w.shape, w.b, w.a)
		default:
			t.Run(dst, q.av.bytes(c), q.bv.bytes(c), w.shape, w.a, w.b)
		}
	}}, nil
}

// lowerQLinearAdd swaps operands where a alone is single along the innermost axis.
func lowerQLinearAdd(q *quantizedPair, packs Packs) (Kernel, error) {
	return q.kernel(packs, "qadd", elementwise.NewAdd, q.aSingle && !q.bSingle)
}

func lowerQLinearMul(q *quantizedPair, packs Packs) (Kernel, error) {
	return q.kernel(packs, "qmul", elementwise.NewMul, false)
}

// stretches are those of operands of the output's shape or of one element.
func (q *quantizedPair) stretches(t *elementwise.Pair, swap bool) *Stretches {
	pa, pb, _, ok := q.walk.sides()
	if !ok || len(q.walk.shape) > 1 || !q.av.fits(pa) || !q.bv.fits(pb) {
		return nil
	}
	sa, sb := [1]int{1 - pa}, [1]int{1 - pb}
	return &Stretches{Period: []int{0: pa, 3: pb, 7: 0}, Run: func(c *Call, n int) {
		shape, wa, wb := [1]int{n}, sa, sb
		a, b := q.av.bytes(c), q.bv.bytes(c)
		if swap {
			t.Run(c.Out[0], b, a, shape[:], wb[:], wa[:])
			return
		}
		t.Run(c.Out[0], a, b, shape[:], wa[:], wb[:])
	}}
}
