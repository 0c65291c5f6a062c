package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxDepth is more than the nesting of any message (Task > Plans > Plan > Float).
const maxDepth = 8

// bounded walks the msgpack in b without building anything and reports lists of more than MaxWords, texts of more than
// MaxText bytes, and lengths that the remaining bytes cannot hold: every element costs at least one byte, so a claimed
// length above what is left is a lie. It is what keeps a message of 20 bytes from asking for gigabytes.
func bounded(b []byte) error {
	rest, err := skip(b, 0)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes behind its end", len(rest))
	}
	return nil
}

var errTruncated = errors.New("ends in the middle of a value")

// skip returns what follows the first value of b.
func skip(b []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if len(b) == 0 {
		return nil, errTruncated
	}
	c, b := b[0], b[1:]
	switch {
	case c <= 0x7f || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3: // small ints, nil, bools
		return b, nil
	case c&0xf0 == 0x90: // array of up to 15
		return skipMany(b, int(c&0x0f), depth)
	case c&0xe0 == 0xa0: // text of up to 31
		return cut(b, int(c&0x1f))
	}
	if n, ok := fixed[c]; ok {
		return cut(b, n)
	}
	width, ok := lengths[c]
	if !ok {
		return nil, fmt.Errorf("byte 0x%02x starts no value that messages hold", c)
	}
	if len(b) < width {
		return nil, errTruncated
	}
	var n uint64
	switch width {
	case 1:
		n = uint64(b[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(b))
	case 4:
		n = uint64(binary.BigEndian.Uint32(b))
	}
	b = b[width:]
	if n > uint64(len(b)) {
		return nil, fmt.Errorf("a length of %d where %d bytes are left", n, len(b))
	}
	switch {
	case c == 0xdc || c == 0xdd:
		return skipMany(b, int(n), depth)
	case c >= 0xd9 && n > MaxText:
		return nil, fmt.Errorf("a text of %d bytes, at most %d are allowed", n, MaxText)
	}
	return cut(b, int(n))
}

// fixed is the number of bytes behind each lead byte of a fixed-size number.
var fixed = map[byte]int{0xca: 4, 0xcb: 8, 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8}

// lengths is the width of the length behind each lead byte of texts (d9 to db), byte strings (c4 to c6), arrays (dc, dd).
var lengths = map[byte]int{0xc4: 1, 0xc5: 2, 0xc6: 4, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4}

func skipMany(b []byte, n, depth int) ([]byte, error) {
	if n > len(b) {
		return nil, fmt.Errorf("a list of %d where %d bytes are left", n, len(b))
	}
	if n > MaxWords {
		return nil, fmt.Errorf("a list of %d, at most %d are allowed", n, MaxWords)
	}
	var err error
	for range n {
		if b, err = skip(b, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func cut(b []byte, n int) ([]byte, error) {
	if n > len(b) {
		return nil, errTruncated
	}
	return b[n:], nil
}
