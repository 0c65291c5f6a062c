// Package elementwise computes functions of one or two tensors element by element: float arithmetic with broadcasting,
// float functions, limits, and the 8-bit forms of ONNX Runtime's integer operators as table look-ups. Reductions, data
// movement and an operator's attributes may not enter.
//
// Functions that broadcast take the strides of each operand: the step in elements along each axis of the result's shape, 0 where the
// operand repeats or the axis has one element.
//
// dst is row-major without gaps. It may be the same slice as an operand that is not broadcast, but may not overlap one
// otherwise. Floats are stored through numeric.Canon. Functions allocate nothing; objects made by New functions are
// read-only afterwards and may be shared.
package elementwise

// MaxRank is the number of axes that broadcasting functions accept: their loops count in arrays of this length, so that a call
// allocates nothing. More axes panic; whoever takes shapes from a file checks before.
const MaxRank = 32

// loop is a broadcast in as few axes as possible. The last axis is the row that inner loops run over.
//
// Invariants: rank >= 1, also for a scalar, whose only axis has one element; no axis but that one has one element; the step of
// an operand along the last axis is 1 or 0 wherever the operand has no gaps, which is what Binary and Pair.Run choose their rows
// by. With total 0 nothing else counts.
type loop struct {
	rank  int
	n     [MaxRank]int // elements of each axis, outermost first
	a, b  [MaxRank]int // step of each operand in elements, 0 where it repeats
	total int          // elements of dst
}

// merge drops axes of one element and joins neighbours that both operands pass through with one step.
func merge(shape, sa, sb []int) (l loop) {
	l.total = 1
	for i, n := range shape {
		l.total *= n
		if n == 1 {
			continue
		}
		if k := l.rank - 1; k >= 0 && l.a[k] == sa[i]*n && l.b[k] == sb[i]*n {
			l.n[k] *= n
			l.a[k], l.b[k] = sa[i], sb[i]
			continue
		}
		l.n[l.rank], l.a[l.rank], l.b[l.rank] = n, sa[i], sb[i]
		l.rank++
	}
	if l.rank == 0 {
		l.rank, l.n[0] = 1, l.total
	}
	return l
}

// rows calls f for each row, in the order of dst: its offsets in dst, a and b, in elements. Offsets are kept up to date by sums
// alone; at the end of an axis a whole pass of it is taken back.
func (l *loop) rows(f func(d, a, b int)) {
	if l.total == 0 {
		return
	}
	var at [MaxRank]int
	d, a, b := 0, 0, 0
	last := l.rank - 1
	for {
		f(d, a, b)
		d += l.n[last]
		k := last - 1
		for ; k >= 0; k-- {
			a, b = a+l.a[k], b+l.b[k]
			if at[k]++; at[k] < l.n[k] {
				break
			}
			a, b = a-at[k]*l.a[k], b-at[k]*l.b[k]
			at[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// Map2 writes f(a, b) with broadcasting: the slow general form for integers, comparisons and selections. sa and sb are
// strides of the operands; dst has the product of shape elements. f is called once for each of them, in their order,
// and what it gives is stored as it is: Canon is its business.
func Map2[D, A, B any](dst []D, a []A, b []B, shape, sa, sb []int, f func(A, B) D) {
	l := merge(shape, sa, sb)
	last := l.rank - 1
	n, ia, ib := l.n[last], l.a[last], l.b[last]
	l.rows(func(d, pa, pb int) {
		for i := range n {
			dst[d+i] = f(a[pa+i*ia], b[pb+i*ib])
		}
	})
}
