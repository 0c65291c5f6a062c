package conv

// A sliding kernel takes whole lines of output, padding at the sides included, and unpacks each column of the picture
// once for all outputs that see it. Whole blocks of channels go line by line, and then most of a block. Channels that are left over would leave most
// of a vector empty, so that it takes them of two or four lines at once.

// slides says whether the current kernels have one for g. With few channels that divide a vector, several pixels in one
// vector are faster, if they fit.
func (c *callI8) slides(g Geometry) bool {
	size := g.KH == g.KW && (g.KW == 3 || g.KW == 5)
	shared := g.C < 16 && lanesI8%g.C == 0 && g.StrideW == 1
	return c.k.Slides && c.rq.Bounded() && size && !shared && g.C%4 == 0 && g.StrideW <= 2 && g.DilationW == 1
}

// slideParts is the largest number of lines that a vector takes.
const slideParts = 4

// slideCall has what the calls of sliding kernels share, and the arguments of one: blocks of channels from block on, in
// parts lines.
type slideCall struct {
	*callI8
	g       Geometry
	pad     *uint8
	lines   [slideParts * 2 * stackI8]*uint8 // column 0 of each line that each part sees
	out     [slideParts]*uint8               // each part's first output
	block   int
	blocks  int
	parts   int
	mask    int // a bit for every four channels of the last block, 0 where all blocks are whole
	x0, len int // pixels of the line
}

// tail is the number of channels that go in several lines at once, and of lines. parts*channels fills the vector of 64:
// 4 x 16 or 2 x 32.
func tail(g Geometry) (channels, parts int) {
	rest := g.C % lanesI8
	switch oh := g.OutH(); {
	case rest > 0 && rest <= lanesI8/4 && oh > 2:
		return rest, 4
	case rest > 0 && rest <= lanesI8/2 && oh > 1:
		return rest, 2
	}
	return 0, 1
}

// slide runs all lines. Lines outside of the picture are padding. Lines that several parts would compute twice at the
// bottom are written twice with the same bytes.
func (c *callI8) slide(dst, src []uint8, g Geometry, pad []uint8) {
	s := slideCall{callI8: c, g: g}
	switch {
	case g.padded():
		s.pad = &pad[0]
	case g.Batch > 0:
		s.pad = &src[0] // never read
	}
	oh, size := g.OutH(), g.OutW()*g.C
	left, parts := tail(g)
	for n := range g.Batch {
		in, out := src[n*g.H*g.W*g.C:][:g.H*g.W*g.C], dst[n*oh*size:][:oh*size]
		for y := 0; y < oh; y += parts {
			whole, some := (g.C-left)/lanesI8, (g.C-left)%lanesI8
			for i := y; i < min(y+parts, oh); i++ {
				if s.block, s.blocks, s.parts, s.mask = 0, whole, 1, 0; whole > 0 {
					s.run(out, in, pad, i)
				}
				if s.block, s.blocks, s.mask = whole, 1, 1<<(some/4)-1; some > 0 {
					s.run(out, in, pad, i)
				}
			}
			if left > 0 {
				s.block, s.blocks, s.parts, s.mask = g.C/lanesI8, 1, parts, 1<<(left/4)-1
				s.run(out, in, pad, y)
			}
		}
	}
}

// run computes output lines from y on, one in each part; those below the picture repeat the last.
func (s *slideCall) run(dst, src, pad []uint8, y int) {
	g, first := &s.g, s.block*lanesI8
	stack := (g.KH + stackI8 - 1) / stackI8 * stackI8
	for part := range s.parts {
		y := min(y+part, g.OutH()-1)
		for ky := range g.KH {
			iy := y*g.StrideH + ky*g.DilationH - g.PadTop
			if iy >= 0 && iy < g.H && g.W > 0 {
				s.lines[part*stack+ky] = &src[iy*g.W*g.C+first]
			} else {
				s.lines[part*stack+ky] = &pad[first]
			}
		}
	}
	ow := g.OutW()
	most := max(1, maxSpan/(s.blocks*s.p.groups*stackI8*s.parts))
	for s.x0 = 0; s.x0 < ow; s.x0 += most {
		s.len = min(most, ow-s.x0)
		for part := range s.parts {
			line := dst[min(y+part, g.OutH()-1)*ow*g.C:][:ow*g.C]
			s.out[part] = &line[s.x0*g.C+first]
		}
		s.line()
	}
}
