package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// side is the number of lines and of columns of a transformed tile, outs of its outputs.
const side, outs = 6, 4

// centre is what 128 less in every pixel takes from place (1, 1); from the others it takes nothing.
const centre = 36 * 128

// Places in the argument rq of winogradGather512, in bytes.
const (
	wgZero    = 0   // 32 words: zero point of the result
	wgPerm    = 64  // 16 int32: order of the columns of packed bytes
	wgInverse = 128 // int32: of 9, modulo 2^32
)

// winogradI8AVX512 writes the three steps of an integer convolution by transformed tiles: package conv has the algebra.
func winogradI8AVX512(ctx *build.Context) {
	winogradSpread(ctx)
	winogradProduct(ctx)
	winogradGather(ctx)
}

// winogradSpread writes the transformation of pictures: 32 channels go together, as words. Three lines of the result are made at
// a time, since all six would not fit into registers; what they see is loaded twice.
func winogradSpread(ctx *build.Context) {
	a := function(ctx, "winogradSpread512",
		"func(v *int16, vRow, vPos int, src *byte, line, pixel, step int, blocks, mask, tiles int)",
		"winogradSpread512 transforms tiles of 6x6 pixels, step bytes apart, whose lines and pixels are line and pixel bytes apart.",
		"Place i of a tile goes to v + i*vPos, the next tile vRow bytes further on. blocks counts whole blocks of 32 channels; mask",
		"has a bit for each channel of one more, or is 0.")
	a.load("line", rRow)
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	a.load("pixel", rB)
	a.load("vPos", rDstRow)
	a.load("mask", rK)
	a.KMOVD(rK.As32(), reg.K1)
	a.Label("tile")
	a.load("src", rA1)
	a.load("v", rB2)
	a.load("blocks", rK)
	a.TESTQ(rK, rK)
	a.JEQ(LabelRef("some"))
	a.Label("block")
	spreadBlock(a, false)
	a.ADDQ(U8(32), rA1)
	a.ADDQ(U8(64), rB2)
	a.DECQ(rK)
	a.JNZ(LabelRef("block"))
	a.Label("some")
	a.CMPQ(a.arg("mask"), U8(0))
	a.JEQ(LabelRef("next"))
	spreadBlock(a, true)
	a.Label("next")
	a.load("step", rA0)
	a.ADDQ(rA0, a.arg("src"))
	a.load("vRow", rA0)
	a.ADDQ(rA0, a.arg("v"))
	a.DECQ(a.arg("tiles"))
	a.JNZ(LabelRef("tile"))
	a.done()
}

// spreadBlock transforms 32 channels from rA1 on to rB2, or those of the mask.
func spreadBlock(a *asm, some bool) {
	a.MOVQ(rB2, rDst)
	for half := range 2 {
		a.MOVQ(rA1, rA0)
		for j := range side {
			d := zmm[18:24]
			for i := half; i < side-1+half; i++ {
				if some {
					a.VPMOVZXBW_Z(row(i), reg.K1, d[i])
				} else {
					a.VPMOVZXBW(row(i), d[i])
				}
			}
			var e [side]reg.VecPhysical
			for i := range side / 2 {
				e[half*side/2+i] = zmm[i*side+j]
			}
			a.spread(d, e[:], half == 0, half == 1, reg.Z30, reg.Z31)
			if j+1 < side {
				a.ADDQ(rB, rA0)
			}
		}
		for i := range side / 2 {
			out := zmm[24:30]
			a.spread(zmm[i*side:][:side], out, true, true, reg.Z30, reg.Z31)
			if half == 0 && i == 1 {
				a.MOVL(U32(centre), rA0.As32())
				a.VPBROADCASTW(rA0.As32(), reg.Z30)
				a.VPSUBW(reg.Z30, out[1], out[1])
			}
			for _, o := range out {
				if some {
					a.VMOVDQU16(o, reg.K1, Mem{Base: rDst})
				} else {
					a.VMOVDQU16(o, Mem{Base: rDst})
				}
				a.ADDQ(rDstRow, rDst)
			}
		}
	}
}

