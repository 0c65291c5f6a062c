package gemm

import (
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
)

// I8 is a packed matrix B of k rows and n columns of signed bytes with zero points and an int32 bias for each column.
type I8 struct{ b tile.I8 }

// PackI8 packs b, row-major [k][n], or [n][k] if transB. bias has n elements, nil stands for 0; bZero has n, 1 or none
// (0). All are copied. A weight less its zero point that is no signed byte takes a second matrix, or a third, for all
// weights, and Run as many passes: zero points other than 0 double its work as a rule.
func PackI8(b []int8, k, n int, transB bool, bias []int32, bZero []int8) *I8 {
	return &I8{*tile.PackI8(1, k, n, func(i, j int) int {
		zero := 0
		switch len(bZero) {
		case 0:
		case 1:
			zero = int(bZero[0])
		default:
			zero = int(bZero[j])
		}
		if transB {
			return int(b[j*k+i]) - zero
		}
		return int(b[i*n+j]) - zero
	}, bias)}
}

// Bytes is the size of the packed weights, their padding included, and biases and sums not.
func (p *I8) Bytes() int { return p.b.Bytes() }

// Run computes acc[i][j] = bias[j] + sum over k of (a[i][k]-aZero)*(B[k][j]-bZero[j]) for m rows, modulo 2^32, and stores
// rq of it, whose Mult has n elements or one. No sum of weights from -127 to 127 wraps where k is at most 66,310 and biases leave
// room. Signed activations are unsigned ones with the sign bit of data and zero point flipped.
func (p *I8) Run(dst []uint8, ldd int, a []uint8, lda int, m int, aZero uint8, rq numeric.Requant) {
	p.run(tile.Out{U8: dst, Rq: rq, Ld: ldd}, a, lda, m, aZero)
}

// RunFloat is Run with dst[i][j] = float32(float32(acc)*scale[j]), NaN as 0x7fc00000; scale has n elements, or one for all
// columns.
func (p *I8) RunFloat(dst []float32, ldd int, a []uint8, lda, m int, aZero uint8, scale []float32) {
	p.run(tile.Out{F32: dst, Scale: scale, Ld: ldd}, a, lda, m, aZero)
}

func (p *I8) run(o tile.Out, a []uint8, lda, m int, aZero uint8) {
	var segs [3]int // as many as Parts at most, all 0: the same row again
	w := tile.Line(0, lda, m, segs[:p.b.Parts()], p.b.K)
	if p.b.Zero() {
		p.runAdding(o, a, w, aZero)
		return
	}
	each(p.b.Panels(), p.b.Bytes(), func(first, last int) {
		p.b.Run(o, a, w, aZero, first, last)
	})
}

// runAdding is run for a computed matrix with a zero point, so many rows at a time as have room for their sums.
func (p *I8) runAdding(o tile.Out, a []uint8, all tile.Walk, aZero uint8) {
	var sums [112]int32
	for first := 0; first < all.M; first += len(sums) {
		w := tile.Line(first*all.Row, all.Row, min(len(sums), all.M-first), all.Segs, all.Len)
		part := o
		part.U8, part.F32, part.Add = o.U8[min(len(o.U8), first*o.Ld):], o.F32[min(len(o.F32), first*o.Ld):], sums[:w.M]
		if o.U8 == nil {
			part.U8 = nil
		}
		p.b.RowSums(part.Add, a, w)
		each(p.b.Panels(), p.b.Bytes(), func(first, last int) {
			p.b.Run(part, a, w, aZero, first, last)
		})
	}
}
