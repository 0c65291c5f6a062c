package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const pipedSignature = `func(dst *byte, dstRow int, a *byte, aRow, groups int, b *int8, bPanel int, bias, sum *int32, c *int32, tiles int)`

// Places in the argument c of the piped tiles, in bytes.
const (
	pipedPerm  = 64 * iota // order of the columns of packed bytes
	pipedZero              // 32 times the zero point of the result
	pipedLimit             // 32 times the largest int16 that it may be added to
	pipedXZero             // zero point of the activations
	pipedMult              // of up to 64 columns
	pipedBegin = pipedMult + 4*64
)

// pipedSteps is how many steps along k the results of the tile before are spread over: a call has as many at least.
const pipedSteps = 8

// piped is a tile whose sums have two sets of registers, by turns: the results of one tile are made while the next one is
// multiplied, instruction by instruction. On Zen 4 nothing but the multiplication by the column's multiplier takes a turn from VPDPBUSD
// then: conversions and packing run on other pipes. VPADDSW does not, so the zero point is added below a limit instead.
type piped struct {
	tile512
	set int // which one is summed
}

// pipedSums is the number of sums of a set.
const pipedSums = 12

// pipedI8AVX512 writes the tiles for 64 and for 32 columns.
func pipedI8AVX512(ctx *build.Context) {
	for _, t := range []tile{{rows: 3, wide: 4}, {rows: 6, wide: 2}} {
		t.asm = function(ctx, fmt.Sprintf("i8Piped%dx%d", t.rows, 16*t.wide), pipedSignature,
			fmt.Sprintf("i8Piped%dx%d computes tiles of %d rows and %d columns, one below the other, which it stores as bytes. Distances are in",
				t.rows, 16*t.wide, t.rows, 16*t.wide),
			fmt.Sprintf("bytes. groups is the number of groups of four in a row, at least %d. Multipliers are below 1.", pipedSteps))
		piped{tile512: tile512{t}}.write()
	}
}

func (t piped) acc(r, p int) reg.VecPhysical { return zmm[pipedSums*t.set+r*t.wide+p] }

// perm holds what is at pipedPerm. Below it are the weights of a step and two broadcast activations.
func (t piped) perm() reg.VecPhysical { return reg.Z30 }

func (t piped) mark(name string) string { return fmt.Sprintf("%s_%d", name, t.set) }

// write emits the loop over tiles, unrolled for both sets. Registers are those of tile.loops, but that rSegs is c, rRow5 is no
// distance with three rows, and rDst goes down the rows as they are stored. The local variable is the distance from the end of
// a tile's first row to the next tile.
func (t piped) write() {
	next := t.AllocLocal(8)
	t.load("c", rSegs)
	t.sums()
	t.prologue()
	t.LEAQ(Mem{Base: rRow3, Index: rRow3, Scale: 1}, rK)
	if t.rows == 3 {
		t.MOVQ(rRow3, rK)
	}
	t.load("groups", rA0)
	t.SHLQ(U8(2), rA0)
	t.SUBQ(rA0, rK)
	t.MOVQ(rK, next)
	t.fourth()
	t.load("dst", rDst)
	t.load("a", rA0)
	t.load("b", rB)
	t.LEAQ(Mem{Base: rA0, Disp: pipedAhead}, rNext)
	t.VMOVDQU32(Mem{Base: rSegs, Disp: pipedPerm}, t.perm())
	t.begin()
	t.load("groups", rK)
	t.JMP(LabelRef(t.mark("rest")))
	for t.set = range 2 {
		t.Label(t.mark("tile"))
		t.begin()
		t.firstSteps()
		t.load("groups", rK)
		t.SUBQ(U8(pipedSteps), rK)
		t.JEQ(LabelRef(t.mark("summed")))
		t.Label(t.mark("rest"))
		t.restSteps()
		t.Label(t.mark("summed"))
		t.ADDQ(next, rA0)
		t.load("b", rB)
		t.DECQ(t.arg("tiles"))
		t.JEQ(LabelRef(t.mark("last")))
	}
	t.JMP(LabelRef("tile_0"))
	for t.set = range 2 {
		t.Label(t.mark("last"))
		for _, f := range t.results() {
			f()
		}
		t.done()
	}
}

// pipedAhead is how many bytes ahead rows are fetched.
const pipedAhead = 2048

