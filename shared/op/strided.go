package op

import "assay/kernels/move"

// strided is a planned copy of a block of elements between two arrays whose axes have arbitrary strides: Transpose,
// Slice, Expand, Concat, Pad and the layouts are this one loop. Strides and offsets are in elements. Strides may be 0
// on the source side (stretched axes) and negative on it (reversed ones), never on the destination's: each element is
// written once.
type strided struct {
	shape          []int
	dst, src       []int
	dstOff, srcOff int
	size           int // bytes of one element
}

// newStrided plans a copy, joining neighbouring axes that are dense on both sides, so that ranks beyond what the kernel
// takes are rare. Axes of 1 are dropped. A block with an axis of 0 keeps it and copies nothing.
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

// run copies; it allocates nothing. An empty block is fine.
func (s *strided) run(dst, src []byte) {
	if len(dst) > 0 && len(src) > 0 {
		move.Copy(s.size, s.shape, dst, s.dstOff, s.dst, src, s.srcOff, s.src)
	}
}

// copyStrided writes a strided view of src densely into dst.
func copyStrided(dst, src []byte, shape, strides []int, offset, size int) {
	newStrided(shape, rowMajor(shape), 0, strides, offset, size).run(dst, src)
}
