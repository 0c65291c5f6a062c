package resample

import "math"

// OpenCV keeps 11 fractional bits of a coefficient, and drops 4 bits of a row before the vertical pass.
const cvBits = 11

// cvLine holds what one axis of OpenCV's INTER_LINEAR needs: output i is a[i] parts of source pixel lo[i] and b[i] of
// hi[i], in units of 1/2048.
type cvLine struct {
	lo, hi []int
	a, b   []int32
}

// cvCoefficients of outputs [from, to) when in pixels become out pixels. Positions are rounded to float32, and weights to
// even. At a border the columns take one pixel whole, while the rows mix it with itself: the two differ in the last bit.
func cvCoefficients(in, out, from, to int, rows bool) cvLine {
	n := to - from
	l := cvLine{make([]int, n), make([]int, n), make([]int32, n), make([]int32, n)}
	scale := 1 / (float64(out) / float64(in))
	for i := range n {
		x := float32(float64((float64(i+from)+0.5)*scale) - 0.5)
		at := math.Floor(float64(x))
		f := float32(x - float32(at))
		s := int(at)
		if !rows && (s < 0 || s >= in-1) {
			f = 0
		}
		l.lo[i], l.hi[i] = min(max(s, 0), in-1), min(max(s+1, 0), in-1)
		l.a[i] = int32(math.RoundToEven(float64(float32(1-f) * (1 << cvBits))))
		l.b[i] = int32(math.RoundToEven(float64(f * (1 << cvBits))))
	}
	return l
}

// cvLinear is cv2.resize with INTER_LINEAR on bytes: two source pixels an axis, whatever the reduction (no antialiasing),
// except that halving both axes averages 2 x 2 pixels.
func cvLinear(src []byte, w, h, c, ow, oh int, r Rect) []byte {
	if w == 2*ow && h == 2*oh {
		return halve(src, w, c, r)
	}
	cols, rows := cvCoefficients(w, ow, r.X, r.X+r.W, false), cvCoefficients(h, oh, r.Y, r.Y+r.H, true)
	dst := make([]byte, r.W*r.H*c)
	held := [2]int{-1, -1} // the source rows that wide has
	wide := [2][]int32{make([]int32, r.W*c), make([]int32, r.W*c)}
	row := func(y, other int) []int32 {
		for k := range held {
			if held[k] == y {
				return wide[k]
			}
		}
		k := 0
		if held[0] == other {
			k = 1
		}
		held[k] = y
		cols.row(wide[k], src[y*w*c:(y+1)*w*c], c)
		return wide[k]
	}
	for y := range r.H {
		top := row(rows.lo[y], rows.hi[y])
		bottom := row(rows.hi[y], rows.lo[y])
		a, b := rows.a[y], rows.b[y]
		out := dst[y*r.W*c : (y+1)*r.W*c]
		for i := range out {
			out[i] = byte(min(max((a*(top[i]>>4)>>16+b*(bottom[i]>>4)>>16+2)>>2, 0), 255))
		}
	}
	return dst
}

// row is the horizontal pass over one row.
func (l cvLine) row(dst []int32, src []byte, c int) {
	for x := range l.lo {
		lo, hi := src[l.lo[x]*c:], src[l.hi[x]*c:]
		for ch := range c {
			dst[x*c+ch] = int32(lo[ch])*l.a[x] + int32(hi[ch])*l.b[x]
		}
	}
}

// halve averages 2 x 2 pixels, halves rounded up.
func halve(src []byte, w, c int, r Rect) []byte {
	dst := make([]byte, 0, r.W*r.H*c)
	for y := range r.H {
		top := src[2*(r.Y+y)*w*c:]
		bottom := top[w*c:]
		for x := range r.W {
			at := 2 * (r.X + x) * c
			for i := at; i < at+c; i++ {
				dst = append(dst, byte((int(top[i])+int(top[i+c])+int(bottom[i])+int(bottom[i+c])+2)>>2))
			}
		}
	}
	return dst
}

// nearest copies one source pixel for each output. OpenCV takes the one at the output's left edge, Pillow the one at its
// centre, which it finds by adding steps.
func nearest(src []byte, w, h, c int, f Filter, ow, oh int, r Rect) []byte {
	xs, ys := places(f, w, ow), places(f, h, oh)
	dst := make([]byte, 0, r.W*r.H*c)
	for _, y := range ys[r.Y : r.Y+r.H] {
		for _, x := range xs[r.X : r.X+r.W] {
			at := (y*w + x) * c
			dst = append(dst, src[at:at+c]...)
		}
	}
	return dst
}

// places is the source pixel of each of out outputs.
func places(f Filter, in, out int) []int {
	l := make([]int, out)
	step := float64(in) / float64(out)
	if f == OpenCVNearest {
		step = 1 / (float64(out) / float64(in))
	}
	sum := float64(step * 0.5)
	for i := range l {
		at := sum
		if f == OpenCVNearest {
			at = float64(float64(i) * step)
		}
		l[i] = min(int(at), in-1)
		sum += step
	}
	return l
}
