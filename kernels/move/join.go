package move

import (
	"encoding/binary"
	"slices"
)

// Concat joins sources along an axis: source i holds outer runs of widths[i] bytes, dst outer runs of their sum. For
// channels-last data and the channel axis, outer counts pixels. A width may be 0.
func Concat(dst []byte, outer int, sources [][]byte, widths []int) {
	total := 0
	for _, w := range widths {
		total += w
	}
	at := 0
	for i, w := range widths {
		Rows(dst[min(at, len(dst)):], total, sources[i], w, w, outer)
		at += w
	}
}

// Split is the inverse of Concat: target i receives outer runs of widths[i] bytes, or nothing where it is nil.
func Split(targets [][]byte, src []byte, outer int, widths []int) {
	total := 0
	for _, w := range widths {
		total += w
	}
	at := 0
	for i, w := range widths {
		if targets[i] != nil {
			Rows(targets[i], w, src[min(at, len(src)):], total, w, outer)
		}
		at += w
	}
}

// Rows copies rows of width bytes that start ldd and lds bytes apart. What lies between rows of dst is not touched.
func Rows(dst []byte, ldd int, src []byte, lds, width, rows int) {
	if width == 0 || rows == 0 {
		return
	}
	if ldd == width && lds == width {
		copy(dst[:width*rows], src[:width*rows])
		return
	}
	switch width { // one or two registers: a call of copy takes longer
	case 1:
		for r := range rows {
			dst[r*ldd] = src[r*lds]
		}
	case 4:
		for r := range rows {
			binary.NativeEndian.PutUint32(dst[r*ldd:], binary.NativeEndian.Uint32(src[r*lds:]))
		}
	case 8:
		for r := range rows {
			binary.NativeEndian.PutUint64(dst[r*ldd:], binary.NativeEndian.Uint64(src[r*lds:]))
		}
	case 16:
		for r := range rows {
			to, from := dst[r*ldd:][:16], src[r*lds:][:16]
			x, y := binary.NativeEndian.Uint64(from), binary.NativeEndian.Uint64(from[8:])
			binary.NativeEndian.PutUint64(to, x)
			binary.NativeEndian.PutUint64(to[8:], y)
		}
	default:
		for r := range rows {
			copy(dst[r*ldd:][:width], src[r*lds:][:width])
		}
	}
}

// Gather picks along the middle axis of [outer][n][inner] bytes, inner counting bytes; dst is [outer][len(indices)][inner].
// A negative index counts from the end. It reports the position in indices of the first one outside [-n, n), or -1 when
// all are good; nothing is written for a bad one.
func Gather(dst, src []byte, indices []int64, outer, n, inner int) (bad int) {
	bad = slices.IndexFunc(indices, func(i int64) bool { return i < -int64(n) || i >= int64(n) })
	if bad >= 0 {
		return bad
	}
	for o := range outer {
		for k, i := range indices {
			if i < 0 {
				i += int64(n)
			}
			copy(dst[(o*len(indices)+k)*inner:][:inner], src[(o*n+int(i))*inner:][:inner])
		}
	}
	return -1
}

// Fill repeats element v, of any number of bytes, over dst: the border of Pad, ConstantOfShape. The last one is cut where dst
// ends; an empty v changes nothing.
func Fill(dst, v []byte) {
	if len(v) == 0 || len(dst) == 0 {
		return
	}
	n := copy(dst, v)
	for n < len(dst) { // doubling: each copy repeats what is there
		n += copy(dst[n:], dst[:n])
	}
}