// sums writes to c what sums begin with: the bias less the activations' zero point times the sum of the weights.
func (t piped) sums() {
	t.load("bias", rA0)
	t.load("sum", rB)
	t.VPBROADCASTD(Mem{Base: rSegs, Disp: pipedXZero}, reg.Z1)
	for p := range t.wide {
		t.VPMULLD(Mem{Base: rB, Disp: 64 * p}, reg.Z1, reg.Z0)
		t.VMOVDQU32(Mem{Base: rA0, Disp: 64 * p}, reg.Z2)
		t.VPSUBD(reg.Z0, reg.Z2, reg.Z2)
		t.VMOVDQU32(reg.Z2, Mem{Base: rSegs, Disp: pipedBegin + 64*p})
	}
}

func (t piped) begin() {
	for p := range t.wide {
		t.VMOVDQU32(Mem{Base: rSegs, Disp: pipedBegin + 64*p}, t.acc(0, p))
		for r := 1; r < t.rows; r++ {
			t.VMOVDQA32(t.acc(0, p), t.acc(r, p))
		}
	}
}

// step is step u after rA0 and rB, in single instructions.
func (t piped) step(u int) (f []func()) {
	w := zmm[2*pipedSums:][:t.wide]
	at := t.panels()
	for p := range w {
		f = append(f, func() { t.VMOVDQU32(at[p].Offset(64*u), w[p]) })
	}
	for r := range t.rows {
		x := zmm[28+r%2]
		f = append(f, func() { t.VPBROADCASTD(row(r).Offset(4*u), x) })
		for p := range w {
			f = append(f, func() { t.VPDPBUSD(w[p], x, t.acc(r, p)) })
		}
	}
	return append(f, func() { t.ahead(u) })
}

// firstSteps takes the first steps of a tile and makes the results of the one before.
func (t piped) firstSteps() {
	before, steps := t, []func(){}
	before.set = 1 - t.set
	for u := range pipedSteps {
		steps = append(steps, t.step(u)...)
	}
	interleave(steps, before.results())
	t.advance(pipedSteps)
}

// restSteps takes rK steps, four at a time and then one by one.
func (t piped) restSteps() {
	t.SUBQ(U8(many), rK)
	t.JLT(LabelRef(t.mark("few")))
	t.Label(t.mark("many"))
	for u := range many {
		interleave(t.step(u), nil)
	}
	t.advance(many)
	t.SUBQ(U8(many), rK)
	t.JGE(LabelRef(t.mark("many")))
	t.Label(t.mark("few"))
	t.ADDQ(U8(many), rK)
	t.JEQ(LabelRef(t.mark("summed")))
	t.Label(t.mark("one"))
	interleave(t.step(0), nil)
	t.advance(1)
	t.DECQ(rK)
	t.JNZ(LabelRef(t.mark("one")))
}

// results requantizes the sums and stores them, as tile512.i8Bytes, in single instructions: a row of four panels or two rows of two
// at a time.
func (t piped) results() (f []func()) {
	add := func(g func()) { f = append(f, g) }
	c := func(at int) Mem { return Mem{Base: rSegs, Disp: at} }
	for r := 0; r < t.rows; r += 4 / t.wide {
		var v [4]reg.VecPhysical
		for i := range v {
			v[i] = t.acc(r+i/t.wide, i%t.wide)
			add(func() { t.VCVTDQ2PS(v[i], v[i]) })
		}
		for i := range v {
			add(func() { t.VMULPS(c(pipedMult+64*(i%t.wide)), v[i], v[i]) })
		}
		for i := range v {
			add(func() { t.VCVTPS2DQ(v[i], v[i]) })
		}
		for i := 0; i < 4; i += 2 {
			add(func() { t.VPACKSSDW(v[i+1], v[i], v[i]) })
			add(func() { t.VPMINSW(c(pipedLimit), v[i], v[i]) })
			add(func() { t.VPADDW(c(pipedZero), v[i], v[i]) })
		}
		add(func() { t.VPACKUSWB(v[2], v[0], v[0]) })
		add(func() { t.VPERMD(v[0], t.perm(), v[0]) })
		if t.wide == 4 {
			add(func() { t.VMOVDQU32(v[0], Mem{Base: rDst}) })
		} else {
			add(func() { t.VMOVDQU32(v[0].AsY(), Mem{Base: rDst}) })
			add(func() { t.VEXTRACTI64X4(U8(1), v[0], v[0].AsY()) })
			add(func() { t.ADDQ(rDstRow, rDst) })
			add(func() { t.VMOVDQU32(v[0].AsY(), Mem{Base: rDst}) })
		}
		add(func() { t.ADDQ(rDstRow, rDst) })
	}
	return f
}
