package elementwise

import (
	"assay/kernels/numeric"
	"assay/kernels/quantize"
)

// Lookup writes t[src] to dst, which may be src.
func Lookup(dst, src []uint8, t *[256]uint8) {
	dst = dst[:len(src)]
	k := fastLookup(dst, src, t)
	src, dst = src[k:], dst[k:]
	for len(src) >= 8 && len(dst) >= 8 {
		s, d := (*[8]uint8)(src), (*[8]uint8)(dst)
		d[0], d[1], d[2], d[3] = t[s[0]], t[s[1]], t[s[2]], t[s[3]]
		d[4], d[5], d[6], d[7] = t[s[4]], t[s[5]], t[s[6]], t[s[7]]
		src, dst = src[8:], dst[8:]
	}
	for i, v := range src {
		dst[i] = t[v]
	}
}

// Tables (t is not empty) writes t[c][src[i]] for elements i of rows of len(t) columns, c being i's column: a function of a byte for each channel of
// channels-last data. Entries are the bit patterns of what is written. len(src) is a multiple of len(t). Row by row it is twice as
// fast as by columns whose tables stay in the first-level cache: dst is written in one go.
func Tables(dst []uint32, src []uint8, t [][256]uint32) {
	if len(t) == 1 {
		tableRow(dst, src, &t[0])
		return
	}
	for len(src) > 0 {
		s, d := src[:len(t)], dst[:len(t)]
		for i := range t {
			d[i] = t[i][s[i]]
		}
		src, dst = src[len(t):], dst[len(t):]
	}
}

func tableRow(dst []uint32, src []uint8, t *[256]uint32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = t[v]
	}
}

// EqualPairs writes 1 where a equals b and 0 elsewhere, broadcasting by the strides sa and sb: class numbers beside those
// of samples are how a graph spells one-hot.
func EqualPairs(dst []uint8, a, b []int32, shape, sa, sb []int) {
	l := merge(shape, sa, sb)
	last := l.rank - 1
	n, ia, ib := l.n[last], l.a[last], l.b[last]
	if ia == 0 && ib == 1 {
		l.rows(func(d, pa, pb int) { equalRow(dst[d:d+n], b[pb:pb+n], a[pa]) })
		return
	}
	if ia == 1 && ib == 0 {
		l.rows(func(d, pa, pb int) { equalRow(dst[d:d+n], a[pa:pa+n], b[pb]) })
		return
	}
	l.rows(func(d, pa, pb int) {
		for i := range n {
			dst[d+i] = same(a[pa+i*ia], b[pb+i*ib])
		}
	})
}

func equalRow(d []uint8, a []int32, b int32) {
	k := fastEqual(d, a, b)
	d, a = d[k:], a[k:]
	a = a[:len(d)]
	for i, v := range a {
		d[i] = same(v, b)
	}
}

func same(a, b int32) uint8 {
	if a == b {
		return 1
	}
	return 0
}

// Pair is a function of two bytes: one entry for each pair of bit patterns, and the formula they come from. It takes 64 kB, most of
// which no first-level cache keeps beside data: rows of vectors compute the formula again instead, to the same bytes, and the
// table is for the plain tier and for single elements.
type Pair struct {
	t    [1 << 16]uint8
	form formula
}

// formula holds what assembly computes rows from instead of the table. For a sum x, y are the ratios of scales and c the
// constant; for a product x, y are the zero points of the operands, m the multiplier and c the zero point of the result.
type formula struct {
	mul, signed bool
	x, y, m, c  float32
	lo, hi      float32
	bounded     bool // no result before rounding leaves int32
}

// bound sets bounded, given the largest magnitude of a sum or of a product and its zero point. NaN is no bound. The AVX-512 form
// rounds by a conversion to int32, which gives the lowest int32 for what does not fit, large positive sums among it; 2^30 leaves
// room for the rounding of the estimate itself.
func (f *formula) bound(most float32) { f.bounded = most < 1<<30 }

// NewAdd tabulates QLinearAdd of a and b to y, all signed or all unsigned:
//
//	ra = sa/sy, rb = sb/sy, c = zy - fma(ra, za, float32(rb*zb)), y = sat(rint(fma(a, ra, fma(b, rb, c))))
//
// It rounds after adding the zero point, and so differs from Add between DequantizeLinear and QuantizeLinear at ties. Where
// a is broadcast along the innermost axis of more than one element and b is not, ONNX Runtime swaps the operands: callers
// do so too.
func NewAdd(a, b, y quantize.Side) *Pair {
	ra, rb := a.Scale/y.Scale, b.Scale/y.Scale
	c := float32(y.Zero) - numeric.FMA32(ra, float32(a.Zero), float32(rb*float32(b.Zero)))
	lo, hi := limits(y.Signed)
	p := &Pair{form: formula{signed: y.Signed, x: ra, y: rb, c: c, lo: lo, hi: hi}}
	p.form.bound(float32(256*(abs(ra)+abs(rb))) + abs(c))
	for j := range 256 {
		inner := numeric.FMA32(level(uint8(j), b.Signed), rb, c)
		for i := range 256 {
			v := numeric.FMA32(level(uint8(i), a.Signed), ra, inner)
			p.t[i<<8|j] = uint8(numeric.RoundClamp(v, lo, hi))
		}
	}
	return p
}

