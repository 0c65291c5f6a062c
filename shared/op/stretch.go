package op

import (
	"crypto/sha256"
	"fmt"

	"assay/kernels/elementwise"
	"assay/shared/tensor"
)

// Stretches computes an element-wise kernel a stretch of the output at a time, so that several kernels can follow each
// other over a stretch that stays in the cache. Whatever the stretches, the bits are those of the whole.
//
// Period has an entry for each input of the node, constants included, which says what the input is to the elements of the
// output in memory order: 0 one for one, and Run is given the stretch of it; p > 0 that it has p elements which repeat, and
// Run is given all of it; p < 0 that each serves -p neighbours, and Run is given those of the stretch. Stretches begin at a
// multiple of every |p| and, but for the last one, end there. Constants are the kernel's own. Run has one output.
type Stretches struct {
	Period []int
	Run    func(c *Call, n int)
}

// Table is the kernel of a function of one byte: f computes it for elements of src, and is asked once for all of them.
// The fusion of element-wise chains builds its tables with it: the whole chain is run once over the 256 bytes, so its
// bits are the chain's own (ort-semantics 4.13).
func Table(f func(dst, src []byte)) Kernel {
	t, all := new([256]uint8), make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	f(t[:], all)
	return Kernel{Alias: 0, Run: func(c *Call) { elementwise.Lookup(c.Out[0], c.In[0], t) }}
}

// Tables is the kernel of a function of one byte for each of n columns that gives 4 bytes, on rows of n elements. f computes it for
// 256 rows of src. packs counts the tables as weights and shares equal ones.
func Tables(n int, packs Packs, f func(dst, src []byte)) (Kernel, error) {
	src, rows := make([]byte, 256*n), make([]byte, 4*256*n)
	for i := range src {
		src[i] = byte(i / n)
	}
	f(rows, src)
	t := make([][256]uint32, n)
	for i := range 256 {
		for c, v := range view[uint32](rows)[i*n:][:n] {
			t[c][i] = v
		}
	}
	key := fmt.Sprintf("tables %x", sha256.Sum256(rows))
	v, err := packs.Get(key, func() (any, int64, error) { return t, int64(len(rows)), nil })
	if err != nil {
		return Kernel{}, err
	}
	t = v.([][256]uint32)
	return Kernel{Alias: -1, tables: t, Run: func(c *Call) { elementwise.Tables(view[uint32](c.Out[0]), c.In[0], t) }}, nil
}

// plainStretches are those of a loop from input 0 to the output, one for one. The other inputs are constants, or asked for
// their type only, as CastLike's is, and of any size: they are never cut. nil where the input is a constant: it is not
// cut, and there is nothing to follow.
func (l *Lower) plainStretches(src operand, f func(dst, src []byte)) *Stretches {
	if src.fixed {
		return nil
	}
	period := make([]int, len(l.In))
	for i := range period[1:] {
		period[1+i] = 1
	}
	return &Stretches{Period: period, Run: func(c *Call, n int) { f(c.Out[0], c.In[0]) }}
}

// castStretches are plainStretches for element types that can be cut at any element. Strings have no fixed size.
func (l *Lower) castStretches(src operand, f func(dst, src []byte)) *Stretches {
	if l.In[0].DType.Size() == 0 || l.Out[0].DType.Size() == 0 || l.In[0].DType == tensor.String {
		return nil
	}
	return l.plainStretches(src, f)
}

// sides tells how two operands walk beside the output: the periods of Stretches, and inner, the length of the rows in
// which one of them repeats or stands still. ok is false for walks of other forms. Walks of one axis may have strides 0
// and 1, and 1-stride is the period (0: one for one, 1: a single element). Walks of two axes [rows][n] admit a row that
// repeats, an element per row, and a single one.
func (p *pairs) sides() (a, b, inner int, ok bool) {
	last := len(p.shape) - 1
	n := p.shape[last]
	switch {
	case last == 0:
		a, b = 1-p.a[0], 1-p.b[0]
		return a, b, n, p.a[0]>>1 == 0 && p.b[0]>>1 == 0
	case last > 1:
		return 0, 0, 0, false
	}
	a, okA := side(p.a[0], p.a[1], n)
	b, okB := side(p.b[0], p.b[1], n)
	return a, b, n, okA && okB
}

// side is the period of an operand of strides outer and inner over rows of n elements. Both strides 0 do not occur: the
// other operand then covers rows and columns alone, is dense, and newPairs has joined the two axes.
func side(outer, inner, n int) (int, bool) {
	switch {
	case outer == n && inner == 1:
		return 0, true
	case outer == 0 && inner == 1:
		return n, true
	case outer == 1 && inner == 0:
		return -n, true
	}
	return 0, outer == 0 && inner == 0
}

// fits reports whether an operand can take part in stretches: a constant cannot be cut.
func (o operand) fits(period int) bool { return !o.fixed || period > 0 }

// floatStretches are those of a float function of two operands, nil where their walk allows none. n elements are seen
// as n/inner rows where an operand repeats or stands still along them; stretches begin and end at whole rows, as Period
// demands.
func (l *Lower) floatStretches(op elementwise.Op2, p *pairs, a, b operand) *Stretches {
	pa, pb, inner, ok := p.sides()
	if !ok || !a.fits(pa) || !b.fits(pb) || tensor.Count(l.Out[0].Shape) == 0 {
		return nil
	}
	period := make([]int, len(l.In))
	period[0], period[1] = pa, pb
	sa, sb := stepsOf(pa), stepsOf(pb)
	return &Stretches{Period: period, Run: func(c *Call, n int) {
		shape := [2]int{1, n}
		if pa > 1 || pb > 1 || pa < 0 || pb < 0 {
			shape = [2]int{n / inner, inner}
		}
		wa, wb := sa.of(inner), sb.of(inner)
		elementwise.Binary(op, view[float32](c.Out[0]), view[float32](a.bytes(c)), view[float32](b.bytes(c)), shape[:], wa[:], wb[:])
	}}
}

// steps are the strides of an operand over [rows][inner], outer in units of inner when wide.
type steps struct {
	wide         bool
	outer, inner int
}

// Its inverse is side: period 0 walks densely, 1 stands still, -p moves once a row, p moves within a row.
func stepsOf(period int) steps {
	switch {
	case period == 0:
		return steps{wide: true, inner: 1}
	case period == 1:
		return steps{}
	case period < 0:
		return steps{outer: 1}
	}
	return steps{inner: 1}
}

// The array lives on the caller's stack; Run may not allocate.
func (s steps) of(inner int) [2]int {
	if s.wide {
		return [2]int{inner, s.inner}
	}
	return [2]int{s.outer, s.inner}
}
