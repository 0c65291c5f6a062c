package tile

import (
	"encoding/binary"
	"unsafe"
)

// Matrices on the right that are computed anew in each run are packed into memory of the caller.

// SpaceF32 is the bytes of memory that RepackF32 takes for a matrix of k rows and n columns.
func SpaceF32(k, n int) int {
	return 4*panels(n)*Panel*(k+1) + Align
}

func panels(n int) int { return (n + Panel - 1) / Panel }

// carve takes n elements off the front of space, aligned.
func carve[T int8 | int32 | float32](space []byte, n int) ([]T, []byte) {
	var t T
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(space)))) & (Align - 1)
	size := n * int(unsafe.Sizeof(t))
	part := space[skip : skip+size]
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(part))), n), space[skip+size:]
}

// RepackF32 packs b, row-major [k][n], into space of at least SpaceF32 bytes, which the result refers to. The chains start
// at the bias, n elements or none. The result is never Plain: nobody has looked at its elements.
func RepackF32(space []byte, b []float32, k, n int, bias []float32) F32 {
	p := F32{K: k, N: n}
	p.panel, space = carve[float32](space, panels(n)*k*Panel)
	p.bias = unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(space))), panels(n)*Panel)
	clear(p.bias[copy(p.bias, bias):])
	for q := range panels(n) {
		out, cols := p.panel[q*k*Panel:][:k*Panel], min(Panel, n-q*Panel)
		done := 0
		if k > 0 {
			done = copyPanel(out, b[q*Panel:], n, cols)
		}
		for i := done; i < k; i++ {
			row := out[i*Panel:][:Panel]
			clear(row[copy(row, b[i*n+q*Panel:][:cols]):])
		}
	}
	return p
}

// SpaceI8 is SpaceF32 for RepackI8.
func SpaceI8(k, n int) int {
	return panels(n)*Panel*((k+quad-1)/quad*quad+2*4) + 3*Align
}

// RepackI8 packs b, row-major [k][n] of bytes each xor'ed with flip (0x80 turns unsigned ones into signed ones, 0 takes
// signed ones), into space of at least SpaceI8 bytes, which the result refers to. zero is the zero point of the flipped
// bytes, -128 to 127. Where Zero holds, Run wants what it adds to each row, which RowSums computes, in Out.Add.
func RepackI8(space []byte, b []byte, flip uint8, k, n int, bias []int32, zero int32) I8 {
	p := I8{K: k, N: n, segs: 1, len: k, groups: (k + quad - 1) / quad, parts: 1, zero: zero}
	p.panel, space = carve[int8](space, panels(n)*p.groups*Panel*quad)
	p.bias, space = carve[int32](space, panels(n)*Panel)
	p.sum, _ = carve[int32](space, panels(n)*Panel)
	clear(p.bias[copy(p.bias, bias):])
	clear(p.sum)
	for q := range panels(n) {
		out, sum, cols := p.panel[q*p.groups*Panel*quad:][:p.groups*Panel*quad], (*[Panel]int32)(p.sum[q*Panel:]), min(Panel, n-q*Panel)
		done := 0
		if cols == Panel && k >= quad {
			done = packRows(out, b[q*Panel:], n, k/quad, flip, sum)
		}
		if done < k {
			p.packRest(out[done*Panel:], b, flip, sum, q, done, cols)
		}
		for j := range cols {
			sum[j] -= int32(k) * zero
		}
	}
	return p
}

// packRest packs rows from first on of the first cols columns of panel q.
func (p *I8) packRest(out []int8, b []byte, flip uint8, sum *[Panel]int32, q, first, cols int) {
	clear(out)
	for i := first; i < p.K; i++ {
		at := (i-first)/quad*Panel*quad + (i-first)%quad
		for j, v := range b[i*p.N+q*Panel:][:cols] {
			w := int8(v ^ flip)
			out[at+j*quad] = w
			sum[j] += int32(w)
		}
	}
}

// Zero reports whether rows need RowSums.
func (p *I8) Zero() bool { return p.zero != 0 }

// RowSums writes for each of the first len(add) rows of w in src what the zero point adds to its sums: less the zero
// point times the sum of the row. (The part that the activations' zero point has in it is in the columns' sums.) The Walk
// has one segment and its rows lie at equal distances. What add held before does not matter.
func (p *I8) RowSums(add []int32, src []uint8, w Walk) {
	clear(add)
	done := sumBlocks(add, src, w, -p.zero)
	for r := range add {
		if done < w.Len {
			add[r] -= p.zero * sumBytes(src[w.at(r)+w.Segs[0]:][done:w.Len])
		}
	}
}

// sumBytes adds up bytes, eight at a time in four lanes of 16 bits, which 128 rounds cannot overflow.
func sumBytes(x []uint8) int32 {
	const even = 0x00ff00ff00ff00ff
	total := int32(0)
	for len(x) >= 8 {
		n := min(128, len(x)/8)
		lanes := uint64(0)
		for range n {
			v := binary.LittleEndian.Uint64(x)
			lanes += v&even + v>>8&even
			x = x[8:]
		}
		total += int32(lanes&0xffff) + int32(lanes>>16&0xffff) + int32(lanes>>32&0xffff) + int32(lanes>>48)
	}
	for _, v := range x {
		total += int32(v)
	}
	return total
}
