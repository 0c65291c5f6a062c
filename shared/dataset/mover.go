package dataset

import (
	"encoding/binary"
	"math"

	"assay/shared/tensor"
)

// floatable says which stored types Feed can turn into float32. Others are converted when the data is read.
func floatable(d tensor.DType) bool {
	switch d {
	case tensor.Uint8, tensor.Int8, tensor.Int16, tensor.Uint16, tensor.Float32:
		return true
	}
	return false
}

// mover returns the function that writes one row of c channels from its stored form into its fed form.
func (s Stream) mover(c int) func(dst, src []byte) {
	if s.Want == s.DType && s.From == s.To && !s.Swap && s.Affine.None() {
		return func(dst, src []byte) { copy(dst, src) }
	}
	if s.Want != tensor.Float32 || s.Want == s.DType && s.Affine.None() {
		size := s.DType.Size()
		return func(dst, src []byte) {
			s.walk(len(src)/size, c, func(_, to, from int) { copy(dst[to*size:(to+1)*size], src[from*size:(from+1)*size]) })
		}
	}
	if s.DType == tensor.Uint8 {
		tables := make([]*[256]float32, c)
		for i := range tables {
			tables[i] = s.table(i)
		}
		return func(dst, src []byte) {
			s.walk(len(src), c, func(ch, to, from int) {
				binary.LittleEndian.PutUint32(dst[to*4:], math.Float32bits(tables[ch][src[from]]))
			})
		}
	}
	load, size := loader(s.DType), s.DType.Size()
	of := make([]func(float32) float32, c)
	for i := range of {
		of[i] = s.of(i)
	}
	return func(dst, src []byte) {
		s.walk(len(src)/size, c, func(ch, to, from int) {
			binary.LittleEndian.PutUint32(dst[to*4:], math.Float32bits(of[ch](load(src[from*size:]))))
		})
	}
}

// walk visits the n elements of a row: fed channel ch, fed position, stored position. With Swap, fed channel ch is
// stored channel c-1-ch; the affine belongs to the fed channel.
func (s Stream) walk(n, c int, visit func(ch, to, from int)) {
	if n == 0 {
		return
	}
	inner := n / c
	stored := func(ch int) int {
		if s.Swap {
			return c - 1 - ch
		}
		return ch
	}
	fromPixel, fromChannel := strides(s.From, c, inner)
	toPixel, toChannel := strides(s.To, c, inner)
	for ch := range c {
		from, to := stored(ch)*fromChannel, ch*toChannel
		for range inner {
			visit(ch, to, from)
			from += fromPixel
			to += toPixel
		}
	}
}

// strides gives the distance between neighbouring pixels of one channel, and between channels of one pixel.
func strides(layout string, c, inner int) (pixel, channel int) {
	if layout == NHWC {
		return c, 1
	}
	return 1, inner
}

// loader reads one little-endian element as float32, exactly: Int8, Int16 or Uint16, and Float32 for any other d.
func loader(d tensor.DType) func([]byte) float32 {
	switch d {
	case tensor.Int8:
		return func(b []byte) float32 { return float32(int8(b[0])) }
	case tensor.Int16:
		return func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) }
	case tensor.Uint16:
		return func(b []byte) float32 { return float32(binary.LittleEndian.Uint16(b)) }
	}
	return func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
}
