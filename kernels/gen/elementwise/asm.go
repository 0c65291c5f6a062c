package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// asm is a function in the making. Registers are virtual here, unlike in the generator beside it: loops are short and hold few
// values, and avo allocates.
type asm struct {
	*build.Context
	labels int
}

func function(ctx *build.Context, name, signature string, doc ...string) *asm {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)
	ctx.Pragma("noescape")
	ctx.Doc(doc...)
	return &asm{Context: ctx}
}

// pointer loads an integer or pointer argument.
func (a *asm) pointer(name string) reg.GPVirtual {
	r := a.GP64()
	a.Load(a.Param(name), r)
	return r
}

// float broadcasts a float32 argument to all lanes.
func (a *asm) float(name string) reg.VecVirtual {
	b, err := a.Param(name).Resolve()
	if err != nil {
		panic(fmt.Sprintf("argument %s: %v", name, err))
	}
	v := a.YMM()
	a.VBROADCASTSS(b.Addr, v)
	return v
}

// pattern broadcasts 32 bits.
func (a *asm) pattern(bits uint32) reg.VecVirtual {
	r, v := a.GP32(), a.YMM()
	a.MOVL(U32(bits), r)
	a.VMOVD(r, v.AsX())
	a.VPBROADCASTD(v.AsX(), v)
	return v
}

// nan is the one NaN that is stored.
func (a *asm) nan() reg.VecVirtual { return a.pattern(0x7fc00000) }

// canon replaces every NaN in v by nan.
func (a *asm) canon(v, nan reg.VecVirtual) {
	m := a.YMM()
	a.VCMPPS(U8(3), v, v, m) // unordered
	a.VBLENDVPS(m, nan, v, v)
}

// maximum is v = max(v, w) with +0 above -0: VMAXPS returns its second source when both are zero, so both orders together
// hold both signs. A NaN in either gives rubbish; callers replace it.
func (a *asm) maximum(v, w reg.VecVirtual) {
	t := a.YMM()
	a.VMAXPS(w, v, t)
	a.VMAXPS(v, w, v)
	a.VANDPS(t, v, v)
}

// minimum is v = min(v, w) with -0 below +0.
func (a *asm) minimum(v, w reg.VecVirtual) {
	t := a.YMM()
	a.VMINPS(w, v, t)
	a.VMINPS(v, w, v)
	a.VORPS(t, v, v)
}

// loop repeats body while counter, lowered by step after each turn, stays at least step.
func (a *asm) loop(counter reg.GPVirtual, step int, body func()) {
	a.labels++
	top, end := fmt.Sprintf("loop_%d", a.labels), fmt.Sprintf("end_%d", a.labels)
	a.Label(top)
	a.CMPQ(counter, U32(uint32(step)))
	a.JLT(LabelRef(end))
	body()
	a.SUBQ(U32(uint32(step)), counter)
	a.JMP(LabelRef(top))
	a.Label(end)
}

func (a *asm) done() {
	a.VZEROUPPER()
	a.RET()
}

// order is the permutation of 32-bit words after two packs of four vectors, which work in halves of 128 bits.
func order(ctx *build.Context) Mem {
	m := ctx.StaticGlobal("packed")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, w := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
		ctx.AddDatum(4*i, U32(w))
	}
	return m
}

// pack joins four vectors of int32 in the range of a byte to 32 bytes at dst.
func (a *asm) pack(v [4]reg.VecVirtual, perm reg.VecVirtual, signed bool, dst Mem) {
	a.join(v, perm, signed)
	a.VMOVDQU(v[0], dst)
}

// join packs four vectors of int32 into the first one, saturating to a byte.
func (a *asm) join(v [4]reg.VecVirtual, perm reg.VecVirtual, signed bool) {
	a.VPACKSSDW(v[1], v[0], v[0])
	a.VPACKSSDW(v[3], v[2], v[2])
	if signed {
		a.VPACKSSWB(v[2], v[0], v[0])
	} else {
		a.VPACKUSWB(v[2], v[0], v[0])
	}
	a.VPERMD(v[0], perm, v[0])
}

// levels loads 8 bytes as float32.
func (a *asm) levels(src Mem, signed bool) reg.VecVirtual {
	v := a.YMM()
	if signed {
		a.VPMOVSXBD(src, v)
	} else {
		a.VPMOVZXBD(src, v)
	}
	a.VCVTDQ2PS(v, v)
	return v
}
