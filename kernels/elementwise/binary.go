package elementwise

import (
	"math"

	"assay/kernels/numeric"
)

// Op2 is a float function of two operands.
type Op2 uint8

// The functions of Binary. Each is one rounding of the exact result, except Pow, which is numeric.Pow.
const (
	Add Op2 = iota
	Sub
	Mul
	Div
	Max   // numeric.Max: NaN wins
	Min   // numeric.Min
	Pow   // numeric.Pow
	PRelu // a where a >= 0 or a is NaN, else a*b
)

// Binary writes op(a, b) for shape, broadcasting by the strides sa and sb.
func Binary(op Op2, dst, a, b []float32, shape, sa, sb []int) {
	l := merge(shape, sa, sb)
	last := l.rank - 1
	n, ia, ib := l.n[last], l.a[last], l.b[last]
	switch {
	case ia == 1 && ib == 1:
		l.rows(func(d, pa, pb int) { rowVV(op, dst[d:d+n], a[pa:pa+n], b[pb:pb+n]) })
	case ia == 1 && ib == 0:
		l.rows(func(d, pa, pb int) { rowVS(op, dst[d:d+n], a[pa:pa+n], b[pb]) })
	case ia == 0 && ib == 1:
		l.rows(func(d, pa, pb int) { rowSV(op, dst[d:d+n], a[pa], b[pb:pb+n]) })
	default:
		f := op.scalar()
		l.rows(func(d, pa, pb int) {
			for i := range n {
				dst[d+i] = f(a[pa+i*ia], b[pb+i*ib])
			}
		})
	}
}

// Gated writes Silu(a, alpha) * b for shape, broadcasting by sa and sb: SwiGLU. dst may be a or b where they are not broadcast.
func Gated(dst, a, b []float32, shape, sa, sb []int, alpha float32) {
	l := merge(shape, sa, sb)
	last := l.rank - 1
	n, ia, ib := l.n[last], l.a[last], l.b[last]
	l.rows(func(d, pa, pb int) {
		if ia != 1 || ib != 1 {
			for i := range n {
				dst[d+i] = numeric.Canon(float32(parametric(Silu, a[pa+i*ia], alpha, 0) * b[pb+i*ib]))
			}
			return
		}
		block := blocks.Get().(*[256]float32)
		for at := 0; at < n; at += len(block) {
			t := block[:min(len(block), n-at)]
			Unary(Silu, t, a[pa+at:][:len(t)], alpha, 0)
			rowVV(Mul, dst[d+at:][:len(t)], t, b[pb+at:][:len(t)])
		}
		blocks.Put(block)
	})
}

// Row writes op(a, b) of rows of one length. dst may be an operand.
func Row(op Op2, dst, a, b []float32) { rowVV(op, dst, a, b) }

// Number writes op(a, b) of a row and a number. dst may be a.
func Number(op Op2, dst, a []float32, b float32) { rowVS(op, dst, a, b) }

// scalar returns op as a function of two numbers.
func (op Op2) scalar() func(a, b float32) float32 {
	switch op {
	case Add:
		return func(a, b float32) float32 { return numeric.Canon(a + b) }
	case Sub:
		return func(a, b float32) float32 { return numeric.Canon(a - b) }
	case Mul:
		return func(a, b float32) float32 { return numeric.Canon(float32(a * b)) }
	case Div:
		return func(a, b float32) float32 { return numeric.Canon(a / b) }
	case Max:
		return numeric.Max
	case Min:
		return numeric.Min
	case Pow:
		return numeric.Pow
	}
	return prelu
}

func prelu(a, b float32) float32 {
	if a < 0 {
		a = float32(a * b)
	}
	return numeric.Canon(a)
}

// rowVV is op on two rows. The three slices have one length.
func rowVV(op Op2, d, a, b []float32) {
	a, b = a[:len(d)], b[:len(d)]
	k := fastRows(op, d, a, b)
	d, a, b = d[k:], a[k:], b[k:]
	a, b = a[:len(d)], b[:len(d)] // the compiler sees equal lengths again
	switch op {
	case Add:
		for i := range d {
			d[i] = numeric.Canon(a[i] + b[i])
		}
	case Sub:
		for i := range d {
			d[i] = numeric.Canon(a[i] - b[i])
		}
	case Mul:
		for i := range d {
			d[i] = numeric.Canon(float32(a[i] * b[i]))
		}
	case Div:
		for i := range d {
			d[i] = numeric.Canon(a[i] / b[i])
		}
	default:
		f := op.scalar()
		for i := range d {
			d[i] = f(a[i], b[i])
		}
	}
}

// rowVS is op on a row and a number.
func rowVS(op Op2, d, a []float32, b float32) {
	if op == Pow && b == 2 { // numeric.Pow squares: 1 stays 1 and NaN NaN
		rowVV(Mul, d, a, a)
		return
	}
	a = a[:len(d)]
	if op == Pow && b == 0.5 {
		for i, v := range a {
			if v > 0 && v <= math.MaxFloat32 {
				d[i] = float32(math.Sqrt(float64(v)))
			} else {
				d[i] = numeric.Pow(v, b)
			}
		}
		return
	}
	k := fastNumber(op, d, a, b)
	d, a = d[k:], a[k:]
	a = a[:len(d)]
	switch op {
	case Add:
		for i := range d {
			d[i] = numeric.Canon(a[i] + b)
		}
	case Mul:
		for i := range d {
			d[i] = numeric.Canon(float32(a[i] * b))
		}
	default:
		f := op.scalar()
		for i := range d {
			d[i] = f(a[i], b)
		}
	}
}

// rowSV is op on a number and a row.
func rowSV(op Op2, d []float32, a float32, b []float32) {
	if op == Add || op == Mul { // commutative
		rowVS(op, d, b, a)
		return
	}
	b = b[:len(d)]
	f := op.scalar()
	for i := range d {
		d[i] = f(a, b[i])
	}
}
