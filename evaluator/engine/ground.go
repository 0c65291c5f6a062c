package engine

import "slices"

// ground is the memory that stored activations lie in: one range of addresses as long as the store's budget, which the system gives
// memory to where it is written first. Extents are handed out from the front, so that what was written before is written
// again: a page that is touched for the first time costs several times what copying it does.
// Invariants: free is ascending, extents do not overlap or touch each other, and all begin and end at multiples of alignment.
// It has no lock of its own.
type ground struct {
	size  int
	bytes []byte // nil before the first extent is taken
	free  []extent
}

// extent is free memory of which about warm bytes, at its front, have been written since the system gave them.
type extent struct{ at, n, warm int }

func newGround(size int64) *ground {
	n := int(size) / alignment * alignment
	return &ground{size: n, free: []extent{{at: 0, n: n}}}
}

// find is the first extent that holds n bytes, and how many of these were never written; -1 for none.
func (g *ground) find(n int) (i, cold int) {
	n = padded(n)
	for i, x := range g.free {
		if x.n >= n {
			return i, max(0, n-x.warm)
		}
	}
	return -1, 0
}

// take cuts n bytes off the front of extent i.
func (g *ground) take(i, n int) []byte {
	if g.bytes == nil {
		g.bytes = reserve(g.size)
	}
	x, size := &g.free[i], padded(n)
	b := g.bytes[x.at : x.at+n : x.at+size]
	x.at, x.n, x.warm = x.at+size, x.n-size, max(0, x.warm-size)
	if x.n == 0 {
		g.free = slices.Delete(g.free, i, i+1)
	}
	return b
}

// give takes back n bytes from at on and joins them with what is free beside them.
func (g *ground) give(at, n int) {
	n = padded(n)
	i, _ := slices.BinarySearchFunc(g.free, at, func(x extent, at int) int { return x.at - at })
	x := extent{at, n, n}
	if i < len(g.free) && g.free[i].at == at+n {
		x.n, x.warm = x.n+g.free[i].n, x.warm+g.free[i].warm
		g.free = slices.Delete(g.free, i, i+1)
	}
	if i > 0 && g.free[i-1].at+g.free[i-1].n == at {
		g.free[i-1].n, g.free[i-1].warm = g.free[i-1].n+x.n, g.free[i-1].warm+x.warm
		return
	}
	g.free = slices.Insert(g.free, i, x)
}

// warm is how much of what is free was written.
func (g *ground) warm() (sum int64) {
	for _, x := range g.free {
		sum += int64(x.warm)
	}
	return sum
}

// cool gives the memory of what is free back to the system and says how much that was.
func (g *ground) cool() int64 {
	sum := g.warm()
	for i := range g.free {
		if x := &g.free[i]; x.warm > 0 {
			forsake(g.bytes[x.at : x.at+x.n])
			x.warm = 0
		}
	}
	return sum
}

// abandon ends everything.
func (g *ground) abandon() {
	if g.bytes != nil {
		abandon(g.bytes)
	}
}
