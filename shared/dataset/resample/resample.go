// Package resample resizes pictures of bytes to the bytes that Pillow's Image.resize gives: separable, with antialiasing
// (the filter grows with the reduction), coefficients in fixed point with 22 fractional bits, and bytes between the
// horizontal and the vertical pass. Two filters give the bytes of OpenCV's cv2.resize instead, which does not antialias:
// a picture reduced by it is another picture. Files, colours and models may not enter.
//
// Pictures are rows of pixels of c interleaved bytes without padding. All functions are pure; floating point is float64
// with every operation rounded once, so coefficients are the same on every machine.
package resample

import (
	"fmt"
	"slices"
	"strings"
)

// Filter is a kernel of interpolation. The zero Filter is Bilinear.
type Filter uint8

// The filters, with Pillow's names, and OpenCV's INTER_LINEAR and INTER_NEAREST. Bicubic is Keys' cubic with a = -0.5.
const (
	Bilinear Filter = iota
	Bicubic
	Box
	Nearest
	OpenCVLinear
	OpenCVNearest
)

var names = [...]string{"bilinear", "bicubic", "box", "nearest", "opencv-linear", "opencv-nearest"}

// Filters are the names that ParseFilter reads.
func Filters() []string { return slices.Clone(names[:]) }

// String is the filter's name as ParseFilter reads it.
func (f Filter) String() string {
	if int(f) < len(names) {
		return names[f]
	}
	return fmt.Sprintf("filter(%d)", uint8(f))
}

// ParseFilter is the inverse of String.
func ParseFilter(s string) (Filter, error) {
	for i, n := range names {
		if n == s {
			return Filter(i), nil
		}
	}
	return 0, fmt.Errorf("filter %q is unknown; known are %s", s, strings.Join(names[:], ", "))
}

// support is half the width of the kernel, in source pixels at scale 1.
func (f Filter) support() float64 {
	switch f {
	case Bicubic:
		return 2
	case Box:
		return 0.5
	}
	return 1
}

// at is the kernel's value at distance x.
func (f Filter) at(x float64) float64 {
	switch f {
	case Box:
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	case Bicubic:
		return cubic(max(x, -x))
	}
	if x = max(x, -x); x < 1 {
		return 1 - x
	}
	return 0
}

