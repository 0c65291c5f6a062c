package conv

// A sliding kernel takes whole lines of output at stride 1, padding at the sides included, and unpacks each column of the
// picture once for all outputs that see it.

// slides says whether the current kernels have one for g. With fewer channels than a vector has lanes, several pixels in
// one vector are faster, if they fit.
func (c *callI8) slides(g Geometry) bool {
	size := g.KH == g.KW && (g.KW == 3 || g.KW == 5)
	full := g.C >= lanesI8 || lanesI8%g.C != 0
	return c.k.Slides && size && full && g.StrideW == 1 && g.DilationW == 1
}

// slide runs all lines. Lines outside of the picture are padding.
func (c *callI8) slide(dst, src []uint8, g Geometry, pad []uint8) {
	oh, ow := g.OutH(), g.OutW()
	most := max(1, maxSpan/(c.p.blocks*c.p.groups*stackI8))
	var lines [2 * stackI8]*uint8
	for n := range g.Batch {
		in := src[n*g.H*g.W*g.C:][:g.H*g.W*g.C]
		for y := range oh {
			for ky := range lines[:(g.KH+stackI8-1)/stackI8*stackI8] {
				iy := y*g.StrideH + min(ky, g.KH-1)*g.DilationH - g.PadTop
				if iy >= 0 && iy < g.H {
					lines[ky] = &in[iy*g.W*g.C]
				} else {
					lines[ky] = &pad[0]
				}
			}
			for x := 0; x < ow; x += most {
				c.slideLine(dst, &lines, g, ((n*oh+y)*ow+x)*g.C, x-g.PadLeft, min(most, ow-x))
			}
		}
	}
}
