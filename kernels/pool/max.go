package pool

import (
	"encoding/binary"

	"assay/kernels/numeric"
)

// MaxF32 writes the maximum of each window; a NaN in it wins, stored as 0x7fc00000, and +0 is larger than -0.
func MaxF32(dst, src []float32, w Window) {
	w = w.normal()
	w.each(func(n int, v, h span, out int) {
		d := dst[out : out+w.C]
		if s := src[min(w.tap(n, v, h, 0, 0), len(src)):]; fastMaxFloats(d, s, w.C, v.hi-v.lo, h.hi-h.lo, w.rowStep(), w.colStep()) {
			return
		}
		first := true
		for i := range v.hi - v.lo {
			for j := range h.hi - h.lo {
				at := w.tap(n, v, h, i, j)
				s := src[at : at+w.C]
				if first {
					first = false
					copy(d, s)
					continue
				}
				maxRow(d, s)
			}
		}
		numeric.CanonAll(d)
	})
}

// max is Go's, which has the rule of design.md 6: NaN wins and +0 is above -0.
func maxRow(d, s []float32) {
	s = s[:len(d)]
	for c, v := range s {
		d[c] = max(d[c], v)
	}
}

// MaxU8 writes the maximum of each window of unsigned bytes.
func MaxU8(dst, src []uint8, w Window) { maxBytes(dst, src, w.normal(), 0) }

// MaxI8 writes the maximum of each window of signed bytes, given as their bit patterns.
func MaxI8(dst, src []uint8, w Window) { maxBytes(dst, src, w.normal(), 0x80) }

// maxBytes compares bytes with the bits of flip inverted. Flipping the sign bit makes the order of signed bytes that of
// unsigned ones.
func maxBytes(dst, src []uint8, w Window, flip uint8) {
	w.each(func(n int, v, h span, out int) {
		d := dst[out : out+w.C]
		if s := src[min(w.tap(n, v, h, 0, 0), len(src)):]; fastMaxBytes(d, s, w.C, v.hi-v.lo, h.hi-h.lo, w.rowStep(), w.colStep(), flip) {
			return
		}
		first := true
		for i := range v.hi - v.lo {
			for j := range h.hi - h.lo {
				at := w.tap(n, v, h, i, j)
				s := src[at : at+w.C]
				if first {
					first = false
					copy(d, s)
					continue
				}
				maxRowBytes(d, s, flip)
			}
		}
	})
}

const (
	high = 0x8080808080808080
	ones = 0x0101010101010101
)

// maxRowBytes is d = max(d, s), eight bytes in a word.
func maxRowBytes(d, s []uint8, flip uint8) {
	s = s[:len(d)]
	f := uint64(flip) * ones
	for len(d) >= 8 && len(s) >= 8 {
		a, b := binary.LittleEndian.Uint64(d)^f, binary.LittleEndian.Uint64(s)^f
		// The high bit of each byte of ge tells a >= b: by the high bits where they differ, else by the other seven, whose
		// difference cannot borrow from the next byte because a's high bit is set.
		ge := (a&^b | ^(a^b)&((a|high)-(b&^high))) & high
		mask := ge >> 7 * 0xff
		binary.LittleEndian.PutUint64(d, (b^(a^b)&mask)^f)
		d, s = d[8:], s[8:]
	}
	for c, v := range s {
		if v^flip > d[c]^flip {
			d[c] = v
		}
	}
}
