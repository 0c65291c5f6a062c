package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"assay/kernels/numeric"
)

// curve computes functions of several vectors at once, each 16 elements with AVX-512 and 8 without, by the operations of
// package numeric in their order. A function is one long chain of operations, each waiting for the one before; vectors
// that take turns fill the wait. Constants stay in numeric's table, where an operation reads them.
type curve struct {
	*asm
	wide      bool
	table     reg.GPVirtual
	one, sign reg.VecVirtual // numeric's TableOne and TableSign, or what a function has in their place
}

// vecs are vectors that take turns.
type vecs []reg.VecVirtual

// op is an instruction by Go's order of operands.
type op = func(...Op)

func (c curve) vec() reg.VecVirtual {
	if c.wide {
		return c.ZMM()
	}
	return c.YMM()
}

// size is the number of bytes of a vector.
func (c curve) size() int {
	if c.wide {
		return 64
	}
	return 32
}

func (c curve) entry(i int) Mem { return Mem{Base: c.table, Disp: 32 * i} }

// constant is entry i of the table in all lanes.
func (c curve) constant(i int) reg.VecVirtual {
	v := c.vec()
	if c.wide {
		c.VBROADCASTSS(c.entry(i), v)
	} else {
		c.VMOVUPS(c.entry(i), v)
	}
	return v
}

// each writes f of every vector of x into a new one.
func (c curve) each(x vecs, f func(i int, x, out reg.VecVirtual)) vecs {
	out := make(vecs, len(x))
	for i := range x {
		out[i] = c.vec()
		f(i, x[i], out[i])
	}
	return out
}

// pick is the form of an instruction that reads a memory operand once for all lanes, where there is one.
func (c curve) pick(wide, narrow op) op {
	if c.wide {
		return wide
	}
	return narrow
}

func (c curve) with(x vecs, i int, f op) vecs {
	return c.each(x, func(_ int, x, out reg.VecVirtual) { f(c.entry(i), x, out) })
}

// add, sub, mul, least and most combine x with entry i.
func (c curve) add(x vecs, i int) vecs {
	return c.with(x, i, c.pick(func(o ...Op) { c.VADDPS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VADDPS(o...) }))
}

func (c curve) sub(x vecs, i int) vecs {
	return c.with(x, i, c.pick(func(o ...Op) { c.VSUBPS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VSUBPS(o...) }))
}

func (c curve) mul(x vecs, i int) vecs {
	return c.with(x, i, c.pick(func(o ...Op) { c.VMULPS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VMULPS(o...) }))
}

func (c curve) least(x vecs, i int) vecs {
	return c.with(x, i, c.pick(func(o ...Op) { c.VMINPS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VMINPS(o...) }))
}

func (c curve) most(x vecs, i int) vecs {
	return c.with(x, i, c.pick(func(o ...Op) { c.VMAXPS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VMAXPS(o...) }))
}

// fma is s = s*x + entry i.
func (c curve) fma(s, x vecs, i int) {
	f := c.pick(func(o ...Op) { c.VFMADD213PS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VFMADD213PS(o...) })
	for j := range s {
		f(c.entry(i), x[j], s[j])
	}
}

// line is entry slope times x plus entry i.
func (c curve) line(x vecs, slope, i int) vecs {
	s := c.each(x, func(_ int, _, out reg.VecVirtual) {
		if c.wide {
			c.VBROADCASTSS(c.entry(slope), out)
		} else {
			c.VMOVUPS(c.entry(slope), out)
		}
	})
	c.fma(s, x, i)
	return s
}

// poly is the polynomial of n coefficients from entry first on.
func (c curve) poly(x vecs, first, n int) vecs {
	s := c.line(x, first+n-1, first+n-2)
	for i := n - 3; i >= 0; i-- {
		c.fma(s, x, first+i)
	}
	return s
}

