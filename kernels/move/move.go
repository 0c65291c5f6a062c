// Package move copies elements to other places: transposition, slicing, repetition, choice. Elements
// are opaque groups of size bytes (1, 2, 4 or 8, of Select 16 as well), whose bits stay as they are; arithmetic on them, and
// an operator's attributes, may not enter.
//
// The caller guarantees sizes and that dst and src do not overlap. Another size of elements copies nothing. Slices of bytes
// may begin anywhere. Functions allocate nothing and are safe for concurrent use with distinct dst.
package move

import (
	"encoding/binary"
	"unsafe"
)

// MaxRank is the number of axes that Copy and Select accept after those are joined, and axes of one element dropped, that they
// pass through with one step. More are a panic.
const MaxRank = 32

// Copy moves an array of the given shape between two strided places: element (i, j, ...) goes from
// srcAt + i*srcStep[0] + ... to dstAt + i*dstStep[0] + ..., all counted in elements. A source's step of 0 repeats (Expand,
// Tile), a negative one reverses (Slice). Steps of dst are positive and its places distinct. A shape without axes is one
// element, one with an axis of 0 is none.
func Copy(size int, shape []int, dst []byte, dstAt int, dstStep []int, src []byte, srcAt int, srcStep []int) {
	l, ok := merge(shape, dstStep, srcStep)
	if !ok {
		return
	}
	switch size {
	case 1:
		run(&l, dst, dstAt, src, srcAt)
	case 2:
		run(&l, view[uint16](dst), dstAt, view[uint16](src), srcAt)
	case 4:
		run(&l, view[uint32](dst), dstAt, view[uint32](src), srcAt)
	case 8:
		run(&l, view[uint64](dst), dstAt, view[uint64](src), srcAt)
	}
}

// loop is a strided copy in as few axes as possible; the last is the inner loop.
type loop struct {
	rank    int
	n, d, s [MaxRank]int
}

// merge drops axes of one element and joins neighbours that both sides pass through with one step. ok is false when there
// is nothing to copy.
func merge(shape, dstStep, srcStep []int) (l loop, ok bool) {
	for i, n := range shape {
		switch k := l.rank - 1; {
		case n == 0:
			return l, false
		case n == 1:
		case k >= 0 && l.d[k] == dstStep[i]*n && l.s[k] == srcStep[i]*n:
			l.n[k] *= n
			l.d[k], l.s[k] = dstStep[i], srcStep[i]
		default:
			l.n[l.rank], l.d[l.rank], l.s[l.rank] = n, dstStep[i], srcStep[i]
			l.rank++
		}
	}
	if l.rank == 0 {
		l.rank, l.n[0], l.d[0], l.s[0] = 1, 1, 1, 1
	}
	return l, true
}

