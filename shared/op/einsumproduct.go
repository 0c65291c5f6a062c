package op

import (
	"slices"

	"assay/kernels/gemm"
	"assay/kernels/numeric"
	"assay/shared/tensor"
)

// einsumProduct is an Einsum of two float32 operands whose axes are those of a stack of matrix products: every kept axis moves
// both operands (the stack), the first (rows) or the second (columns), and every summed axis moves both or stretches one. The
// copies bring the operands into [stack][rows][k] and [k][columns] and the result back, whatever the order of the labels. Each
// element is the chain of lowerEinsum: fused multiply-adds from +0 on, k ascending in row-major order of the summed axes.
type einsumProduct struct {
	product
	stack       int
	left, right *strided // of one matrix
	back        *strided // of one result
	l, r, o     []int    // where each matrix of the stack begins
}

// leastWork is the number of multiply-adds from which packing pays.
const leastWork = 1 << 10

// productOfEinsum finds the form; ok is false where an Einsum has none: no columns, or too little work.
func productOfEinsum(e *equation) (p einsumProduct, ok bool) {
	var rows, columns, stack axisSet
	a, b := e.strides[0], e.strides[1]
	out := rowMajor(e.kept.N)
	for i, n := range e.kept.N {
		to := &stack
		switch {
		case n == 1:
			continue
		case b[0][i] == 0 && a[0][i] != 0:
			to = &rows
		case a[0][i] == 0 && b[0][i] != 0:
			to = &columns
		}
		to.add(n, a[0][i], b[0][i], out[i])
	}
	k := axisSet{}
	for i, n := range e.summed.N {
		k.add(n, a[1][i], b[1][i], 0)
	}
	p.m, p.n, p.k, p.stack = tensor.Count(rows.n), tensor.Count(columns.n), tensor.Count(k.n), tensor.Count(stack.n)
	if p.n < 4 || p.m < 2 || p.k < 1 || p.stack*p.m*p.n*p.k < leastWork {
		return p, false
	}
	p.left = newStrided(slices.Concat(rows.n, k.n), rowMajor(slices.Concat(rows.n, k.n)), 0, slices.Concat(rows.a, k.a), 0, 4)
	p.right = newStrided(slices.Concat(k.n, columns.n), rowMajor(slices.Concat(k.n, columns.n)), 0, slices.Concat(k.b, columns.b), 0, 4)
	p.back = newStrided(slices.Concat(rows.n, columns.n), slices.Concat(rows.o, columns.o), 0, rowMajor(slices.Concat(rows.n, columns.n)), 0, 4)
	p.l, p.r, p.o = stack.places(stack.a), stack.places(stack.b), stack.places(stack.o)
	return p, true
}

// axisSet are axes with their steps in both operands and in the output.
type axisSet struct{ n, a, b, o []int }

func (s *axisSet) add(n, a, b, o int) {
	s.n, s.a, s.b, s.o = append(s.n, n), append(s.a, a), append(s.b, b), append(s.o, o)
}

// places are the offsets of all index combinations, in row-major order.
func (s *axisSet) places(step []int) []int {
	at := []int{0}
	for i, n := range s.n {
		var next []int
		for _, base := range at {
			for k := range n {
				next = append(next, base+k*step[i])
			}
		}
		at = next
	}
	return at
}

// kernel runs the products one after the other: scratch holds a left matrix, a right one, its panels and a result.
func (p einsumProduct) kernel(a, b operand) Kernel {
	left, right, result := spaced(4*p.m*p.k), spaced(4*p.k*p.n), spaced(4*p.m*p.n)
	space := gemm.SpaceF32(p.k, p.n)
	return Kernel{Alias: -1, Scratch: left + right + result + space, Run: func(c *Call) {
		x, y, z := c.Scratch[:left], c.Scratch[left:][:right], c.Scratch[left+right:][:result]
		panels := c.Scratch[left+right+result:][:space]
		var packed gemm.F32
		for i := range p.stack {
			if i == 0 || p.l[i] != p.l[i-1] {
				p.left.run(x, a.bytes(c)[4*p.l[i]:])
			}
			if i == 0 || p.r[i] != p.r[i-1] {
				p.right.run(y, b.bytes(c)[4*p.r[i]:])
				packed = gemm.RepackF32(panels, view[float32](y[:4*p.k*p.n]), p.k, p.n, nil)
			}
			packed.Run(view[float32](z), p.n, view[float32](x), p.k, p.m, numeric.Clamp{})
			p.back.run(c.Out[0][4*p.o[i]:], z)
		}
	}}
}