// less turns x into x - n*ln(2), or away into -(x + n*ln(2)); the integer n is t less entry magic.
func (c curve) less(x, t vecs, magic int, away bool) {
	high := c.pick(func(o ...Op) { c.VFNMADD231PS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VFNMADD231PS(o...) })
	low := high
	if away {
		high = c.pick(func(o ...Op) { c.VFMADD231PS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VFMADD231PS(o...) })
		low = c.pick(func(o ...Op) { c.VFNMSUB231PS_BCST(o[0], o[1], o[2]) }, func(o ...Op) { c.VFNMSUB231PS(o...) })
	}
	n := c.sub(t, magic)
	for i := range x {
		high(c.entry(numeric.TableLn2Hi), n[i], x[i])
		low(c.entry(numeric.TableLn2Lo), n[i], x[i])
	}
}

// parts is numeric's expm1Parts: exp(-x) is power*(h+1). It takes x and t.
func (c curve) parts(x, t vecs, magic int) (h, power vecs) {
	c.less(x, t, magic, true)
	h = c.poly(x, numeric.TableExp+2, 5)
	for i := range h {
		c.VMULPS(x[i], h[i], h[i])
		c.VFMADD213PS(x[i], x[i], h[i])
		c.VPSLLD(U8(23), t[i], t[i])
	}
	return h, t
}

func (c curve) exp(x vecs) vecs {
	y := c.least(x, numeric.TableExpHigh)
	if !c.wide { // whose lanes below are computed and multiplied by 0
		y = c.most(y, numeric.TableExpLow)
	}
	t := c.line(y, numeric.TableLog2e, numeric.TableMagic)
	c.less(y, t, numeric.TableMagic, false)
	p := c.poly(y, numeric.TableExp, 7)
	half := c.each(t, func(_ int, t, out reg.VecVirtual) { c.VPSRLD(U8(1), t, out) })
	for i := range t {
		c.VPSUBD(half[i], t[i], t[i])
		c.VPSLLD(U8(23), t[i], t[i])
		c.VPADDD(c.one, t[i], t[i])
		c.VPSLLD(U8(23), half[i], half[i])
		c.VPADDD(half[i], p[i], p[i])
	}
	// What is below all that has a result is not multiplied: to round to 0 costs a hundred cycles.
	return c.each(p, func(i int, p, out reg.VecVirtual) {
		if c.wide {
			k := c.K()
			c.VCMPPS_BCST(U8(0x1d), c.entry(numeric.TableExpLow), x[i], k)
			c.VMULPS_Z(t[i], p, k, out)
			return
		}
		c.VCMPPS(U8(0x1d), c.entry(numeric.TableExpLow), x[i], out)
		c.VANDPS(p, out, out)
		c.VMULPS(t[i], out, out)
	})
}

// sigmoid finds its numerator, 2^-40, in place of 1.
func (c curve) sigmoid(x vecs) vecs {
	y := c.least(c.most(x, numeric.TableExpLow), numeric.TableSigmoidHigh)
	h, power := c.parts(y, c.line(y, numeric.TableMinusLog2e, numeric.TableSigmoidMagic), numeric.TableSigmoidMagic)
	for i := range h {
		c.VFMADD213PS(c.one, power[i], h[i])
		c.VADDPS(power[i], h[i], h[i])
		c.VDIVPS(h[i], c.one, h[i])
	}
	return h
}

func (c curve) tanh(x vecs) vecs {
	a := c.least(c.magnitude(x), numeric.TableTanhHigh)
	t := c.line(a, numeric.TableMinusTwoLog2e, numeric.TableTanhMagic)
	for i := range a {
		c.VADDPS(a[i], a[i], a[i])
	}
	h, power := c.parts(a, t, numeric.TableTanhMagic)
	return c.each(h, func(i int, h, out reg.VecVirtual) {
		by := c.vec()
		c.VSUBPS(c.one, power[i], out)
		c.VADDPS(c.one, power[i], by)
		c.VFMADD231PS(h, power[i], out)
		c.VFMADD231PS(h, power[i], by)
		c.VDIVPS(by, out, out)
		c.signed(out, x[i])
	})
}

