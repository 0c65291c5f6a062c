package op

import (
	"fmt"
	"slices"

	kernel "assay/kernels/numeric"
	"assay/kernels/quantize"
	"assay/shared/tensor"
)

// bytesOnly are the element types of quantized activations.
var bytesOnly = []tensor.DType{tensor.Uint8, tensor.Int8}

// levels says what the integers of a tensor mean: value = (q - zero[i]) * scale[i], with one entry for the whole tensor
// or one per position along an axis. Invariant: len(scale) == len(zero) >= 1.
type levels struct {
	scale []float32
	zero  []int32
	dtype tensor.DType
}

// levels reads scale and zero point, which have to be constants, from inputs s and z; an omitted zero point is 0. One
// zero point serves all scales; d is the type of the integers.
func (l *Lower) levels(s, z int, d tensor.DType) (levels, error) {
	scale, err := l.constant(s, "scale")
	if err != nil {
		return levels{}, err
	}
	zero, err := l.constant(z, "zero point")
	if err != nil {
		return levels{}, err
	}
	if scale == nil {
		return levels{}, fmt.Errorf("input %d (scale) is missing", s)
	}
	v, err := scale.Floats()
	if err != nil {
		return levels{}, fmt.Errorf("input %d (scale): %w", s, err)
	}
	q := levels{scale: v, zero: make([]int32, scale.Len()), dtype: d}
	if zero == nil {
		return q, nil
	}
	zeros, err := zero.Ints()
	if err != nil {
		return levels{}, fmt.Errorf("input %d (zero point): %w", z, err)
	}
	if len(zeros) != len(q.zero) && len(zeros) != 1 {
		return levels{}, fmt.Errorf("%d zero points are given for %d scales", len(zeros), len(q.zero))
	}
	for i := range q.zero {
		q.zero[i] = int32(zeros[min(i, len(zeros)-1)])
	}
	return q, nil
}

// single is levels of a whole tensor.
func (l *Lower) single(s, z int, d tensor.DType) (levels, error) {
	q, err := l.levels(s, z, d)
	if err == nil && len(q.scale) != 1 {
		err = fmt.Errorf("input %d (scale) has %d entries, one for the whole tensor is supported", s, len(q.scale))
	}
	return q, err
}

// unsigned is the zero point of activations as an unsigned byte: signed ones are read with the sign bit flipped.
func (q levels) unsigned() uint8 {
	if q.dtype == tensor.Int8 {
		return uint8(q.zero[0] + 128)
	}
	return uint8(q.zero[0])
}

// affine is the quantization of a whole tensor.
func (q levels) affine() kernel.Affine { return kernel.Affine{Scale: q.scale[0], Zero: q.zero[0]} }

// affines are all entries.
func (q levels) affines() []kernel.Affine {
	out := make([]kernel.Affine, len(q.scale))
	for i, s := range q.scale {
		out[i] = kernel.Affine{Scale: s, Zero: q.zero[i]}
	}
	return out
}

// signed reports whether the bytes are signed.
func (q levels) signed() bool { return q.dtype == tensor.Int8 }

// side is one end of a table.
func (q levels) side() quantize.Side { return quantize.Side{Affine: q.affine(), Signed: q.signed()} }

// equal reports whether two whole-tensor quantizations mean the same by every integer.
func (q levels) equal(o levels) bool {
	return q.dtype == o.dtype && slices.Equal(q.scale, o.scale) && slices.Equal(q.zero, o.zero)
}

// requant is how sums of products scaled by x and w become integers of y: m = f32(f32(sx*sw)/sy) per channel of w.
// Clamping is to 0..255 because kernels store unsigned bytes: Zero is y's zero point moved as the output will be.
func requant(x, w, y levels) kernel.Requant {
	m := make([]float32, len(w.scale))
	for i, s := range w.scale {
		m[i] = float32(x.scale[0]*s) / y.scale[0]
	}
	return kernel.NewRequant(m, int32(y.unsigned()))
}

// flipTo writes src with the sign bit of every byte flipped, which turns signed bytes into unsigned ones and back.
func flipTo(dst, src []byte) {
	for i, v := range src {
		dst[i] = v ^ 0x80
	}
}

// signedWeights returns weights as signed bytes with their zero points: unsigned ones are moved by 128. zero is nil
// when every weight's zero point is 0 after the move, which lets kernels leave out the row sums of the activations.
// Bytes are shared with w unless they had to be moved.
func signedWeights(w *tensor.Tensor, q levels) (v []int8, zero []int8) {
	move := int32(0)
	data := aligned(w)
	if w.DType == tensor.Uint8 {
		move = 128
		moved := make([]byte, len(data))
		flipTo(moved, data)
		data = moved
	}
	all := true
	for _, z := range q.zero {
		zero = append(zero, int8(z-move))
		all = all && z == move
	}
	if all {
		zero = nil
	}
	return view[int8](data), zero
}

// int32sOf is t's elements, nil for an absent tensor.
func int32sOf(t *tensor.Tensor) ([]int32, error) {
	if t == nil {
		return nil, nil
	}
	if t.DType != tensor.Int32 {
		return nil, fmt.Errorf("bias is %s, int32 is required", t.DType)
	}
	return tensor.View[int32](t), nil
}

// quantizedType returns the type of output integers: that of the zero point in input i, or d without one.
func (x *Infer) quantizedType(i int, d tensor.DType) (tensor.DType, error) {
	if x.has(i) {
		d = x.In[i].DType
	}
	if !slices.Contains(bytesOnly, d) {
		return d, fmt.Errorf("output type %s is not supported (uint8 and int8 are)", d)
	}
	return d, nil
}
