package conv

// A line kernel takes a whole line of output, in groups of neighbouring pixels whose sums are in registers together: a
// column of the picture is loaded once for all of them that see it. Groups at the sides say which of their columns lie in
// the picture; the last group may begin inside of the one before it, whose results it computes again.

// linePixels are the sizes of groups that line kernels have; the generator has the same list.
var linePixels = [...]int{14, 10, 8, 7, 5, 4, 3, 2, 1}

// groupInts is the number of elements of a group: offset of its first column in a line and of its first output in a line
// of output, in bytes, then a bit for each column in the picture, or 0 if all are, then the offset of the next group, if it is
// worth fetching ahead, else 0.
const groupInts = 4

// distant is the size of a picture with its output, in bytes, from which on a second-level cache has lost its lines
// before they are read.
const distant = 1 << 20

// lines says whether a line kernel of k computes g. Where several pixels of few channels share a vector, that is
// faster. The sizes are those the generator has unrolled: 3 and 5 columns, moving by 1 and 2.
func (k *Kernel) lines(g Geometry) bool {
	size := (g.KW == 3 || g.KW == 5) && g.StrideW <= 2 && g.DilationW == 1
	shared := g.C < k.Lanes && k.Lanes%g.C == 0 && g.StrideW == 1
	return k.Lines && size && !shared
}

// A group takes one vector of channels of its columns, then the next: what it sees in all channels should stay in the
// first-level cache meanwhile. Kernels that move by two see twice the columns for each output and are held to seenBytes;
// groups of leastPixels are never refused, and lines of a full group of shortLine neither. Kernels that move by one use each
// column so often that larger groups are worth more (NOTES.md of package tile).
const (
	seenBytes   = 16 << 10
	leastPixels = 4
	shortLine   = 7
)

// tooWide says that a group of p pixels sees more than should be seen at a time, in elements of size bytes.
func tooWide(g Geometry, p, size int) bool {
	return g.StrideW > 1 && g.OutW() > shortLine && p > leastPixels && ((p-1)*g.StrideW+g.KW)*g.KH*g.C*size > seenBytes
}

// pixelsOfGroup is the size of groups, of those that are not too wide, that makes the least work of a line, where a group
// costs two pixels more than it has. At most the width of the line, so the last group can begin inside of it.
func pixelsOfGroup(g Geometry, size int) int {
	ow := g.OutW()
	best, least := 1, 3*ow
	for _, p := range linePixels {
		if tooWide(g, p, size) {
			continue
		}
		if work := (ow + p - 1) / p * (p + 2); p <= ow && work < least {
			best, least = p, work
		}
	}
	return best
}

// groupsOfLine is the number of groups of p pixels in a line.
func groupsOfLine(ow, p int) int { return (ow + p - 1) / p }

// lineGroups fills in the groups of p pixels of a line, whose elements have size bytes. Bit j of seen is column first +
// j. No group needs bit 1<<columns, which marks one that sees nothing of the picture.
func lineGroups(g Geometry, p, size int, groups []int) {
	ow, columns := g.OutW(), (p-1)*g.StrideW+g.KW
	for i := range groupsOfLine(ow, p) {
		x := min(i*p, ow-p)
		first, seen := x*g.StrideW-g.PadLeft, 0
		for j := range columns {
			if c := first + j; c >= 0 && c < g.W {
				seen |= 1 << j
			}
		}
		switch {
		case seen == 1<<columns-1:
			seen = 0
		case seen == 0:
			seen = 1 << columns // no column, which is not all of them
		}
		copy(groups[i*groupInts:], []int{first * g.C * size, x * g.C * size, seen, 0})
	}
	if (g.H*g.W+g.OutH()*ow)*g.C*size >= distant && g.KH >= g.StrideW {
		fetchAhead(g, size, groups)
	}
}

// fetchAhead fills in the offsets of next groups; after the last one is the first of the next line.
func fetchAhead(g Geometry, size int, groups []int) {
	for at := 0; at < len(groups); at += groupInts {
		if next := at + groupInts; next < len(groups) {
			groups[at+3] = max(0, groups[next])
		} else {
			groups[at+3] = g.StrideH * g.W * g.C * size
		}
	}
}

// eachLine calls f for each line of output with pointers to column 0 of the lines that it sees, pad for those outside of
// the picture, and the index of its first output.
func eachLine[T uint8 | float32](g Geometry, src, pad []T, lines []*T, f func(out int)) {
	oh, ow := g.OutH(), g.OutW()
	for n := range g.Batch {
		in := src[n*g.H*g.W*g.C:][:g.H*g.W*g.C]
		for y := range oh {
			for ky := range lines {
				iy := y*g.StrideH + min(ky, g.KH-1)*g.DilationH - g.PadTop
				if iy >= 0 && iy < g.H {
					lines[ky] = &in[iy*g.W*g.C]
				} else {
					lines[ky] = &pad[0]
				}
			}
			f((n*oh + y) * ow * g.C)
		}
	}
}
