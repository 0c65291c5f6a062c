package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// asm adds to a context what all families need. Registers are physical: a tile decides which lane lives where, and an
// allocator has nothing to add.
type asm struct {
	*build.Context
	labels int
	leave  func() // before a function ends
}

// function begins a function that never grows the stack.
func function(ctx *build.Context, name, signature string, doc ...string) *asm {
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr(signature)
	ctx.Pragma("noescape")
	ctx.Doc(doc...)
	return &asm{Context: ctx, leave: func() {}}
}

// arg is the place of an argument on the stack. Arguments belong to the callee, which uses them as variables.
func (a *asm) arg(name string) Mem {
	b, err := a.Param(name).Resolve()
	if err != nil {
		panic(fmt.Sprintf("argument %s: %v", name, err))
	}
	return b.Addr
}

// load moves argument name into register r.
func (a *asm) load(name string, r reg.GPPhysical) { a.MOVQ(a.arg(name), r) }

// label makes a name that is unique in the function.
func (a *asm) label(name string) string {
	a.labels++
	return fmt.Sprintf("%s_%d", name, a.labels)
}

// done ends a function.
func (a *asm) done() {
	a.leave()
	a.VZEROUPPER()
	a.RET()
}

// The general registers of the tile kernels. Rows of activations are read at six sums of a base and a multiple of the
// distance of rows; rows 7 to 13 have a base of their own.
var (
	rA0, rA1      = reg.RAX, reg.RBX
	rRow, rRow3   = reg.RCX, reg.RDX
	rRow5         = reg.RSI
	rB, rB2       = reg.RDI, reg.R8 // weights of the first panel; distance to the second
	rK, rSegs     = reg.R9, reg.R10
	rNext, rNseg  = reg.R11, reg.R11 // activations to prefetch; segments left, in other kernels
	rDst, rDstRow = reg.R12, reg.R13
)

// row is the place of row r of a tile at the current depth.
func row(r int) Mem {
	base := rA0
	if r >= 7 {
		base, r = rA1, r-7
	}
	m := Mem{Base: base}
	switch r {
	case 1, 2, 4:
		m.Index, m.Scale = rRow, uint8(r)
	case 3, 6:
		m.Index, m.Scale = rRow3, uint8(r/3)
	case 5:
		m.Index, m.Scale = rRow5, 1
	}
	return m
}

var zmm = []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11,
	reg.Z12, reg.Z13, reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24,
	reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}

var ymm = []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11,
	reg.Y12, reg.Y13, reg.Y14, reg.Y15}
