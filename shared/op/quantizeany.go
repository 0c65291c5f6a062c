package op

import (
	"fmt"
	"math"
	"slices"

	"assay/shared/tensor"
)

// quantizedTypes are the types that QuantizeLinear makes.
var quantizedTypes = []tensor.DType{
	tensor.Uint8, tensor.Int8, tensor.Uint16, tensor.Int16, tensor.Uint4, tensor.Int4, tensor.Uint2, tensor.Int2,
	tensor.Float8E4M3FN, tensor.Float8E4M3FNUZ, tensor.Float8E5M2, tensor.Float8E5M2FNUZ, tensor.Float4E2M1,
}

// levelShape checks the shapes of scale and zero point against the data's: one number, one for each position of axis, or,
// with block_size b, an array like data whose axis counts blocks of b. The number of zero points is compared and not
// their shape: files write a scalar beside an array of one.
func levelShape(x *Infer) error {
	data, scale := x.In[0].Shape, x.In[1].Shape
	if numberAt(x.In[1].DType) == nil || integerAt(x.In[1].DType) != nil && x.In[1].DType != tensor.Int32 {
		return fmt.Errorf("scale is %s, a float is required", x.In[1].DType)
	}
	if x.has(2) && tensor.Count(x.In[2].Shape) != tensor.Count(scale) {
		return fmt.Errorf("scale shape %v and zero point shape %v differ", scale, x.In[2].Shape)
	}
	if tensor.Count(scale) == 1 {
		return nil
	}
	axis, err := axisIn(x.Node.Int("axis", 1), len(data))
	if err != nil {
		return err
	}
	block := x.Node.Int("block_size", 0)
	if block < 0 {
		return fmt.Errorf("block_size is %d", block)
	}
	if block > 0 {
		want := slices.Clone(data)
		want[axis] = int((int64(data[axis]) + block - 1) / block)
		if !slices.Equal(scale, want) {
			return fmt.Errorf("scale shape %v does not fit blocks of %d along axis %d of shape %v", scale, block, axis, data)
		}
		return nil
	}
	if len(scale) != 1 || scale[0] != data[axis] {
		return fmt.Errorf("scale shape %v does not fit axis %d of shape %v", scale, axis, data)
	}
	return nil
}

// inferQuantize: the type is that of the zero point or of output_dtype, which agree where both are given, else uint8.
// Quantizing to int32 is refused (no entry of quantizedTypes), while dequantizing from it is how biases are written.
func inferQuantize(x *Infer) error {
	if err := levelShape(x); err != nil {
		return err
	}
	d := tensor.Uint8
	if v := x.Node.Int("output_dtype", 0); v > 0 && v < 256 {
		d = tensor.DType(v)
	}
	if x.has(2) {
		d = x.In[2].DType
	}
	if !slices.Contains(quantizedTypes, d) {
		return fmt.Errorf("%s is no supported quantized type", d)
	}
	if p := x.Node.Int("precision", 0); p != 0 && p != int64(tensor.Float32) {
		return fmt.Errorf("precision %d is not supported, float32 is", p)
	}
	x.put(0, d, x.In[0].Shape...)
	return nil
}

// inferDequantize: the type is the scale's.
func inferDequantize(x *Infer) error {
	if err := levelShape(x); err != nil {
		return err
	}
	if x.has(2) && x.In[2].DType != x.In[0].DType {
		return fmt.Errorf("data is %s and zero point %s", x.In[0].DType, x.In[2].DType)
	}
	d := x.In[1].DType
	if v := x.Node.Int("output_dtype", 0); v > 0 && v < 256 {
		d = tensor.DType(v)
	}
	if !slices.Contains([]tensor.DType{tensor.Float32, tensor.Float16, tensor.BFloat16}, d) {
		return fmt.Errorf("%s is no supported output type", d)
	}
	x.put(0, d, x.In[0].Shape...)
	return nil
}

// plainLevels reports whether the integers of type d have a kernel: constant float32 scales, one or along an axis. What
// is not plain runs in lowerAnyQuantize and lowerAnyDequantize, with the same formulas.
func (l *Lower) plainLevels(d tensor.DType) bool {
	plain := d == tensor.Uint8 || d == tensor.Int8 || d == tensor.Uint16 || d == tensor.Int16 || d == tensor.Int32
	return plain && l.In[1].Const != nil && l.In[1].DType == tensor.Float32 && (!l.present(2) || l.In[2].Const != nil) &&
		(l.Node.Int("block_size", 0) == 0 || len(l.In[1].Const.Data) == 4)
}

// blocks finds the level of each element of a row-major array: axis n cut into pieces of block, inner elements behind
// it. The array is [outer][n][inner] and its levels [outer][levels][inner], or one row of levels for all of them. block
// is 1 where each position has its own; the last block may be shorter.
type blocks struct{ n, block, inner, levels int }

