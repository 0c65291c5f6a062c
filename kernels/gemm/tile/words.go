package tile

import (
	"unsafe"

	"assay/kernels/tier"
)

// Kernels of AVX2 multiply words. Those of weights are made of bytes once for all rows of a tile, but those of activations for each row and
// each eight columns: where columns are many, rows are made words first, in a buffer on the stack, as one segment each.

const (
	// wordsRoom is the number of words of that buffer: 48 KB.
	wordsRoom = 24 << 10
	// leastWide is the number of panels from which on words pay.
	leastWide = 3
	// block is the number of bytes that are made words at a time; of segments shorter than leastLength nothing may be left over.
	block       = 16
	leastLength = 128
	// leastDepth is the depth in groups of four.
	leastDepth = 8
	// leastWords is the number of groups of four, times rows and panels, that is worth a buffer.
	leastWords = 4096
)

// widened says that rows of a call are made words.
func (p *I8) widened(k *Kernel, w Walk, first, last int) bool {
	if k.Tier != tier.AVX2 || p.parts > 1 || w.Whole > 0 || len(w.Segs) < p.segs || last-first < leastWide {
		return false
	}
	work := w.M * p.depth() * (last - first)
	return (w.Len%block == 0 || w.Len >= leastLength) && p.depth() >= leastDepth && work >= leastWords && k.Rows*p.depth()*quad <= wordsRoom
}

// runWords runs a call some rows at a time: as many whole tiles as the buffer holds.
func (p *I8) runWords(k *Kernel, o Out, src []uint8, w Walk, zero uint8, first, last int) {
	var words [wordsRoom]int16
	n := p.depth() * quad
	step := wordsRoom / n / k.Rows * k.Rows
	var one [1]int
	for r := 0; r < w.M; r += step {
		rows := min(step, w.M-r)
		p.widen(words[:rows*n], src, w, r, rows)
		c := callI8{o: o.From(r*o.Ld, r), src: bytesOf(words[:rows*n]), w: Line(0, 2*n, rows, one[:], 2*n), p: p, zero: int32(zero),
			first: first, last: last, words: true}
		c.rows(k)
	}
}

// widen writes rows of w from row first on to words, each segment from a multiple of four on; what lies between meets weights of 0.
func (p *I8) widen(words []int16, src []uint8, w Walk, first, rows int) {
	n := p.groups * quad
	together := 1
	if w.straight() {
		together = rows
	}
	for r := 0; r < rows; r += together {
		for i, s := range w.Segs {
			from, to := src[w.at(first+r)+s:], words[(r*len(w.Segs)+i)*n:]
			whole := widenBlocks(to, from, len(w.Segs)*n, w.Row, w.Len, together)
			for range together {
				for j, v := range from[whole:w.Len] {
					to[whole+j] = int16(v)
				}
				from, to = from[min(w.Row, len(from)):], to[min(len(w.Segs)*n, len(to)):]
			}
		}
	}
}

// bytesOf is the memory of words.
func bytesOf(words []int16) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(words))), 2*len(words))
}
