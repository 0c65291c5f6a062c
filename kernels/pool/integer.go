package pool

import "assay/kernels/numeric"

// Average is the averaging of 8-bit integers as ONNX Runtime's QLinearAveragePool does it:
//
//	v = float32(sum / n), sum one float32 chain of dequantized elements in row-major order
//	y = sat(rint(float32(float32(v/sy) + zy)))
//
// Unlike QuantizeLinear it rounds after the zero point was added. Make it with NewAverage; it may be shared. The chain
// is one level, not two as in AverageF32: it is ONNX Runtime's own sum that is reproduced (ort-semantics 6.1).
type Average struct {
	real   [256]float32 // dequantized value of each bit pattern
	y      numeric.Affine
	lo, hi float32
}

// NewAverage prepares an average from x's levels to y's, both signed or both unsigned. Zero points are levels of that type.
func NewAverage(x, y numeric.Affine, signed bool) *Average {
	a := &Average{y: y, hi: 255}
	if signed {
		a.lo, a.hi = -128, 127
	}
	for i := range a.real {
		q := int32(i)
		if signed {
			q = int32(int8(i))
		}
		a.real[i] = x.Real(q)
	}
	return a
}

// Run pools src into dst, both bit patterns of bytes. With includePad the divisor is KH*KW everywhere, even where ceil_mode lets the
// last window reach beyond the padding: there AverageF32 counts less, as ONNX Runtime's float operator does.
func (a *Average) Run(dst, src []uint8, w Window, includePad bool) {
	w = w.normal()
	w.each(func(n int, v, h span, out int) {
		count := float32(w.count(out, v, h, false))
		if includePad {
			count = float32(w.KH * w.KW)
		}
		for c := 0; c < w.C; c += block {
			var sum [block]float32
			k := min(block, w.C-c)
			for i := range v.hi - v.lo {
				for j := range h.hi - h.lo {
					at := w.tap(n, v, h, i, j) + c
					for q, x := range src[at : at+k] {
						sum[q&(block-1)] += a.real[x]
					}
				}
			}
			for q := range dst[out+c : out+c+k] {
				v := float32(sum[q&(block-1)]/count)/a.y.Scale + float32(a.y.Zero)
				dst[out+c+q] = uint8(numeric.RoundClamp(v, a.lo, a.hi))
			}
		}
	})
}

// GlobalAverage is the mean over all pixels as ONNX Runtime's QLinearGlobalAveragePool computes it:
//
//	S = sum(x - zx), exact; y = sat(rint(float32(float32(S) * float32(sx / float32(sy*n)))) + zy)
//
// Make it with NewGlobalAverage; it may be shared.
type GlobalAverage struct {
	x, y   numeric.Affine
	lo, hi int32
	signed bool
}

// NewGlobalAverage prepares a mean from x's levels to y's, both signed or both unsigned.
func NewGlobalAverage(x, y numeric.Affine, signed bool) *GlobalAverage {
	g := &GlobalAverage{x: x, y: y, hi: 255, signed: signed}
	if signed {
		g.lo, g.hi = -128, 127
	}
	return g
}

// Run reduces src [batch][pixels][channels] to dst [batch][channels], both bit patterns of bytes. pixels is at least 1, and
// below 2^23, so that no sum overflows. 255 * 2^23 < 2^31; base takes pixels * zx off afterwards, exactly.
func (g *GlobalAverage) Run(dst, src []uint8, batch, pixels, channels int) {
	m := g.x.Scale / float32(g.y.Scale*float32(pixels))
	lo, hi := float32(g.lo-g.y.Zero), float32(g.hi-g.y.Zero)
	base := -int32(pixels) * g.x.Zero
	for n := range batch {
		image := src[n*pixels*channels:][:pixels*channels]
		for c := 0; c < channels; c += block {
			var sum [block]int32
			k := min(block, channels-c)
			done := fastSums(&sum, image[min(c, len(image)):], k, pixels, channels, g.signed)
			if done < k {
				g.sum(sum[done:k], image[c+done:], pixels, channels)
			}
			for q := range dst[n*channels+c:][:k] {
				v := float32(float32(sum[q&(block-1)]+base) * m)
				dst[n*channels+c+q] = uint8(numeric.RoundClamp(v, lo, hi) + g.y.Zero)
			}
		}
	}
}

// sum adds up the levels of each channel of sum over pixels that lie step bytes apart.
func (g *GlobalAverage) sum(sum []int32, src []uint8, pixels, step int) {
	for p := range pixels {
		s := src[p*step:][:len(sum)]
		if g.signed {
			for q, x := range s {
				sum[q] += int32(int8(x))
			}
			continue
		}
		for q, x := range s {
			sum[q] += int32(x)
		}
	}
}
