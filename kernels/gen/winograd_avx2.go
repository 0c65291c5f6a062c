package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// winogradI8AVX2 writes the three steps for 16 registers of 256 bits: transformations go by way of memory, where their results lie, and
// products take one panel of 6 rows. All channels are whole panels.
func winogradI8AVX2(ctx *build.Context) {
	spreadAVX2(ctx)
	productAVX2(ctx)
	gatherAVX2(ctx)
}

func spreadAVX2(ctx *build.Context) {
	a := function(ctx, "winogradSpread256", "func(v *int16, vRow, vPos int, src *byte, line, pixel, step int, blocks, tiles int)",
		"winogradSpread256 is winogradSpread512 for blocks of 16 channels.")
	a.load("line", rRow)
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	a.load("vPos", rDstRow)
	rest, places := a.AllocLocal(8), a.AllocLocal(8) // blocks left; the distance of lines of places
	a.IMUL3Q(U8(side), rDstRow, rK)
	a.MOVQ(rK, places)
	a.Label("tile")
	a.load("src", rA1)
	a.load("v", rB2)
	a.load("blocks", rK)
	a.MOVQ(rK, rest)
	a.Label("block")
	a.MOVQ(rA1, rA0)
	a.MOVQ(rB2, rB)
	d, e := ymm[:side], ymm[side:2*side]
	for j := range side {
		for i := range side {
			a.VPMOVZXBW(row(i), d[i])
		}
		a.spread(d, e, true, true, reg.Y14, reg.Y15)
		a.MOVQ(rB, rDst)
		for i := range side {
			a.VMOVDQU(e[i], Mem{Base: rDst})
			if i+1 < side {
				a.ADDQ(places, rDst)
			}
		}
		if j+1 < side {
			a.ADDQ(a.arg("pixel"), rA0)
			a.ADDQ(rDstRow, rB)
		}
	}
	a.MOVQ(rB2, rDst)
	for i := range side {
		a.MOVQ(rDst, rB)
		for j := range side {
			a.VMOVDQU(Mem{Base: rB}, d[j])
			a.ADDQ(rDstRow, rB)
		}
		a.spread(d, e, true, true, reg.Y14, reg.Y15)
		if i == 1 {
			a.MOVL(U32(centre), rB.As32())
			a.VMOVD(rB.As32(), reg.X14)
			a.VPBROADCASTW(reg.X14, reg.Y14)
			a.VPSUBW(reg.Y14, e[1], e[1])
		}
		for j := range side {
			a.VMOVDQU(e[j], Mem{Base: rDst})
			a.ADDQ(rDstRow, rDst)
		}
	}
	a.ADDQ(U8(16), rA1)
	a.ADDQ(U8(32), rB2)
	a.DECQ(rest)
	a.JNZ(LabelRef("block"))
	a.load("step", rA0)
	a.ADDQ(rA0, a.arg("src"))
	a.load("vRow", rA0)
	a.ADDQ(rA0, a.arg("v"))
	a.DECQ(a.arg("tiles"))
	a.JNZ(LabelRef("tile"))
	a.done()
}

func productAVX2(ctx *build.Context) {
	a := function(ctx, "winogradProduct256", `func(m *int32, mRow, mTile, mPos int, v *int16, vRow, vTile, vPos int,
	u *int16, pairs int, rows, tiles, wide, positions int)`,
		"winogradProduct256 is winogradProduct512 for tiles of up to 6 rows; each panel of 16 columns goes by itself.")
	left, panel := a.AllocLocal(8), a.AllocLocal(8)
	dispatch(a, func(shape tile, name string) {
		t := tile256{shape}
		t.load("vRow", rRow)
		t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
		t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
		t.load("mRow", rDstRow)
		t.load("wide", rNext)
		t.SHLQ(U8(6), rNext) // bytes of a step
		t.Label(name + "_place")
		t.MOVQ(U32(0), panel)
		t.Label(name + "_panel")
		t.load("m", rB2)
		t.ADDQ(panel, rB2)
		t.load("v", rSegs)
		t.load("tiles", rK)
		t.MOVQ(rK, left)
		t.Label(name + "_rows")
		t.MOVQ(rSegs, rA0)
		t.load("u", rB)
		t.ADDQ(panel, rB)
		for r := range t.rows {
			for h := range 2 {
				t.VPXOR(t.acc(r, h), t.acc(r, h), t.acc(r, h))
			}
		}
		t.load("pairs", rK)
		t.Label(name + "_step")
		t.VMOVDQU(Mem{Base: rB}, reg.Y12)
		t.VMOVDQU(Mem{Base: rB, Disp: 32}, reg.Y13)
		for r := range t.rows {
			t.VPBROADCASTD(row(r), reg.Y14)
			t.VPMADDWD(reg.Y12, reg.Y14, reg.Y15)
			t.VPADDD(reg.Y15, t.acc(r, 0), t.acc(r, 0))
			t.VPMADDWD(reg.Y13, reg.Y14, reg.Y15)
			t.VPADDD(reg.Y15, t.acc(r, 1), t.acc(r, 1))
		}
		t.ADDQ(U8(4), rA0)
		t.ADDQ(rNext, rB)
		t.DECQ(rK)
		t.JNZ(LabelRef(name + "_step"))
		t.MOVQ(rB2, rDst)
		for r := range t.rows {
			t.VMOVDQU(t.acc(r, 0), Mem{Base: rDst})
			t.VMOVDQU(t.acc(r, 1), Mem{Base: rDst, Disp: 32})
			if r+1 < t.rows {
				t.ADDQ(rDstRow, rDst)
			}
		}
		t.ADDQ(t.arg("mTile"), rB2)
		t.ADDQ(t.arg("vTile"), rSegs)
		t.DECQ(left)
		t.JNZ(LabelRef(name + "_rows"))
		t.ADDQ(U8(64), panel)
		t.CMPQ(rNext, panel)
		t.JNE(LabelRef(name + "_panel"))
		t.load("pairs", rK)
		t.IMULQ(rNext, rK)
		t.ADDQ(rK, t.arg("u"))
		t.load("mPos", rK)
		t.ADDQ(rK, t.arg("m"))
		t.load("vPos", rK)
		t.ADDQ(rK, t.arg("v"))
		t.DECQ(t.arg("positions"))
		t.JNZ(LabelRef(name + "_place"))
		t.done()
	}, 6)
}