func (c curve) erf(x vecs) vecs {
	big := c.least(c.magnitude(x), numeric.TableErfHigh)
	l := c.poly(big, numeric.TableErfc, 7)
	t := c.add(l, numeric.TableMagic)
	n := c.sub(t, numeric.TableMagic)
	for i := range l {
		c.VSUBPS(n[i], l[i], l[i])
	}
	p := c.poly(l, numeric.TableExp2, 6)
	for i := range p {
		c.VPSLLD(U8(23), t[i], t[i])
		c.VPADDD(t[i], p[i], p[i])
		c.VSUBPS(p[i], c.one, p[i])
		c.signed(p[i], x[i])
	}
	z := c.each(x, func(_ int, x, out reg.VecVirtual) { c.VMULPS(x, x, out) })
	small := c.poly(z, numeric.TableErf, 7)
	for i := range small {
		c.VFMADD213PS(x[i], x[i], small[i])
	}
	return c.each(p, func(i int, p, out reg.VecVirtual) {
		if c.wide {
			k := c.K()
			c.VCMPPS_BCST(U8(0x12), c.entry(numeric.TableErfNear), big[i], k)
			c.VBLENDMPS(small[i], p, k, out)
			return
		}
		c.VCMPPS(U8(0x12), c.entry(numeric.TableErfNear), big[i], out)
		c.VBLENDVPS(out, small[i], p, out)
	})
}

// silu is x times sigmoid of x.
func (c curve) silu(x vecs) vecs {
	return c.each(c.sigmoid(x), func(i int, s, out reg.VecVirtual) { c.VMULPS(x[i], s, out) })
}

// gelu is 0.5 x times 1 plus erf of x over the root of 2.
func (c curve) gelu(x vecs) vecs {
	e := c.erf(c.mul(x, numeric.TableInvSqrt2))
	return c.each(c.mul(x, numeric.TableHalf), func(i int, half, out reg.VecVirtual) {
		c.VADDPS(c.one, e[i], out)
		c.VMULPS(half, out, out)
	})
}

// magnitude is x without its sign.
func (c curve) magnitude(x vecs) vecs {
	return c.each(x, func(_ int, x, out reg.VecVirtual) { c.VANDNPS(x, c.sign, out) })
}

// signed gives v the sign of x.
func (c curve) signed(v, x reg.VecVirtual) {
	if c.wide {
		c.VPTERNLOGD(U8(0xd8), c.sign, x, v) // where the third has a bit the second's, else the first's
		return
	}
	s := c.YMM()
	c.VANDPS(x, c.sign, s)
	c.VANDNPS(v, c.sign, v)
	c.VORPS(s, v, v)
}

func curves256(ctx *build.Context) {
	masks(ctx)
	curves(ctx, false, "AVX2")
}

func curves512(ctx *build.Context) { curves(ctx, true, "AVX512") }

// turns is how many vectors take turns: as many as the registers hold.
func turns(wide, long bool) int {
	switch {
	case wide && long:
		return 3
	case wide:
		return 4
	case long:
		return 1
	}
	return 2
}

func curves(ctx *build.Context, wide bool, suffix string) {
	for _, f := range []struct {
		name, what     string
		minus, long    bool
		one            int  // entry that stands for 1
		sign, ofResult bool // needs the sign bit; NaN is looked for in the result, not in the argument
		of             func(curve, vecs) vecs
	}{
		{name: "exp", what: "exp(src - top)", minus: true, one: numeric.TableOne, of: curve.exp},
		{name: "sigmoid", what: "sigmoid(src)", one: numeric.TableSigmoidOne, of: curve.sigmoid},
		{name: "silu", what: "src * sigmoid(src)", one: numeric.TableSigmoidOne, ofResult: true, of: curve.silu},
		{name: "tanh", what: "tanh(src)", one: numeric.TableOne, sign: true, of: curve.tanh},
		{name: "erf", what: "erf(src)", long: true, one: numeric.TableOne, sign: true, of: curve.erf},
		{name: "gelu", what: "0.5 * src * (1 + erf(src / sqrt(2)))", long: true, one: numeric.TableOne, sign: true, ofResult: true, of: curve.gelu},
	} {
		name, signature := f.name+suffix, "func(dst, src *float32, n int, table *float32)"
		if f.minus {
			signature = "func(dst, src *float32, n int, table *float32, top float32)"
		}
		a := function(ctx, name, signature, name+" writes "+f.what+" for n elements. table is numeric.Table.")
		c := curve{asm: a, wide: wide, table: a.pointer("table")}
		p := passage{curve: c, dst: a.pointer("dst"), src: a.pointer("src"), ofResult: f.ofResult, of: f.of}
		n := a.pointer("n")
		p.nan, p.one = c.constant(numeric.TableNaN), c.constant(f.one)
		if f.sign {
			p.sign = c.constant(numeric.TableSign)
		}
		if f.minus {
			p.top = p.vec()
			a.VBROADCASTSS(a.argument("top"), p.top)
		}
		lanes, k := c.size()/4, turns(wide, f.long)
		if k > 1 {
			a.loop(n, k*lanes, func() { p.body(k) })
		}
		a.loop(n, lanes, func() { p.body(1) })
		p.tail(n)
		a.done()
	}
}