// cubic is Keys' kernel, a = -0.5, in Horner form for x >= 0. The conversions keep products and sums apart.
func cubic(x float64) float64 {
	const a = -0.5
	if x < 1 {
		return float64(float64((float64((a+2)*x)-(a+3))*x)*x) + 1
	}
	if x < 2 {
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

// bits is the number of fractional bits of a coefficient: 32 less 8 for the byte and 2 for sign and overshoot.
const bits = 22

// line holds what one axis needs: for output i, source pixels [start[i], start[i]+len(k[i])) with coefficients k[i].
type line struct {
	start []int
	k     [][]int32
}

// coefficients of outputs [from, to) when in pixels become out pixels.
func coefficients(f Filter, in, out, from, to int) line {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support := float64(f.support() * stretch)
	inverse := 1 / stretch
	l := line{make([]int, to-from), make([][]int32, to-from)}
	w := make([]float64, 0, int(support)*2+3)
	for i := range l.k {
		center := float64((float64(i+from) + 0.5) * scale)
		lo := max(int(center-support+0.5), 0)
		hi := min(int(center+support+0.5), in)
		w = w[:0]
		sum := 0.0
		for x := lo; x < hi; x++ {
			v := f.at(float64((float64(x) - center + 0.5) * inverse))
			w = append(w, v)
			sum += v
		}
		l.start[i] = lo
		l.k[i] = make([]int32, len(w))
		for j, v := range w {
			if sum != 0 {
				v /= sum
			}
			l.k[i][j] = fixed(v)
		}
	}
	return l
}

// fixed rounds half away from zero.
func fixed(v float64) int32 {
	if v < 0 {
		return int32(float64(v*(1<<bits)) - 0.5)
	}
	return int32(float64(v*(1<<bits)) + 0.5)
}

// Rect is a part of the resized picture: columns [X, X+W), rows [Y, Y+H).
type Rect struct{ X, Y, W, H int }

// Resize gives part r of the picture that src, of w x h pixels with c channels, becomes at ow x oh pixels. The bytes of a
// part are those of the whole picture; only the work is less. An axis that keeps its length is copied, not filtered.
// The caller guarantees len(src) == w*h*c, positive sizes, and r inside ow x oh.
func Resize(src []byte, w, h, c int, f Filter, ow, oh int, r Rect) []byte {
	switch f {
	case OpenCVLinear:
		return cvLinear(src, w, h, c, ow, oh, r)
	case Nearest, OpenCVNearest:
		return nearest(src, w, h, c, f, ow, oh, r)
	}
	rows := coefficients(f, h, oh, r.Y, r.Y+r.H)
	lo, hi := r.Y, r.Y+r.H
	if h != oh {
		lo, hi = span(rows)
	}
	middle := horizontal(src[lo*w*c:hi*w*c], w, hi-lo, c, f, ow, r)
	if h == oh {
		return middle
	}
	return vertical(middle, r.W*c, r.H, rows, lo)
}

// span is the range of source pixels that a line reads.
func span(l line) (lo, hi int) {
	lo = l.start[0]
	for i, s := range l.start {
		lo, hi = min(lo, s), max(hi, s+len(l.k[i]))
	}
	return lo, hi
}

func horizontal(src []byte, w, h, c int, f Filter, ow int, r Rect) []byte {
	dst := make([]byte, r.W*h*c)
	if w == ow {
		for y := range h {
			copy(dst[y*r.W*c:(y+1)*r.W*c], src[(y*w+r.X)*c:])
		}
		return dst
	}
	cols := coefficients(f, w, ow, r.X, r.X+r.W)
	for y := range h {
		in, out := src[y*w*c:(y+1)*w*c], dst[y*r.W*c:(y+1)*r.W*c]
		if c == 3 {
			horizontal3(out, in, cols)
			continue
		}
		for x, k := range cols.k {
			p := in[cols.start[x]*c:]
			for ch := range c {
				sum := int32(1) << (bits - 1)
				for j, v := range k {
					sum += int32(p[j*c+ch]) * v
				}
				out[x*c+ch] = clamp(sum)
			}
		}
	}
	return dst
}

// horizontal3 filters a row of three channels: each coefficient is read once.
func horizontal3(out, in []byte, cols line) {
	for x, k := range cols.k {
		p := in[3*cols.start[x]:][:3*len(k)]
		a, b, c := int32(1)<<(bits-1), int32(1)<<(bits-1), int32(1)<<(bits-1)
		for _, v := range k {
			a += int32(p[0]) * v
			b += int32(p[1]) * v
			c += int32(p[2]) * v
			p = p[3:]
		}
		o := (*[3]byte)(out[3*x:])
		o[0], o[1], o[2] = clamp(a), clamp(b), clamp(c)
	}
}

// vertical filters columns of bytes: stride bytes a row, and source row lo is the first of src.
func vertical(src []byte, stride, h int, rows line, lo int) []byte {
	dst := make([]byte, stride*h)
	sums := make([]int32, stride)
	for y, k := range rows.k {
		for i := range sums {
			sums[i] = 1 << (bits - 1)
		}
		for j, v := range k {
			at := (rows.start[y] - lo + j) * stride
			for i, b := range src[at : at+stride] {
				sums[i] += int32(b) * v
			}
		}
		out := dst[y*stride : (y+1)*stride]
		for i, s := range sums {
			out[i] = clamp(s)
		}
	}
	return dst
}

// clamp drops the fractional bits. No sum overflows: coefficients add up to 2^22 and the lobes of bicubic to little more.
func clamp(sum int32) byte {
	return byte(min(max(sum>>bits, 0), 255))
}