func gatherAVX2(ctx *build.Context) {
	a := function(ctx, "winogradGather256",
		"func(dst *byte, dstLine, dstPixel, dstTile int, m *int32, mPos, mRow int, bias *int32, mult *float32, halves, tiles int, rq *int32)",
		"winogradGather256 is winogradGather512 for halves of panels, 8 channels each. It destroys the sums.")
	a.load("mPos", rB)
	a.LEAQ(Mem{Base: rB, Index: rB, Scale: 2}, rRow)
	a.ADDQ(rRow, rRow)
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	a.load("dstPixel", rDstRow)
	a.load("rq", rSegs)
	left, col, at := a.AllocLocal(8), a.AllocLocal(8), a.AllocLocal(8)
	a.Label("tile")
	a.load("halves", rK)
	a.MOVQ(rK, left)
	a.load("m", rA1)
	a.load("dst", rB2)
	a.XORQ(rK, rK)
	a.MOVQ(rK, col)
	a.Label("half")
	a.MOVQ(rA1, rA0)
	m := ymm[:side]
	load := func(at func(int) Mem) {
		for _, i := range []int{1, 3} {
			a.VMOVDQU(at(i), m[i])
			a.VPADDD(at(i+1), m[i], m[i+1])
			a.VPSUBD(at(i+1), m[i], m[i])
		}
		a.VMOVDQU(at(0), m[0])
		a.VMOVDQU(at(5), m[5])
	}
	z := ymm[side : side+outs]
	for j := range side {
		load(row)
		a.gathered(m[0], m[2], m[1], m[4], m[3], m[5], z, reg.Y14, reg.Y15)
		for y := range outs {
			a.VMOVDQU(z[y], row(y))
		}
		if j+1 < side {
			a.ADDQ(rB, rA0)
		}
	}
	a.load("bias", rK)
	a.load("mult", rNext)
	a.ADDQ(col, rK)
	a.ADDQ(col, rNext)
	a.MOVQ(rB2, rDst)
	a.VPBROADCASTD(Mem{Base: rSegs, Disp: wgInverse}, reg.Y13)
	a.MOVQ(rA1, rA0)
	shift := [outs]uint64{3, 2, 1, 1}
	for y := range outs {
		for i := range side {
			a.VMOVDQU(Mem{Base: rA0}, m[i])
			a.ADDQ(rB, rA0)
		}
		a.VPADDD(m[2], m[1], reg.Y14)
		a.VPSUBD(m[2], m[1], m[1])
		a.VMOVDQA(reg.Y14, m[2])
		a.VPADDD(m[4], m[3], reg.Y14)
		a.VPSUBD(m[4], m[3], m[3])
		a.VMOVDQA(reg.Y14, m[4])
		a.gathered(m[0], m[2], m[1], m[4], m[3], m[5], z, reg.Y14, reg.Y15)
		for x, o := range z {
			a.VPMULLD(reg.Y13, o, o)
			a.VPSRAD(U8(shift[y]+shift[x]), o, o)
			a.VPADDD(Mem{Base: rK}, o, o)
			a.VCVTDQ2PS(o, o)
			a.VMULPS(Mem{Base: rNext}, o, o)
			a.VCVTPS2DQ(o, o)
		}
		a.VPACKSSDW(z[1], z[0], z[0])
		a.VPACKSSDW(z[3], z[2], z[2])
		a.VPADDSW(Mem{Base: rSegs, Disp: wgZero}, z[0], z[0])
		a.VPADDSW(Mem{Base: rSegs, Disp: wgZero}, z[2], z[2])
		a.VPACKUSWB(z[2], z[0], z[0])
		a.VMOVDQU(Mem{Base: rSegs, Disp: wgPerm}, z[1])
		a.VPERMD(z[0], z[1], z[0])
		a.VEXTRACTI128(U8(1), z[0], z[1].AsX())
		a.MOVQ(rDst, at)
		for x := range outs {
			if half := z[x/2].AsX(); x%2 == 0 {
				a.VMOVQ(half, Mem{Base: rDst})
			} else {
				a.VPEXTRQ(U8(1), half, Mem{Base: rDst})
			}
			a.ADDQ(rDstRow, rDst)
		}
		a.MOVQ(at, rDst)
		a.ADDQ(a.arg("dstLine"), rDst)
	}
	a.ADDQ(U8(32), rA1)
	a.ADDQ(U8(8), rB2)
	a.ADDQ(U8(32), col)
	a.DECQ(left)
	a.JNZ(LabelRef("half"))
	a.load("dstTile", rK)
	a.ADDQ(rK, a.arg("dst"))
	a.load("mRow", rK)
	a.ADDQ(rK, a.arg("m"))
	a.DECQ(a.arg("tiles"))
	a.JNZ(LabelRef("tile"))
	a.done()
}