// run copies by planes of the last two axes.
func run[T any](l *loop, dst []T, d int, src []T, s int) {
	var at [MaxRank]int
	last := l.rank - 1
	outer := max(0, last-1)
	for {
		if last == 0 {
			row(dst[d:], l.d[0], src, s, l.s[0], l.n[0])
		} else {
			plane(l, dst, d, src, s)
		}
		k := outer - 1
		for ; k >= 0; k-- {
			d, s = d+l.d[k], s+l.s[k]
			if at[k]++; at[k] < l.n[k] {
				break
			}
			d, s = d-at[k]*l.d[k], s-at[k]*l.s[k]
			at[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// tile is the edge of the squares in which a transposing plane is copied, so that both sides stay in the nearest cache.
const tile = 16

// plane copies the last two axes of l.
func plane[T any](l *loop, dst []T, d int, src []T, s int) {
	p := l.rank - 2
	n, m := l.n[p], l.n[p+1]
	dn, dm, sn, sm := l.d[p], l.d[p+1], l.s[p], l.s[p+1]
	if sn == 1 && dm == 1 && dn == m && m <= narrow {
		interleave(dst[d:d+n*m], src, s, sm, m)
		return
	}
	if sm == 1 && dm == 1 && m <= short {
		shortRows(dst[d:], dn, src, s, sn, n, m)
		return
	}
	if sn == 1 && dm == 1 {
		done := transposeWords(dst[d:], dn, src[s:], sm, n, m)
		d, s, m = d+done, s+done*sm, m-done
	}
	if sm == 1 && dm == 1 || sm == 0 || sn != 1 {
		for i := range n {
			row(dst[d+i*dn:], dm, src, s+i*sn, sm, m)
		}
		return
	}
	for i0 := 0; i0 < n; i0 += tile {
		i1 := min(i0+tile, n)
		for j0 := 0; j0 < m; j0 += tile {
			j1 := min(j0+tile, m)
			for i := i0; i < i1; i++ {
				row(dst[d+i*dn+j0*dm:], dm, src, s+i*sn+j0*sm, sm, j1-j0)
			}
		}
	}
}

// short is the length up to which rows are copied element by element: a call of copy takes as long as several of them.
const short = 4

// shortRows copies n rows of m elements, 1 to short of them, ds and ss apart; those of src begin at s and may go backwards.
func shortRows[T any](dst []T, ds int, src []T, s, ss, n, m int) {
	for i := range n {
		to, from := dst[i*ds:][:m], src[s+i*ss:][:m]
		to[0] = from[0]
		if m > 1 {
			to[1] = from[1]
		}
		if m > 2 {
			to[2] = from[2]
		}
		if m > 3 {
			to[3] = from[3]
		}
	}
}

// transposeWords writes the first columns of a transposing plane of 32-bit words, 8 at a time, and returns how many: word i of
// source row j, sm apart, becomes word j of row i of dst, dn apart. Pieces of 64 rows of dst stay in the nearest cache while
// their columns are written.
func transposeWords[T any](dst []T, dn int, src []T, sm, n, m int) int {
	m -= m % 8
	if unsafe.Sizeof(*new(T)) != 4 || n < 8 || m == 0 || !fastTranspose() {
		return 0
	}
	to, from := words(dst), words(src)
	_, _ = to[(n-1)*dn+m-1], from[(m-1)*sm+n-1]
	whole := n - n%8
	const piece = 64
	for i := 0; i < whole; i += piece {
		k := min(piece, whole-i)
		for j := 0; j < m; j += 8 {
			transposeStrip(to[i*dn+j:], from[j*sm+i:], k, dn, sm)
		}
	}
	for i := whole; i < n; i++ {
		for j := range m {
			to[i*dn+j] = from[j*sm+i]
		}
	}
	return m
}

// words is s, whose elements are of 32 bits, as words.
func words[T any](s []T) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// narrow is the number of columns up to which a transposed plane is written column by column: pictures of 1 to 4 channels
// becoming channels-last.
const narrow = 8

// interleave writes m columns, sm elements apart in src from s on and each contiguous, as rows of m. It goes by pieces that
// stay in the nearest cache while they are passed m times.
func interleave[T any](dst []T, src []T, s, sm, m int) {
	n := len(dst) / m
	if m == 3 {
		threes(dst, src[s:][:n], src[s+sm:][:n], src[s+2*sm:][:n])
		return
	}
	const piece = 512
	for i := 0; i < n; i += piece {
		k := min(piece, n-i)
		out := dst[i*m : (i+k)*m]
		for j := range m {
			at := j
			for _, v := range src[s+j*sm+i:][:k] {
				out[at] = v
				at += m
			}
		}
	}
}

// threes writes three columns of one length as rows of three: the planes of a coloured picture as its pixels.
func threes[T any](dst, a, b, c []T) {
	switch unsafe.Sizeof(*new(T)) {
	case 4:
		n := fastThreeWords(words(dst), words(a), words(b), words(c))
		dst, a, b, c = dst[3*n:], a[n:], b[n:], c[n:]
	case 1:
		n := fastThree(asBytes(dst), asBytes(a), asBytes(b), asBytes(c))
		dst, a, b, c = dst[3*n:], a[n:], b[n:], c[n:]
		n = threeBytes(asBytes(dst), asBytes(a), asBytes(b), asBytes(c))
		dst, a, b, c = dst[3*n:], a[n:], b[n:], c[n:]
	}
	b, c = b[:len(a)], c[:len(a)]
	for i, v := range a {
		out := dst[3*i:][:3]
		out[0], out[1], out[2] = v, b[i], c[i]
	}
}

// threeBytes is threes of whole groups of four rows, a group in three words; it returns the number of those rows.
func threeBytes(dst, a, b, c []byte) int {
	n := len(a) &^ 3
	for i := 0; i < n; i += 4 {
		x, y, z := binary.LittleEndian.Uint32(a[i:]), binary.LittleEndian.Uint32(b[i:]), binary.LittleEndian.Uint32(c[i:])
		out := dst[3*i:][:12]
		binary.LittleEndian.PutUint32(out, x&0xff|y&0xff<<8|z&0xff<<16|x&0xff00<<16)
		binary.LittleEndian.PutUint32(out[4:], y>>8&0xff|z&0xff00|x&0xff0000|y&0xff0000<<8)
		binary.LittleEndian.PutUint32(out[8:], z>>16&0xff|x>>16&0xff00|y>>8&0xff0000|z&0xff000000)
	}
	return n
}

// asBytes is s, whose elements are bytes of another name, as bytes.
func asBytes[T any](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// row copies n elements with steps; dst begins at the first one.
func row[T any](dst []T, ds int, src []T, s, ss, n int) {
	switch {
	case ds == 1 && ss == 1:
		copy(dst[:n], src[s:s+n])
	case ds == 1 && ss == 0:
		fill(dst[:n], src[s])
	case ds == 1:
		for i := range dst[:n] {
			dst[i] = src[s]
			s += ss
		}
	default:
		for i := range n {
			dst[i*ds] = src[s]
			s += ss
		}
	}
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// view reads b as elements of type T. Buffers of the engine are aligned; a mapped constant may not be, and x86 and arm64
// read and write it all the same. T holds no pointers, so checkptr does not ask for alignment.
func view[T any](b []byte) []T {
	var z T
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(z)))
}
