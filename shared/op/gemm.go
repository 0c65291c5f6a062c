package op

import (
	"fmt"
	"slices"

	"assay/kernels/gemm"
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// gemmAttrs are Gemm's attributes, those of the forms with an activation too.
var gemmAttrs = []string{"alpha", "beta", "transA", "transB"}

// gemmOps are Gemm and its form with an activation: alpha * A * B + beta * C with alpha and beta 1, transA and transB 0 by
// default; C is optional and stretches to the result (attribute broadcast said so before opset 7). Refused: operands that
// are no matrices or do not fit, C that would stretch the product. In a plan a Gemm with a constant B and none of alpha,
// beta and transA becomes QGemm: weights along the columns of the result, bias in int32.
var gemmOps = []*Op{
	gemmOp("", "Gemm", []int{6, 7, 9, 11, 13}, gemmAttrs),
	gemmOp(microsoft, "FusedGemm", []int{1}, append([]string{"activation", "activation_params"}, gemmAttrs...)),
}

// RowWise fails with a computed B or C because nothing says that they do not belong to rows of the batch; transA turns
// the batch into k.
func gemmOp(domain, name string, opsets []int, attrs []string) *Op {
	o := &Op{
		Domain: domain, Name: name, Opsets: opsets, Attrs: attrs, Role: RoleLayer, Types: float32Only,
		Upgrade: upgradeGemm, Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Infer: inferGemm, Lower: lowerGemm,
		RowWise: func(l *Lower) bool {
			return l.Node.Int("transA", 0) == 0 && l.In[1].Const != nil && (!l.present(2) || l.In[2].Const != nil)
		},
		MACs: func(x *Infer) int64 {
			if len(x.In[0].Shape) != 2 {
				return 0
			}
			k := x.In[0].Shape[1]
			if x.Node.Int("transA", 0) != 0 {
				k = x.In[0].Shape[0]
			}
			return int64(tensor.Count(x.Out[0].Shape)) * int64(k)
		},
	}
	if domain != "" {
		o.Upgrade = spellFused("Gemm")
	}
	return o
}

// upgradeGemm drops the attribute that said before opset 7 that C may be stretched: it always may.
func upgradeGemm(u *Upgrade) error {
	if u.From < 7 {
		u.Node.Unset("broadcast")
	}
	return nil
}

// product is the sizes of a matrix product [m][k] x [k][n]. A node of m = 0 rows is fine, k = 0 and n = 0 are refused:
// a sum over nothing would have to be the bias, and kernels pack at least one column.
type product struct{ m, k, n int }

// productOf checks that two matrices fit, after their transpositions.
func productOf(a, b []int, transA, transB bool) (product, error) {
	if len(a) != 2 || len(b) != 2 {
		return product{}, fmt.Errorf("shapes %v and %v: two matrices are required", a, b)
	}
	if transA {
		a = []int{a[1], a[0]}
	}
	if transB {
		b = []int{b[1], b[0]}
	}
	if a[1] != b[0] {
		return product{}, fmt.Errorf("a matrix of %d columns cannot be multiplied with one of %d rows", a[1], b[0])
	}
	if a[1] == 0 || b[1] == 0 {
		return product{}, fmt.Errorf("shapes %v and %v: a matrix is empty", a, b)
	}
	return product{a[0], a[1], b[1]}, nil
}

// inferGemm: C stretches to the product and never stretches it.
func inferGemm(x *Infer) error {
	if err := x.alike(1, 2); err != nil {
		return err
	}
	p, err := productOf(x.In[0].Shape, x.In[1].Shape, x.Node.Int("transA", 0) != 0, x.Node.Int("transB", 0) != 0)
	if err != nil {
		return err
	}
	if x.has(2) {
		if s, err := broadcast(x.In[2].Shape, []int{p.m, p.n}); err != nil || !slices.Equal(s, []int{p.m, p.n}) {
			return fmt.Errorf("input 2 (C) has shape %v, which does not stretch to %dx%d", x.In[2].Shape, p.m, p.n)
		}
	}
	x.put(0, x.In[0].DType, p.m, p.n)
	return nil
}

// lowerGemm computes alpha*(A.B) + beta*C. With alpha 1 and a constant C that is the same in every row, C is where the
// chains start; otherwise it is added to the finished, scaled product. The order is fixed by design.md 6: one chain of
// fused multiply-adds per element, k ascending. A bias that starts the chain and one that is added behind differ in
// bits, which is why the choice depends on constants only and never on the batch. A transposed A is turned into scratch
// first: kernels read rows in place.
func lowerGemm(l *Lower) (Kernel, error) {
	transA, transB := l.Node.Int("transA", 0) != 0, l.Node.Int("transB", 0) != 0
	p, err := productOf(l.In[0].Shape, l.In[1].Shape, transA, transB)
	if err != nil {
		return Kernel{}, err
	}
	act, err := activation(l.Node)
	if err != nil {
		return Kernel{}, err
	}
	a, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	alpha, beta := l.Node.Float("alpha", 1), l.Node.Float("beta", 1)
	bias, late := gemmBias(l, p, alpha, beta)
	post, err := gemmLate(l, p, alpha, beta, late, act)
	if err != nil {
		return Kernel{}, err
	}
	if post != nil {
		act = numeric.Clamp{} // it comes behind the late bias, in post
	}
	own := 0
	if transA {
		own = 4 * p.m * p.k
	}
	b, err := l.rightMatrices(1, p, transB, bias, own)
	if err != nil {
		return Kernel{}, err
	}
	turn := newStrided([]int{p.m, p.k}, []int{p.k, 1}, 0, []int{1, p.m}, 0, 4)
	return Kernel{Alias: -1, Scratch: own + b.size, Run: func(c *Call) {
		rows, dst := a.bytes(c), view[float32](c.Out[0])
		if transA && len(rows) > 0 {
			turn.run(c.Scratch, rows)
			rows = c.Scratch[:own]
		}
		right := b.matrix(c, 0)
		right.Run(dst, p.n, view[float32](rows), p.k, p.m, act)
		if post != nil {
			post(c, dst)
		}
	}}, nil
}

// gemmBias returns the start of the chains, or late: C has to be added behind. beta is multiplied into the constant
// here, rounded once for each element. C of shape [1] or [] is spread over the columns.
func gemmBias(l *Lower, p product, alpha, beta float32) (bias *tensor.Tensor, late bool) {
	if !l.present(2) {
		return nil, false
	}
	c := l.In[2].Const
	if c == nil || alpha != 1 || len(c.Shape) == 2 && c.Shape[0] != 1 {
		return nil, true
	}
	bias = tensor.New(tensor.Float32, p.n)
	v, from := bias.F32(), c.F32()
	for i := range v {
		v[i] = float32(beta * from[i%len(from)])
	}
	return bias, false
}

// gemmLate is what remains to be done to a finished product, nil when nothing does. The activation moves behind the sum
// then, so lowerGemm clears it in the kernel: clamping twice would clip the product itself.
func gemmLate(l *Lower, p product, alpha, beta float32, late bool, act numeric.Clamp) (func(c *Call, dst []float32), error) {
	if alpha == 1 && !late {
		return nil, nil
	}
	var add operand
	var strides []int
	if late {
		var err error
		if add, strides, err = l.broadcastOperand(2, []int{p.m, p.n}, Logical); err != nil {
			return nil, err
		}
	}
	return func(c *Call, dst []float32) {
		var v []float32
		if late {
			v = view[float32](add.bytes(c))
		}
		for i := range p.m {
			for j := range p.n {
				y := float32(alpha * dst[i*p.n+j])
				if late {
					y += float32(beta * v[i*strides[0]+j*strides[1]])
				}
				dst[i*p.n+j] = act.Apply(y)
			}
		}
	}, nil
}

// rightMatrices are the packed matrices on the right of a stack of products. Constants are packed once, at lowering; a
// computed one is packed anew in each run, into scratch from off on. Invariants: exactly one of packed and src is in
// use; bias is nil or has n numbers and belongs to every matrix; size is 0 for packed ones.
type rightMatrices struct {
	product
	packed []*gemm.F32
	src    operand
	turn   *strided // of a computed, transposed one
	bias   []float32
	off    int
	size   int // of scratch
}

// rightMatrices binds input i, matrices of p transposed or not, with a constant bias or none. off is the scratch that the
// caller uses itself. Matrices of a constant stack are keyed one by one, so nodes that share only some of them share
// those.
func (l *Lower) rightMatrices(i int, p product, trans bool, bias *tensor.Tensor, off int) (*rightMatrices, error) {
	r := &rightMatrices{product: p, bias: floatsOf(bias), off: off}
	t := l.In[i].Const
	if t == nil {
		var err error
		if r.src, err = l.operand(i, Logical); err != nil {
			return nil, err
		}
		r.size = gemm.SpaceF32(p.k, p.n)
		if trans {
			r.turn = newStrided([]int{p.k, p.n}, []int{p.n, 1}, 0, []int{1, p.k}, 0, 4)
			r.size += 4 * p.k * p.n
		}
		return r, nil
	}
	count := 1
	if p.k*p.n > 0 {
		count = t.Len() / (p.k * p.n)
	}
	v := t.F32()
	r.packed = make([]*gemm.F32, count)
	for b := range r.packed {
		var err error
		r.packed[b], err = pack(l.Packs, packKey(l.Packs, "gemm.f32", []int{p.k, p.n, int(truth(trans)), b}, t, bias), func() (*gemm.F32, error) {
			return gemm.PackF32(v[b*p.k*p.n:(b+1)*p.k*p.n], p.k, p.n, trans, r.bias), nil
		})
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// matrix is one of them, packed. It serves until the next call. The value is on the caller's stack and its panels in
// the call's scratch, so concurrent calls do not meet.
func (r *rightMatrices) matrix(c *Call, batch int) gemm.F32 {
	if r.packed != nil {
		return *r.packed[batch]
	}
	size := 4 * r.k * r.n
	b, space := r.src.bytes(c)[batch*size:][:size], c.Scratch[r.off:r.off+r.size]
	if r.turn != nil {
		r.turn.run(space, b)
		b, space = space[:size], space[size:]
	}
	return gemm.RepackF32(space, view[float32](b), r.k, r.n, r.bias)
}