// spread transforms six words: the first three results, the last three or both. d is kept, x and y are destroyed.
func (a *asm) spread(d, e []reg.VecPhysical, first, last bool, x, y reg.VecPhysical) {
	if first {
		a.VPSLLW(U8(2), d[2], x)
		a.VPSUBW(x, d[4], x) // d4 - 4 d2
		a.VPSLLW(U8(2), d[1], y)
		a.VPSUBW(y, d[3], y) // d3 - 4 d1
		a.VPADDW(y, x, e[1])
		a.VPSUBW(y, x, e[2])
		a.VPSUBW(d[2], d[0], e[0])
		a.VPSLLW(U8(2), e[0], e[0])
	}
	a.VPSUBW(d[2], d[4], x) // d4 - d2
	if first {
		a.VPADDW(x, e[0], e[0])
	}
	if last {
		a.VPSUBW(d[1], d[3], y)
		a.VPADDW(y, y, y) // 2 (d3 - d1)
		a.VPADDW(y, x, e[3])
		a.VPSUBW(y, x, e[4])
		a.VPADDW(y, y, y)
		a.VPSUBW(d[3], d[5], e[5])
		a.VPSUBW(y, e[5], e[5])
	}
}

// winogradProduct writes the products of transformed tiles and weights, all int32 modulo 2^32.
func winogradProduct(ctx *build.Context) {
	a := function(ctx, "winogradProduct512", `func(m *int32, mRow, mTile, mPos int, v *int16, vRow, vTile, vPos int,
	u *int16, pairs int, rows, tiles, wide, positions int)`,
		"winogradProduct512 multiplies, in each of positions places, tiles times rows rows of pairs times two words of v by 16*wide",
		"columns of u, which lie one behind the other as [positions][pairs][16*wide][2], and stores the sums. Distances are in bytes:",
		"vRow and mRow of rows, vTile and mTile of groups of rows, vPos and mPos of places.")
	left := a.AllocLocal(8)
	dispatch(a, func(shape tile, name string) {
		t := tile512{shape}
		t.load("vRow", rRow)
		t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
		t.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
		t.load("mRow", rDstRow)
		t.Label(name + "_place")
		t.load("m", rB2)
		t.load("v", rSegs)
		t.load("tiles", rK)
		t.MOVQ(rK, left)
		t.Label(name + "_rows")
		t.MOVQ(rSegs, rA0)
		if t.rows > 7 {
			t.LEAQ(Mem{Base: rA0, Index: rRow3, Scale: 1}, rA1)
			t.LEAQ(Mem{Base: rA1, Index: rRow, Scale: 4}, rA1)
		}
		t.load("u", rB)
		for r := range t.rows {
			for p := range t.wide {
				t.VPXORD(t.acc(r, p), t.acc(r, p), t.acc(r, p))
			}
		}
		t.load("pairs", rK)
		t.pairs(name)
		t.MOVQ(rB2, rDst)
		for r := range t.rows {
			for p := range t.wide {
				t.VMOVDQU32(t.acc(r, p), Mem{Base: rDst, Disp: 64 * p})
			}
			if r+1 < t.rows {
				t.ADDQ(rDstRow, rDst)
			}
		}
		t.ADDQ(t.arg("mTile"), rB2)
		t.ADDQ(t.arg("vTile"), rSegs)
		t.DECQ(left)
		t.JNZ(LabelRef(name + "_rows"))
		t.MOVQ(rB, t.arg("u"))
		t.load("mPos", rK)
		t.ADDQ(rK, t.arg("m"))
		t.load("vPos", rK)
		t.ADDQ(rK, t.arg("v"))
		t.DECQ(t.arg("positions"))
		t.JNZ(LabelRef(name + "_place"))
		t.done()
	}, 14, 14, 0, 6)
}

