package conv

import "assay/kernels/gemm/tile"

// A dense convolution is a product of rows and packed weights: a row is what one output pixel sees. Three shapes of rows:
//
//	flat  1x1 kernel, stride 1, no padding: pixels are the rows as they lie
//	lines rows begin at pixels of one line and take a segment for each line (or each column) of the kernel, either in
//	      the picture or in a padded copy of a band of its lines
//	seen  what each pixel sees is gathered first: for pictures so narrow that a line would leave a tile nearly empty
//
// The three in a picture, for a 3x3 kernel (x: what one output sees, as segments of neighbouring elements):
//
//	flat    one segment of C                      rows are pixels
//	lines   x x x                                 segs = KH, len = KW*C when a line of the kernel is one segment,
//	        x x x                                 else segs = KH*KW, len = C/Group
//	        x x x
//	seen    x x x x x x x x x                     gathered: one segment again
type shape int

const (
	flat shape = iota
	lines
	seen
)

// narrow is the width of output below which rows are gathered; at 7, two lines make one full tile of 14 rows.
const narrow = 7

// wideI8 is that width for bytes of 16 channels and more: tiles of 16 rows and steps of 64 bytes, which single lines of
// such pictures leave partly empty, cost more than gathering does.
const wideI8 = 16

// plan is a dense convolution of one geometry, decided from sizes only. Invariants: segs*len = KH*KW*cg, the k of the
// product; band >= 1; pw is W unless copies. Sizes decide it and nothing else, so it costs no bit and is made anew in
// each Run.
type plan struct {
	g          Geometry
	oh, ow, cg int // output size; channels of a group
	shape      shape
	copies     bool // lines: in a padded copy
	merged     bool // a line of the kernel is one segment
	segs, len  int
	pw         int // width of the picture that rows lie in: with padding when copied
	band       int // output lines that one copy, or one gathering, serves
}

// bandBytes is how large a copy may become: half of a second-level cache for one pass over weights that are larger.
const bandBytes, bandBytesWide = 192 << 10, 768 << 10

// size is bytes of an element; overrun says that kernels may read behind a row, which only a copy with slack allows. A
// band is as many output lines as the budget holds the input lines of.
func newPlan(g Geometry, size, weightBytes int, overrun bool) plan {
	p := plan{g: g, oh: g.OutH(), ow: g.OutW(), cg: g.C / g.Group, pw: g.W}
	p.merged = mergedLines(g)
	p.segs, p.len = segments(g)
	pointwise := g.KH == 1 && g.KW == 1 && g.StrideH == 1 && g.StrideW == 1 && !g.padded()
	budget := bandBytes
	if weightBytes > resident {
		budget = bandBytesWide
	}
	switch {
	case pointwise && g.Group == 1:
		p.shape = flat
	case (p.ow < narrow || size == 1 && p.ow < wideI8 && p.cg >= 16) && !pointwise:
		p.shape = seen
		p.band = max(1, min(p.oh, budget/max(1, p.ow*p.segs*p.len*size)))
	default:
		p.shape = lines
		p.copies = g.padded() || overrun
		p.band = p.oh
		if p.copies {
			p.pw = (p.ow-1)*g.StrideW + (g.KW-1)*g.DilationW + 1
			lineBytes := p.pw * g.C * size
			p.band = max(1, min(p.oh, (budget/lineBytes-p.tall(1))/g.StrideH+1))
		}
	}
	return p
}

// mergedLines says that a line of the kernel reads neighbouring elements: one segment.
func mergedLines(g Geometry) bool { return g.Group == 1 && (g.DilationW == 1 || g.KW == 1) }

// segments is the number and length of the segments of a row.
func segments(g Geometry) (n, length int) {
	if mergedLines(g) {
		return g.KH, g.KW * g.C
	}
	return g.KH * g.KW, g.C / g.Group
}

// tall is the number of input lines that n output lines see.
func (p *plan) tall(n int) int { return (n-1)*p.g.StrideH + (p.g.KH-1)*p.g.DilationH + 1 }

// buffer is the number of elements of a copy or a gathering, with slack for the groups of four of the integer kernels.
// Zero without a copy or gathering.
func (p *plan) buffer() int {
	switch {
	case p.shape == seen:
		return p.band*p.ow*p.segs*p.len + 4
	case p.copies:
		return p.tall(p.band)*p.pw*p.g.C + 4
	}
	return 0
}

// offsets fills in where segments begin, seen from the row's first element, in a picture pw wide; repeat times.
func (p *plan) offsets(segs []int, pw int) {
	if p.shape == seen {
		for i := range segs {
			segs[i] = i % p.segs * p.len
		}
		return
	}
	for i := range segs {
		s := i % p.segs
		if p.merged {
			segs[i] = s * p.g.DilationH * pw * p.g.C
		} else {
			segs[i] = (s/p.g.KW*p.g.DilationH*pw + s%p.g.KW*p.g.DilationW) * p.g.C
		}
	}
}

// copyBand copies the input lines that output lines first to first+n-1 see into buf, with padding. Lines above and
// below the picture are whole lines of pad; the four elements behind the last line are read by kernels that step in
// fours and multiply them by weights of 0.
func copyBand[T uint8 | float32](p *plan, buf, src []T, pad T, first, n int) {
	g := &p.g
	width := p.pw * g.C
	left := min(g.PadLeft, p.pw) * g.C
	inner := min(g.W*g.C, width-left)
	for i := range p.tall(n) {
		out := buf[i*width:][:width]
		y := first*g.StrideH + i - g.PadTop
		if y < 0 || y >= g.H {
			fill(out, pad)
			continue
		}
		fill(out[:left], pad)
		copy(out[left:], src[y*g.W*g.C:][:inner])
		fill(out[left+inner:], pad)
	}
	fill(buf[p.tall(n)*width:][:4], pad)
}

