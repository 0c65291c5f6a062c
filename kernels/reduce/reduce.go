// Package reduce folds axes of float tensors: sums and their kin, extrema and their places, softmax, layer normalisation,
// and ONNX Runtime's integer softmax. Broadcasting, pooling windows and an operator's attributes may not enter.
//
// The order of every sum is part of the answer (see numeric.LaneSum and numeric.Chain): lanes says whether the folded axes
// include the tensor's last logical axis, whatever the memory layout, and elements come in row-major order of the logical
// axes. Slices have the sizes the parameters give; dst may be src only where it says so. Functions allocate nothing and are
// safe for concurrent use with distinct dst.
package reduce

import (
	"math"
	"sync"

	"assay/kernels/curve"
	"assay/kernels/numeric"
)

// Op is a fold of floats to one.
type Op uint8

// The folds. Sums follow the canonical order. Of no elements Sum, SumSquare, L1 and L2 are 0, Prod is 1, Max, LogSum and
// LogSumExp are -Inf, Min is +Inf and Mean is NaN. In Max and Min a NaN wins and +0 is above -0. Squares and products are
// rounded before they are added or multiplied on.
const (
	Sum Op = iota
	Mean
	Max
	Min
	Prod // one chain of products in row-major order
	SumSquare
	L1
	L2
	LogSum
	LogSumExp // max + log(sum(exp(x - max)))
)

// Axes describes some axes of a tensor in memory: the number of elements along each and their distance in elements, lists of
// one length. The outermost comes first. The zero value is one combination.
type Axes struct{ N, Step []int }

// count is the number of index combinations.
func (a Axes) count() int {
	n := 1
	for _, k := range a.N {
		n *= k
	}
	return n
}

// offset returns the place of the i-th combination in row-major order.
func (a Axes) offset(i int) int {
	at := 0
	for k := len(a.N) - 1; k >= 0; k-- {
		at += i % a.N[k] * a.Step[k]
		i /= a.N[k]
	}
	return at
}

// rows calls f with the offset of each run along the last axis, in row-major order from base.
func (a Axes) rows(base int, f func(at, n, step int)) {
	last := len(a.N) - 1
	if last < 0 {
		f(base, 1, 1)
		return
	}
	outer := Axes{a.N[:last], a.Step[:last]}
	for i := range outer.count() {
		f(base+outer.offset(i), a.N[last], a.Step[last])
	}
}

// Reduce folds the axes in folded for every index combination of kept, whose row-major order is that of dst. For
// channels-last memory the caller lists kept in the order in which dst lies. Without folded axes each element is folded by
// itself. dst and src do not overlap; NaN is stored as 0x7fc00000.
func Reduce(op Op, dst, src []float32, kept, folded Axes, lanes bool) {
	if columns(op, dst, src, kept, folded, lanes) {
		return
	}
	for i := range kept.count() {
		dst[i] = numeric.Canon(fold(op, src, kept.offset(i), folded, lanes))
	}
}

func fold(op Op, src []float32, base int, a Axes, lanes bool) float32 {
	switch op {
	case Max, Min, Prod:
		return extremum(op, src, base, a)
	case LogSumExp:
		top := extremum(Max, src, base, a)
		if math.IsInf(float64(top), 0) {
			return top // all -Inf, or one +Inf: the differences would be NaN
		}
		return top + numeric.Log(expSum(src, base, a, top, lanes))
	}
	s := sum(terms[op], src, base, a, lanes)
	switch op {
	case Mean:
		return s / float32(a.count())
	case L2:
		return float32(math.Sqrt(float64(s)))
	case LogSum:
		return numeric.Log(s)
	}
	return s
}

// terms are what sums add up for each element; nil is the element itself.
var terms = [...]func(float32) float32{
	SumSquare: func(x float32) float32 { return float32(x * x) },
	L2:        func(x float32) float32 { return float32(x * x) },
	L1:        func(x float32) float32 { return float32(math.Abs(float64(x))) },
	LogSumExp: nil,
}

// sum adds term(x) over the axes in canonical order.
func sum(term func(float32) float32, src []float32, base int, a Axes, lanes bool) float32 {
	if lanes && term == nil && len(a.N) == 1 && a.Step[0] == 1 {
		return curve.Sum(src[base : base+a.N[0]])
	}
	var l numeric.LaneSum
	var c numeric.Chain
	a.rows(base, func(at, n, step int) {
		if lanes && step == 1 && term == nil {
			l.Add(src[at : at+n])
			return
		}
		for i := range n {
			v := src[at+i*step]
			if term != nil {
				v = term(v)
			}
			if lanes {
				l.Add1(v)
			} else {
				c.Add(v)
			}
		}
	})
	if lanes {
		return l.Sum()
	}
	return c.Sum()
}

// blocks are lent to expSum.
var blocks = sync.Pool{New: func() any { return new([256]float32) }}

// expSum adds exp(x-top) over the axes in canonical order, from blocks so that exp is one of vectors.
func expSum(src []float32, base int, a Axes, top float32, lanes bool) float32 {
	var l numeric.LaneSum
	var c numeric.Chain
	block := blocks.Get().(*[256]float32)
	defer blocks.Put(block)
	a.rows(base, func(at, n, step int) {
		for n > 0 {
			t := block[:min(n, len(block))]
			for i := range t {
				t[i] = src[at+i*step]
			}
			curve.ExpLess(t, t, top)
			if lanes {
				l.Add(t)
			} else {
				for _, v := range t {
					c.Add(v)
				}
			}
			at, n = at+len(t)*step, n-len(t)
		}
	})
	if lanes {
		return l.Sum()
	}
	return c.Sum()
}

func extremum(op Op, src []float32, base int, a Axes) float32 {
	r := float32(1)
	switch op {
	case Max:
		r = float32(math.Inf(-1))
	case Min:
		r = float32(math.Inf(1))
	}
	a.rows(base, func(at, n, step int) {
		if op == Max && step == 1 {
			if top := curve.Max(src[at : at+n]); top != 0 { // the sign of a zero is looked for below
				r = max(r, top)
				return
			}
		}
		for i := range n {
			switch v := src[at+i*step]; op {
			case Max:
				r = max(r, v)
			case Min:
				r = min(r, v)
			default:
				r = float32(r * v)
			}
		}
	})
	return r
}

// ArgMax writes the place of the largest element along the middle axis of [outer][n][inner]: the first of equals, or the
// last when last is set, zeros of either sign being equal. A NaN counts as larger than any number, and the first of several stays
// even with last. dst is [outer][inner]; n is at least 1.
func ArgMax(dst []int64, src []float32, outer, n, inner int, last bool) {
	arg(dst, src, outer, n, inner, func(v, best float32) bool { return v > best || v != v && best == best || last && v == best })
}

// ArgMin is ArgMax for the smallest element; a NaN counts as smaller than any number.
func ArgMin(dst []int64, src []float32, outer, n, inner int, last bool) {
	arg(dst, src, outer, n, inner, func(v, best float32) bool { return v < best || v != v && best == best || last && v == best })
}

func arg(dst []int64, src []float32, outer, n, inner int, better func(v, best float32) bool) {
	for o := range outer {
		for k := range inner {
			at := o*n*inner + k
			best := 0
			for i := 1; i < n; i++ {
				if better(src[at+i*inner], src[at+best*inner]) {
					best = i
				}
			}
			dst[o*inner+k] = int64(best)
		}
	}
}
