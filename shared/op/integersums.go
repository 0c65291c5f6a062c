package op

import (
	"slices"

	"assay/kernels/gemm"
	"assay/shared/tensor"
)

// exactDepth is how many products one sum of the integer kernels may hold where its result has to be exact as a float32:
// each is at most 255*255 in size, together they stay below 2^24. exactRows is how many rows are summed at a time. The
// kernel's float output is f32(acc)*1, exact below 2^24; adding the parts as int32 is exact again. 256*255*255 =
// 16,646,400 < 16,777,216.
const exactDepth, exactRows = 256, 64

// sumsI8 multiplies rows of bytes by a packed matrix of k rows into int32 sums, a part of k at a time. parts[i] holds
// rows i*exactDepth and following; the last may be shorter.
type sumsI8 struct {
	k, n  int
	parts []*gemm.I8 // nil where the matrix is packed anew in each run
}

// Bytes is the size of the packed weights.
func (s *sumsI8) Bytes() int {
	n := 0
	for _, p := range s.parts {
		n += p.Bytes()
	}
	return n
}

// packSums packs b, row-major [k][n], with zero points as gemm.PackI8 takes them. The pack is keyed apart from gemm.i8
// because of this cut along k; int8 layers proper never cut.
func packSums(b []int8, k, n int, zero []int8) *sumsI8 {
	s := &sumsI8{k: k, n: n}
	for from := 0; from < k; from += exactDepth {
		depth := min(exactDepth, k-from)
		s.parts = append(s.parts, gemm.PackI8(b[from*n:(from+depth)*n], depth, n, false, nil, zero))
	}
	return s
}

// room is the bytes of scratch of one run: floats of some rows and, for a matrix that is packed then, a part of it.
func (s *sumsI8) room() int {
	size := spaced(4 * exactRows * s.n)
	if s.parts == nil {
		size += gemm.SpaceI8(min(exactDepth, s.k), s.n)
	}
	return size
}

// one is the scale of sums that stay what they are.
var one = []float32{1}

// run computes m rows of n sums of (a-zero)*(b-zero of b) into dst. b is the matrix of bytes where it is not packed
// yet. a is [m][k] row-major unsigned bytes, dst [m][n]. signed says how the bytes of b are to be read and bZero is b's
// zero point in that reading; both matter only when it is packed here.
func (s *sumsI8) run(dst []int32, a []byte, m int, zero uint8, b []byte, signed bool, bZero int32, scratch []byte) {
	clear(dst)
	floats, space := view[float32](scratch[:4*exactRows*s.n]), scratch[spaced(4*exactRows*s.n):]
	for part, from := 0, 0; from < s.k; part, from = part+1, from+exactDepth {
		var p gemm.I8
		if s.parts != nil {
			p = *s.parts[part]
		} else {
			depth := min(exactDepth, s.k-from)
			p = gemm.RepackI8(space, b[from*s.n:(from+depth)*s.n], signed, depth, s.n, nil, bZero)
		}
		for r := 0; r < m; r += exactRows {
			rows := min(exactRows, m-r)
			p.RunFloat(floats[:rows*s.n], s.n, a[r*s.k+from:], s.k, rows, zero, one)
			out := dst[r*s.n:][:rows*s.n]
			for i := range out {
				out[i] += int32(floats[i])
			}
		}
	}
}

// unsignedZero is the zero point of the first operand in a call, for its bytes read as unsigned ones.
func (p *integerPair) unsignedZero(c *Call, signed bool) uint8 {
	z := p.za.get(c, 0)
	if signed {
		z += 128
	}
	return uint8(z)
}

// packed says that the second operand and its zero points are constants, and returns them as the kernels take them.
// Zero points that are present and computed make it false: they are part of what is packed (the kernel subtracts
// zero*sum of a row as it packs).
func (l *Lower) packed() (b []int8, zero []int8, ok bool) {
	w := l.In[1].Const
	if w == nil || l.present(3) && l.In[3].Const == nil {
		return nil, nil, false
	}
	q := levels{zero: []int32{0}}
	if l.present(3) {
		ints, err := l.In[3].Const.Ints()
		if err != nil || len(ints) == 0 {
			return nil, nil, false
		}
		q.zero = q.zero[:0]
		for _, z := range ints {
			q.zero = append(q.zero, int32(z))
		}
	}
	b, zero = signedWeights(w, q)
	return b, zero, true
}

// zerosOf is the zero points of the second operand as far as they are constant, for the key of what is packed.
func (l *Lower) zerosOf() *tensor.Tensor {
	if !l.present(3) {
		return nil
	}
	return l.In[3].Const
}

// fastMatMulInteger multiplies with the integer kernels: one zero point for all rows, and for the columns of a matrix that
// is packed in each run. ok is false where the plain loops have to do it. A computed right side is repacked once for
// each matrix and call. flipped is the scratch of signed rows read as unsigned ones.
func (l *Lower) fastMatMulInteger(s stack, p integerPair) (k Kernel, ok bool, err error) {
	if p.za.many || s.m == 0 || s.k == 0 || s.n == 0 { // without rows there may be no zero point to read
		return Kernel{}, false, nil
	}
	var sums []*sumsI8
	w, zero, packed := l.packed()
	switch {
	case packed:
		for i := range len(w) / (s.k * s.n) {
			x, err := pack(l.Packs, packKey(l.Packs, "gemm.sums", []int{s.k, s.n, i}, l.In[1].Const, l.zerosOf()), func() (*sumsI8, error) {
				return packSums(w[i*s.k*s.n:(i+1)*s.k*s.n], s.k, s.n, zero), nil
			})
			if err != nil {
				return Kernel{}, false, err
			}
			sums = append(sums, x)
		}
	case p.zb.many:
		return Kernel{}, false, nil
	default:
		sums = slices.Repeat([]*sumsI8{{k: s.k, n: s.n}}, 1+slices.Max(append([]int{0}, s.right...)))
	}
	if len(sums) == 0 {
		return Kernel{}, false, nil
	}
	signed, bSigned, flipped := l.In[0].DType == tensor.Int8, l.In[1].DType == tensor.Int8, 0
	if signed {
		flipped = spaced(tensor.Count(l.In[0].Shape))
	}
	return Kernel{Alias: -1, Scratch: flipped + sums[0].room(), Run: func(c *Call) {
		a, out := p.a.bytes(c), view[int32](c.Out[0])
		if signed {
			flipTo(c.Scratch, a)
			a = c.Scratch[:len(a)]
		}
		var b []byte
		if !packed {
			b = p.b.bytes(c)
		}
		zero, bZero := p.unsignedZero(c, signed), p.zb.get(c, 0)
		for i, left := range s.left {
			right := s.right[i]
			var matrix []byte
			if b != nil {
				matrix = b[right*s.k*s.n:][:s.k*s.n]
			}
			sums[right].run(out[i*s.m*s.n:][:s.m*s.n], a[left*s.m*s.k:][:s.m*s.k], s.m, zero, matrix, bSigned, bZero, c.Scratch[flipped:])
		}
	}}, true, nil
}