// fill sets all of s to v, by copies of what is filled already.
func fill[T uint8 | float32](s []T, v T) {
	n := min(len(s), 16)
	for i := range s[:n] {
		s[i] = v
	}
	for ; n < len(s); n *= 2 {
		copy(s[n:], s[:n])
	}
}

// gather writes what the pixels of output lines first to first+n-1 see in channels from c on. Each pixel's k elements
// lie in a row: a matrix [n*ow][segs*len].
func gather[T uint8 | float32](p *plan, buf, src []T, pad T, first, n, c int) {
	for oy := first; oy < first+n; oy++ {
		for ox := range p.ow {
			buf = gatherPixel(p, buf, src, pad, oy, ox, c)
		}
	}
	fill(buf[:4], pad)
}

// gatherPixel writes what output pixel (oy, ox) sees in channels from c on, and returns the rest of buf. Order: line of
// the kernel, column, channel, as the weights lie.
func gatherPixel[T uint8 | float32](p *plan, buf, src []T, pad T, oy, ox, c int) []T {
	g := &p.g
	x := ox*g.StrideW - g.PadLeft
	for ky := range g.KH {
		out := buf[:g.KW*p.cg]
		buf = buf[len(out):]
		y := oy*g.StrideH + ky*g.DilationH - g.PadTop
		switch {
		case y < 0 || y >= g.H:
			fill(out, pad)
		case p.merged && g.KW > 1:
			from, to := min(max(-x, 0), g.KW), max(min(g.W-x, g.KW), 0)
			fill(out[:from*g.C], pad)
			if from < to {
				copy(out[from*g.C:to*g.C], src[(y*g.W+x+from)*g.C:])
			}
			fill(out[max(from, to)*g.C:], pad)
		default:
			gatherTaps(p, out, src[y*g.W*g.C+c:], pad, x)
		}
	}
	return buf
}

// gatherTaps writes the taps of a line of the kernel that lie apart; the first one is at x of src, which begins a line.
func gatherTaps[T uint8 | float32](p *plan, out, src []T, pad T, x int) {
	for range p.g.KW {
		if x < 0 || x >= p.g.W {
			fill(out[:p.cg], pad)
		} else {
			copy(out[:p.cg], src[x*p.g.C:])
		}
		out = out[p.cg:]
		x += p.g.DilationW
	}
}

// stretch is some output lines that see the same lines of the kernel.
type stretch struct {
	y, n        int // from line y of a band
	first, last int // lines of the kernel: last is the one behind
}

// see is the stretch that begins at line y of the picture and has at most n lines. Lines of the kernel above or below the
// picture are left out where top and bottom allow that, but not both for one line, nor all lines.
func (p *plan) see(y, n int, top, bottom bool) stretch {
	s := stretch{n: n, last: p.g.KH}
	s.first, s.last = p.inside(y, top, bottom)
	for i := 1; i < n; i++ {
		if first, last := p.inside(y+i, top, bottom); first != s.first || last != s.last {
			s.n = i
			break
		}
	}
	return s
}

// inside is which lines of the kernel output line y sees in the picture.
func (p *plan) inside(y int, top, bottom bool) (first, last int) {
	g := &p.g
	at := y*g.StrideH - g.PadTop
	last = g.KH
	if top && at < 0 {
		first = (-at + g.DilationH - 1) / g.DilationH
	}
	if room := g.H - at; bottom && first == 0 {
		last = min(last, (room+g.DilationH-1)/g.DilationH)
	}
	if first >= last {
		return 0, g.KH
	}
	return first, last
}

// rows is the Walk of the output lines of a stretch of a band that begins at element base of its source; c is the first
// channel of the group. It takes one line, or two if they make one tile, or all lines where rows are gathered. Two lines
// of 7 make a tile of 14 rows; Half is the distance between them.
func (p *plan) rows(base int, s stretch, c int, segs []int) (w tile.Walk, took int) {
	all := p.segs / p.g.KH
	if s.last-s.first < p.g.KH {
		segs = segs[s.first*all : s.last*all]
	}
	g := &p.g
	switch {
	case p.shape == seen:
		w, took = tile.Line(base+s.y*p.ow*p.segs*p.len, p.segs*p.len, s.n*p.ow, segs, p.len), s.n
	default:
		w, took = tile.Line(base+s.y*g.StrideH*p.pw*g.C+c, g.StrideW*g.C, p.ow, segs, p.len), 1
		if p.ow == narrow && s.n > 1 {
			w.M, w.Half, took = 2*narrow, g.StrideH*p.pw*g.C, 2
		}
	}
	w.First = s.first * all
	return w, took
}

// resident is how many bytes of packed weights may pass by for each line of output; see gemm.
const resident = 1 << 20

// groupsOfPanels is how many panels pass by together. An even number of them, at least 2, unless all go at once.
func groupsOfPanels(panels, bytes int) int {
	if bytes <= resident {
		return panels
	}
	return max(2, resident/2/(bytes/panels)&^1)
}
