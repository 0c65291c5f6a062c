package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Places in numeric.Table, and the numbers of coefficients of its polynomials.
const (
	tLog2e = iota
	tMagic
	tLn2Hi
	tLn2Lo
	tBias
	tOne
	tTwo
	tFour
	tQuarter
	tLimit
	tLower
	tSign
	tMagnitude
	tExp
	nTanh, nErf, nErfc = 7, 11, 11
	tTanh              = tExp + 11
	tErf               = tTanh + nTanh
	tErfc              = tErf + nErf
)

// curve computes functions of vectors of float64, 8 with AVX-512 and 4 without, by the operations of package numeric: one
// multiplication or addition after the other, none fused.
type curve struct {
	*asm
	wide  bool
	table reg.GPVirtual
}

func (c curve) vec() reg.VecVirtual {
	if c.wide {
		return c.ZMM()
	}
	return c.YMM()
}

// lanes is the number of elements of a vector.
func (c curve) lanes() int {
	if c.wide {
		return 8
	}
	return 4
}

func (c curve) place(i int) Mem { return Mem{Base: c.table, Disp: 8 * i} }

// constant is entry i of the table in all lanes.
func (c curve) constant(i int) reg.VecVirtual {
	v := c.vec()
	c.VBROADCASTSD(c.place(i), v)
	return v
}

// mul and add are x times and plus entry i; sub is x less it.
func (c curve) mul(x reg.VecVirtual, i int) reg.VecVirtual {
	v := c.vec()
	if c.wide {
		c.VMULPD_BCST(c.place(i), x, v)
	} else {
		c.VMULPD(c.constant(i), x, v)
	}
	return v
}

func (c curve) add(x reg.VecVirtual, i int) reg.VecVirtual {
	v := c.vec()
	if c.wide {
		c.VADDPD_BCST(c.place(i), x, v)
	} else {
		c.VADDPD(c.constant(i), x, v)
	}
	return v
}

func (c curve) sub(x reg.VecVirtual, i int) reg.VecVirtual {
	v := c.vec()
	if c.wide {
		c.VSUBPD_BCST(c.place(i), x, v)
	} else {
		c.VSUBPD(c.constant(i), x, v)
	}
	return v
}

func (c curve) and(x reg.VecVirtual, i int) reg.VecVirtual {
	v := c.vec()
	c.VANDPD(c.constant(i), x, v)
	return v
}

// horner evaluates n coefficients from entry first on, every step-th from the last one down.
func (c curve) horner(z reg.VecVirtual, first, n, step int) reg.VecVirtual {
	s := c.constant(first + n - 1)
	for i := n - 1 - step; i >= 0; i -= step {
		s = c.add(c.product(s, z), first+i)
	}
	return s
}

func (c curve) product(x, y reg.VecVirtual) reg.VecVirtual {
	v := c.vec()
	c.VMULPD(y, x, v)
	return v
}

// bound limits x to [-104, 104]; a NaN in x, the last operand in Intel's order, stays.
func (c curve) bound(x reg.VecVirtual) reg.VecVirtual {
	v, w := c.vec(), c.vec()
	c.VMAXPD(x, c.constant(tLower), v)
	c.VMINPD(v, c.constant(tLimit), w)
	return w
}

// exp is numeric's exp32. The integer n lies in the low bits of n plus the magic number.
func (c curve) exp(x reg.VecVirtual) reg.VecVirtual {
	t := c.add(c.mul(x, tLog2e), tMagic)
	n := c.sub(t, tMagic)
	r := c.vec()
	c.VSUBPD(c.mul(n, tLn2Hi), x, r)
	c.VSUBPD(c.mul(n, tLn2Lo), r, r)
	z := c.product(r, r)
	even := c.horner(z, tExp, 11, 2)
	odd := c.horner(z, tExp+1, 9, 2)
	odd = c.product(odd, r)
	c.VADDPD(odd, even, even)
	c.VPADDQ(c.constant(tBias), t, t)
	c.VPSLLQ(U8(52), t, t)
	return c.product(even, t)
}

// over is entry i divided by x.
func (c curve) over(i int, x reg.VecVirtual) reg.VecVirtual {
	v := c.vec()
	c.VDIVPD(x, c.constant(i), v)
	return v
}

// signed is magnitude v with the sign of x.
func (c curve) signed(v, x reg.VecVirtual) reg.VecVirtual {
	out := c.vec()
	c.VORPD(c.and(x, tSign), c.and(v, tMagnitude), out)
	return out
}

