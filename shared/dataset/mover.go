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

// asStored says that a sample is fed with the bytes that are stored.
func (s Stream) asStored() bool {
	return s.Want == s.DType && s.From == s.To && !s.Swap && s.Affine.None()
}

// mover returns the function that writes one row of c channels from its stored form into its fed form.
func (s Stream) mover(c int) func(dst, src []byte) {
	if s.asStored() {
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
			s.lines(len(src), c, func(ch int, l line) { l.look(dst, src, tables[ch]) })
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

// line is where the elements of a channel lie: n of them, from the fed position to and the stored position from on, in steps.
type line struct {
	n                int
	to, from         int
	toStep, fromStep int
}

// look writes what a table has for each byte of a line. Pictures are fed anew for every plan, so this is as much of the time
// of a small network as its kernels are: steps of one and the three channels of a picture have loops of their own.
func (l line) look(dst, src []byte, t *[256]float32) {
	if l.n == 0 {
		return
	}
	src = src[l.from : l.from+(l.n-1)*l.fromStep+1]
	dst = dst[4*l.to : 4*(l.to+(l.n-1)*l.toStep+1)]
	switch {
	case l.toStep == 1 && l.fromStep == 1:
		for _, b := range src {
			binary.LittleEndian.PutUint32(dst, math.Float32bits(t[b]))
			dst = dst[4:]
		}
	case l.toStep == 1 && l.fromStep == 3:
		for len(src) > 3 && len(dst) > 4 {
			binary.LittleEndian.PutUint32(dst, math.Float32bits(t[src[0]]))
			src, dst = src[3:], dst[4:]
		}
		binary.LittleEndian.PutUint32(dst, math.Float32bits(t[src[0]]))
	default:
		for i, at := 0, 0; i < len(src); i, at = i+l.fromStep, at+4*l.toStep {
			binary.LittleEndian.PutUint32(dst[at:], math.Float32bits(t[src[i]]))
		}
	}
}

// lines visits the channels of a row of n elements. With Swap, fed channel ch is stored channel c-1-ch; the affine belongs to
// the fed channel.
func (s Stream) lines(n, c int, visit func(ch int, l line)) {
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
		visit(ch, line{n: inner, to: ch * toChannel, from: stored(ch) * fromChannel, toStep: toPixel, fromStep: fromPixel})
	}
}

// walk visits the n elements of a row: fed channel ch, fed position, stored position.
func (s Stream) walk(n, c int, visit func(ch, to, from int)) {
	s.lines(n, c, func(ch int, l line) {
		for range l.n {
			visit(ch, l.to, l.from)
			l.to += l.toStep
			l.from += l.fromStep
		}
	})
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
