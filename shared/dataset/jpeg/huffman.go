package jpeg

import (
	"encoding/binary"
	"errors"
)

// lookBits is the length of codes that one table look-up decodes.
const lookBits = 9

// huffman is one code of a DHT segment (ITU-T T.81, annex C). Codes of one length are consecutive numbers and ascend
// with the length (C.2), so limit and offset describe all of them; DECODE of F.2.2.3 is the loop over limit.
type huffman struct {
	look    [1 << lookBits]uint16 // length<<8 | symbol for codes of at most lookBits, else 0
	short   [1 << lookBits]int32  // value<<16 | run<<8 | length for codes of a run and a value, where both have at most lookBits together, else 0
	limit   [18]int32             // limit[n]: first code of n bits, left-aligned to 16, that is no longer one of n bits
	offset  [17]int32             // symbol index of a code c of n bits: c + offset[n]
	symbols []byte
}

var errCode = errors.New("corrupt: bits that are no Huffman code")

// newHuffman builds a code from the number of codes of each length and their symbols. len(symbols) is the sum of
// counts. HUFFSIZE and HUFFCODE of C.2 in one walk.
func newHuffman(counts [16]byte, symbols []byte) (*huffman, error) {
	h := &huffman{symbols: symbols}
	code, at := int32(0), int32(0)
	for n := 1; n <= 16; n++ {
		h.offset[n] = at - code
		for range counts[n-1] {
			if code >= 1<<n {
				return nil, errors.New("corrupt: a Huffman table with more codes than its lengths allow")
			}
			if n <= lookBits {
				first := code << (lookBits - n)
				for i := range int32(1) << (lookBits - n) {
					h.look[first+i] = uint16(n)<<8 | uint16(symbols[at])
				}
			}
			code++
			at++
		}
		h.limit[n] = code << (16 - n)
		code <<= 1
	}
	h.limit[17] = 1 << 30
	h.shorten()
	return h, nil
}

// shorten fills short, as if look and then receive had read the bits.
func (h *huffman) shorten() {
	for i, e := range h.look {
		length, run, size := uint(e>>8), int32(e>>4&15), uint(e&15)
		if size == 0 || length+size > lookBits {
			continue
		}
		v := extend(int32(i)>>(lookBits-length-size)&(1<<size-1), size)
		h.short[i] = v<<16 | run<<8 | int32(length+size)
	}
}

// bits reads entropy-coded data: stuffed zeros are dropped and a marker ends it. Behind the end come zero bits, counted
// in fake, so that a block needs one check (over) instead of one per symbol. Invariant: n <= 56 after fill; fake bits,
// where there are any, are the last of n.
type bits struct {
	src  []byte
	pos  int
	acc  uint64 // the lowest n bits are the next ones, highest first
	n    uint
	fake uint
}

// ones is 1 in each byte.
const ones = 0x0101010101010101

// fill brings n above 48 bits, so that a symbol and the value behind it, 32 bits at most, need one call. 0xff 0x00 is a
// byte 0xff (F.1.2.3); 0xff with anything else is a marker and stays where it is.
func (b *bits) fill() {
	if b.n <= 48 && b.pos+8 <= len(b.src) {
		if w := binary.BigEndian.Uint64(b.src[b.pos:]); (^w-ones)&w&(ones<<7) == 0 { // no byte of it is 0xff
			k := (56 - b.n) / 8
			b.acc = b.acc<<(8*k&63) | w>>((64-8*k)&63)
			b.pos += int(k)
			b.n += 8 * k
			return
		}
	}
	for b.n <= 48 {
		c := byte(0)
		switch {
		case b.pos < len(b.src) && b.src[b.pos] != 0xff:
			c = b.src[b.pos]
			b.pos++
		case b.pos+1 < len(b.src) && b.src[b.pos] == 0xff && b.src[b.pos+1] == 0:
			c = 0xff
			b.pos += 2
		default:
			b.fake += 8
		}
		b.acc = b.acc<<8 | uint64(c)
		b.n += 8
	}
}

// over says that bits behind the end of the data were used.
func (b *bits) over() bool { return b.n < b.fake }

// restart drops what is left of the current interval; the reader then stands at a marker or at the end.
func (b *bits) restart() {
	for b.pos < len(b.src) && (b.src[b.pos] != 0xff || b.pos+1 < len(b.src) && b.src[b.pos+1] == 0) {
		b.pos++
	}
	b.acc, b.n, b.fake = 0, 0, 0
}

// get reads k <= 16 bits as an unsigned number.
func (b *bits) get(k uint) int32 {
	if b.n < k {
		b.fill()
	}
	b.n -= k
	return int32(b.acc>>b.n) & (1<<k - 1)
}

// receive reads a number of k <= 16 bits in the signed form of T.81, F.2.2.1. EXTEND: numbers of k bits whose first bit
// is 0 are negative, v - 2^k + 1.
func (b *bits) receive(k uint) int32 {
	if k == 0 {
		return 0
	}
	return extend(b.get(k), k)
}

// extend is the signed form of a number v of k bits, at least one.
func extend(v int32, k uint) int32 {
	if v < 1<<(k-1) {
		v += -1<<k + 1
	}
	return v
}

// short decodes a run and the value behind it if they are short; else ok is false and nothing is read.
func (b *bits) short(h *huffman) (run int, value int16, ok bool) {
	if b.n < 16 {
		b.fill()
	}
	e := h.short[b.acc>>((b.n-lookBits)&63)&(1<<lookBits-1)]
	b.n -= uint(e & 0xff)
	return int(e >> 8 & 0xff), int16(e >> 16), e != 0
}

// symbol decodes one symbol, or -1 for bits that are no code. 16 bits must be there for the longest code; fill makes
// zeros of what is missing.
func (b *bits) symbol(h *huffman) int {
	if b.n < 16 {
		b.fill()
	}
	if e := h.look[b.acc>>(b.n-lookBits)&(1<<lookBits-1)]; e != 0 {
		b.n -= uint(e >> 8)
		return int(e & 0xff)
	}
	v := int32(b.acc>>(b.n-16)) & 0xffff
	n := lookBits + 1
	for v >= h.limit[n] {
		n++
	}
	if n > 16 {
		return -1
	}
	b.n -= uint(n)
	return int(h.symbols[v>>(16-n)+h.offset[n]])
}
