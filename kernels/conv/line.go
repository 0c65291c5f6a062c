package conv

// A line kernel takes whole lines of output, in groups of neighbouring pixels whose sums are in registers together: a
// column of the picture is loaded once for all of them that see it. Groups at the sides say which of their columns lie in
// the picture; the last group may begin inside of the one before it, whose results it computes again. A group goes down the
// lines of a call, one block of channels after the other, so that of what a kernel sees only new lines come from afar; where
// they would not stay, a call has one line.

// linePixels are the sizes of groups that line kernels have; the generator has the same list.
var linePixels = [...]int{14, 10, 8, 7, 5, 4, 3, 2, 1}

// groupInts is the number of elements of a group: offset of its first column in a line and of its first output in a line
// of output, in bytes, then a bit for each column in the picture, or 0 if all are.
const groupInts = 3

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
	seenBytes   = 18 << 10
	leastPixels = 4
	shortLine   = 7
)

// tooWide says that a group of p pixels sees more than should be seen at a time, in elements of size bytes.
func tooWide(g Geometry, p, size int) bool {
	return g.StrideW > 1 && g.OutW() > shortLine && p > leastPixels && ((p-1)*g.StrideW+g.KW)*g.KH*g.C*size > seenBytes
}

// pixelsOfGroup is the size of groups, of those that are not too wide, that makes the least work of a line, where a group
// costs two pixels more than it has, the smallest of several: it computes fewer pixels twice. At most the width of the line, so the last group can
// begin inside of it.
func pixelsOfGroup(g Geometry, size int) int {
	ow := g.OutW()
	best, least := 1, 3*ow
	for _, p := range linePixels {
		if tooWide(g, p, size) {
			continue
		}
		if work := (ow + p - 1) / p * (p + 2); p <= ow && work <= least {
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
		copy(groups[i*groupInts:], []int{first * g.C * size, x * g.C * size, seen})
	}
}

// Sets of the smallest first-level cache in use, 32 KB of lines of 64 bytes: an address belongs to one of 64 sets of 8.
const sets, ways, lineBytes = 64, 8, 64

// nearPixels is how many bytes pixels may lie apart for lines to be worth going down: beyond, a block of channels of some lines is
// spread over so much memory that going along them costs less.
const nearPixels = 1 << 10

// stays says that what a group of p pixels sees in one block of channels, and its outputs, take at most three quarters of the
// first-level cache until the next line. Pixels that lie a large power of two apart share few sets and put each other out.
func stays(g Geometry, p, size int) bool {
	apart, distinct := g.C*size, sets
	if apart > nearPixels {
		return false
	}
	for step := lineBytes; distinct > 1 && apart%(2*step) == 0; step *= 2 {
		distinct /= 2
	}
	return ((p-1)*g.StrideW+g.KW)*g.KH+p <= distinct*ways*3/4
}

// seenLines fills in pointers to column 0 of the lines of in that lines of output from y on see, g.KH each, pad for those
// outside of the picture and for lines without columns, of which all that is seen is padding.
func seenLines(g Geometry, in, pad []float32, y int, lines []*float32) {
	for i := range lines {
		iy := (y+i/g.KH)*g.StrideH + i%g.KH*g.DilationH - g.PadTop
		if iy >= 0 && iy < g.H && g.W > 0 {
			lines[i] = &in[iy*g.W*g.C]
		} else {
			lines[i] = &pad[0]
		}
	}
}