// A single scale is one block over everything.
func (l *Lower) blocks() (b blocks, err error) {
	if l.layout() != Logical {
		return b, fmt.Errorf("scales that are computed from data, blocks and small types need row-major arrays")
	}
	shape := l.In[0].Shape
	if tensor.Count(l.In[1].Shape) == 1 {
		n := max(1, tensor.Count(shape))
		return blocks{n: 1, block: 1, inner: n, levels: 1}, nil
	}
	axis, err := axisIn(l.Node.Int("axis", 1), len(shape))
	if err != nil {
		return b, err
	}
	b = blocks{n: shape[axis], block: 1, inner: tensor.Count(shape[axis+1:]), levels: shape[axis]}
	if size := l.Node.Int("block_size", 0); size > 0 {
		b.block = int(min(size, int64(max(1, b.n))))
		b.levels = (b.n + b.block - 1) / b.block
	}
	return b, nil
}

// each calls f with each element and its level; scales that are one row along the axis serve all outer positions.
func (b blocks) each(n int, perRow bool, f func(i, level int)) {
	for i := range n {
		row, a := i/(b.inner*b.n), i/b.inner%b.n
		if perRow {
			f(i, a/b.block)
			continue
		}
		f(i, (row*b.levels+a/b.block)*b.inner+i%b.inner)
	}
}

// anyLinear is what both directions of the general form share. Scales and zero points are read in each run: they may be
// computed.
type anyLinear struct {
	blocks
	data, scale, zero operand
	hasZero, perRow   bool
	number, scaleOf   func([]byte, int) float64
	zeroOf            func([]byte, int) float64
}

// anyLinear binds data, scale and zero point, computed or constant.
func (l *Lower) anyLinear() (a anyLinear, err error) {
	if a.blocks, err = l.blocks(); err != nil {
		return a, err
	}
	if a.data, err = l.operand(0, Logical); err != nil {
		return a, err
	}
	if a.scale, err = l.operand(1, Logical); err != nil {
		return a, err
	}
	a.perRow = l.Node.Int("block_size", 0) == 0 || tensor.Count(l.In[1].Shape) == 1
	a.number, a.scaleOf = numberAt(l.In[0].DType), numberAt(l.In[1].DType)
	if l.present(2) {
		a.hasZero, a.zeroOf = true, numberAt(l.In[2].DType)
		a.zero, err = l.operand(2, Logical)
	}
	return a, err
}

// lowerAnyDequantize computes f32(x - zero) * scale, the product in float32 and rounded once more to 16-bit outputs.
// Integers beyond 2^24 are rounded in f32(x - zero), as the formula of ONNX has it.
func lowerAnyDequantize(l *Lower) (Kernel, error) {
	a, err := l.anyLinear()
	if err != nil {
		return Kernel{}, err
	}
	n, put := tensor.Count(l.In[0].Shape), putNumber(l.Out[0].DType, rounding{})
	return Kernel{Alias: -1, Run: func(c *Call) {
		data, scale := a.data.bytes(c), a.scale.bytes(c)
		var zero []byte
		if a.hasZero {
			zero = a.zero.bytes(c)
		}
		a.each(n, a.perRow, func(i, level int) {
			v := a.number(data, i)
			if a.hasZero {
				v -= a.zeroOf(zero, level)
			}
			put(c.Out[0], i, float64(float32(v)*float32(a.scaleOf(scale, level))))
		})
	}}, nil
}

// lowerAnyQuantize computes sat(rne(f32(x / scale)) + zero), and for 8-bit floats the nearest one of x / scale.
// Division and not multiplication by a reciprocal: 2.9e-4 of the results would differ (ort-semantics 6.1). The zero
// point is added after rounding. Clamping is putNumber's; NaN becomes 0.
func lowerAnyQuantize(l *Lower) (Kernel, error) {
	a, err := l.anyLinear()
	if err != nil {
		return Kernel{}, err
	}
	d := l.Out[0].DType
	n, put := tensor.Count(l.In[0].Shape), putNumber(d, rounding{saturate: l.Node.Int("saturate", 1) != 0})
	_, _, integers := integerLimits(d)
	return Kernel{Alias: -1, Run: func(c *Call) {
		data, scale := a.data.bytes(c), a.scale.bytes(c)
		var zero []byte
		if a.hasZero {
			zero = a.zero.bytes(c)
		}
		a.each(n, a.perRow, func(i, level int) {
			v := float64(float32(a.number(data, i)) / float32(a.scaleOf(scale, level)))
			if integers {
				v = math.RoundToEven(v)
			}
			if a.hasZero {
				v += a.zeroOf(zero, level)
			}
			put(c.Out[0], i, v)
		})
	}}, nil
}