// NewMul tabulates QLinearMul of a and b to y: p = (a-za)(b-zb), of at most 255*255 and so exact in float32, m = float32(float32(sa*sb)/sy),
// y = sat(rint(float32(float32(p*m) + zy))).
func NewMul(a, b, y quantize.Side) *Pair {
	m := float32(a.Scale*b.Scale) / y.Scale
	lo, hi := limits(y.Signed)
	p := &Pair{form: formula{mul: true, signed: y.Signed, x: float32(a.Zero), y: float32(b.Zero), m: m, c: float32(y.Zero), lo: lo, hi: hi}}
	p.form.bound(float32(1<<16*abs(m)) + 256)
	for i := range 256 {
		va := level(uint8(i), a.Signed) - float32(a.Zero)
		for j := range 256 {
			prod := float32(va * (level(uint8(j), b.Signed) - float32(b.Zero)))
			v := float32(prod*m) + float32(y.Zero)
			p.t[i<<8|j] = uint8(numeric.RoundClamp(v, lo, hi))
		}
	}
	return p
}

// With returns the table of the pair with b, a bit pattern, fixed, as Lookup takes it: an operand that is one constant makes the
// operator a function of a byte. It allocates 256 bytes.
func (p *Pair) With(b uint8) *[256]uint8 {
	t := new([256]uint8)
	for i := range t {
		t[i] = p.t[i<<8|int(b)]
	}
	return t
}

// Run writes the pair's value of a and b for shape, broadcasting by the strides sa and sb.
func (p *Pair) Run(dst, a, b []uint8, shape, sa, sb []int) {
	l := merge(shape, sa, sb)
	last := l.rank - 1
	n, ia, ib := l.n[last], l.a[last], l.b[last]
	switch k := last - 1; {
	case ia == 1 && ib == 0 && n >= 32:
		l.rows(func(d, pa, pb int) { p.repeat(dst[d:d+n], a[pa:pa+n], b[pb:pb+1], false) })
		return
	case ia == 0 && ib == 1 && n >= 32:
		l.rows(func(d, pa, pb int) { p.repeat(dst[d:d+n], b[pb:pb+n], a[pa:pa+1], true) })
		return
	case ia != 1 || ib != 1:
	case k >= 0 && n <= short && l.a[k] == n && l.b[k] == 0:
		size := l.n[k] * n
		l.whole().rows(func(d, pa, pb int) { p.repeat(dst[d:d+size], a[pa:pa+size], b[pb:pb+n], false) })
		return
	case k >= 0 && n <= short && l.b[k] == n && l.a[k] == 0:
		size := l.n[k] * n
		l.whole().rows(func(d, pa, pb int) { p.repeat(dst[d:d+size], b[pb:pb+size], a[pa:pa+n], true) })
		return
	default:
		l.rows(func(d, pa, pb int) { p.row(dst[d:d+n], a[pa:pa+n], b[pb:pb+n]) })
		return
	}
	l.rows(func(d, pa, pb int) {
		for i := range n {
			dst[d+i] = p.t[int(a[pa+i*ia])<<8|int(b[pb+i*ib])]
		}
	})
}

// short is the length below which rows of an operand that repeats are written side by side first: a call for each would
// cost more.
const short = 512

// whole is the loop whose rows are the last two axes of l as one, by which one operand passes without gaps.
func (l *loop) whole() *loop {
	l.rank--
	l.n[l.rank-1] *= l.n[l.rank]
	return l
}

// repeat is row of long with few, which repeats; swap says that few is the first operand.
func (p *Pair) repeat(d, long, few []uint8, swap bool) {
	var side [4 * short]uint8
	times := min(len(side), len(long)) / len(few) * len(few)
	for n := copy(side[:times], few); n < times; n *= 2 {
		copy(side[n:times], side[:n])
	}
	for len(d) > 0 {
		n := min(times, len(d))
		if swap {
			p.row(d[:n], side[:n], long[:n])
		} else {
			p.row(d[:n], long[:n], side[:n])
		}
		d, long = d[n:], long[n:]
	}
}

func (p *Pair) row(d, a, b []uint8) {
	a, b = a[:len(d)], b[:len(d)]
	k := fastPair(p, d, a, b)
	d, a, b = d[k:], a[k:], b[k:]
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = p.t[uint16(a[i])<<8|uint16(b[i])]
	}
}

func limits(signed bool) (lo, hi float32) {
	if signed {
		return -128, 127
	}
	return 0, 255
}

// level is the integer of a bit pattern, as a float.
func level(b uint8, signed bool) float32 {
	if signed {
		return float32(int8(b))
	}
	return float32(b)
}
