// Package gemm multiplies matrices by weights that were packed beforehand, in float32 and in 8-bit integers, with bias,
// activation and requantization applied as results are stored. A graph, a tensor type, a layout other than row-major
// and an allocation outside of Pack may not enter.
//
// Contract. The caller guarantees sizes: m rows of k elements, lda apart, in a; m rows of n elements, ldd apart, in dst,
// which does not overlap a: lda is at least k and ldd at least n, or rows would. What lies between rows of dst is not
// touched, and neither slice has to reach beyond its last row's elements; one that ends earlier is a panic, never a stray
// access. A packed matrix is read-only and safe for concurrent use; work is split over rows by callers as they like, with
// slices that begin later, without changing a bit. A float result is one chain of fused multiply-adds, the sum
// starting at the bias (+0 without) and k ascending; NaN is stored as 0x7fc00000. An integer result is the exact int32
// sum, then the formulas of numeric.Requant, or of RunFloat. Every tier gives the same bits.
package gemm

import (
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
)

// resident is how many bytes of packed weights may pass by for each tile of rows: about half of a second-level cache.
// Wider matrices are cut into groups of panels, and all rows pass by each group.
const resident = 1 << 20

// each calls f with ranges of panels, cut at even numbers, of about half of resident bytes each, or with all of them
// if they fit.
func each(panels, bytes int, f func(first, last int)) {
	step := panels
	if bytes > resident {
		step = max(2, resident/2/(bytes/panels)&^1)
	}
	for first := 0; first < panels; first += step {
		f(first, min(first+step, panels))
	}
}

// F32 is a packed matrix B of k rows and n columns with a bias for each column.
type F32 struct{ b tile.F32 }

// PackF32 packs b, row-major [k][n], or [n][k] if transB. bias has n elements; nil stands for +0. Both are copied.
func PackF32(b []float32, k, n int, transB bool, bias []float32) *F32 {
	return &F32{*tile.PackF32(k, n, func(i, j int) float32 {
		if transB {
			return b[j*k+i]
		}
		return b[i*n+j]
	}, bias)}
}

// Bytes is the size of the packed weights, their padding to whole panels included and biases not.
func (p *F32) Bytes() int { return p.b.Bytes() }

// Run computes dst[i][j] = act(chain(bias[j], a[i]·B[:,j])) for m rows, which may be none.
func (p *F32) Run(dst []float32, ldd int, a []float32, lda int, m int, act numeric.Clamp) {
	segs := [1]int{}
	w := tile.Line(0, lda, m, segs[:], p.b.K)
	p.b.Each(func(first, last int) {
		p.b.Run(tile.OutF32{Dst: dst, Ld: ldd, Act: act}, a, w, first, last)
	})
}
