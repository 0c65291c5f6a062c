package op

import (
	"fmt"
	"slices"

	"assay/kernels/numeric"
	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// matmulOps multiply stacks of matrices as numpy.matmul does: an operand of one axis is a row or a column, stacks stretch to
// each other. There are no attributes. Refused: scalars, inner sizes that differ, element types that differ. In a plan a
// constant right side of two axes has one scale for each column, a stack one for all; two computed sides have one each.
var matmulOps = []*Op{{
	Name: "MatMul", Opsets: []int{1, 9, 13}, Role: RoleLayer, Types: floats,
	Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferMatMul, Lower: lowerMatMul, RowWise: matmulKeepsRows,
	MACs: stackMACs,
}}

// stack is a broadcast product of matrices: matrix b of the output is matrix left[b] of A times matrix right[b] of B.
// len(left) == len(right) is the number of matrices of the output, which lie one behind the other, each m*n. out is the
// shape with single axes already gone.
type stack struct {
	product
	out         []int
	left, right []int
}

// stackOf applies numpy's rules: a single axis is a row on the left and a column on the right, and disappears again.
func stackOf(a, b []int) (stack, error) {
	if len(a) == 0 || len(b) == 0 {
		return stack{}, fmt.Errorf("shapes %v and %v: a single number cannot be multiplied by MatMul", a, b)
	}
	am, bm := a, b
	if len(a) == 1 {
		am = []int{1, a[0]}
	}
	if len(b) == 1 {
		bm = []int{b[0], 1}
	}
	p, err := productOf(am[len(am)-2:], bm[len(bm)-2:], false, false)
	if err != nil {
		return stack{}, err
	}
	ab, bb := am[:len(am)-2], bm[:len(bm)-2]
	batch, err := broadcast(ab, bb)
	if err != nil {
		return stack{}, fmt.Errorf("shapes %v and %v cannot be multiplied: %w", a, b, err)
	}
	s := stack{product: p, out: slices.Clone(batch), left: matrices(ab, batch), right: matrices(bb, batch)}
	if len(a) > 1 {
		s.out = append(s.out, p.m)
	}
	if len(b) > 1 {
		s.out = append(s.out, p.n)
	}
	return s, nil
}

// matrices lists, for each element of the batch shape out in row-major order, which matrix of a stack of shape it reads.
func matrices(shape, out []int) []int {
	return places(reduce.Axes{N: out, Step: stretch(shape, out, Logical)})
}

// inferMatMul is the shape rule of numpy.matmul, see stackOf.
func inferMatMul(x *Infer) error {
	if err := x.alike(1); err != nil {
		return err
	}
	s, err := stackOf(x.In[0].Shape, x.In[1].Shape)
	if err != nil {
		return err
	}
	x.put(0, x.In[0].DType, s.out...)
	return nil
}

// matmulKeepsRows: the rows of A are rows of the product when B is constant and reaches no further than A; when both are
// computed, their first axes have to be the same batch. A constant of the same rank with more than one matrix in front
// pairs sample i with matrix i, which a batch of another size would not.
func matmulKeepsRows(l *Lower) bool {
	a, b := l.In[0], l.In[1]
	if len(a.Shape) < 2 || a.Const != nil {
		return false
	}
	if b.Const != nil {
		return len(b.Shape) <= 2 || len(b.Shape) < len(a.Shape) || len(b.Shape) == len(a.Shape) && b.Shape[0] == 1
	}
	return len(a.Shape) == len(b.Shape) && len(a.Shape) >= 3 && a.Shape[0] == b.Shape[0]
}

// lowerMatMul is one chain for each element, k ascending from +0, in every tier; see lowerGemm.
func lowerMatMul(l *Lower) (Kernel, error) {
	s, err := stackOf(l.In[0].Shape, l.In[1].Shape)
	if err != nil {
		return Kernel{}, err
	}
	if l.In[0].DType == tensor.Float64 {
		return lowerMatMulDouble(l, s)
	}
	a, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	b, err := l.rightMatrices(1, s.product, false, nil, 0)
	if err != nil {
		return Kernel{}, err
	}
	s.join()
	return Kernel{Alias: -1, Scratch: b.size, Run: func(c *Call) {
		rows, dst := view[float32](a.bytes(c)), view[float32](c.Out[0])
		for i := range s.left {
			right := b.matrix(c, s.right[i])
			right.Run(dst[i*s.m*s.n:(i+1)*s.m*s.n], s.n, rows[s.left[i]*s.m*s.k:], s.k, s.m, numeric.Clamp{})
		}
	}}, nil
}

// join makes one tall product of a stack whose matrices on the right are one and the same. The rows of all left
// matrices lie one behind the other, so [B][m][k] times one [k][n] is [B*m][k] times it: the same chains, in tiles that
// waste fewer rows.
func (s *stack) join() {
	for i := range s.left {
		if s.right[i] != 0 || s.left[i] != i {
			return
		}
	}
	if len(s.left) > 0 {
		s.m *= len(s.left)
		s.left, s.right = s.left[:1], s.right[:1]
	}
}
