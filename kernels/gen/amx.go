package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Go's assembler has no names for the tile instructions, so their bytes stand here (Intel's manual, volume 2). Registers
// are the low eight; a tile in memory is rows at base + row * index.

// bytes emits one instruction.
func (a *asm) bytes(code ...uint64) {
	for _, b := range code {
		a.Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}

// vex emits an instruction of the map 0F38 with a 3-byte VEX prefix; third has vvvv and pp.
func (a *asm) vex(third, opcode uint64, rest ...uint64) {
	a.bytes(append([]uint64{0xc4, 0xe2, third, opcode}, rest...)...)
}

// number is the encoding of a general register.
func number(r reg.GPPhysical) uint64 {
	for i, x := range []reg.GPPhysical{reg.RAX, reg.RCX, reg.RDX, reg.RBX, reg.RSP, reg.RBP, reg.RSI, reg.RDI} {
		if x == r {
			return uint64(i)
		}
	}
	panic("not one of the low registers")
}

func (a *asm) loadConfig(r reg.GPPhysical) { a.vex(0x78, 0x49, number(r)) }
func (a *asm) releaseTiles()               { a.vex(0x78, 0x49, 0xc0) }
func (a *asm) zeroTile(t uint64)           { a.vex(0x7b, 0x49, 0xc0|t<<3) }

func (a *asm) loadTile(t uint64, base, index reg.GPPhysical) {
	a.vex(0x7b, 0x4b, t<<3|4, number(index)<<3|number(base))
}

func (a *asm) storeTile(t uint64, base, index reg.GPPhysical) {
	a.vex(0x7a, 0x4b, t<<3|4, number(index)<<3|number(base))
}

// dotTiles adds the product of unsigned bytes x and signed bytes y, in groups of four, to the int32 of sums (TDPBUSD).
func (a *asm) dotTiles(sums, x, y uint64) { a.vex((15-y)<<3|1, 0x5e, 0xc0|sums<<3|x) }

// Tiles: sums of two halves of the rows by two panels, then rows and weights of a whole chunk of 16 groups, and of the rest.
const (
	tileSums = iota
	tileRows = iota + 3
	tileWeights
	tileRowsRest
	tileWeightsRest
)

// blockRow is the distance in bytes of rows in the block of sums: 32 of them.
const blockRow = 128

const i8AMXSignature = `func(dst *byte, dstRow, dstTile, dstPanel int, a *byte, aRow, aHalf, aTile int,
	segs *int, nseg, chunks, rest int, b *int8, bPanel int, bias, sum *int32, mult *float32, multMask int,
	rows, half, tiles, panels, wide, mask, float int, rq, add *int32, addStep int, config *byte, block *int32)`

// i8AMX writes the integer kernel on tile registers. Both panels of up to 32 rows are summed in four tiles, stored to a
// block that stays in the first-level cache, and from there go through the store of the AVX-512 kernel.
func i8AMX(ctx *build.Context) {
	a := function(ctx, "i8TileAMX", i8AMXSignature,
		"i8TileAMX is i8Tile512 for tiles of 8 to 32 rows: half rows, and half that begin aHalf bytes and rows-half rows",
		"further on. A segment has chunks times 16 groups of four and rest more. config describes the tiles; block has room",
		"for 32 x 32 sums.")
	a.leave = a.releaseTiles
	v := newLocals(a)
	row, start := a.AllocLocal(8), a.AllocLocal(8)
	a.CMPQ(a.arg("wide"), U8(1))
	a.JEQ(LabelRef("amx_1"))
	for wide := 2; wide >= 1; wide-- {
		t := amx{tile512{tile{a, 4, wide}}, fmt.Sprintf("amx_%d", wide), v, row, start}
		a.Label(t.name)
		t.load("config", rA0)
		t.loadConfig(rA0)
		t.prologue()
		t.masks()
		t.loops(t.name, v, func() {
			t.sums()
			t.store()
		}, t.nextAdd)
	}
}

// amx is a width of the kernel. row is the row of a block that is stored next, start the weights of the second panel.
type amx struct {
	tile512
	name       string
	v          locals
	row, start Mem
}

// next is the register with the weights of the second panel.
var rSecond, rStep = reg.RDX, reg.RSI

// sums leaves the sums of one block in memory. Registers: rA0 and rA1 are the two halves of the rows at the current chunk, rRow their
// distance, rB and rSecond the weights of the two panels, rStep the distance of rows of weights, and then of the block. bSkip is
// not heeded: segments follow each other in the weights.
func (t amx) sums() {
	for i := range uint64(4) {
		t.zeroTile(tileSums + i)
	}
	t.MOVQ(t.v.b, rB)
	t.MOVQ(rB, rSecond)
	if t.wide == 2 {
		t.ADDQ(rB2, rSecond)
	}
	t.MOVQ(U32(64), rStep)
	t.load("segs", rSegs)
	t.load("nseg", rNseg)
	t.Label(t.name + "_seg")
	t.load("a", rA0)
	t.ADDQ(Mem{Base: rSegs}, rA0)
	t.ADDQ(U8(8), rSegs)
	t.MOVQ(rA0, rA1)
	t.ADDQ(t.arg("aHalf"), rA1)
	t.load("chunks", rK)
	t.TESTQ(rK, rK)
	t.JEQ(LabelRef(t.name + "_rest"))
	t.Label(t.name + "_k")
	t.step(tileRows, tileWeights)
	t.ADDQ(U8(64), rA0)
	t.ADDQ(U8(64), rA1)
	t.ADDQ(U32(1024), rB)
	t.ADDQ(U32(1024), rSecond)
	t.DECQ(rK)
	t.JNZ(LabelRef(t.name + "_k"))
	t.Label(t.name + "_rest")
	t.load("rest", rK)
	t.TESTQ(rK, rK)
	t.JEQ(LabelRef(t.name + "_next"))
	t.step(tileRowsRest, tileWeightsRest)
	t.SHLQ(U8(6), rK)
	t.ADDQ(rK, rB)
	t.ADDQ(rK, rSecond)
	t.Label(t.name + "_next")
	t.DECQ(rNseg)
	t.JNZ(LabelRef(t.name + "_seg"))
	t.MOVQ(U32(blockRow), rStep)
	t.load("block", rA0)
	t.load("rows", rA1)
	t.SUBQ(t.arg("half"), rA1)
	t.SHLQ(U8(7), rA1)
	t.ADDQ(rA0, rA1)
	t.storeTile(tileSums, rA0, rStep)
	t.storeTile(tileSums+2, rA1, rStep)
	if t.wide == 2 {
		t.ADDQ(U8(64), rA0)
		t.ADDQ(U8(64), rA1)
		t.storeTile(tileSums+1, rA0, rStep)
		t.storeTile(tileSums+3, rA1, rStep)
	}
}

// step adds one chunk to all sums. Weights of the first panel are loaded twice, so that two registers serve.
func (t amx) step(rows, weights uint64) {
	t.loadTile(rows, rA0, rRow)
	t.loadTile(weights, rB, rStep)
	t.dotTiles(tileSums, rows, weights)
	if t.wide == 2 {
		t.loadTile(weights, rSecond, rStep)
		t.dotTiles(tileSums+1, rows, weights)
		t.loadTile(rows, rA1, rRow)
		t.dotTiles(tileSums+3, rows, weights)
		t.loadTile(weights, rB, rStep)
	} else {
		t.loadTile(rows, rA1, rRow)
	}
	t.dotTiles(tileSums+2, rows, weights)
}

// store finishes the block, four rows at a time; the last four may have been stored already.
func (t amx) store() {
	t.MOVQ(rDst, t.start)
	t.MOVQ(U32(0), t.row)
	t.Label(t.name + "_four")
	t.start4()
	t.load("rq", rSegs)
	t.load("mult", rK)
	t.load("multMask", rNseg)
	t.ANDQ(t.v.col, rNseg)
	t.ADDQ(rNseg, rK)
	t.CMPQ(t.arg("float"), U8(0))
	t.JNE(LabelRef(t.name + "_float"))
	t.i8Bytes()
	t.JMP(LabelRef(t.name + "_stored"))
	t.Label(t.name + "_float")
	t.i8Floats()
	t.Label(t.name + "_stored")
	t.MOVQ(t.row, rA0)
	t.ADDQ(U8(4), rA0)
	t.load("rows", rA1)
	t.CMPQ(rA0, rA1)
	t.JGE(LabelRef(t.name + "_done"))
	t.SUBQ(U8(4), rA1)
	t.CMPQ(rA0, rA1)
	t.JLE(LabelRef(t.name + "_go"))
	t.MOVQ(rA1, rA0)
	t.Label(t.name + "_go")
	t.MOVQ(rA0, t.row)
	t.IMULQ(rDstRow, rA0)
	t.ADDQ(t.start, rA0)
	t.MOVQ(rA0, rDst)
	t.JMP(LabelRef(t.name + "_four"))
	t.Label(t.name + "_done")
	t.MOVQ(t.start, rDst)
}

// start4 loads the sums of four rows and adds what i8Begin begins with.
func (t amx) start4() {
	zero, s := reg.Z31, reg.Z30
	t.load("rq", rK)
	t.VPBROADCASTD(Mem{Base: rK, Disp: rqXZero}, zero)
	t.load("bias", rK)
	t.load("sum", rSegs)
	t.ADDQ(t.v.col, rK)
	t.ADDQ(t.v.col, rSegs)
	t.MOVQ(t.row, rA0)
	t.SHLQ(U8(7), rA0)
	t.ADDQ(t.arg("block"), rA0)
	for p := range t.wide {
		t.VPMULLD(Mem{Base: rSegs, Disp: 64 * p}, zero, s)
		t.VMOVDQU32(Mem{Base: rK, Disp: 64 * p}, reg.Z29)
		t.VPSUBD(s, reg.Z29, s)
		for r := range t.rows {
			t.VPADDD(Mem{Base: rA0, Disp: blockRow*r + 64*p}, s, t.acc(r, p))
		}
	}
	t.CMPQ(t.arg("addStep"), U8(0))
	t.JEQ(LabelRef(t.name + "_begun"))
	t.load("add", rK)
	t.MOVQ(t.row, rA0)
	for r := range t.rows {
		t.VPBROADCASTD(Mem{Base: rK, Index: rA0, Scale: 4, Disp: 4 * r}, s)
		for p := range t.wide {
			t.VPADDD(s, t.acc(r, p), t.acc(r, p))
		}
	}
	t.Label(t.name + "_begun")
}