// passage is one function's way from src to dst.
type passage struct {
	curve
	dst, src reg.GPVirtual
	nan, top reg.VecVirtual
	ofResult bool
	of       func(curve, vecs) vecs
}

// body computes k vectors.
func (p passage) body(k int) {
	x := make(vecs, k)
	for i := range x {
		x[i] = p.vec()
		p.VMOVUPS(Mem{Base: p.src, Disp: i * p.size()}, x[i])
	}
	for i, y := range p.values(x) {
		p.VMOVUPS(y, Mem{Base: p.dst, Disp: i * p.size()})
	}
	p.ADDQ(U32(uint32(k*p.size())), p.src)
	p.ADDQ(U32(uint32(k*p.size())), p.dst)
}

// values are what is stored for x.
func (p passage) values(x vecs) vecs {
	if p.top != nil {
		for i := range x {
			p.VSUBPS(p.top, x[i], x[i])
		}
	}
	y := p.of(p.curve, x)
	for i := range y {
		suspect := x[i]
		if p.ofResult {
			suspect = y[i]
		}
		if p.wide {
			k := p.K()
			p.VCMPPS(U8(3), suspect, suspect, k) // unordered
			p.VMOVAPS(p.nan, k, y[i])
			continue
		}
		m := p.YMM()
		p.VCMPPS(U8(3), suspect, suspect, m)
		p.VBLENDVPS(m, p.nan, y[i], y[i])
	}
	return y
}

// tail computes the last n elements, fewer than a vector has. No others are read or written.
func (p passage) tail(n reg.GPVirtual) {
	p.TESTQ(n, n)
	p.JEQ(LabelRef("all"))
	x := vecs{p.vec()}
	if p.wide {
		ones, k := p.GP32(), p.K()
		p.MOVL(U32(1<<16-1), ones)
		p.BZHIL(n.As32(), ones, ones)
		p.KMOVW(ones, k)
		p.VMOVUPS_Z(Mem{Base: p.src}, k, x[0])
		p.VMOVUPS(p.values(x)[0], k, Mem{Base: p.dst})
	} else {
		at, m := p.GP64(), p.YMM()
		p.LEAQ(maskAddress(), at)
		p.SHLQ(U8(2), n)
		p.SUBQ(n, at)
		p.VMOVDQU(Mem{Base: at, Disp: 32}, m)
		p.VMASKMOVPS(Mem{Base: p.src}, m, x[0])
		p.VMASKMOVPS(p.values(x)[0], m, Mem{Base: p.dst})
	}
	p.Label("all")
}

// masks are eight words of ones and eight of zeros: what lies at n words before its middle masks n elements.
func masks(ctx *build.Context) {
	ctx.StaticGlobal("masks")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		ctx.AddDatum(4*i, U32(uint32(0)-uint32(1-i/8)))
	}
}

func maskAddress() Mem { return NewDataAddr(Symbol{Name: "masks", Static: true}, 0) }

// argument is where a float32 argument lies.
func (a *asm) argument(name string) Mem {
	b, err := a.Param(name).Resolve()
	if err != nil {
		panic(fmt.Sprintf("argument %s: %v", name, err))
	}
	return b.Addr
}
