// Package tile multiplies rows of activations by packed weights: the one inner loop of GEMM and dense convolution.
// Activations are read where they lie; only weights are packed, once. An operator, a tensor, a padding rule or an
// allocation in Run may not enter.
//
// Contract. Row r of a Walk is K elements of the source: its segments, one after the other. A float result is one chain
// of fused multiply-adds that starts at the bias, or +0, and takes k in ascending order; an integer result is the exact
// int32 sum (modulo 2^32). Every tier gives the same bits, whatever the split into tiles, panels and calls. Integer
// kernels read the source in groups of four bytes and never past its end. Destination and source do not overlap.
// A packed value is read-only after packing and safe for concurrent use.
//
// Names of kernels are metadata: type, "tile", tier, rows x columns. Assembly works at most about 200 microseconds
// before it returns, because a garbage collection waits for it.
package tile

import "unsafe"

const (
	// Panel is the number of columns that lie together in packed weights: one vector of 16 floats or int32 sums.
	Panel = 16
	// quad is the number of bytes along k that one int8 multiply-add takes.
	quad = 4
	// half is the number of rows that share one base address; see Walk.Half.
	half    = 7
	signBit = 1 << 31 // of a float32
	// maxDepth bounds the depth of one call of a float kernel; a deeper chain continues from the stored accumulator.
	maxDepth = 16384
)

// Walk says where rows of K elements lie in a source, in elements. Row r begins at Base + r*Row for r < 7 and at
// Base + Half + (r-7)*Row above, so that one tile can take two lines of a 7-wide picture; a Walk with more than 14
// rows has Half = 7*Row. Each row is len(Segs) segments of Len elements that begin at their offset from the row. They meet
// segments First and up of the packed matrix; what lies in front of these and behind them takes no part. Where Whole is not 0,
// segments of the packed matrix have Whole elements, of which those from Front on meet the Len elements of the source and the others
// take no part.
//
// Bytes ask for more, because the zero point of what takes no part has to stay out of the sums. Without Whole, the segments met are all,
// the first ones or the last ones of the matrix: of others it has no sums of weights. With Whole, Out.Sum has these sums, and
// Front, Len and Whole are multiples of four. A matrix of several Parts is met as a whole, each segment as often as it has
// Parts. A Walk of several segments, unless they are one segment repeated, needs Slack bytes of source behind each of them.
type Walk struct {
	Base, Row, Half, M int
	Segs               []int
	Len                int
	First              int
	Front, Whole       int
}

// Line is the Walk of m rows of segments of n elements that lie at equal distances. It keeps segs and does not copy it.
func Line(base, row, m int, segs []int, n int) Walk {
	return Walk{Base: base, Row: row, Half: half * row, M: m, Segs: segs, Len: n}
}

// at is the index of the first element of row r, less the segment's offset.
func (w Walk) at(r int) int {
	if r < half || w.straight() {
		return w.Base + r*w.Row
	}
	return w.Base + w.Half + (r-half)*w.Row
}

// whole is the number of elements of a segment of the packed matrix, skip how many of them the source does not meet.
func (w Walk) whole() int { return max(w.Len, w.Whole) }
func (w Walk) skip() int  { return w.whole() - w.Len }

// depth is the number of elements of a row.
func (w Walk) depth() int { return len(w.Segs) * w.Len }

// row is the row of the packed matrix that the first element meets, where segments are not padded.
func (w Walk) row() int { return w.First*w.whole() + w.Front }

func (w Walk) straight() bool { return w.Half == half*w.Row }

// part is the Walk of rows first to first+m-1. Invariant: w is straight, or the part is one of its halves or all of it.
func (w Walk) part(first, m int) Walk {
	w.Base, w.M = w.at(first), m
	if m <= half {
		w.Half = half * w.Row
	}
	return w
}

// pieces cuts w into parts whose rows lie at equal distances, unless a tile of rows takes all of it.
func (w Walk) pieces(rows int) (n int, p [2]Walk) {
	if w.M <= half {
		return 1, [2]Walk{w.part(0, w.M)}
	}
	if w.straight() || w.M <= rows && (rows == 2*half || rows > 2*half && w.M == 2*half) {
		return 1, [2]Walk{w}
	}
	return 2, [2]Walk{w.part(0, half), w.part(half, w.M-half)}
}

// Balance splits m rows into tiles of at most rows: the first big tiles have size+1 rows, the others size.
func Balance(m, rows int) (tiles, size, big int) {
	tiles = (m + rows - 1) / rows
	return tiles, m / tiles, m % tiles
}

// Align is the alignment of packed weights in bytes: a cache line, and a vector of the widest tier.
const Align = 64

// aligned allocates n zeroed elements that begin at a multiple of Align.
func aligned[T int8 | int32 | float32](n int) []T {
	var t T
	size := int(unsafe.Sizeof(t))
	buf := make([]T, n+Align/size)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(buf)))) & (Align - 1) / size
	return buf[skip : skip+n : skip+n]
}
