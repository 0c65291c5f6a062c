package quantize

import "assay/kernels/numeric"

// Side is one end of a table: parameters and whether the bytes are signed. The zero point is a level of that type.
type Side struct {
	numeric.Affine
	Signed bool
}

// level is the integer that the bit pattern b stands for.
func (s Side) level(b uint8) int32 {
	if s.Signed {
		return int32(int8(b))
	}
	return int32(b)
}

// Real is the dequantized value of bit pattern b.
func (s Side) Real(b uint8) float32 { return s.Affine.Real(s.level(b)) }

// Bits is QuantizeLinear of v as a bit pattern; NaN is the lowest level.
func (s Side) Bits(v float32) uint8 {
	if s.Signed {
		return uint8(s.Level(v, -128, 127))
	}
	return uint8(s.Level(v, 0, 255))
}

// Table returns QuantizeLinear(f(DequantizeLinear(x))) for every bit pattern of x: what ONNX Runtime's QLinearSigmoid,
// QLinearLeakyRelu and (f nil: the identity) QLinearConcat compute.
func Table(x, y Side, f func(float32) float32) *[256]uint8 {
	t := new([256]uint8)
	for i := range t {
		v := x.Real(uint8(i))
		if f != nil {
			v = f(v)
		}
		t[i] = y.Bits(v)
	}
	return t
}