// pairs takes rK steps of two words, many at a time and then one by one.
func (t tile512) pairs(name string) {
	step := func(n int) {
		for u := range n {
			w := t.free()[:t.wide]
			for p := range t.wide {
				t.VMOVDQU32(Mem{Base: rB, Disp: 64 * (u*t.wide + p)}, w[p])
			}
			for r := range t.rows {
				x := zmm[30+r%2]
				t.VPBROADCASTD(row(r).Offset(4*u), x)
				for p := range t.wide {
					t.VPDPWSSD(w[p], x, t.acc(r, p))
				}
			}
		}
		t.ADDQ(U8(uint64(4*n)), rA0)
		if t.rows > 7 {
			t.ADDQ(U8(uint64(4*n)), rA1)
		}
		t.ADDQ(U32(uint64(64*n*t.wide)), rB)
	}
	t.SUBQ(U8(many), rK)
	t.JLT(LabelRef(name + "_few"))
	t.Label(name + "_many")
	step(many)
	t.SUBQ(U8(many), rK)
	t.JGE(LabelRef(name + "_many"))
	t.Label(name + "_few")
	t.ADDQ(U8(many), rK)
	t.JEQ(LabelRef(name + "_end"))
	t.Label(name + "_one")
	step(1)
	t.DECQ(rK)
	t.JNZ(LabelRef(name + "_one"))
	t.Label(name + "_end")
}

// winogradGather writes the transformation back and the store of bytes. Columns of a tile are transformed first, then lines; the four
// results of a line become one vector of bytes. Multipliers are below 1, as in the tiles of tile512. left counts panels down.
func winogradGather(ctx *build.Context) {
	a := function(ctx, "winogradGather512",
		"func(dst *byte, dstLine, dstPixel, dstTile int, m *int32, mPos, mRow int, bias *int32, mult *float32, panels, mask, tiles int, rq *int32)",
		"winogradGather512 transforms sums back, adds the bias, requantizes and stores 4x4 pixels of each tile: panels times 16 channels,",
		"of which mask has a bit for each of the last 16. Place i of a tile is at m + i*mPos, tiles lie mRow bytes apart.")
	a.load("mPos", rB)
	a.LEAQ(Mem{Base: rB, Index: rB, Scale: 2}, rRow)
	a.ADDQ(rRow, rRow) // of lines: 6 places
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 2}, rRow3)
	a.LEAQ(Mem{Base: rRow, Index: rRow, Scale: 4}, rRow5)
	a.load("dstPixel", rDstRow)
	a.load("mask", rK)
	a.KMOVW(rK.As32(), reg.K1)
	a.load("rq", rSegs)
	left, col := a.AllocLocal(8), a.AllocLocal(8)
	a.Label("tile")
	a.load("panels", rK)
	a.MOVQ(rK, left)
	a.load("m", rA1)
	a.load("dst", rB2)
	a.XORQ(rK, rK)
	a.MOVQ(rK, col)
	a.Label("panel")
	a.MOVQ(rA1, rA0)
	for j := range side {
		var z []reg.VecPhysical
		for y := range outs {
			z = append(z, zmm[y*side+j])
		}
		m := zmm[24:30]
		for _, i := range []int{1, 3} {
			a.VMOVDQU32(row(i), m[i])
			a.VPADDD(row(i+1), m[i], m[i+1])
			a.VPSUBD(row(i+1), m[i], m[i])
		}
		a.VMOVDQU32(row(0), m[0])
		a.VMOVDQU32(row(5), m[5])
		a.gathered(m[0], m[2], m[1], m[4], m[3], m[5], z, reg.Z30, reg.Z31)
		if j+1 < side {
			a.ADDQ(rB, rA0)
		}
	}
	a.load("bias", rK)
	a.load("mult", rNext)
	a.ADDQ(col, rK)
	a.ADDQ(col, rNext)
	a.MOVQ(rB2, rDst)
	for y := range outs {
		gatherLine(a, y, left)
	}
	a.ADDQ(U8(64), rA1)
	a.ADDQ(U8(16), rB2)
	a.ADDQ(U8(64), col)
	a.DECQ(left)
	a.JNZ(LabelRef("panel"))
	a.load("dstTile", rK)
	a.ADDQ(rK, a.arg("dst"))
	a.load("mRow", rK)
	a.ADDQ(rK, a.arg("m"))
	a.DECQ(a.arg("tiles"))
	a.JNZ(LabelRef("tile"))
	a.done()
}

