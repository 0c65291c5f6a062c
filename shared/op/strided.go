package op

// strided copies a block of elements between two arrays whose axes have arbitrary strides: the one loop behind
// Transpose, Slice, Expand, Concat, Pad and the layouts. Strides and offsets are in elements; a source stride may be 0
// (broadcasting) or negative.
type strided struct {
	shape    []int
	dst, src []int
	dstOff   int
	srcOff   int
	size     int // bytes of one element
}

// newStrided plans a copy, leaving out axes of length 1 and joining neighbours that are dense on both sides.
func newStrided(shape, dst []int, dstOff int, src []int, srcOff, size int) *strided {
	s := &strided{dstOff: dstOff, srcOff: srcOff, size: size}
	for i, n := range shape {
		if n == 1 {
			continue
		}
		if k := len(s.shape) - 1; k >= 0 && n > 0 && s.dst[k] == n*dst[i] && s.src[k] == n*src[i] {
			s.shape[k] *= n
			s.dst[k], s.src[k] = dst[i], src[i]
			continue
		}
		s.shape, s.dst, s.src = append(s.shape, n), append(s.dst, dst[i]), append(s.src, src[i])
	}
	return s
}

// run copies; it allocates nothing.
func (s *strided) run(dst, src []byte) { s.walk(0, dst, src, s.dstOff, s.srcOff) }

func (s *strided) walk(axis int, dst, src []byte, d, r int) {
	if axis == len(s.shape) {
		copy(dst[d*s.size:(d+1)*s.size], src[r*s.size:])
		return
	}
	n := s.shape[axis]
	if axis == len(s.shape)-1 {
		s.row(dst, src, d, r, n, s.dst[axis], s.src[axis])
		return
	}
	for range n {
		s.walk(axis+1, dst, src, d, r)
		d += s.dst[axis]
		r += s.src[axis]
	}
}

// row copies n elements along the innermost axis.
func (s *strided) row(dst, src []byte, d, r, n, dstStride, srcStride int) {
	switch {
	case n == 0:
	case dstStride == 1 && srcStride == 1:
		copy(dst[d*s.size:(d+n)*s.size], src[r*s.size:])
	case s.size == 1:
		elements(dst, src, d, r, n, dstStride, srcStride)
	case s.size == 2:
		elements(view[uint16](dst), view[uint16](src), d, r, n, dstStride, srcStride)
	case s.size == 4:
		elements(view[uint32](dst), view[uint32](src), d, r, n, dstStride, srcStride)
	case s.size == 8:
		elements(view[uint64](dst), view[uint64](src), d, r, n, dstStride, srcStride)
	default:
		for range n {
			copy(dst[d*s.size:(d+1)*s.size], src[r*s.size:])
			d += dstStride
			r += srcStride
		}
	}
}

func elements[T element](dst, src []T, d, r, n, dstStride, srcStride int) {
	for range n {
		dst[d] = src[r]
		d += dstStride
		r += srcStride
	}
}

// copyStrided writes a strided view of src densely into dst.
func copyStrided(dst, src []byte, shape, strides []int, offset, size int) {
	if len(dst) == 0 {
		return
	}
	newStrided(shape, rowMajor(shape), 0, strides, offset, size).run(dst, src)
}