// where is yes where a < b (or a <= b), and no elsewhere, NaN included.
func (c curve) where(a, b reg.VecVirtual, orEqual bool, yes, no reg.VecVirtual) reg.VecVirtual {
	how, v := U8(0x11), c.vec()
	if orEqual {
		how = U8(0x12)
	}
	if c.wide {
		k := c.K()
		c.VCMPPD(how, b, a, k)
		c.VBLENDMPD(yes, no, k, v)
		return v
	}
	m := c.YMM()
	c.VCMPPD(how, b, a, m)
	c.VBLENDVPD(m, yes, no, v)
	return v
}

func (c curve) sigmoid(x reg.VecVirtual) reg.VecVirtual {
	v := c.vec()
	c.VXORPD(c.constant(tSign), c.bound(x), v)
	return c.over(tOne, c.add(c.exp(v), tOne))
}

func (c curve) tanh(x reg.VecVirtual) reg.VecVirtual {
	a := c.and(x, tMagnitude)
	t := c.over(tTwo, c.add(c.exp(c.bound(c.mul(a, tTwo))), tOne))
	big := c.vec()
	c.VSUBPD(t, c.constant(tOne), big)
	small := c.product(c.horner(c.product(x, x), tTanh, nTanh, 1), x)
	return c.where(a, c.constant(tQuarter), false, small, c.signed(big, x))
}

func (c curve) erf(x reg.VecVirtual) reg.VecVirtual {
	a, b := c.and(x, tMagnitude), c.vec()
	c.VMINPD(a, c.constant(tFour), b)
	q := c.horner(c.over(tOne, c.add(b, tTwo)), tErfc, nErfc, 1)
	square := c.vec()
	c.VXORPD(c.constant(tSign), c.product(b, b), square)
	mid := c.vec()
	c.VSUBPD(c.product(q, c.exp(square)), c.constant(tOne), mid)
	mid = c.where(c.constant(tFour), a, true, c.constant(tOne), mid)
	small := c.product(c.horner(c.product(x, x), tErf, nErf, 1), x)
	return c.where(a, c.constant(tOne), true, small, c.signed(mid, x))
}

func curves256(ctx *build.Context) { curves(ctx, false, "AVX2") }
func curves512(ctx *build.Context) { curves(ctx, true, "AVX512") }

func curves(ctx *build.Context, wide bool, suffix string) {
	for _, f := range []struct {
		name, what string
		minus      bool
		of         func(curve, reg.VecVirtual) reg.VecVirtual
	}{
		{"exp", "exp(src - top)", true, func(c curve, x reg.VecVirtual) reg.VecVirtual { return c.exp(c.bound(x)) }},
		{"sigmoid", "sigmoid(src)", false, curve.sigmoid},
		{"tanh", "tanh(src)", false, curve.tanh},
		{"erf", "erf(src)", false, curve.erf},
	} {
		name, signature := f.name+suffix, "func(dst, src *float32, n int, table *float64)"
		if f.minus {
			signature = "func(dst, src *float32, n int, table *float64, top float32)"
		}
		a := function(ctx, name, signature, name+" writes "+f.what+" for n elements, a multiple of 8. table is numeric.Table.")
		c := curve{a, wide, a.pointer("table")}
		dst, src, n := a.pointer("dst"), a.pointer("src"), a.pointer("n")
		nan := a.nan()
		var top reg.VecVirtual
		if f.minus {
			top = a.float("top")
		}
		a.loop(n, c.lanes(), func() {
			x := c.vec()
			out := a.YMM()
			half := func(v reg.VecVirtual) reg.Register {
				if wide {
					return v
				}
				return v.AsX()
			}
			if f.minus {
				d := a.YMM()
				a.VMOVUPS(Mem{Base: src}, half(d))
				a.VSUBPS(half(top), half(d), half(d))
				a.VCVTPS2PD(half(d), x)
			} else {
				a.VCVTPS2PD(Mem{Base: src}, x)
			}
			y := f.of(c, x)
			if wide {
				a.VCVTPD2PS(y, out)
			} else {
				a.VCVTPD2PSY(y, out.AsX())
			}
			m := a.YMM()
			a.VCMPPS(U8(3), half(out), half(out), half(m))
			a.VBLENDVPS(half(m), half(nan), half(out), half(out))
			a.VMOVUPS(half(out), Mem{Base: dst})
			a.ADDQ(U8(uint64(4*c.lanes())), src)
			a.ADDQ(U8(uint64(4*c.lanes())), dst)
		})
		a.done()
	}
}
