package tensor

import (
	"math"
	"sort"
	"sync"
)

// minifloat describes a float of 8 bits or less: sign bit, exp bits of exponent with that bias, the rest fraction. A
// pattern above top (without sign) is no finite number. zeroNaN: the pattern of -0 is the only NaN (the "UZ" types), so
// there is no -0. inf: the pattern top+1 is infinity. noNaN: every pattern is a number.
type minifloat struct {
	exp, frac, bias int
	top             uint8
	zeroNaN, inf    bool
	noNaN           bool
}

var minifloats = map[DType]minifloat{
	Float8E4M3FN:   {exp: 4, frac: 3, bias: 7, top: 0x7e},
	Float8E4M3FNUZ: {exp: 4, frac: 3, bias: 8, top: 0x7f, zeroNaN: true},
	Float8E5M2:     {exp: 5, frac: 2, bias: 15, top: 0x7b, inf: true},
	Float8E5M2FNUZ: {exp: 5, frac: 2, bias: 16, top: 0x7f, zeroNaN: true},
	Float4E2M1:     {exp: 2, frac: 1, bias: 1, top: 0x7, noNaN: true},
}

// value is the number that a pattern without sign stands for; it continues beyond top as if the type went on.
func (m minifloat) value(p int) float64 {
	e, f := p>>m.frac, p&(1<<m.frac-1)
	if e == 0 {
		return math.Ldexp(float64(f), 1-m.bias-m.frac)
	}
	return math.Ldexp(float64(f+1<<m.frac), e-m.bias-m.frac)
}

// float is the float32 of a whole pattern.
func (m minifloat) float(b uint8) float32 {
	sign := uint8(1) << (m.exp + m.frac)
	p := b & (sign - 1)
	nan := math.Float32frombits(0x7fc00000)
	switch {
	case m.zeroNaN && b == sign:
		return nan
	case p <= m.top:
		v := float32(m.value(int(p)))
		if b&sign != 0 {
			v = -v // also of zero
		}
		return v
	case m.inf && p == m.top+1:
		return float32(math.Inf(1 - 2*int(b&sign>>(m.exp+m.frac))))
	}
	return nan
}

// SmallToFloat returns the float32 of each of the 256 patterns of a float type of 8 bits or less, nil for other types.
// Patterns that 4 bits cannot form count as their low bits. The caller does not change it.
func SmallToFloat(d DType) []float32 { return smallTables()[d] }

var smallTables = sync.OnceValue(func() map[DType][]float32 {
	tables := map[DType][]float32{}
	for d, m := range minifloats {
		t := make([]float32, 256)
		for b := range t {
			t[b] = m.float(uint8(b) & uint8(1<<d.Bits()-1))
		}
		tables[d] = t
	}
	scale := make([]float32, 256) // powers of two; 255 is NaN
	for b := range scale {
		scale[b] = float32(math.Ldexp(1, b-127))
	}
	scale[255] = math.Float32frombits(0x7fc00000)
	tables[Float8E8M0] = scale
	return tables
})

// SmallFromFloat rounds f to a float type of 8 bits or less, half to even. What lies beyond the largest number becomes
// that number when saturate is set, else infinity where the type has one, else NaN; infinities are treated so too.
// Float4E2M1 has neither: it always saturates, NaN becomes -0. Float8E8M0 is FloatToScale's with RoundUp. d must be such a type;
// of 4 bits the pattern is in the low ones.
func SmallFromFloat(d DType, f float64, saturate bool) uint8 {
	if d == Float8E8M0 {
		return FloatToScale(f, saturate, RoundUp)
	}
	m := minifloats[d]
	sign := uint8(0)
	if math.Signbit(f) {
		sign = 1 << (m.exp + m.frac)
	}
	nan := m.top + 1 // where -0 is NaN or a number, this is the sign bit alone
	if m.inf {
		nan = m.top + 3
	}
	if f != f {
		return sign | nan
	}
	p := m.nearest(math.Abs(f))
	switch {
	case p == 0 && m.zeroNaN:
		return 0
	case p <= int(m.top):
		return sign | uint8(p)
	case saturate || m.noNaN:
		return sign | m.top
	case m.inf:
		return sign | (m.top + 1)
	}
	return sign | nan
}

// nearest is the pattern whose value is nearest to f >= 0, the even one of two; for all beyond, one above top.
func (m minifloat) nearest(f float64) int {
	up := sort.Search(int(m.top)+2, func(p int) bool { return m.value(p) >= f }) // the first not below f
	if up == 0 {
		return 0
	}
	lo, hi := f-m.value(up-1), m.value(up)-f // exact enough: neighbours differ by a power of two
	if lo < hi || lo == hi && up&1 == 1 {
		return up - 1
	}
	return up
}

// ScaleRounding says how a number between two powers of two becomes one of them.
type ScaleRounding string

// The rounding modes of Float8E8M0, spelled as ONNX does.
const (
	RoundUp      ScaleRounding = "up"
	RoundDown    ScaleRounding = "down"
	RoundNearest ScaleRounding = "nearest" // half way goes up
)

// FloatToScale rounds f to a power of two of type Float8E8M0: pattern p, 0 to 254, is 2^(p-127). The sign does not count. Zero
// and what is too small become 2^-127. What is too large, infinity too, becomes 2^127 with saturate, else NaN (255), as NaN
// does. mode is one of the three.
func FloatToScale(f float64, saturate bool, mode ScaleRounding) uint8 {
	f = math.Abs(f)
	if f != f || math.IsInf(f, 1) && !saturate {
		return 255
	}
	if f == 0 {
		return 0
	}
	if math.IsInf(f, 1) {
		return 254
	}
	frac, exp := math.Frexp(f) // f = frac * 2^exp, frac in [0.5, 1)
	exp--
	if mode == RoundUp && frac > 0.5 || mode == RoundNearest && frac >= 0.75 {
		exp++
	}
	e := exp + 127
	switch {
	case e < 0:
		return 0
	case e > 254 && saturate:
		return 254
	case e > 254:
		return 255
	}
	return uint8(e)
}
