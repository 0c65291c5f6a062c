package tensor

import (
	"fmt"
	"math"
)

// HalfToFloat widens an IEEE 754 binary16 pattern; every value, infinity and NaN payload is representable, so it is exact.
func HalfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
	}
	// Subnormal: frac * 2^-24, a product of two float32 values that is exact.
	f := float32(frac) * 0x1p-24
	return math.Float32frombits(sign | math.Float32bits(f))
}

// HalfFromFloat rounds to binary16, half to even. Beyond 65504 by half a step or more it is infinity. A NaN keeps the top
// bits of its payload and becomes quiet.
func HalfFromFloat(f float32) uint16 {
	b := math.Float32bits(f)
	sign, b := uint16(b>>16)&0x8000, b&0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 | uint16(b>>13)&0x3ff
	case b >= 0x477ff000: // 65520: half way to 2^16, which rounds to even, that is up
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: count steps of 2^-24; a carry into 0x400 is the smallest normal
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*0x1p24))
	}
	b += 0xfff + b>>13&1 // half to even on the 13 bits that go
	return sign | uint16((b-0x38000000)>>13)
}

// BFloatToFloat widens a bfloat16 pattern: it is the upper half of a float32.
func BFloatToFloat(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// BFloatFromFloat rounds to bfloat16, half to even. A NaN becomes quiet.
func BFloatFromFloat(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// Floats returns the elements of a floating-point tensor as float32, or an error for other types. It is exact for float32,
// float16, bfloat16 and the types of 8 bits or less, and rounds float64 half to even, too large ones to infinity. Of a float32
// tensor it may return a view; the caller does not write to it.
func (t *Tensor) Floats() ([]float32, error) {
	switch t.DType {
	case Float32:
		return t.F32(), nil
	case Float16:
		return mapHalf(t, HalfToFloat), nil
	case BFloat16:
		return mapHalf(t, BFloatToFloat), nil
	case Float64:
		v := View[float64](t)
		out := make([]float32, len(v))
		for i, x := range v {
			out[i] = float32(x)
		}
		return out, nil
	}
	if f := SmallToFloat(t.DType); f != nil {
		out := make([]float32, len(t.Data))
		for i, b := range t.Data {
			out[i] = f[b]
		}
		return out, nil
	}
	return nil, fmt.Errorf("tensor of %s holds no floats", t.DType)
}

func mapHalf(t *Tensor, f func(uint16) float32) []float32 {
	v := View[uint16](t)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = f(x)
	}
	return out
}