// gathered makes four results of six: m0, the sum and difference of m1 and m2, those of m3 and m4, and m5. They are 24, 12, 6 and 6
// times the outputs. The arguments are destroyed, x and y too.
func (a *asm) gathered(m0, sum12, dif12, sum34, dif34, m5 reg.VecPhysical, z []reg.VecPhysical, x, y reg.VecPhysical) {
	a.VPADDD(sum12, m0, x)
	a.VPADDD(x, x, x)
	a.VPADDD(m0, x, x)
	a.VPADDD(x, x, x)
	a.VPADDD(dif12, dif12, y)
	a.VPADDD(m5, m5, m0)
	a.VPADDD(m5, m0, m0)
	a.VPADDD(dif34, m0, m0)
	a.VPADDD(m0, m0, m0)
	a.VPADDD(sum34, x, z[0])
	a.VPADDD(dif34, y, z[1])
	a.VPADDD(sum34, sum12, z[2])
	a.VPADDD(dif12, m0, z[3])
}

// gatherLine makes line y of the outputs from its six columns and stores it. Outputs are 9 times a power of two too large.
func gatherLine(a *asm, y int, left Mem) {
	e, out := zmm[y*side:][:side], zmm[26:30]
	sum12, sum34 := zmm[24], zmm[25]
	a.VPADDD(e[2], e[1], sum12)
	a.VPSUBD(e[2], e[1], e[1])
	a.VPADDD(e[4], e[3], sum34)
	a.VPSUBD(e[4], e[3], e[3])
	a.gathered(e[0], sum12, e[1], sum34, e[3], e[5], out, reg.Z30, reg.Z31)
	shift := [outs]uint64{3, 2, 1, 1}
	for x, o := range out {
		a.VPMULLD_BCST(Mem{Base: rSegs, Disp: wgInverse}, o, o)
		a.VPSRAD(U8(shift[y]+shift[x]), o, o)
		a.VPADDD(Mem{Base: rK}, o, o)
		a.VCVTDQ2PS(o, o)
		a.VMULPS(Mem{Base: rNext}, o, o)
		a.VCVTPS2DQ(o, o)
	}
	a.VPACKSSDW(out[1], out[0], out[0])
	a.VPACKSSDW(out[3], out[2], out[2])
	a.VPADDSW(Mem{Base: rSegs, Disp: wgZero}, out[0], out[0])
	a.VPADDSW(Mem{Base: rSegs, Disp: wgZero}, out[2], out[2])
	a.VPACKUSWB(out[2], out[0], out[0])
	a.VMOVDQU32(Mem{Base: rSegs, Disp: wgPerm}, out[1])
	a.VPERMD(out[0], out[1], out[0])
	some, next := fmt.Sprintf("some_%d", y), fmt.Sprintf("next_%d", y)
	a.MOVQ(rDst, rA0)
	a.CMPQ(a.arg("mask"), U32(0xffff))
	a.JNE(LabelRef(some))
	a.Label(fmt.Sprintf("whole_%d", y))
	for x := range outs {
		if x == 0 {
			a.VMOVDQU32(out[0].AsX(), Mem{Base: rA0})
		} else {
			a.VEXTRACTI32X4(U8(uint64(x)), out[0], Mem{Base: rA0})
		}
		a.ADDQ(rDstRow, rA0)
	}
	a.JMP(LabelRef(next))
	a.Label(some)
	a.CMPQ(left, U8(1))
	a.JNE(LabelRef(fmt.Sprintf("whole_%d", y)))
	for x := range outs {
		a.VEXTRACTI32X4(U8(uint64(x)), out[0], out[1].AsX())
		a.VMOVDQU8(out[1].AsX(), reg.K1, Mem{Base: rA0})
		a.ADDQ(rDstRow, rA0)
	}
	a.Label(next)
	a.ADDQ(a.arg("dstLine"), rDst)
}
