package conv

// A depthwise kernel computes spans: pixels of one output line that see the picture at equal distances, given a table of
// pointers to what each tap of the first pixel sees. Pixels at the sides, whose taps leave the picture, are spans of one.

// maxTaps is the length of a span's table. Kernels with more taps run by the reference.
const maxTaps = 64

// maxSpan bounds pixels * blocks * taps of one span: 100 microseconds of the slowest assembly, which holds up a garbage
// collection until it returns.
const maxSpan = 100_000

// span is the work of one call. Steps are in elements; lanes is how many channels of the last block count. Invariant:
// taps beyond slots(g, stack) are not read.
type span[T uint8 | float32] struct {
	taps           [maxTaps]*T
	out            int // index of the first output
	n              int // pixels, or vectors of pixels when there are fewer channels than lanes
	srcStep, dstep int
	lanes          int
	gather         bool // vectors of several pixels that do not touch: srcStep lies between pixels, dstep between vectors
}

// lineWalk cuts pictures into spans. pad must have W*C elements, of one pixel at least, and a vector more (padding), all of
// them the padding value.
type lineWalk[T uint8 | float32] struct {
	g      Geometry
	ow     int
	pad    []T  // see padding
	lanes  int  // channels of a vector
	gather bool // the kernel has variants for vectors of pixels that do not touch
	stack  int  // taps one above the other that lie together in the table: 1, or 4 for integers
	x0, x1 int  // pixels between them see no padding at the sides
	most   int  // pixels of a span

	src    []T // the line: its picture, number, first output, next pixel
	y, out int
	x      int
}

// newLineWalk needs pad if g is padded. x0 and x1 bound the outputs whose every column lies in the picture.
func newLineWalk[T uint8 | float32](g Geometry, pad []T, lanes, stack int) lineWalk[T] {
	w := lineWalk[T]{g: g, ow: g.OutW(), pad: pad, lanes: lanes, stack: stack}
	w.x0 = min(w.ow, (g.PadLeft+g.StrideW-1)/g.StrideW)
	if last := g.W - 1 - (g.KW-1)*g.DilationW + g.PadLeft; last >= 0 {
		w.x1 = min(w.ow, last/g.StrideW+1)
	}
	w.x1 = max(w.x1, w.x0)
	w.most = max(1, maxSpan/((g.C+lanes-1)/lanes*slots(g, stack)))
	return w
}

// slots is the length of the table. Lines of the kernel are filled up to a multiple of stack.
func slots(g Geometry, stack int) int { return (g.KH + stack - 1) / stack * stack * g.KW }

// padding is how many elements a walk needs as pad: a line, which is one pixel where pictures have no columns, and a vector.
func padding(g Geometry) int {
	if g.padded() {
		return max(g.W, 1)*g.C + lanesI8
	}
	return 0
}

// begin starts with output line y. src is its picture, out the index of the line's first output.
func (w *lineWalk[T]) begin(src []T, y, out int) { w.src, w.y, w.out, w.x = src, y, out, 0 }

// next fills in the next span of the line, or returns false at its end. Spans cover the line without overlap, left to
// right.
func (w *lineWalk[T]) next(s *span[T]) bool {
	g, x := &w.g, w.x
	if x >= w.ow {
		return false
	}
	s.out, s.n, s.srcStep, s.dstep, s.lanes = w.out+x*g.C, 1, g.StrideW*g.C, g.C, (g.C-1)%w.lanes+1
	s.gather = false
	w.x++
	if x >= w.x0 && x < w.x1 {
		per, n := w.lanes/g.C, w.x1-x
		share := per > 1 && w.lanes%g.C == 0 && n >= per
		switch {
		case share && g.StrideW == 1:
			s.n, s.srcStep, s.dstep, s.lanes = min(w.most, n/per), w.lanes, w.lanes, w.lanes
			w.x = x + s.n*per
		case share && w.gather && per <= 4:
			s.n, s.dstep, s.lanes, s.gather = min(w.most, n/per), w.lanes, w.lanes, true
			w.x = x + s.n*per
		default:
			s.n = min(w.most, n)
			w.x = x + s.n
		}
	}
	w.table(s, x)
	return true
}

// table fills in what output pixel x of the line sees. Lines above and below the picture see pad in all columns, so
// they need no span of their own.
func (w *lineWalk[T]) table(s *span[T], x int) {
	g, src, y := &w.g, w.src, w.y
	left := x*g.StrideW - g.PadLeft
	for ky := range g.KH {
		iy := y*g.StrideH + ky*g.DilationH - g.PadTop
		slot := ky/w.stack*w.stack*g.KW + ky%w.stack
		inside := iy >= 0 && iy < g.H
		at := (iy*g.W + left) * g.C
		for kx := range g.KW {
			if ix := left + kx*g.DilationW; inside && ix >= 0 && ix < g.W {
				s.taps[slot] = &src[at]
			} else {
				s.taps[slot] = &w.pad[0]
			}
			at += g.DilationW * g.C
			slot += w.stack
		}
	}
	// Slots below the kernel have weights of 0 and see what the first line's tap sees.
	for ky := g.KH; ky%w.stack != 0; ky++ {
		slot := ky/w.stack*w.stack*g.KW + ky%w.stack
		for kx := range g.KW {
			s.taps[slot+kx*w.stack] = s.taps[kx*w.stack]
		}
	}
}

// laneChannel is the channel that lane i of block b computes: blocks follow each other, and lanes beyond the last channel
// repeat the channels if that lets a vector take several pixels.
func laneChannel(c, lanes, b, i int) (channel int, ok bool) {
	if c < lanes && lanes%c == 0 {
		return i % c, true
	}
	return b*lanes + i, b*lanes+i < c
}
