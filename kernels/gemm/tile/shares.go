package tile

// share is a range of columns for tiles of one width.
type share struct {
	k           *Kernel
	first, last int // panels
}

// shares divides the panels first to last-1 among the tiles of k and those that are wider. Tiles of four panels load the least
// for each multiplication, but are low, so that weights pass by more often: near says that these fit a second-level cache,
// and that rows lie at equal distances. Whatever divides into threes goes into threes, where there are any; without them,
// columns are not divided, since a change of tiles costs more than it gains.
func shares(k *Kernel, near bool, first, last int) [3]share {
	n, fours, threes := last-first, 0, 0
	three, four := k.of(3), k.of(4)
	switch {
	case four == nil || !near:
	case three == nil && n%4 == 0:
		fours = n
	case three != nil:
		fours = inFours(n)
	}
	if three != nil {
		threes = inThrees(n - fours)
	}
	a, b := first+fours, first+fours+threes
	return [3]share{{four, first, a}, {three, a, b}, {k, b, last}}
}

// inThrees is how many of n panels go into tiles of three; the others, four or two, go into tiles of two. A single panel
// is left only of one: it needs almost as many loads as two.
func inThrees(n int) int { return max(0, n-[3]int{0, 4, 2}[n%3]) }

// inFours is how many of n panels go into tiles of four beside tiles of three: all, or the four that threes would leave.
func inFours(n int) int {
	switch {
	case n%3 != 0 && n%4 == 0:
		return n
	case n%3 == 1 && n > 4:
		return 4
	}
	return 0
}

// chunk is the number of rows that pass by one kind of tiles before they pass by the next: whole tiles of each.
const chunk = 126

// chunkOf is chunk, or all rows of w if they lie in two pieces or one kind of tiles has all n panels.
func chunkOf(w Walk, all []share, n int) int {
	for _, s := range all {
		if s.last-s.first == n {
			return w.M
		}
	}
	if !w.straight() {
		return w.M
	}
	return chunk
}

// rows is the Walk of at most n rows from first on.
func (w Walk) rows(first, n int) Walk {
	if n >= w.M {
		return w
	}
	return w.part(first, min(n, w.M-first))
}
